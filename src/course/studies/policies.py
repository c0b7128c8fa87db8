"""Policies that learn from a reward: best-of-n, rejection sampling, DPO, RLOO and GRPO at matched
divergence, and what a request in the prompt adds before and after (chapter 7).

Seeds x settings x seconds of a busy core: 5 x 3 bodies x 220, and 5 x 4 betas x 35.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

import numpy as np
import torch
from transformers import PreTrainedModel

from course.adapters import adapt
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.reward.best_of_n import best_of_n_kl, expected_best
from course.reward.bradley_terry import RewardData
from course.reward.dpo import DpoData, reply_log_probabilities
from course.reward.guides import declines, gold_rewards, is_true, rated_replies, sampling
from course.reward.online import OnlineSettings, OnlineTraining
from course.reward.pairs import encode_pairs
from course.reward.preferences import Comparison, draw_comparisons
from course.reward.rejection import best_samples
from course.reward.reward_model import RewardModel, learn_reward
from course.reward.rollout import measured, roll_out
from course.search.dialogue_reward import STOP, dialogue, visitor_questions
from course.studies.bodies import GPTS
from course.studies.records import Row, Study
from course.studies.reward import (
    COMPARED,
    COURTEOUS,
    ON_POLICY,
    SHORTEST,
    STEPS,
    courteous_words,
    draw_pool,
    shortest,
)
from course.studies.tables import rows_of
from course.training.batches import Data, batching_plan, pad_id
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit

#: Comparisons that the reward model, and DPO, learn from.
COMPARISONS = 1000
#: Questions of the test; replies to each at every look, with each request, and for best-of-n.
TESTED = 32
LOOKED_AT, REQUESTED_AT, POOL = 8, 16, 64
SIZES = (1, 2, 4, 8, 16, 32, 64)
BEST_OF_N, REJECTION, DPO = "best-of-n", "rejection sampling", "DPO"
#: Methods of reinforcement learning by their names.
RL = {"RLOO": "rloo", "GRPO": "grpo"}
METHODS = (BEST_OF_N, REJECTION, DPO, *RL)
#: Replies to each question that rejection sampling keeps the best of, and how many questions.
KEPT_OF, REJECTION_QUESTIONS = 64, 48
#: Updates of a method, and between two looks. Rates were set after one trial on a seed that counts
#: for nothing, in which some methods leapt over the divergence at which they are compared and one
#: did not come to it; :func:`course.studies.policies_tables.at_matched` tells how many runs of the
#: record come so far.
UPDATES, EVERY = 20, 4
ONLINE = OnlineSettings(beta=0.05, steps=UPDATES, prompts=8, samples=8, learning_rate=2.5e-3)
SUPERVISED = FitSettings(steps=UPDATES, validate_every=EVERY, precision="fp32")
RATES = {REJECTION: 5e-3, DPO: 1.5e-3}
DPO_BETA = 0.1
#: The divergence, in nats, at which methods are compared; and one that was chosen after the
#: measurement, since some runs do not come to the first.
MATCHED, NEARER = 2.0, 0.25
#: What is put before a dialogue: name -> a line of the corpus's own kind. The placebo is as long as
#: the request and says nothing about a manner.
NO_REQUEST, REQUEST, PLACEBO, OPPOSITE = (
    "no request",
    "kind and honest",
    "placebo",
    "the opposite",
)
REQUESTS = {
    NO_REQUEST: "",
    REQUEST: "this is how a polite and careful guide answers . \n",
    PLACEBO: "this is how a guide near the mill answers . \n",
    OPPOSITE: "this is how a rude and careless guide answers . \n",
}
BEFORE, AFTER = "before", "after"
#: Who learns for the requests.
REQUESTED = "RLOO"
#: Weights of the penalty that are tried on one body.
BETAS = (0.0, 0.02, 0.05, 0.2)


@dataclass(frozen=True)
class Start:
    """What all methods start from.

    Attributes:
        name: of the body.
        base: the model before.
        train, test: prompts.
        comparisons: of the base's own replies.
        learned: the reward model of these comparisons.
        seed: of everything.
    """

    name: str
    base: LanguageModel
    train: tuple[str, ...]
    test: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    learned: RewardModel
    seed: int

    def policy(self) -> LanguageModel:
        """A copy of the base with a fresh adapter."""
        return fresh_policy(self.base, self.seed)

    def look(self, policy: LanguageModel, step: int) -> list[Row]:
        """What replies to the test questions are like."""
        with torch.no_grad():
            rollout = roll_out(policy, self.test, sampling(LOOKED_AT, self.seed + 1))
        proxy = self.learned.score(rollout.prompts, rollout.replies)
        entry = asdict(measured(step, rollout, proxy, gold_rewards, declines, 0.0))
        kept = {name: entry[name] for name in ("proxy", "kl", "length", "distinct", "declined")}
        return rows_of(kept | contents(rollout.prompts, rollout.replies), step=step)


def fresh_policy(base: LanguageModel, seed: int) -> LanguageModel:
    """A copy of a model with a fresh adapter, which leaves it as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = adapt(copy.deepcopy(base.model), "lora")
    return LanguageModel(model, base.tokenizer, base.batch_tokens)


