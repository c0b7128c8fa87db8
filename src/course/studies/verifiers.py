"""Verifiers: which of a model's sampled chains to believe, chosen by a vote, by a model of the
writer's size trained for it, and by heads on the probabilities that a model gives them (chapter
5b).

Here about a quarter of the sums of word problems are held out, which is what the models get wrong.
A verifier of held-out sums has to see some: it learns from problems and sums of the validation
split and is tested on problems and sums of the test split. How long it learns, and at which rate,
is chosen on problems of the validation split in whose sums it has not been told right from false.

Costs as measured on one core of a busy machine, seeds x seconds: verifier-settings 1 x 700,
verifier 5 x 190.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.reasoning.logprob_verifier import train_logprob_verifier
from course.reasoning.probing import error_detection
from course.reasoning.problems import Problem, problems
from course.reasoning.solving import Attempt, accuracy, make_prompts, solve, tokens
from course.reasoning.verifier import best_accuracy, train_verifier, weighted_accuracy
from course.reasoning.voting import any_right, vote_accuracy
from course.studies.claims import Claim, MoreThan, Varies, fails, undecided
from course.studies.records import Row, Study, read_record
from course.studies.self_consistency import (
    GREEDY,
    SAMPLES,
    VOTE_AT,
    by_samples,
    tokens_by_samples,
)
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.training.fit_settings import FitSettings
from course.world import sums
from course.world.split import TEST, TRAIN, VALIDATION, split_of

#: Who writes the chains, and whose body the verifiers are made of.
WRITER = "gpt-middle"
#: Verifiers as in Cobbe et al., by what they learned from: chains with held-out sums (those of the
#: validation split), or chains of problems all of whose sums the corpus states.
HELD_OUT_SUMS, STATED_SUMS = "trained on held-out sums", "trained on stated sums"
#: Whose probabilities heads read, and what that is: the writer's own, those of a model of its size
#: from another seed, and those of a larger model, which could write the chains itself.
READERS = {
    "gpt-middle": "the writer reads",
    "gpt-middle-seed1": "another seed reads",
    "gpt-large": "a larger model reads",
}
#: Hot enough that the writer slips in stated sums, too; how often is recorded.
TRAIN_AT = 1.2
#: Steps of the problems that are chosen on.
STEPS = 3
#: Problems of each number of steps that a verifier learns from, and chains of each.
TRAINED_ON, LEARNED_SAMPLES = 150, 8
#: Passes through its chains and learning rates that were tried for the verifier.
PASSES = (1, 2, 4)
RATES = (1e-4, 5e-4, 2e-3)
#: Greedy chains of a larger model, which whoever has one could use at once.
LARGE_GREEDY = "greedy chain of the large model"
#: How well right sums are told from false ones, by where in the writer one looks.
AREA = "area under the curve"


class Scores(Protocol):
    """What a verifier can do."""

    def scores(self, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
        """For each problem the log-odds that each of its attempts is right."""


def settings(seed: int, count: int = 100) -> list[Row]:
    """The best of 16 by verifiers of the writer's size, by passes and learning rate, on problems of
    the validation split that the verifiers do not learn from, nor from their held-out sums.

    Returns:
        Columns passes, rate, value (percent).
    """
    writer = load(WRITER)
    drawn = [p for n in (2, 3) for p in problems_with(VALIDATION, seed, TRAINED_ON, n)]
    first = without_half(drawn, 1)
    known = {p.question for p in first}
    fresh = [p for p in problems_with(VALIDATION, seed + 1, 3 * count) if p.question not in known]
    learned = _samples(writer, first, LEARNED_SAMPLES, VOTE_AT, seed)
    sampled = _samples(writer, without_half(fresh, 0)[:count], SAMPLES, VOTE_AT, seed)
    rows: list[Row] = []
    for passes in PASSES:
        for rate in RATES:
            trained = train_verifier(writer, learned, _steps(learned, passes), rate, seed)
            value = best_accuracy(sampled, trained.scores(sampled))
            rows.append({"passes": passes, "rate": rate, "value": value})
    return rows


def without_half(drawn: Sequence[Problem], half: int) -> list[Problem]:
    """Problems that have none of the held-out sums of the validation split in one half of these."""

    def halves(problem: Problem) -> set[int]:
        steps = {step for step, _ in sums.read_sums(" . ".join(problem.steps))}
        held_out = {step for step in steps if split_of(sums.SPLIT_KEY, step) == VALIDATION}
        return {int(Rng(f"half of the sums/{step}").bernoulli(0.5)) for step in held_out}

    return [problem for problem in drawn if half not in halves(problem)]


def best_settings(table: pd.DataFrame) -> tuple[int, float]:
    """Passes and learning rate with the best mean."""
    passes, rate = table.groupby(["passes", "rate"]).value.mean().idxmax()
    return int(passes), float(rate)


def verifier(seed: int, count: int = 100) -> list[Row]:
    """Greedy, vote, best of n and weighted vote on chains of the middle model, whose slips are in
    held-out sums.

    Returns:
        Columns chooser, verifier, k (samples), measure, value; where (a layer, or the probability)
        for :data:`AREA`.
    """
    writer = load(WRITER)
    chosen = problems_with(TEST, seed, count)
    prompts = make_prompts("trigger", chosen, seed)
    sampled = solve(writer, prompts, n=SAMPLES, temperature=VOTE_AT, seed=seed)
    greedy, alone = solve(writer, prompts), accuracy(solve(load("gpt-large"), prompts))
    learned = training_chains(writer, seed)
    return [
        *rows_of({"accuracy": accuracy(greedy), "tokens": tokens(greedy)}, chooser=GREEDY),
        {"chooser": LARGE_GREEDY, "measure": "accuracy", "value": alone},
        *_accuracies_of_training(learned),
        *_areas(writer, seed),
        *tokens_by_samples(sampled),
        *by_samples("vote", lambda n: vote_accuracy(sampled, n)),
        *by_samples("any right", lambda n: any_right(sampled, n)),
        *(
            {"verifier": name, **row}
            for name, trained in _trained(writer, learned, seed).items()
            for row in _choices(trained.scores(sampled), sampled)
        ),
    ]


def _accuracies_of_training(learned: dict[str, list[list[Attempt]]]) -> list[Row]:
    rows: list[Row] = []
    for name, tries in learned.items():
        rows += rows_of({"accuracy of training chains": accuracy(tries)}, verifier=name)
    return rows


def problems_with(split: str, seed: int, count: int, steps: int = STEPS) -> list[Problem]:
    """Word problems of a held-out split; of their sums, worked out in the order of the story, none
    is of the other held-out split, so that no verifier has a label for a sum that it is tested on.
    """
    (other,) = {VALIDATION, TEST} - {split}
    drawn = problems("problem", steps, 3 * count, seed, split)
    return [p for p in drawn if other not in sum_splits(" . ".join(p.steps))][:count]


def sum_splits(text: str) -> set[str]:
    """The splits of the sums that a text writes down, true or not."""
    return {split_of(sums.SPLIT_KEY, step) for step, _ in sums.read_sums(text)}


def training_chains(
    writer: LanguageModel, seed: int, count: int = TRAINED_ON, samples: int = LEARNED_SAMPLES
) -> dict[str, list[list[Attempt]]]:
    """What the writer's samples are for problems to learn from: with held-out sums of the
    validation split (chains that wander to a sum of the test split are left out), and with stated
    sums alone, at a temperature at which it slips.
    """
    held_out = [p for steps in (2, 3) for p in problems_with(VALIDATION, seed, count, steps)]
    stated = [
        p for steps in (2, 3) for p in problems("problem", steps, count, seed, TRAIN, stated=True)
    ]
    written = {
        HELD_OUT_SUMS: _samples(writer, held_out, samples, VOTE_AT, seed),
        STATED_SUMS: _samples(writer, stated, samples, TRAIN_AT, seed),
    }
    return {
        name: [[a for a in tries if TEST not in sum_splits(a.text)] for tries in chains]
        for name, chains in written.items()
    }


def _samples(
    writer: LanguageModel, chosen: list[Problem], samples: int, temperature: float, seed: int
) -> list[list[Attempt]]:
    prompts = make_prompts("trigger", chosen, seed)
    return solve(writer, prompts, n=samples, temperature=temperature, seed=seed)


def _areas(model: LanguageModel, seed: int) -> list[Row]:
    areas = error_detection(model, seed)
    return [{"measure": AREA, "where": place, "value": area} for place, area in areas.items()]


def _trained(
    writer: LanguageModel, learned: dict[str, list[list[Attempt]]], seed: int
) -> dict[str, Scores]:
    """The verifiers by name, with the settings that ``verifier-settings`` chose. The heads on
    probabilities learn from the chains with held-out sums, too.
    """
    passes, rate = best_settings(read_record(SETTINGS).table())
    verifiers: dict[str, Scores] = {
        name: train_verifier(writer, tries, _steps(tries, passes), rate, seed)
        for name, tries in learned.items()
    }
    for model, name in READERS.items():
        verifiers[name] = train_logprob_verifier(load(model), learned[HELD_OUT_SUMS])
    return verifiers


def _steps(attempts: Sequence[Sequence[Attempt]], passes: int) -> int:
    """Optimiser steps that see each attempt so many times."""
    return max(1, passes * sum(map(len, attempts)) // FitSettings(steps=1).batch_size)


def _choices(scores: list[np.ndarray], sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    return [
        *by_samples("best of n", lambda n: best_accuracy(sampled, scores, n)),
        *by_samples("weighted vote", lambda n: weighted_accuracy(sampled, scores, n)),
    ]


def accuracies(table: pd.DataFrame, chooser: str, verifier: str = HELD_OUT_SUMS) -> pd.DataFrame:
    """The accuracies (percent) of one way to choose.

    Args:
        chooser: :data:`GREEDY`, ``"vote"``, ``"any right"``, ``"best of n"``, ``"weighted vote"``
            or :data:`LARGE_GREEDY`.
        verifier: :data:`HELD_OUT_SUMS`, :data:`STATED_SUMS` or a value of :data:`READERS`, for the
            two that need a verifier.
    """
    rows = where(table, measure="accuracy", chooser=chooser)
    return rows[rows.verifier.isna() | (rows.verifier == verifier)]


def by_k(table: pd.DataFrame, chooser: str, verifier: str = HELD_OUT_SUMS) -> np.ndarray:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`); arguments as for
    :func:`accuracies`.
    """
    return curve(accuracies(table, chooser, verifier), "k")


