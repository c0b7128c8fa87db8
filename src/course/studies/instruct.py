"""Studies of instruction tuning: clusters held out in turn, the controls, what the effect depends
on; and the tuned model that ships.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.finetuning.instruction_tuning import (
    AFTER,
    BASE,
    BEFORE,
    HELD_OUT,
    INLINE,
    QUESTIONS,
    TUNED,
    Control,
    Tuning,
    by_cluster,
    clusters,
    evaluate,
    others,
    tune,
)
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting import sweeps
from course.studies.claims import Claim, Varies, fails, undecided
from course.studies.model_quality import LADDER
from course.studies.records import Row, Study
from course.studies.verdicts import MoreThan

#: Numbers of clusters tuned on, beside all that are left when :data:`HELD_OUT` is held out.
BREADTHS = (1, 3, 6)


#: The parts of the study: the base models, a cluster held out at a time, tuning without
#: instructions, and what the effect depends on.
BASES, IN_TURN, UNTAUGHT, BY_SIZE, BREADTH, WORDINGS = (
    "base",
    "one held out",
    "tuned without instructions",
    "size",
    "clusters",
    "wordings",
)
#: How a request is made: with a control in the instruction's place, or with the instruction first,
#: as in the corpus.
REQUEST_FIRST = "instruction first"


def instruction_tuning(seed: int) -> list[Row]:
    """Accuracies in percent, by cluster, of models tuned on instructions and of their bases."""
    bases = {name: load(name) for name in LADDER}
    large, middle, rest = (
        bases["gpt-large"],
        bases["gpt-middle"],
        Tuning(others(*HELD_OUT), seed=seed),
    )
    together = {name: tune(base, rest).model for name, base in bases.items()}
    untaught = tune(large, replace(rest, control=Control.NONE)).model
    widest = _accuracy(together["gpt-middle"], seed)
    rows = _rows(_accuracy(large, seed, form=BEFORE), part=BASES, request=REQUEST_FIRST)
    for name in LADDER:
        rows += _rows(_accuracy(bases[name], seed), part=BASES, model=name)
        rows += _rows(_accuracy(together[name], seed), part=BY_SIZE, model=name)
    for cluster in HELD_OUT:
        rows += _held_out(large, cluster, seed)
    for control in (Control.INSTRUCTION, Control.NONE):
        values = _accuracy(untaught, seed, control=control)
        rows += _rows(values, part=UNTAUGHT, request=str(control))
    rows += _by_breadth(middle, rest) + _rows(widest, part=BREADTH, k=len(rest.clusters))
    return rows + _by_wordings(middle, rest) + _wordings(together["gpt-middle"], rest, widest)


def _rows(
    by_cluster: dict[str, float],
    part: str,
    model: str = "gpt-large",
    request: str = str(Control.INSTRUCTION),
    **more: str | int,
) -> list[Row]:
    """A row for each cluster."""
    place: Row = {"part": part, "model": model, "request": request, **more}
    return [place | {"cluster": cluster, "value": value} for cluster, value in by_cluster.items()]


def _accuracy(
    model: LanguageModel, seed: int, clusters: Sequence[str] = HELD_OUT, **settings: Any
) -> dict[str, float]:
    return by_cluster(evaluate(model, clusters, seed=seed, **settings))


def _held_out(base: LanguageModel, cluster: str, seed: int) -> list[Row]:
    """Tuned on all clusters but one, asked about that one: with the instruction, with each control,
    and in the order of the corpus.
    """
    model = tune(base, Tuning(others(cluster), seed=seed)).model
    requests: dict[str, dict] = {str(control): {"control": control} for control in Control}
    rows: list[Row] = []
    for request, settings in (requests | {REQUEST_FIRST: {"form": BEFORE}}).items():
        values = _accuracy(model, seed, [cluster], **settings)
        rows += _rows(values, part=IN_TURN, request=request)
    return rows


def _by_breadth(base: LanguageModel, rest: Tuning) -> list[Row]:
    """By number of clusters tuned on; each set holds the smaller ones."""
    order = Rng(f"breadth/{rest.seed}").sample(rest.clusters, len(rest.clusters))
    rows: list[Row] = []
    for n in BREADTHS:
        model = tune(base, replace(rest, clusters=tuple(order[:n]))).model
        rows += _rows(_accuracy(model, rest.seed), part=BREADTH, model="gpt-middle", k=n)
    return rows


def _by_wordings(base: LanguageModel, rest: Tuning) -> list[Row]:
    models = {n: tune(base, replace(rest, wordings=n)).model for n in (1, 2)}
    rows: list[Row] = []
    for n, model in models.items():
        rows += _wordings(model, replace(rest, wordings=n), _accuracy(model, rest.seed))
    return rows


def _wordings(model: LanguageModel, tuning: Tuning, held_out: dict[str, float]) -> list[Row]:
    """The held-out clusters, and those tuned on in the last wording, which a model tuned on fewer
    than three has not seen.
    """
    last = _accuracy(model, tuning.seed, tuning.clusters, wordings=(2,))
    more: dict[str, Any] = {"part": WORDINGS, "model": "gpt-middle", "k": tuning.wordings}
    return _rows(held_out, **more) + _rows(last, wording="last", **more)


#: Tasks for which the tuned model is asked with demonstrations, and how many it is shown.
SHOWN_TASKS, SHOTS = (
    ("capital", "sentiment", "topic", "is_large", "add", "third_word", "dialect", "verdict"),
    4,
)


#: The forms of a request that the tuned model is asked in; :data:`SHOWN` is none of them.
FORMS = {"after": AFTER, "before": BEFORE, "inline": INLINE}
SHOWN = f"{SHOTS} demonstrations"


def tuned_model(seed: int) -> list[Row]:
    """The shipped tuned model and its base: accuracy (percent) on every task by form of the
    request, and with demonstrations instead of an instruction.

    Each seed asks in another wording.
    """
    rows: list[Row] = []
    for name in (BASE, TUNED):
        model = load(name)
        for form, text in FORMS.items():
            values = evaluate(model, others(), form=text, wordings=(seed,), seed=seed)
            rows += [{"model": name, "request": form, "task": task, "value": value}
                     for task, value in values.items()]  # fmt: skip
        for cell in sweeps.grid(SHOWN_TASKS, (SHOTS,), (seed,), (name,), written=True):
            value = sweeps.measure(cell)
            rows.append({"model": name, "request": SHOWN, "task": cell.task, "value": value})
    return rows


def by_held_out(
    table: pd.DataFrame,
    part: str,
    model: str = "gpt-large",
    request: str = str(Control.INSTRUCTION),
    clusters: Sequence[str] = HELD_OUT,
) -> pd.DataFrame:
    """Accuracy (percent) in one part of the study: a row a seed, a column a cluster."""
    rows = table[(table.part == part) & (table.model == model) & (table.request == request)]
    return rows.pivot(index="seed", columns="cluster", values="value")[list(clusters)]


def instruction_first(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent), mean over seeds, where the instruction stands first, as in the corpus: a
    row a held-out cluster, the base and the model tuned on the others.
    """
    parts = {"base": BASES, "tuned": IN_TURN}
    means = {
        name: by_held_out(table, part, request=REQUEST_FIRST).mean() for name, part in parts.items()
    }
    return pd.DataFrame(means).rename_axis(index=None)


