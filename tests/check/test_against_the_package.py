"""The naive computations of the checkers against what the package does: the package's own functions
are right answers, too.
"""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from seqeval.metrics.sequence_labeling import get_entities

from course import check, reward
from course.adapters import by_hand
from course.prompting import PLAIN
from course.prompting.calibration import recalibrated
from course.prompting.prompts import Prompt
from course.reasoning.voting import is_decided, majority
from course.search.best_arm import SuccessiveHalving
from course.search.by_hand import policy_gradient_loss
from course.tasks.answer_parsing import NO_ANSWER, Answer
from course.world.example import Example


def lora_layer(x, weight, bias, A, B, alpha):
    linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight.data, linear.bias.data = weight, bias
    layer = by_hand.LoRALinear(linear, len(A), alpha)
    layer.A.data, layer.B.data = A, B
    return layer(x)


def prompt_text(instruction, demonstrations, query):
    shown = tuple(Example(x, y) for x, y in demonstrations)
    return Prompt(query, shown, instruction, PLAIN).text


def votes(answers):
    return [NO_ANSWER if answer is None else Answer(answer) for answer in answers]


def winner(answers):
    if not answers:
        return None
    found = majority(votes(answers)).winner
    return None if found == NO_ANSWER else found.text


def clipped(log_p, old, advantages, clip):
    """The loss of single tokens, each a reply of its own."""
    loss, one = reward.PolicyLoss(clip=clip), torch.ones(1, 1)
    return torch.stack(
        [
            torch.stack(
                [-loss(p.view(1, 1), o.view(1, 1), o.view(1, 1), a.view(1), one) for p, o in row]
            )
            for row, a in zip(map(zip, log_p, old), advantages, strict=True)
        ]
    )


def policy(log_p, rewards):
    if rewards.std() == 0:  # the few lines of the chapter leave this case out
        return 0 * log_p.sum()
    return policy_gradient_loss(log_p, rewards)


ANSWERS = {
    "bradley_terry_loss": reward.bradley_terry_loss,
    "calibration": lambda p, c: softmax(recalibrated(np.log(p + 1e-12), np.log(c)[None]), 1),
    "clipped_objective": clipped,
    "dpo_loss": reward.dpo_loss,
    "entities": lambda tags: [(kind, a, b + 1) for kind, a, b in get_entities(tags)],
    "few_shot_prompt": prompt_text,
    "group_advantages": reward.group_advantages,
    "halving_plan": lambda n, items: SuccessiveHalving(tuple(map(str, range(n)))).plan(items),
    "kl_estimate": reward.kl_estimate,
    "lora_forward": lora_layer,
    "majority_vote": winner,
    "policy_gradient_loss": policy,
    "vote_is_decided": lambda answers, n: is_decided(votes(answers), n),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_package_answers_the_exercise(name):
    verdict = getattr(check, name)(ANSWERS[name])
    assert verdict, verdict.sentence