def gains(table: pd.DataFrame, better: str, than: str, verifier: str = HELD_OUT_SUMS) -> np.ndarray:
    """One way to choose among all samples minus another, in points, one value a seed."""

    def with_all(chooser: str) -> np.ndarray:
        rows = accuracies(table, chooser, verifier)
        return by_seed(rows[rows.k.isna() | (rows.k == SAMPLES)])

    return with_all(better) - with_all(than)


def by_verifier(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) with all samples: a row a verifier, a column a way to choose."""
    rows = table[table.verifier.notna() & table.chooser.notna()]
    ways = ("best of n", "weighted vote")
    return means(rows, "verifier", "chooser", ways, measure="accuracy", k=SAMPLES)


def greedy_accuracy(table: pd.DataFrame, chooser: str = GREEDY) -> float:
    """Mean accuracy (percent) of greedy chains, the writer's or (:data:`LARGE_GREEDY`) the large
    model's.
    """
    return float(accuracies(table, chooser).value.mean())


def detection(table: pd.DataFrame) -> pd.DataFrame:
    """Mean area under the ROC curve (percent): a row for each place where right sums may be told
    from false ones.
    """
    return means(table, "where", "measure", (AREA,))


def choice_costs(table: pd.DataFrame) -> pd.DataFrame:
    """What the greedy chain, and votes and best of 4 and of 16 by a verifier of the writer's size
    cost and give. (Reading the samples, which costs less than writing them, is not counted.)

    Returns:
        A row a way; columns tokens (a problem) and accuracy (percent).
    """
    spent = where(table, measure="tokens")
    points = {
        "greedy": (by_seed(spent, chooser=GREEDY).mean(), greedy_accuracy(table)),
    }
    for k in (4, 16):
        for way, chooser in ((f"vote of {k}", "vote"), (f"best of {k}", "best of n")):
            accuracy = by_seed(accuracies(table, chooser), k=k).mean()
            points[way] = (by_seed(spent, k=k).mean(), accuracy)
    return pd.DataFrame.from_dict(points, orient="index", columns=["tokens", "accuracy"])


MODELS = tuple(READERS)
SETTINGS = Study("verifier-settings", 1, (WRITER,), (100,), settings)
VERIFIER = Study("verifier", 3, MODELS, (11, 12, 13, 14, 15), verifier)
STUDIES = (SETTINGS, VERIFIER)


def _greedy_baselines(table: pd.DataFrame) -> dict[str, float]:
    """What needs no choice among samples."""
    return {
        "the writer's greedy chain": greedy_accuracy(table),
        "a larger model's greedy chain": greedy_accuracy(table, LARGE_GREEDY),
    }


_ITEMS_AND_TRAINING = (Varies.ITEMS, Varies.TRAINING)
_CHOOSES_WORSE = fails(
    "the more samples it may choose from, the worse its choice: it prefers wrong chains, while two"
    " weights on a larger model's probabilities choose far better than the vote"
)
CLAIMS = (
    Claim(
        "5d",
        "The best of 16 by a verifier of the writer's size beats the vote.",
        MoreThan(3),
        "cobbe2021training",
        varies=_ITEMS_AND_TRAINING,
        studies=(VERIFIER,),
        values=lambda table: gains(table, "best of n", "vote"),
        baselines=_greedy_baselines,
        **_CHOOSES_WORSE,
    ),
    Claim(
        "5d",
        "The best of 16 by a verifier of the writer's size beats the greedy chain.",
        MoreThan(0),
        "cobbe2021training",
        varies=_ITEMS_AND_TRAINING,
        reported="GSM8K, 6B parameters: 21.7 -> 39.0",
        studies=(VERIFIER,),
        values=lambda table: gains(table, "best of n", GREEDY),
        baselines=_greedy_baselines,
        **_CHOOSES_WORSE,
    ),
    Claim(
        "5d",
        "The vote of 16 beats the greedy chain of the same model.",
        MoreThan(0),
        "cobbe2021training",
        varies=(Varies.ITEMS,),
        studies=(VERIFIER,),
        values=lambda table: gains(table, "vote", GREEDY),
        **undecided("a point better on the mean, in three draws of problems"),
    ),
)