def by_control(table: pd.DataFrame, clusters: Sequence[str]) -> dict[str, pd.Series]:
    """What stands in the instruction's place -> accuracy (percent), mean over held-out clusters, by
    seed; then the model tuned without instructions and the base.
    """
    tuned = {
        str(c): by_held_out(table, IN_TURN, request=str(c), clusters=clusters) for c in Control
    }
    others_ = {part: by_held_out(table, part, clusters=clusters) for part in (UNTAUGHT, BASES)}
    return {name: rows.mean(axis=1) for name, rows in (tuned | others_).items()}


def by_number(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Number of clusters or of wordings tuned on -> accuracy (percent) of the middle model, mean
    over held-out clusters, (seeds,).
    """
    rows = table[(table.part == part) & table.wording.isna()]
    means = rows.pivot_table("value", "seed", "k")
    return {str(int(k)): means[k].to_numpy() for k in means}


def by_size(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Model -> accuracy (percent), mean over held-out clusters, (seeds,).

    Args:
        part: :data:`BY_SIZE` for the tuned models, :data:`BASES` for their bases.
    """
    return {name: by_held_out(table, part, name).mean(axis=1).to_numpy() for name in LADDER}


def by_request(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the shipped tuned model and its base, mean over seeds: a row a model, a
    column a form of the request (the mean over clusters) and, last, demonstrations instead.

    Args:
        table: of the study of the tuned model.
    """
    cluster_of = {name: c for c, names in clusters().items() for name in names}
    asked_in_words = table[table.request != SHOWN]
    means = asked_in_words.assign(cluster=asked_in_words.task.map(cluster_of)).pivot_table(
        "value", ["model", "cluster"], "request"
    )
    shown = table[table.request == SHOWN].groupby("model").value.mean()
    wide = means.groupby("model").mean()[list(FORMS)].assign(**{SHOWN: shown})
    return wide.rename_axis(index=None, columns=None)


def lost_by_tuning(table: pd.DataFrame) -> pd.Series:
    """Points that the tuned model lost against its base with demonstrations, mean over seeds, by
    task.

    Args:
        table: of the study of the tuned model.
    """
    means = table[table.request == SHOWN].pivot_table("value", "task", "model")
    return means[BASE] - means[TUNED]


def _gain(
    table: pd.DataFrame, over: str, request: str, clusters: Sequence[str] = HELD_OUT
) -> pd.Series:
    """Points by which the model tuned on instructions beats another figure, mean over held-out
    clusters, by seed.
    """
    tuned = by_held_out(table, IN_TURN, clusters=clusters)
    return (tuned - by_held_out(table, over, request=request, clusters=clusters)).mean(axis=1)


def _claim(
    statement: str,
    over: str = BASES,
    request: str = str(Control.INSTRUCTION),
    clusters: Sequence[str] = HELD_OUT,
    **more: Any,
) -> Claim:
    return Claim(
        "4e",
        statement,
        MoreThan(10),
        "wei2022finetuned",
        (Varies.ITEMS, Varies.TRAINING),
        studies=(INSTRUCT,),
        values=partial(_gain, over=over, request=request, clusters=clusters),
        **more,
    )


INSTRUCT = Study("instruct", 1, LADDER, (0, 1, 2), instruction_tuning)
SHIPPED_STUDY = Study("tuned", 2, (BASE, TUNED), (0, 1, 2), tuned_model)
STUDIES = (INSTRUCT, SHIPPED_STUDY)

#: Held-out clusters whose inputs do not say what is wanted.
NO_QUESTIONS = tuple(name for name in HELD_OUT if name not in QUESTIONS)
_WIDE = "the model tuned on instructions beats"
#: Held-out cluster -> the outcome of the claim about it, where it is not that it holds.
_OUTCOMES = {
    "inference": fails(
        "the model answers with a person or a room where true, false or unknown is wanted"
    ),
    "reading comprehension": undecided(
        "three seeds; perhaps the instruction below a question is one more thing to misread"
    ),
    "judgement": fails("the base says yes or no anyway where an instruction names these words"),
}
CLAIMS = (
    _claim(f"On all six held-out clusters, {_WIDE} the base model."),
    _claim(
        f"On all six held-out clusters, {_WIDE} a model tuned without instructions.", over=UNTAUGHT
    ),
    _claim(
        f"On the four without questions, {_WIDE} itself, uninstructed.",
        over=IN_TURN,
        request=str(Control.NONE),
        clusters=NO_QUESTIONS,
    ),
    _claim(
        f"On all six held-out clusters, {_WIDE} itself, uninstructed.",
        over=IN_TURN,
        request=str(Control.NONE),
        **undecided("the mean lies at the threshold"),
    ),
    *(
        _claim(
            f"With {name} held out, the tuned model beats the base model.",
            clusters=(name,),
            **_OUTCOMES.get(name, {}),
        )
        for name in HELD_OUT
    ),
)
