"""A study of prefixes that steer a dialogue model: learned, random and hand-written, towards one
word and towards two, and what a reward that can be gamed leads to.

Costs as measured on one core of a busy machine, seeds x seconds: steering 5 x 369, gamed-reward 3 x
52.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.foundation.validation import boolean, check_fields, one_of, text
from course.lm.language_model import LanguageModel, load
from course.search.base import Method, search
from course.search.baselines import RandomSearch
from course.search.budget import BudgetedEvaluator
from course.search.dialogue_reward import (
    Brevity,
    CourteousWords,
    GuideScorer,
    Judgement,
    Manner,
    Reward,
    Scorer,
    judge,
    visitor_questions,
)
from course.search.policy import Policy, PolicySettings
from course.search.steering import LearnedPrefix, PolicyTraining, every_nth, learn, steered
from course.search.words import plain_tokens
from course.studies.claims import Claim, MoreThan, Varies, Within, fails, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, means, rows_of, where
from course.world.conduct import MANNERS, Guide

#: The policy's own language model, and the dialogue model that it steers.
WRITER, STEERED = "gpt-small", "gpt-middle"


@dataclass(frozen=True)
class Target:
    """What replies should be like.

    Attributes:
        manner: of a guide.
        careful: whether they should also be true. Then it takes two words to say what is wanted.
        hand_written: what a person who knows the corpus puts before the dialogue.
    """

    manner: str
    careful: bool
    hand_written: str

    def __post_init__(self) -> None:
        check_fields(self, manner=one_of(MANNERS.options), careful=boolean(), hand_written=text())

    def reward(self, seed: int) -> Reward:
        """What a search towards it sees."""
        if self.careful:
            return GuideScorer(Guide(self.manner, careful=True), seed)
        return Scorer(self.manner, seed)

    def share(self, judgement: Judgement) -> float:
        """The share (percent) of replies that are as wanted, by what they say."""
        shares = judgement.true_manners if self.careful else judgement.manners
        return shares[self.manner]


#: The targets by their words. The first takes one word, the others take two.
TARGETS = {
    words: Target(words.split()[0], "careful" in words, f"this is how a {words} guide answers . \n")
    for words in ("polite", "polite and careful", "rude and careful")
}
TWO_WORDS = tuple(words for words, target in TARGETS.items() if target.careful)
#: Model calls of a search.
BUDGET = 4000
#: How the policy learns. A few settings were compared by their reward on training questions.
SETTINGS, TRAINING = PolicySettings(entropy=0.05), PolicyTraining()
#: The ways of a search, and those that are looked at with it.
RANDOM_SEARCH, LEARNED, READING = "random search", "learned", "learned, reads"
NO_PREFIX, HAND_WRITTEN, RANDOM_WORDS = "no prefix", "hand-written", "random words"
#: The target of a search whose reward counts courteous words.
COURTEOUS_WORDS = "courteous words"
#: What is measured of a target: the share of replies that are as wanted.
WANTED = "as wanted"
#: How often the favourite prefix is looked at, in updates.
EVERY = 5
#: Replies that are kept of each look.
SHOWN = 3
#: Prefixes of random words that are judged to say what a prefix does that means nothing.
RANDOM = 12
#: Model calls for a reward that is easily gamed.
GAMED_BUDGET = 3000
#: It tries more than where the reward is not to be gamed.
GAMED_SETTINGS = PolicySettings(entropy=0.05, temperature=1.5)
#: A policy that begins with any word as likely as another, and how it is trained.
EVEN_SETTINGS, EVEN_TRAINING = (
    PolicySettings(start="even"),
    PolicyTraining(prefixes=32, questions=4),
)


def steering(seed: int) -> list[Row]:
    """What replies to held-out questions are like: by target and kind of prefix, along each search,
    and along a search for courteous words.
    """
    writer, model = load(WRITER), load(STEERED)
    train, test = visitor_questions(seed)
    rows: list[Row] = []
    for words, target in TARGETS.items():
        objective = Manner(train, test, target.reward(seed), seed=seed)
        ways = _ways(writer, model, objective, target)
        rows += [{"target": words, "way": way, **row} for way, judged in ways for row in judged]
    counting = LearnedPrefix(writer, training=TRAINING, settings=GAMED_SETTINGS, every=EVERY)
    courteous = Manner(train, test, CourteousWords(), seed=seed)
    judged = _searched(counting, model, courteous, GAMED_BUDGET)
    return rows + [{"target": COURTEOUS_WORDS, "way": LEARNED, **row} for row in judged]


def _ways(
    writer: LanguageModel, model: LanguageModel, objective: Manner, target: Target
) -> Iterator[tuple[str, list[Row]]]:
    """Each kind of prefix with what its replies are like."""
    count = len(objective.test)
    for way, prefix in {NO_PREFIX: "", HAND_WRITTEN: target.hand_written}.items():
        yield way, _judged(model, objective, target, [prefix] * count, {"number": 0})
    rows: list[Row] = []
    for number, prefix in enumerate(_random_words(model, objective.seed)):
        rows += _judged(model, objective, target, [prefix] * count, {"number": number})
    yield RANDOM_WORDS, rows
    random = RandomSearch(_words(model), TRAINING.length)
    yield RANDOM_SEARCH, _searched(random, model, objective, BUDGET, target)
    learned = LearnedPrefix(writer, training=TRAINING, settings=SETTINGS, every=EVERY)
    yield LEARNED, _searched(learned, model, objective, BUDGET, target)
    yield READING, _reading(writer, model, objective, target)


def _judged(
    model: LanguageModel,
    objective: Manner,
    target: Target | None,
    prefixes: Sequence[str],
    columns: dict[str, int],
    score: float | None = None,
) -> list[Row]:
    """What the held-out replies are like, with a few of them.

    Args:
        target: what they should be like, if the reward stands for a manner.
        columns: the number of the prefix among those of its kind, or of the step of a search, and
            the model calls until then.
        score: what a search gave the prefix.
    """
    judgement = judge(model, objective.reward, prefixes, objective.test, seed=objective.seed + 1)
    measured: dict[str, float | str] = {"prefix": prefixes[0]} | judgement.manners
    measured |= {
        name: getattr(judgement, name)
        for name in ("reward", "gold", "right", "fluency", "wordings")
    }
    measured |= {} if target is None else {WANTED: target.share(judgement)}
    measured |= {} if score is None else {"score": score}
    replies = [{"measure": "reply", "text": reply} for reply in judgement.examples[:SHOWN]]
    return rows_of(measured, **columns) + [{**columns, **reply} for reply in replies]


def _words(model: LanguageModel) -> tuple[str, ...]:
    return tuple(model.tokenizer.decode([i]) for i in plain_tokens(model.tokenizer))


def _random_words(model: LanguageModel, seed: int) -> list[str]:
    rng = Rng(f"random words/{seed}")
    return [" ".join(rng.sample(_words(model), TRAINING.length)) for _ in range(RANDOM)]


def _searched(
    method: Method,
    model: LanguageModel,
    objective: Manner,
    budget: int,
    target: Target | None = None,
) -> list[Row]:
    """The best prefixes of a search by the calls that they took, judged; ``score`` is the mean
    reward that the search gave them.
    """
    steps = search(method, objective, model, budget, objective.seed).steps
    rows: list[Row] = []
    for number, step in enumerate(steps):
        prefixes, columns = [step.prompt] * len(objective.test), {"number": number}
        columns["calls"] = step.calls
        rows += _judged(model, objective, target, prefixes, columns, step.score)
    return rows


def _reading(
    writer: LanguageModel, model: LanguageModel, objective: Manner, target: Target
) -> list[Row]:
    """The same of a policy that reads each question before it writes a prefix for it."""
    training = replace(TRAINING, reads=True)
    policy = Policy(writer, settings=SETTINGS, seed=objective.seed)
    evaluator = BudgetedEvaluator(objective, model, BUDGET)
    rows: list[Row] = []
    updates = every_nth(learn(policy, evaluator, training, objective.seed), EVERY)
    for number, update in enumerate(updates):
        prefixes = steered(policy, training, objective.test)
        columns = {"number": number, "calls": evaluator.calls}
        rows += _judged(model, objective, target, prefixes, columns, update.reward)
    return rows


def gamed(seed: int) -> list[Row]:
    """What replies to held-out questions become while a policy learns that they should be short, by
    how the policy starts (the column ``way``).

    More seeds than elsewhere: whether the reward is gamed is a matter of luck.
    """
    writer, model = load(WRITER), load(STEERED)
    objective = Manner(*visitor_questions(seed), Brevity(), seed=seed)
    starts = {"model": (TRAINING, GAMED_SETTINGS), "even": (EVEN_TRAINING, EVEN_SETTINGS)}
    rows: list[Row] = []
    for start, (training, settings) in starts.items():
        method = LearnedPrefix(writer, training=training, settings=settings, every=EVERY)
        judged = _searched(method, model, objective, GAMED_BUDGET)
        rows += [{"way": start, **row} for row in judged]
    return rows


def final(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last step of each search, and all rows of what is no search."""
    by = [name for name in ("seed", "target", "way") if name in table]
    last = table.groupby(by)["number"].transform("max")
    return table[(table["number"] == last) | table["calls"].isna()]