def contents(prompts: Sequence[str], replies: Sequence[str]) -> dict[str, float]:
    """Gold, true replies in percent, and courteous words, each a reply."""
    pairs = zip(prompts, replies, strict=True)
    return {
        "gold": float(gold_rewards(prompts, replies).mean()),
        "true": 100 * float(np.mean([is_true(*pair) for pair in pairs])),
        COURTEOUS: float(courteous_words(prompts, replies).mean()),
    }


def start(name: str, seed: int) -> Start:
    """A body, its comparisons, and the reward model that is learned from them."""
    base = load(name)
    train, test = (
        tuple(dialogue(question) for question in questions)
        for questions in visitor_questions(seed, COMPARED, TESTED)
    )
    rated = rated_replies(base, train, ON_POLICY, seed)
    comparisons = tuple(draw_comparisons(rated, COMPARISONS, seed=seed))
    settings = FitSettings(steps=STEPS[COMPARISONS], seed=seed, precision="fp32")
    learned = learn_reward(name, comparisons, settings, unknown="allow")
    return Start(name, base, train, test, comparisons, learned, seed)


def policies(seed: int) -> list[Row]:
    """Gold against divergence of each method on each body, and the effect of requests.

    Returns:
        Columns model, part, measure, value. The part ``"curve"`` has ``method`` and ``step`` (the
        size of the choice for best-of-n), ``"rule"`` the same for choices that need no reward
        model, ``"request"`` has ``request`` and ``state``.
    """
    return [{"model": name, **row} for name in GPTS for row in _of_body(start(name, seed))]


def _of_body(begun: Start) -> list[Row]:
    rows, before = _best_of_n(begun), begun.look(begun.policy(), 0)
    learn: dict[str, Callable[[Start], tuple[LanguageModel, list[Row]]]] = {
        REJECTION: reject,
        DPO: prefer,
        **{name: _online(method) for name, method in RL.items()},
    }
    for method, run in learn.items():
        policy, looks = run(begun)
        rows += [{"part": "curve", "method": method, **row} for row in (*before, *looks)]
        if method == REQUESTED:
            rows += requested(begun, policy)
    return rows


def _best_of_n(begun: Start) -> list[Row]:
    """Best-of-n by the reward model, and by rules that read nothing."""
    pool = draw_pool(begun.base, begun.test, POOL, begun.seed)
    rewards = {BEST_OF_N: begun.learned.score, SHORTEST: shortest, COURTEOUS: courteous_words}
    rows: list[Row] = []
    for method, reward in rewards.items():
        proxy = pool.values(reward)
        pairs = zip(proxy, pool.gold, strict=True)
        gold = np.mean([expected_best(p, g, SIZES) for p, g in pairs], axis=0)
        part = "curve" if method == BEST_OF_N else "rule"
        for n, value in zip(SIZES, gold.tolist(), strict=True):
            measures = {"gold": value, "kl": best_of_n_kl(n)}
            rows += rows_of(measures, part=part, method=method, step=n)
    return rows


