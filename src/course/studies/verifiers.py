"""Verifiers: which of a model's sampled chains to believe, chosen by a vote, by heads on the
probabilities that a model gives them, and by a model trained for it (chapter 5).

Here about a quarter of the sums of word problems are held out, which is what the models get wrong.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd

from course.lm.language_model import LanguageModel, load
from course.reasoning.logprob_verifier import train_logprob_verifier
from course.reasoning.probing import error_detection
from course.reasoning.problems import problems
from course.reasoning.solving import Attempt, accuracy, make_prompts, solve, tokens
from course.reasoning.verifier import best_accuracy, train_verifier, weighted_accuracy
from course.reasoning.voting import any_right, vote_accuracy
from course.studies.claims import Claim, Varies, undecided
from course.studies.records import Row, Study
from course.studies.self_consistency import (
    GREEDY,
    SAMPLES,
    VOTE_AT,
    by_samples,
    tokens_by_samples,
)
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.studies.verdicts import MoreThan
from course.world.split import TRAIN

#: Who writes the chains.
WRITER = "gpt-middle"
#: Whose probabilities the heads are trained on: the writer's own, those of a model of its size from
#: another seed, and those of the large one.
SCORERS = ("gpt-middle", "gpt-middle-seed1", "gpt-large")
FINE_TUNED = "fine-tuned"
#: Hot enough that a third of the chains on training problems are wrong.
TRAIN_AT = 1.5
#: Greedy chains of a larger model, which whoever has one could use at once.
LARGE_GREEDY = "greedy chain of the large model"
#: How well right sums are told from false ones, by where in the large model one looks.
AREA = "area under the curve"


class Scores(Protocol):
    """What a verifier can do."""

    def scores(self, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
        """For each problem the log-odds that each of its attempts is right."""


def verifier(seed: int, count: int = 100) -> list[Row]:
    """Greedy, vote, best of n and weighted vote on chains of the middle model, whose slips are in
    held-out sums.

    The verifiers learn from problems all of whose sums the corpus states: heads on the
    probabilities of a model of :data:`SCORERS`, and the large model with all its parameters trained
    (:data:`FINE_TUNED`).

    Returns:
        Columns chooser, verifier, k (samples), measure, value; where (a layer, or the probability)
        for :data:`AREA`.
    """
    writer, large = load(WRITER), load("gpt-large")
    learned = _training_chains(writer, seed)
    prompts = make_prompts("trigger", problems("problem", 3, count, seed), seed)
    sampled = solve(writer, prompts, n=SAMPLES, temperature=VOTE_AT, seed=seed)
    greedy, alone = solve(writer, prompts), accuracy(solve(large, prompts))
    return [
        *rows_of({"accuracy": accuracy(greedy), "tokens": tokens(greedy)}, chooser=GREEDY),
        {"chooser": LARGE_GREEDY, "measure": "accuracy", "value": alone},
        {"measure": "accuracy of training chains", "value": accuracy(learned)},
        *_areas(large, seed),
        *tokens_by_samples(sampled),
        *by_samples("vote", lambda n: vote_accuracy(sampled, n)),
        *by_samples("any right", lambda n: any_right(sampled, n)),
        *(
            {"verifier": name, **row}
            for name, trained in _trained(learned, seed).items()
            for row in _choices(trained.scores(sampled), sampled)
        ),
    ]


def _training_chains(writer: LanguageModel, seed: int) -> list[list[Attempt]]:
    known = [
        p for steps in (1, 2, 3) for p in problems("problem", steps, 80, seed, TRAIN, stated=True)
    ]
    prompts = make_prompts("trigger", known, seed)
    return solve(writer, prompts, n=6, temperature=TRAIN_AT, seed=seed)


def _areas(model: LanguageModel, seed: int) -> list[Row]:
    areas = error_detection(model, seed)
    return [{"measure": AREA, "where": place, "value": area} for place, area in areas.items()]


def _trained(learned: Sequence[Sequence[Attempt]], seed: int) -> dict[str, Scores]:
    """The verifiers by name, trained on attempts at training problems."""
    verifiers: dict[str, Scores] = {
        name: train_logprob_verifier(load(name), learned) for name in SCORERS
    }
    verifiers[FINE_TUNED] = train_verifier(
        load("gpt-large"), learned, steps=100, learning_rate=3e-4, seed=seed
    )
    return verifiers


def _choices(scores: list[np.ndarray], sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    return [
        *by_samples("best of n", lambda n: best_accuracy(sampled, scores, n)),
        *by_samples("weighted vote", lambda n: weighted_accuracy(sampled, scores, n)),
    ]


def accuracies(table: pd.DataFrame, chooser: str, verifier: str = SCORERS[-1]) -> pd.DataFrame:
    """The accuracies (percent) of one way to choose.

    Args:
        chooser: :data:`GREEDY`, ``"vote"``, ``"any right"``, ``"best of n"``, ``"weighted vote"``
            or :data:`LARGE_GREEDY`.
        verifier: one of :data:`SCORERS` or :data:`FINE_TUNED`, for the two that need a verifier.
    """
    rows = where(table, measure="accuracy", chooser=chooser)
    return rows[rows.verifier.isna() | (rows.verifier == verifier)]


def by_k(table: pd.DataFrame, chooser: str, verifier: str = SCORERS[-1]) -> np.ndarray:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`); arguments as for
    :func:`accuracies`.
    """
    return curve(accuracies(table, chooser, verifier), "k")


def gains(table: pd.DataFrame, better: str, than: str, verifier: str = SCORERS[-1]) -> np.ndarray:
    """One way to choose among all samples minus another, in points, one value a seed."""

    def with_all(chooser: str) -> np.ndarray:
        rows = accuracies(table, chooser, verifier)
        return by_seed(rows[rows.k.isna() | (rows.k == SAMPLES)])

    return with_all(better) - with_all(than)


def by_verifier(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) with all samples: a row a verifier, a column a way to choose."""
    rows = table[table.verifier.notna()]
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
    """What the greedy chain, and votes and best of 4 and of 16 by the large model cost and give.

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


VERIFIER = Study("verifier", 1, SCORERS, (11, 12, 13, 14, 15, 16, 17), verifier)
STUDIES = (VERIFIER,)

CLAIMS = (
    Claim(
        "5d",
        "The best of 16 by a verifier beats the vote.",
        kind=MoreThan(3),
        source="cobbe2021training",
        varies=(Varies.ITEMS, Varies.TRAINING),
        studies=(VERIFIER,),
        values=lambda table: gains(table, "best of n", "vote"),
    ),
    Claim(
        "5d",
        "The vote of 16 beats the greedy chain.",
        kind=MoreThan(0),
        source="cobbe2021training",
        varies=(Varies.ITEMS, Varies.TRAINING),
        studies=(VERIFIER,),
        values=lambda table: gains(table, "vote", GREEDY),
        **undecided("in a world of one wording the samples agree in what the model believes"),
    ),
)
