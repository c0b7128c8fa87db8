"""Self-consistency: votes over sampled chains, against the greedy chain and against one sample, by
number of samples, temperature and demonstrations (chapter 5b).

Here about a quarter of the sums of word problems are held out, which is what the models get wrong.
Costs as measured on one core of a busy machine, seeds x seconds: votes 3 x 101.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.foundation.intervals import Crossed
from course.foundation.validation import boolean, check_fields, each, integer, number, text
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
from course.studies.chain_of_thought import BODIES, LARGE
from course.studies.claims import Claim, MoreThan, Varies, Within, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, curve, rows_of, where
from course.world import sums

#: Samples of a vote, and at which numbers of them it is looked at.
SAMPLES, LOOKS = 16, (1, 2, 4, 8, 16)
#: Temperature at which claims are made, fixed before anything was measured.
VOTE_AT = 1.0
GREEDY, OWN_DEMONSTRATIONS = "greedy chain", "own demonstrations"
#: The mean of all samples: what one of them reaches, with the same prompts at the same temperature.
ONE_SAMPLE = "one sample"


@dataclass(frozen=True)
class Setting:
    """What is voted on: chains of some models for problems of a task with so many steps.

    Attributes:
        models: shipped ones.
        task: one of :data:`course.reasoning.CHAINS`.
        steps: of the problems.
        temperatures: at which samples of one prompt are drawn.
        varied: whether samples with demonstrations of their own are drawn, too.
    """

    models: tuple[str, ...]
    task: str
    steps: int
    temperatures: tuple[float, ...] = (VOTE_AT,)
    varied: bool = False

    def __post_init__(self) -> None:
        check_fields(
            self,
            models=each(text(), 1),
            task=text(),
            steps=integer(1),
            temperatures=each(number(above=0), 1),
            varied=boolean(),
        )

    @property
    def title(self) -> str:
        """What tables call the problems."""
        return f"{self.task}s, {self.steps} steps"

    @property
    def ways(self) -> tuple[str, ...]:
        """How samples are drawn."""
        sampled = tuple(f"temperature {t}" for t in self.temperatures)
        return (*sampled, OWN_DEMONSTRATIONS) if self.varied else sampled


#: Word problems of two steps have several derivations and held-out sums. Those of four steps have
#: more than any chain of the corpus, and the models' chains break off alike. Routes have one
#: derivation in one wording; at four steps they depend on the demonstrations.
SETTINGS = {
    "several ways": Setting((*BODIES, LARGE), "problem", 2, (0.5, VOTE_AT)),
    "errors agree": Setting(BODIES, "problem", 4),
    "demonstrations decide": Setting((LARGE,), "route", 4, varied=True),
}


def votes(seed: int, count: int = 100) -> list[Row]:
    """Votes in each of :data:`SETTINGS`: samples of one prompt by temperature, and samples with
    demonstrations of their own.

    Returns:
        Columns setting, model, way, measure, value; chooser and k (samples) where there is a choice
        among samples; bin (a range of the winner's share) for the calibration.
    """
    return [
        {"setting": name, "model": model, **row}
        for name, setting in SETTINGS.items()
        for model in setting.models
        for row in _votes(setting, model, seed, count)
    ]


def _votes(setting: Setting, name: str, seed: int, count: int) -> list[Row]:
    model, chosen = load(name), problems(setting.task, setting.steps, count, seed)
    prompts = make_prompts("chain", chosen, seed)
    greedy = solve(model, prompts)
    rows = rows_of({"accuracy": accuracy(greedy), "tokens": tokens(greedy)}, way=GREEDY)
    for way, temperature in zip(setting.ways, setting.temperatures, strict=False):
        rows += _vote(way, solve(model, prompts, n=SAMPLES, temperature=temperature, seed=seed))
    if setting.varied:
        rows += _vote(OWN_DEMONSTRATIONS, solve_varied(model, chosen, SAMPLES, VOTE_AT, seed))
    return rows


def _vote(way: str, sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    """A vote by number of samples, what one sample and a perfect chooser would get out of them,
    tokens, how many ways lead to right answers, and calibration.
    """
    rows = by_samples("vote", lambda n: vote_accuracy(sampled, n))
    rows += by_samples("any right", lambda n: any_right(sampled, n))
    rows.append({"chooser": ONE_SAMPLE, "measure": "accuracy", "value": accuracy(sampled)})
    rows += tokens_by_samples(sampled)
    rows.append({"measure": "tokens until decided", "value": tokens(stopped(sampled))})
    rows.append({"measure": "ways to a right answer", "value": right_ways(sampled)})
    table = reliability(sampled)
    rows += [
        {"measure": column, "bin": number, "value": value}
        for column in table
        for number, value in enumerate(table[column].tolist())
    ]
    rows.append({"measure": "calibration error", "value": calibration_error(table)})
    return [{"way": way, **row} for row in rows]


def right_ways(sampled: Sequence[Sequence[Attempt]]) -> float:
    """How many different sequences of sums, in whatever wording, lead a problem's samples to the
    right answer: the mean over the problems that have a right sample, 0 without any.
    """
    different = [
        len({tuple(sums.read_sums(a.text)) for a in tries if a.right})
        for tries in sampled
        if any(a.right for a in tries)
    ]
    return float(np.mean(different)) if different else 0.0


def by_samples(chooser: str, figure: Callable[[int], float]) -> list[Row]:
    """Accuracy (percent) of one way to choose among the first ``k`` samples, a row for each."""
    return [{"chooser": chooser, "k": k, "measure": "accuracy", "value": figure(k)} for k in LOOKS]


def tokens_by_samples(sampled: Sequence[Sequence[Attempt]]) -> list[Row]:
    """Tokens generated a problem for the first ``k`` samples, a row for each look."""
    return [{"measure": "tokens", "k": k, "value": tokens([s[:k] for s in sampled])} for k in LOOKS]


def accuracies(table: pd.DataFrame, setting: str, way: str, model: str) -> pd.DataFrame:
    """The accuracies (percent) of a model in one of :data:`SETTINGS`, of one way to get chains."""
    return where(table, measure="accuracy", setting=setting, way=way, model=model)


def curves(table: pd.DataFrame, setting: str, way: str, model: str) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`) of the vote and of the best chooser.

    Args:
        setting: one of :data:`SETTINGS`.
        way: how samples are drawn there, one of its ``ways``.
    """
    rows = accuracies(table, setting, way, model)
    return {chooser: curve(rows, "k", chooser=chooser) for chooser in ("vote", "any right")}


def vote_gains(table: pd.DataFrame, setting: str, way: str, model: str, over: str) -> np.ndarray:
    """The vote of all samples minus the greedy chain (:data:`GREEDY`) or minus one sample of the
    same prompts and temperature (:data:`ONE_SAMPLE`), in points, one value a seed.
    """
    sampled = accuracies(table, setting, way, model)
    vote = by_seed(sampled, chooser="vote", k=SAMPLES)
    if over == GREEDY:
        return vote - by_seed(accuracies(table, setting, GREEDY, model))
    return vote - by_seed(sampled, chooser=over)


def gains_of_bodies(table: pd.DataFrame, setting: str, over: str) -> np.ndarray:
    """:func:`vote_gains` at :data:`VOTE_AT`, (bodies, seeds), for the bodies of one size."""
    way = f"temperature {VOTE_AT}"
    return np.stack([vote_gains(table, setting, way, body, over) for body in BODIES])


def by_setting(table: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent) at :data:`VOTE_AT`: a row what is voted on, with demonstrations of
    their own apart, and a model; columns greedy chain, one sample, vote of all samples and any
    right sample; and how many ways lead to a right answer.
    """
    rows = {}
    for name, setting in SETTINGS.items():
        titles = {f"temperature {VOTE_AT}": setting.title}
        if setting.varied:
            titles[OWN_DEMONSTRATIONS] = f"{setting.title}, {OWN_DEMONSTRATIONS}"
        for way, title in titles.items():
            for model in setting.models:
                sampled = accuracies(table, name, way, model)
                ways = where(table, setting=name, model=model, way=way)
                rows[title, model.removeprefix("gpt-")] = {
                    GREEDY: greedy_accuracy(table, name, model),
                    ONE_SAMPLE: by_seed(sampled, chooser=ONE_SAMPLE).mean(),
                    f"vote of {SAMPLES}": by_seed(sampled, chooser="vote", k=SAMPLES).mean(),
                    "any right": by_seed(sampled, chooser="any right", k=SAMPLES).mean(),
                    "ways": by_seed(ways, measure="ways to a right answer").mean(),
                }
    return pd.DataFrame(rows).T


def greedy_accuracy(table: pd.DataFrame, setting: str, model: str) -> float:
    """Mean accuracy (percent) of a model's greedy chain in one of :data:`SETTINGS`."""
    return float(by_seed(accuracies(table, setting, GREEDY, model)).mean())


def calibration_errors(table: pd.DataFrame) -> pd.DataFrame:
    """Mean gap (points) between a vote's share and how often such votes are right, at
    :data:`VOTE_AT`: a row a model, a column what is voted on.
    """
    rows = where(table, measure="calibration error", way=f"temperature {VOTE_AT}")
    wide = rows.pivot_table("value", "model", "setting")[[*SETTINGS]]
    titles = {name: setting.title for name, setting in SETTINGS.items()}
    return wide.rename(columns=titles).rename_axis(index=None, columns=None)


MODELS = tuple(dict.fromkeys(model for setting in SETTINGS.values() for model in setting.models))
VOTES = Study("votes", 2, MODELS, (11, 12, 13, 14, 15), votes)
STUDIES = (VOTES,)


_NOT_OVER_GREEDY = undecided(
    "about as good on the mean, better on one model and worse on another: what sampling loses at"
    " this temperature the vote has to win back first"
)
_OVER = {GREEDY: "the greedy chain", ONE_SAMPLE: "one sample at the same temperature"}
CLAIMS = (
    *(
        Claim(
            "5b",
            f"A vote of 16 over several derivations beats {name}, on middle models.",
            MoreThan(3),
            "wang2023selfconsistency",
            varies=(Varies.ITEMS, Varies.PRETRAINING),
            studies=(VOTES,),
            values=lambda table, over=over: Crossed(gains_of_bodies(table, "several ways", over)),
            **(_NOT_OVER_GREEDY if over == GREEDY else {}),
        )
        for over, name in _OVER.items()
    ),
    Claim(
        "5b",
        "A vote of 16 over several derivations beats the greedy chain, on the large model.",
        MoreThan(3),
        "wang2023selfconsistency",
        varies=(Varies.ITEMS,),
        studies=(VOTES,),
        values=lambda table: vote_gains(
            table, "several ways", f"temperature {VOTE_AT}", LARGE, GREEDY
        ),
        **undecided("better in every draw of problems, in some by no more than the margin"),
    ),
    Claim(
        "5b",
        "Where the samples' errors agree, a vote is worth what the greedy chain is.",
        Within(2),
        "wang2023selfconsistency",
        varies=(Varies.ITEMS, Varies.PRETRAINING),
        studies=(VOTES,),
        values=lambda table: Crossed(gains_of_bodies(table, "errors agree", GREEDY)),
    ),
)