def _supervised(begun: Start, method: str, data: Data, policy: LanguageModel) -> list[Row]:
    """Looks along a training with :func:`course.training.fit`."""
    rows, order = list[Row](), count()

    def look(model: PreTrainedModel) -> float:
        number = next(order)
        if number:  # what all methods start from is looked at once
            rows.extend(begun.look(policy, number * EVERY))
        return float(number)  # the last weights count, whatever was seen on the way

    settings = replace(SUPERVISED, learning_rate=RATES[method], seed=begun.seed)
    fit(policy.model, data, settings, validate=look, bar=False)
    return rows


def reject(begun: Start) -> tuple[LanguageModel, list[Row]]:
    """Rejection sampling, then supervised training on what was kept."""
    prompts = Rng(f"rejection/{begun.seed}").sample(list(begun.train), REJECTION_QUESTIONS)
    draws = sampling(KEPT_OF, begun.seed + 2)
    kept = best_samples(begun.base, prompts, begun.learned.score, draws)
    pairs = [(prompt, f"{reply} {STOP}") for prompt, reply in kept]
    data, policy = completions(begun.base.tokenizer, pairs, unknown="allow"), begun.policy()
    return policy, _supervised(begun, REJECTION, data, policy)


def prefer(begun: Start) -> tuple[LanguageModel, list[Row]]:
    """DPO on the comparisons that the reward model learned from."""
    tokenizer = begun.base.tokenizer
    pairs = encode_pairs(tokenizer, begun.comparisons, f" {STOP}", unknown="allow")
    pad = pad_id(tokenizer)
    plan = batching_plan(begun.base.model, SUPERVISED.max_tokens_per_batch)
    reference = reply_log_probabilities(begun.base.model, RewardData(pairs, pad), plan)
    policy = begun.policy()
    return policy, _supervised(begun, DPO, DpoData(pairs, pad, reference, DPO_BETA), policy)


def _online(
    method: str, beta: float = ONLINE.beta
) -> Callable[[Start], tuple[LanguageModel, list[Row]]]:
    """Reinforcement learning by a method, with looks on the way."""

    def run(begun: Start) -> tuple[LanguageModel, list[Row]]:
        policy = begun.policy()
        settings = replace(ONLINE, method=method, beta=beta, seed=begun.seed)
        training = OnlineTraining(policy, begun.learned.score, begun.train, settings)
        rows: list[Row] = []
        for number in range(settings.steps):
            training.step(number)
            if (number + 1) % EVERY == 0:
                rows += begun.look(policy, number + 1)
        return policy, rows

    return run


def requested(begun: Start, policy: LanguageModel) -> list[Row]:
    """What each request makes of the replies before and after training, which had none."""
    rows: list[Row] = []
    for state, model in ((BEFORE, begun.base), (AFTER, policy)):
        for request, prefix in REQUESTS.items():
            prompts = [f"{prefix} {prompt}".lstrip(" ") for prompt in begun.test]
            written = model.generate(prompts, sampling(REQUESTED_AT, begun.seed + 3))
            pairs = [
                (prompt, sample.text.strip())
                for prompt, group in zip(prompts, written, strict=True)
                for sample in group
            ]
            measures = contents(*zip(*pairs, strict=True))
            rows += rows_of(measures, part="request", state=state, request=request)
    return rows


def betas(seed: int) -> list[Row]:
    """Looks along reinforcement learning by weight of the penalty, on one body.

    Returns:
        Columns beta, step, measure, value.
    """
    begun = start(GPTS[0], seed)
    rows, before = list[Row](), begun.look(begun.policy(), 0)
    for beta in BETAS:
        _, looks = _online(RL[REQUESTED], beta)(begun)
        rows += [{"beta": beta, **row} for row in (*before, *looks)]
    return rows


STUDY = Study("policies", 1, GPTS, (0, 1, 2, 3, 4), policies)
BETA_STUDY = Study("reward-betas", 1, GPTS[:1], (0, 1, 2, 3, 4), betas)
STUDIES = (STUDY, BETA_STUDY)
