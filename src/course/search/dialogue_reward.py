"""Rewards for dialogue replies: a learned classifier, checked facts, word counts, and the truth
about the replies.

A text put before a dialogue (a *prefix*) changes how the model goes on. A search sees a reward,
which is learned from training dialogues or made up. :func:`judge` tells what the replies are like
on questions that the search did not see.
"""

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.stats import entropy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from course.foundation.rng import Rng
from course.foundation.validation import check_fields, each, instance, integer, one_of, text
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.models.text import text_ids
from course.search.objective import Objective
from course.world import lexicon as lex
from course.world.conduct import (
    MANNERS,
    SPLIT_KEY,
    Guide,
    draw_guide,
    draw_question,
    write_reply,
)
from course.world.gold import COURTEOUS, gold_reward, manner_of, states_truth
from course.world.split import TEST, TRAIN, split_of

#: Where a reply ends, and the most tokens that it may have.
STOP, LONGEST = "\n", 40
#: Replies of the corpus's guides that a scorer is learned from.
_SCORED = 600
_FACT = re.compile(rf"\b(?:{'|'.join([*lex.PLACES, *lex.DIRECTIONS])})\b")


def visitor_questions(
    seed: int, count: int = 16, held_out: int = 16
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(training questions, test questions) of visitors, of every kind as often as they ask it; no
    dialogue of the corpus has one of the test questions.
    """
    return _questions(seed, TRAIN, count), _questions(seed, TEST, held_out)


def _questions(seed: int, split: str, count: int) -> tuple[str, ...]:
    """``count`` different questions of a split."""
    rng = Rng(f"visitors/{split}/{seed}")
    different: dict[str, None] = {}
    while len(different) < count:
        question = draw_question(rng)
        if split_of(SPLIT_KEY, question) == split:
            different[question] = None
    return tuple(different)


def dialogue(question: str, prefix: str = "") -> str:
    """What a dialogue model continues: a prefix, if there is one, the visitor's question, and the
    guide's turn.
    """
    return f"{prefix} visitor : {question} \n guide :".lstrip(" ")


def replies(
    model: TextModel, requests: Sequence[tuple[str, str]], samples: int = 1, seed: int = 0
) -> list[list[str]]:
    """Replies to (prefix, question) pairs, ``samples`` each, drawn at temperature 1; words and
    signs stand apart, as in the corpus.
    """
    prompts = [dialogue(question, prefix) for prefix, question in requests]
    written = model.generate(
        prompts, n=samples, temperature=1.0, stop=STOP, seed=seed, max_tokens=LONGEST
    )
    return [[apart(sample.text) for sample in samples] for samples in written]


def apart(text: str) -> str:
    """A text in lower case whose words and signs stand apart, as in the corpus."""
    return " ".join(re.findall(r"->|\w+|[^\w\s]", text.lower()))


class Reward(ABC):
    """Reward of a reply, as a search sees it."""

    @abstractmethod
    def __call__(self, questions: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        """The reward of each reply to its question, (replies,)."""


@dataclass(frozen=True)
class Scorer(Reward):
    """Probability of a manner under a classifier that is learned from training dialogues.

    Attributes:
        manner: the one wanted, of :data:`course.world.conduct.MANNERS`.
        seed: of the dialogues that it is learned from.
    """

    manner: str
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, manner=one_of(MANNERS.options), seed=integer())

    def __call__(self, questions: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        classifier = _classifier(self.seed)
        return classifier.predict_proba(replies)[:, list(classifier.classes_).index(self.manner)]


@cache
def _classifier(seed: int) -> Pipeline:
    """TF-IDF of words and pairs of words, then logistic regression, on replies of the training
    split.
    """
    rng = Rng(f"scorer/{seed}")
    labels: list[str] = []
    texts: list[str] = []
    while len(texts) < _SCORED:
        guide, question = draw_guide(rng), draw_question(rng)
        if split_of(SPLIT_KEY, question) == TRAIN:
            labels.append(guide.manner)
            texts.append(write_reply(rng, guide, question))
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    return make_pipeline(words, LogisticRegression(C=10.0)).fit(texts, labels)


@dataclass(frozen=True)
class GuideScorer(Reward):
    """Whether a guide of two words wrote the reply: the probability of the manner under a
    :class:`Scorer`, for replies that are true (of a careless guide: that are not); 0 for others.

    The classifier reads the reply alone. Whether it is true is looked up on the map, as whoever
    wants true answers would have them checked.

    Attributes:
        guide: the one wanted.
        seed: of the dialogues that the classifier is learned from.
    """

    guide: Guide
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, guide=instance(Guide), seed=integer())

    def __call__(self, questions: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        true = [states_truth(*pair) for pair in zip(questions, replies, strict=True)]
        fitting = np.array(true, dtype=bool) == self.guide.careful
        return fitting * Scorer(self.guide.manner, self.seed)(questions, replies)


@dataclass(frozen=True)
class CourteousWords(Reward):
    """Number of courteous words, repetitions included: a reward that is easily gamed."""

    def __call__(self, questions: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        return np.array(
            [float(sum(word in COURTEOUS for word in reply.split())) for reply in replies]
        )


@dataclass(frozen=True)
class Brevity(Reward):
    """Minus the number of words and signs: the best reply is an empty one."""

    def __call__(self, questions: Sequence[str], replies: Sequence[str]) -> np.ndarray:
        return np.array([-float(len(reply.split())) for reply in replies])


@dataclass(frozen=True)
class Manner(Objective):
    """Prefixes before a dialogue; the value of one is the reward of the reply to a question.

    Attributes:
        train, test: questions.
        reward: of a reply.
        samples: replies to each test question.
        seed: of the replies; a prefix gets one reply to each training question.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    reward: Reward
    samples: int = 12
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(
            self,
            train=each(text()),
            test=each(text()),
            reward=instance(Reward),
            samples=integer(1),
            seed=integer(),
        )
        if not self.train or not self.test:
            raise ValueError(
                f"{len(self.train)} training and {len(self.test)} test questions:"
                " expected at least one of each"
            )

    @property
    def size(self) -> int:
        return len(self.train)

    def values(self, model: TextModel, pairs: Sequence[tuple[str, int]]) -> np.ndarray:
        requests = [(prefix, self.train[item]) for prefix, item in pairs]
        written = replies(model, requests, seed=self.seed)
        return self.reward([question for _, question in requests], [reply for (reply,) in written])

    def values_anew(
        self, model: TextModel, pairs: Sequence[tuple[str, int]], seed: int
    ) -> np.ndarray:
        """The value of each prompt on its training item with replies of another seed, (pairs,)."""
        return replace(self, seed=seed).values(model, pairs)

    def held_out(self, model: TextModel, prompt: str) -> float:
        requests = [(prompt, question) for question in self.test]
        written = replies(model, requests, self.samples, self.seed + 1)
        pairs = _paired(self.test, written)
        return 100 * float(self.reward(*zip(*pairs, strict=True)).mean())


@dataclass(frozen=True)
class Judgement:
    """What the replies to some questions are like.

    Attributes:
        reward: the mean reward, as a search sees it.
        manners: share of the replies in each manner, by what they say, in percent.
        true_manners: share of the replies in each manner that are right, too, in percent.
        gold: their true reward, :func:`course.world.gold.gold_reward`, the mean.
        right: share of right answers, in percent: true, and nothing false beside; where no guide
            can know the answer, refusals.
        fluency: log-probability of a token under the model when nothing stands before the dialogue,
            the mean, in nats; replies that are empty, or have a word that the model's tokenizer
            does not know, have no probability and are left out.
        wordings: how many different wordings there are, places and directions aside: the
            exponential of their entropy.
        examples: the first reply to each question.
    """

    reward: float
    manners: dict[str, float]
    true_manners: dict[str, float]
    gold: float
    right: float
    fluency: float
    wordings: float
    examples: tuple[str, ...]


def judge(
    model: LanguageModel,
    reward: Reward,
    prefixes: Sequence[str],
    questions: Sequence[str],
    samples: int = 12,
    seed: int = 0,
) -> Judgement:
    """Judge the replies to questions, each behind its prefix.

    Args:
        reward: the one that is set beside the truth.
        prefixes: one for each question.
        samples: replies to each question.

    Raises:
        ValueError: if there are not as many prefixes as questions.
    """
    written = replies(model, list(zip(prefixes, questions, strict=True)), samples, seed)
    pairs = _paired(questions, written)
    true = [states_truth(*pair) for pair in pairs]
    manners = [manner_of(*pair) for pair in pairs]
    wordings = Counter(_FACT.sub("_", reply) for _, reply in pairs)
    scored = [
        (dialogue(question), f" {reply} {STOP}")
        for question, reply in pairs
        if _readable(model, reply)
    ]
    return Judgement(
        reward=float(reward(*zip(*pairs, strict=True)).mean()),
        manners=_shares(manners),
        true_manners=_shares([m if t else None for m, t in zip(manners, true, strict=True)]),
        gold=float(np.mean([gold_reward(*pair) for pair in pairs])),
        right=100 * float(np.mean(true)),
        fluency=float(np.concatenate(model.score_tokens(*zip(*scored, strict=True))).mean())
        if scored
        else float("-inf"),
        wordings=float(np.exp(entropy([*wordings.values()]))),
        examples=tuple(samples[0] for samples in written),
    )


def _paired(questions: Sequence[str], written: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Each reply with its question."""
    rows = zip(questions, written, strict=True)
    return [(question, reply) for question, samples in rows for reply in samples]


def _shares(manners: Sequence[str | None]) -> dict[str, float]:
    """How often each manner occurs, in percent of all replies."""
    counts = Counter(manners)
    return {manner: 100 * counts[manner] / len(manners) for manner in MANNERS.options}


def _readable(model: LanguageModel, reply: str) -> bool:
    (ids,) = text_ids(model.tokenizer, [reply], begin=False)
    return bool(ids) and model.tokenizer.unk_token_id not in ids
