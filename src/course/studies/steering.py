"""A study of prefixes that steer a dialogue model: learned, random and hand-written, and what a
reward that can be gamed leads to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.search.base import Method, search
from course.search.baselines import RandomSearch
from course.search.budget import BudgetedEvaluator
from course.search.dialogue_reward import (
    Brevity,
    CourteousWords,
    Manner,
    Scorer,
    judge,
    visitor_questions,
)
from course.search.policy import Policy, PolicySettings
from course.search.steering import LearnedPrefix, PolicyTraining, every_nth, learn, steered
from course.search.words import plain_tokens
from course.studies.claims import Claim, Varies, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, means, rows_of, where
from course.studies.verdicts import MoreThan, NoWorse

#: The policy's own language model, and the dialogue model that it steers.
WRITER, STEERED = "gpt-small", "gpt-middle"
#: Manners to steer towards, and what a person who knows the corpus writes for each.
TARGETS = {"polite": "a polite guide \n", "rude": "a rude guide \n"}
#: Model calls of a search.
BUDGET = 4000
#: How the policy learns. A few settings were compared by their reward on training questions.
SETTINGS, TRAINING = PolicySettings(entropy=0.05), PolicyTraining()
#: The ways of a search, and those that are looked at with it.
RANDOM_SEARCH, LEARNED, READING = "random search", "learned", "learned, reads"
NO_PREFIX, HAND_WRITTEN, RANDOM_WORDS = "no prefix", "hand-written", "random words"
#: The target of a search whose reward counts courteous words.
COURTEOUS_WORDS = "courteous words"
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
    for target, hand_written in TARGETS.items():
        objective = Manner(train, test, Scorer(target, seed), seed=seed)
        ways = _ways(writer, model, objective, hand_written)
        rows += [{"target": target, "way": way, **row} for way, found in ways for row in found]
    counting = LearnedPrefix(writer, training=TRAINING, settings=GAMED_SETTINGS, every=EVERY)
    courteous = Manner(train, test, CourteousWords(), seed=seed)
    found = _searched(counting, model, courteous, GAMED_BUDGET)
    return rows + [{"target": COURTEOUS_WORDS, "way": LEARNED, **row} for row in found]


def _ways(
    writer: LanguageModel, model: LanguageModel, objective: Manner, hand_written: str
) -> Iterator[tuple[str, list[Row]]]:
    """Each kind of prefix with what its replies are like."""
    count = len(objective.test)
    for way, prefix in {NO_PREFIX: "", HAND_WRITTEN: hand_written}.items():
        yield way, _judged(model, objective, [prefix] * count, 0)
    drawn = enumerate(_random_words(model, objective.seed))
    yield (
        RANDOM_WORDS,
        [row for i, prefix in drawn for row in _judged(model, objective, [prefix] * count, i)],
    )
    random = RandomSearch(_words(model), TRAINING.length)
    yield RANDOM_SEARCH, _searched(random, model, objective, BUDGET)
    learned = LearnedPrefix(writer, training=TRAINING, settings=SETTINGS, every=EVERY)
    yield LEARNED, _searched(learned, model, objective, BUDGET)
    yield READING, _reading(writer, model, objective)


def _judged(
    model: LanguageModel,
    objective: Manner,
    prefixes: Sequence[str],
    number: int,
    calls: int | None = None,
    score: float | None = None,
) -> list[Row]:
    """What the held-out replies are like, with a few of them.

    Args:
        number: of the prefix among those of its kind, or of the step of a search.
        calls, score: of a step of a search, the model calls until then and the score it gave.
    """
    found = judge(model, objective.reward, prefixes, objective.test, seed=objective.seed + 1)
    columns = {"number": number} | ({} if calls is None else {"calls": calls})
    measured: dict[str, float | str] = {"prefix": prefixes[0], "reward": found.reward}
    measured |= found.manners
    measured |= {"gold": found.gold, "right": found.right, "fluency": found.fluency}
    measured |= {"wordings": found.wordings} | ({} if score is None else {"score": score})
    replies = [{"measure": "reply", "text": reply} for reply in found.examples[:SHOWN]]
    return rows_of(measured, **columns) + [{**columns, **reply} for reply in replies]


def _words(model: LanguageModel) -> tuple[str, ...]:
    return tuple(model.tokenizer.decode([i]) for i in plain_tokens(model.tokenizer))


def _random_words(model: LanguageModel, seed: int) -> list[str]:
    rng = Rng(f"random words/{seed}")
    return [" ".join(rng.sample(_words(model), TRAINING.length)) for _ in range(RANDOM)]


def _searched(method: Method, model: LanguageModel, objective: Manner, budget: int) -> list[Row]:
    """The best prefixes of a search by the calls that they took, judged; ``score`` is the mean
    reward that the search gave them.
    """
    steps = search(method, objective, model, budget, objective.seed).steps
    prefixes = [[step.prompt] * len(objective.test) for step in steps]
    return [
        row
        for i, step in enumerate(steps)
        for row in _judged(model, objective, prefixes[i], i, step.calls, step.score)
    ]


def _reading(writer: LanguageModel, model: LanguageModel, objective: Manner) -> list[Row]:
    """The same of a policy that reads each question before it writes a prefix for it."""
    training = replace(TRAINING, reads=True)
    policy = Policy(writer, settings=SETTINGS, seed=objective.seed)
    evaluator = BudgetedEvaluator(objective, model, BUDGET)
    rows: list[Row] = []
    updates = every_nth(learn(policy, evaluator, training, objective.seed), EVERY)
    for i, update in enumerate(updates):
        prefixes = steered(policy, training, objective.test)
        rows += _judged(model, objective, prefixes, i, evaluator.calls, update.reward)
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
        found = _searched(method, model, objective, GAMED_BUDGET)
        rows += [{"way": start, **row} for row in found]
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
    """Target -> search -> share (percent) of held-out replies in the manner, (seeds, points)."""
    ways = (LEARNED, READING, RANDOM_SEARCH)
    return {
        target: {
            way: along_calls(table, points, target=target, way=way, measure=target) for way in ways
        }
        for target in TARGETS
    }


def without_search(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Target -> prefix without a search -> mean share (percent) of replies in the manner."""
    return {
        target: {
            way: float(by_seed(table, target=target, way=way, measure=target).mean())
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
    measures = ("reward", target, "right", "fluency", "wordings")
    return means(final(table), "way", "measure", measures, target=target)


def prefixes(table: pd.DataFrame, target: str, way: str) -> list[str]:
    """The prefix that each seed's search ended with."""
    return [*where(final(table), target=target, way=way, measure="prefix")["text"]]


def first_and_last(table: pd.DataFrame, target: str = COURTEOUS_WORDS) -> pd.DataFrame:
    """What replies are like at the first and at the last step of a search, means over seeds."""
    rows = where(table, target=target)
    ends = {"first look": where(rows, number=0), "last look": final(rows)}
    measures = ("reward", "gold", "right", "wordings")
    found = [means(end, "way", "measure", measures) for end in ends.values()]
    return pd.concat(found).set_axis([*ends], axis=0)


def searched_and_held_out(table: pd.DataFrame) -> pd.DataFrame:
    """Mean reward in percent, over targets and seeds, of what searches ended with: as the search
    saw it, and on held-out questions.
    """
    rows = final(table[table["target"].isin(TARGETS) & table["calls"].notna()])
    found = 100 * means(rows, "way", "measure", ("score", "reward"))
    return found.rename(columns={"score": "in the search", "reward": "held out"})


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


STEERING = Study("steering", 2, (WRITER, STEERED), (0, 1, 2), steering)
GAMED = Study("gamed-reward", 1, (WRITER, STEERED), tuple(range(8)), gamed)
STUDIES = (STEERING, GAMED)


_claim = partial(Claim, "6c", varies=(Varies.ITEMS, Varies.TRAINING))


#: Manner -> the outcome of the claim that answers move towards it, where it is not that it holds.
_MOVED = {"rude": undecided("the mean is above the threshold, but three seeds scatter")}


def _towards(target: str) -> tuple[Claim, Claim]:
    """The claims about one manner."""
    return (
        _claim(
            f"A learned prefix moves the answers towards {target}.",
            MoreThan(30),
            "su2022learning",
            studies=(STEERING,),
            values=lambda table: gained(table, target, target, NO_PREFIX),
            **_MOVED.get(target, {}),
        ),
        _claim(
            f"... as fluent as behind the hand-written one ({target}).",
            NoWorse(0.1),
            "su2022learning",
            unit="nats a token",
            studies=(STEERING,),
            values=lambda table: gained(table, target, "fluency", HAND_WRITTEN),
        ),
    )


CLAIMS = (
    *_towards("polite"),
    *_towards("rude"),
    _claim(
        "Learning from brevity alone, a policy loses gold reward.",
        MoreThan(1),
        "gao2022scaling",
        unit="points of gold",
        studies=(GAMED,),
        values=gold_lost,
    ),
)
