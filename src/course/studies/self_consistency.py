"""Self-consistency: votes over sampled chains, by number of samples, temperature and demonstrations
(chapter 5).

Here about a quarter of the sums of word problems are held out, which is what the models get wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.foundation.validation import check_fields, integer, text
from course.lm.language_model import load
from course.reasoning.problems import problems
from course.reasoning.solving import (
    Attempt,
    accuracy,
    make_prompts,
    solve,
    solve_varied,
    tokens,
)
from course.reasoning.voting import (
    any_right,
    calibration_error,
    reliability,
    stopped,
    vote_accuracy,
)
from course.studies.claims import Claim, Varies, fails, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, curve, means, rows_of, where
from course.studies.verdicts import MoreThan, NoWorse

#: Samples of a vote, and at which numbers of them it is looked at.
SAMPLES, LOOKS = 16, (1, 2, 4, 8, 16)
TEMPERATURES = (0.5, 1.0)
#: Temperature at which chains with demonstrations of their own are sampled.
VOTE_AT = 1.0
GREEDY, OWN_DEMONSTRATIONS = "greedy chain", "own demonstrations"
#: Ways to get chains: the likeliest one, samples of one prompt, samples of a prompt each.
WAYS = (GREEDY, *(f"temperature {t}" for t in TEMPERATURES), OWN_DEMONSTRATIONS)


@dataclass(frozen=True)
class Setting:
    """What is voted on: chains of a model for problems of a task with so many steps.

    Attributes:
        model: a shipped model.
        task: one of :data:`course.reasoning.CHAINS`.
        steps: of the problems.
    """

    model: str
    task: str
    steps: int

    def __post_init__(self) -> None:
        check_fields(self, model=text(), task=text(), steps=integer(1))


#: Validation problems chose the temperature (1.0) and the routes, on which the large model's chains
#: depend on the demonstrations. The middle model slips in held-out sums; at four steps all its
#: chains are too short, so their errors agree.
SETTINGS = {
    "slips": Setting("gpt-middle", "problem", 3),
    "wavers": Setting("gpt-large", "route", 4),
    "agrees": Setting("gpt-middle", "problem", 4),
}


def votes(seed: int, count: int = 120) -> list[Row]:
    """Votes in each of :data:`SETTINGS`: samples of one prompt by temperature, and samples with
    demonstrations of their own.

    Returns:
        Columns setting, way, measure, value; chooser and k (samples) where there is a choice among
        samples; bin (a range of the winner's share) for the calibration.
    """
    return [
        {"setting": name, **row}
        for name, setting in SETTINGS.items()
        for row in _votes(setting, seed, count)
    ]


def _votes(setting: Setting, seed: int, count: int) -> list[Row]:
    model, chosen = load(setting.model), problems(setting.task, setting.steps, count, seed)
    prompts = make_prompts("chain", chosen, seed)
    greedy = solve(model, prompts)
    rows = rows_of({"accuracy": accuracy(greedy), "tokens": tokens(greedy)}, way=GREEDY)
    for t in TEMPERATURES:
        sampled = solve(model, prompts, n=SAMPLES, temperature=t, seed=seed)
        rows += _vote(f"temperature {t}", sampled)
    return rows + _vote(OWN_DEMONSTRATIONS, solve_varied(model, chosen, SAMPLES, VOTE_AT, seed))


def _vote(way: str, sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    """A vote by number of samples, what a perfect chooser would get out of them, tokens, and
    calibration.
    """
    rows = by_samples("vote", lambda n: vote_accuracy(sampled, n))
    rows += by_samples("any right", lambda n: any_right(sampled, n))
    rows += tokens_by_samples(sampled)
    rows.append({"measure": "tokens until decided", "value": tokens(stopped(sampled))})
    table = reliability(sampled)
    rows += [
        {"measure": column, "bin": number, "value": value}
        for column in table
        for number, value in enumerate(table[column].tolist())
    ]
    rows.append({"measure": "calibration error", "value": calibration_error(table)})
    return [{"way": way, **row} for row in rows]


def by_samples(chooser: str, figure: Callable[[int], float]) -> list[Row]:
    """Accuracy (percent) of one way to choose among the first ``k`` samples, a row for each."""
    return [{"chooser": chooser, "k": k, "measure": "accuracy", "value": figure(k)} for k in LOOKS]


def tokens_by_samples(sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    """Tokens generated a problem for the first ``k`` samples, a row for each look."""
    return [{"measure": "tokens", "k": k, "value": tokens([s[:k] for s in sampled])} for k in LOOKS]


def accuracies(table: pd.DataFrame, setting: str, way: str) -> pd.DataFrame:
    """The accuracies (percent) in one of :data:`SETTINGS`, of one of :data:`WAYS`."""
    return where(table, measure="accuracy", setting=setting, way=way)


def curves(table: pd.DataFrame, setting: str, way: str) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`) of the vote and of the best chooser.

    Args:
        setting: one of :data:`SETTINGS`.
        way: one of :data:`WAYS` that takes samples.
    """
    rows = accuracies(table, setting, way)
    return {chooser: curve(rows, "k", chooser=chooser) for chooser in ("vote", "any right")}


def vote_gains(table: pd.DataFrame, setting: str, way: str) -> np.ndarray:
    """The vote of all samples minus the greedy chain, in points, one value a seed; arguments as for
    :func:`curves`.
    """
    vote = by_seed(accuracies(table, setting, way), chooser="vote", k=SAMPLES)
    return vote - by_seed(accuracies(table, setting, GREEDY))


def greedy_accuracy(table: pd.DataFrame, setting: str) -> float:
    """Mean accuracy (percent) of the greedy chain in one of :data:`SETTINGS`."""
    return float(by_seed(accuracies(table, setting, GREEDY)).mean())


def by_way(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) of the greedy chain and of votes of all samples: a row a way to
    sample, a column a setting.
    """
    rows = table[(table.way == GREEDY) | ((table.chooser == "vote") & (table.k == SAMPLES))]
    return means(rows, "way", "setting", SETTINGS, measure="accuracy")


def calibration_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Mean gap (points) between a vote's share and how often such votes are right: a row a way to
    sample, a column a setting.
    """
    return means(table, "way", "setting", SETTINGS, measure="calibration error")


VOTES = Study("votes", 1, ("gpt-middle", "gpt-large"), (11, 12, 13, 14, 15), votes)
STUDIES = (VOTES,)

CLAIMS = (
    Claim(
        "5b",
        "A vote of 16 mends slips in sums.",
        kind=MoreThan(3),
        source="wang2023selfconsistency",
        varies=(Varies.ITEMS,),
        studies=(VOTES,),
        values=lambda table: vote_gains(table, "slips", "temperature 1.0"),
        **fails("in a world of one wording the samples agree in what the model believes"),
    ),
    Claim(
        "5b",
        "It pays where demonstrations decide.",
        kind=MoreThan(3),
        source="li2023making",
        varies=(Varies.ITEMS,),
        studies=(VOTES,),
        values=lambda table: vote_gains(table, "wavers", OWN_DEMONSTRATIONS),
        **undecided("the mean is above the threshold, but five seeds scatter"),
    ),
    Claim(
        "5b",
        "Where errors agree it does not.",
        kind=NoWorse(3),
        source="wang2023selfconsistency",
        varies=(Varies.ITEMS,),
        studies=(VOTES,),
        values=lambda table: -vote_gains(table, "agrees", "temperature 1.0"),
    ),
)