def along_calls(table: pd.DataFrame, points: Sequence[int], **conditions: object) -> np.ndarray:
    """What a search had reached after so many model calls, (seeds, points); before its first step,
    what that step found.
    """
    rows = where(table, **conditions).sort_values(["seed", "number"])
    return np.array([_reached(run, points) for _, run in rows.groupby("seed")])


def _reached(run: pd.DataFrame, points: Sequence[int]) -> list[float]:
    calls, values = run["calls"].to_numpy(), run["value"].to_numpy()
    return [values[max((calls <= point).sum() - 1, 0)] for point in points]


def searches(table: pd.DataFrame, points: Sequence[int]) -> dict[str, dict[str, np.ndarray]]:
    """Target -> search -> share (percent) of held-out replies as wanted, (seeds, points)."""
    ways = (LEARNED, READING, RANDOM_SEARCH)
    return {
        target: {
            way: along_calls(table, points, target=target, way=way, measure=WANTED) for way in ways
        }
        for target in TARGETS
    }


def without_search(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Target -> prefix without a search -> mean share (percent) of replies as wanted."""
    return {
        target: {
            way: float(by_seed(table, target=target, way=way, measure=WANTED).mean())
            for way in (HAND_WRITTEN, NO_PREFIX)
        }
        for target in TARGETS
    }


def gamed_curves(table: pd.DataFrame, points: Sequence[int]) -> dict[str, dict[str, np.ndarray]]:
    """Measure (reward, gold, right) -> start of a policy -> values, (seeds, points)."""
    return {
        measure: {
            way: along_calls(table, points, way=way, measure=measure) for way in ("model", "even")
        }
        for measure in ("reward", "gold", "right")
    }


def by_way(table: pd.DataFrame, target: str) -> pd.DataFrame:
    """What replies are like in the end, means over seeds: a row a way, a column a measure."""
    measures = ("reward", WANTED, "right", "gold", "fluency", "wordings")
    return means(final(table), "way", "measure", measures, target=target)


def prefixes(table: pd.DataFrame, target: str, way: str) -> list[str]:
    """The prefix that each seed's search ended with."""
    return [*where(final(table), target=target, way=way, measure="prefix")["text"]]


def first_and_last(table: pd.DataFrame, target: str = COURTEOUS_WORDS) -> pd.DataFrame:
    """What replies are like at the first and at the last step of a search, means over seeds."""
    rows = where(table, target=target)
    ends = {"first look": where(rows, number=0), "last look": final(rows)}
    measures = ("reward", "gold", "right", "wordings")
    looks = [means(end, "way", "measure", measures) for end in ends.values()]
    return pd.concat(looks).set_axis([*ends], axis=0)


def searched_and_held_out(table: pd.DataFrame) -> pd.DataFrame:
    """Mean reward in percent, over targets and seeds, of what searches ended with: as the search
    saw it, and on held-out questions.
    """
    rows = final(table[table["target"].isin(TARGETS) & table["calls"].notna()])
    rewards = 100 * means(rows, "way", "measure", ("score", "reward"))
    return rewards.rename(columns={"score": "in the search", "reward": "held out"})


def ending(table: pd.DataFrame, way: str, seed: int) -> tuple[str, list[str]]:
    """The prefix that a search ended with, and some of the replies behind it."""
    rows = final(where(table, way=way, seed=seed))
    (prefix,) = where(rows, measure="prefix")["text"]
    return prefix, [*where(rows, measure="reply")["text"]]


def gained(table: pd.DataFrame, target: str, measure: str, over: str) -> np.ndarray:
    """A measure behind the learned prefix minus that behind another one, (seeds,)."""
    rows = where(final(table), target=target, measure=measure)
    return by_seed(rows, way=LEARNED) - by_seed(rows, way=over)


def gold_lost(table: pd.DataFrame, start: str = "model") -> np.ndarray:
    """Gold reward at the first step minus that at the last, (seeds,)."""
    rows = where(table, way=start, measure="gold")
    return by_seed(rows, number=0) - by_seed(final(rows))


STEERING = Study("steering", 3, (WRITER, STEERED), (0, 1, 2, 3, 4), steering)
GAMED = Study("gamed-reward", 2, (WRITER, STEERED), (0, 1, 2, 3, 4), gamed)
STUDIES = (STEERING, GAMED)

_ITEMS_AND_TRAINING = (Varies.ITEMS, Varies.TRAINING)


def _over_random_search(table: pd.DataFrame, target: str) -> dict[str, float]:
    """What prefixes gain over random search that nobody searched for, in points."""
    rows = where(final(table), target=target, measure=WANTED)
    random = by_seed(rows, way=RANDOM_SEARCH)
    return {
        way: float((by_seed(rows, way=way) - random).mean()) for way in (NO_PREFIX, HAND_WRITTEN)
    }


_CHANCE_IS_AHEAD = "random search finds better prefixes with as many calls"
_NOT_AHEAD = {
    "polite and careful": undecided("about as good on the mean; seeds differ by many points"),
    "rude and careful": fails(_CHANCE_IS_AHEAD),
}


def _towards(target: str) -> tuple[Claim, Claim]:
    """The claims about one target."""
    return (
        Claim(
            "6c",
            f"Towards {target}, a learned prefix beats random search at equal calls.",
            MoreThan(0),
            "su2022learning",
            varies=_ITEMS_AND_TRAINING,
            studies=(STEERING,),
            values=lambda table: gained(table, target, WANTED, RANDOM_SEARCH),
            baselines=lambda table: _over_random_search(table, target),
            **_NOT_AHEAD[target],
        ),
        Claim(
            "6c",
            f"Towards {target}, replies are as fluent as behind the hand-written prefix.",
            Within(0.1),
            "su2022learning",
            varies=_ITEMS_AND_TRAINING,
            unit="nats a token",
            studies=(STEERING,),
            values=lambda table: gained(table, target, "fluency", HAND_WRITTEN),
        ),
    )


CLAIMS = (
    *(claim for target in TWO_WORDS for claim in _towards(target)),
    # the threshold is lower than in the first edition, whose gold reward had another scale
    Claim(
        "6c",
        "Learning from brevity alone, a policy loses gold reward.",
        MoreThan(0),
        "gao2022scaling",
        varies=_ITEMS_AND_TRAINING,
        unit="points of gold",
        studies=(GAMED,),
        values=gold_lost,
        **undecided("some gold is lost on the mean, and the policies differ by more"),
    ),
)
