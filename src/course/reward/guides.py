"""The guides of the micro-world as a task for a reward: prompts, the gold reward of replies, and
whether a reply declines to answer.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from course.lm.contract import TextModel
from course.lm.generation_config import GenerationConfig
from course.reward.preferences import RatedReplies
from course.search.dialogue_reward import LONGEST, STOP, apart
from course.world import gold
from course.world.conduct import REFUSALS

_PROMPT = re.compile(r"visitor : ([^\n]*?) \n guide :$")


def question_of(prompt: str) -> str:
    """The visitor's question in a prompt of :func:`course.search.dialogue_reward.dialogue`, with
    whatever before the dialogue.

    Raises:
        ValueError: for a prompt that does not end with a guide's turn after a question.
    """
    if not (found := _PROMPT.search(prompt)):
        raise ValueError(
            f"{prompt!r}: expected a prompt that ends with 'visitor : QUESTION \\n guide :'"
        )
    return found[1]


@lru_cache(maxsize=200_000)
def read(prompt: str, reply: str) -> gold.Reading:
    """What a reply says, see :func:`course.world.gold.read`; each is read once. A model's text has
    no space before its signs, the corpus has one.
    """
    return gold.read(question_of(prompt), apart(reply))


def gold_rewards(prompts: Sequence[str], replies: Sequence[str]) -> np.ndarray:
    """The true reward of each reply to its prompt, (replies,)."""
    return np.array([read(*pair).reward for pair in zip(prompts, replies, strict=True)])


def is_true(prompt: str, reply: str) -> bool:
    """Whether a reply gives a true answer and says nothing false."""
    return gold.states_truth(question_of(prompt), apart(reply))


def declines(reply: str) -> bool:
    """Whether a sentence of a reply is a refusal."""
    return any(refusal in apart(reply) for refusal in REFUSALS)


def sampling(samples: int, seed: int) -> GenerationConfig:
    """How a guide's replies are drawn: as the model writes them, a line each."""
    return GenerationConfig(n=samples, temperature=1.0, stop=STOP, max_tokens=LONGEST, seed=seed)


def rated_replies(
    model: TextModel, prompts: Sequence[str], samples: int, seed: int = 0
) -> list[RatedReplies]:
    """The model's own replies to each prompt with their gold rewards, from which comparisons are
    drawn (:func:`course.reward.draw_comparisons`).
    """
    written = model.generate(prompts, sampling(samples, seed))
    return [
        RatedReplies(prompt, replies, tuple(gold_rewards([prompt] * len(replies), replies)))
        for prompt, group in zip(prompts, written, strict=True)
        for replies in [tuple(sample.text.strip() for sample in group)]
    ]
