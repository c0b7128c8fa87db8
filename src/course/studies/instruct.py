"""Studies of instruction tuning: which settings, clusters held out in turn, the controls, what the
effect depends on; and the tuned model that ships.

Costs as measured on one core of a busy machine, seeds x seconds: tuning-settings 2 x 378, instruct
2 x 759, tuned 3 x 26.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.finetuning.instruction_tuning import (
    AFTER,
    BASE,
    BEFORE,
    CHOSEN_BY,
    HELD_OUT,
    INLINE,
    QUESTIONS,
    TUNED,
    TURNS,
    Control,
    Tuning,
    by_cluster,
    clusters,
    evaluate,
    others,
    tune,
    validation_accuracy,
)
from course.finetuning.release import SHIPPED
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting import sweeps
from course.search.dialogue_reward import replies
from course.studies.claims import Claim, Varies, undecided
from course.studies.model_quality import LADDER
from course.studies.records import Row, Study
from course.studies.tables import by_seed, where
from course.studies.verdicts import MoreThan, NoWorse
from course.world.conduct import SPLIT_KEY, draw_question
from course.world.gold import gold_reward, manner_of
from course.world.held_out import SIBLINGS
from course.world.split import is_train

#: Numbers of clusters tuned on, beside all that are left when :data:`HELD_OUT` is held out.
BREADTHS = (1, 3, 6)
#: Seeds of which the siblings are held out, too.
WITHOUT_SIBLINGS_SEEDS = 3

#: The parts of the study: the base models, two clusters held out at a time, the same tuning without
#: instructions and without siblings, and what the effect depends on.
BASES, IN_TURN, UNTAUGHT, ALONE_IN_KIND, BY_SIZE, BREADTH = (
    "base",
    "held out in turn",
    "tuned without instructions",
    "siblings held out, too",
    "size",
    "clusters",
)
#: The forms of a request that every input can have.
FORMS = {"after": AFTER, "before": BEFORE, "inline": INLINE}
#: Steps and learning rates that were tried: of all parameters, and of the adapter that ships.
FULL_SETTINGS = ((30, 1e-3), (60, 3e-4), (60, 1e-3), (120, 1e-3))
ADAPTER_SETTINGS = ((120, 1e-3), (120, 3e-3), (240, 3e-3))


def tuning_settings(seed: int) -> list[Row]:
    """Accuracy (percent) on validation items of the clusters :data:`CHOSEN_BY`, by steps and
    learning rate, of the large model tuned on all clusters but these and the held-out ones.
    """
    base, rows = load(BASE, "tiny"), []
    plain = Tuning(others(*HELD_OUT, *CHOSEN_BY), seed=seed)
    for rank, tried in ((None, FULL_SETTINGS), (SHIPPED.rank, ADAPTER_SETTINGS)):
        for steps, rate in tried:
            tuning = replace(plain, rank=rank, steps=steps, learning_rate=rate)
            value = validation_accuracy(tune(base, tuning).model, tuning, CHOSEN_BY)
            place: Row = {"tuned": "adapter" if rank else "all", "steps": steps, "rate": rate}
            rows.append(place | {"value": value})
    return rows


def best_settings(table: pd.DataFrame, tuned: str) -> tuple[int, float]:
    """Steps and learning rate with the best mean over seeds.

    Args:
        tuned: ``"all"`` parameters or the ``"adapter"``.
    """
    steps, rate = where(table, tuned=tuned).groupby(["steps", "rate"]).value.mean().idxmax()
    return int(steps), float(rate)


def instruction_tuning(seed: int) -> list[Row]:
    """Accuracies in percent, by cluster, of models tuned on instructions and of their bases."""
    bases = {name: load(name, "tiny") for name in LADDER}
    large, middle = bases["gpt-large"], bases["gpt-middle"]
    rest = Tuning(others(*HELD_OUT), seed=seed)
    rows = _of_base(large, seed)
    for name in ("gpt-small", "gpt-middle"):
        rows += _rows(_accuracy(bases[name], seed), part=BASES, model=name)
    for turn in TURNS:
        rows += _held_out(large, turn, seed)
    for name, base in bases.items():
        values = _accuracy(tune(base, rest).model, seed)
        rows += _rows(values, part=BY_SIZE, model=name)
        if base is middle:
            rows += _rows(values, part=BREADTH, model=name, k=len(rest.clusters))
    return rows + _by_breadth(middle, rest)


def _rows(
    by_cluster: dict[str, float],
    part: str,
    model: str = BASE,
    request: str = str(Control.INSTRUCTION),
    form: str = "after",
    **more: str | int,
) -> list[Row]:
    """A row for each cluster."""
    place: Row = {"part": part, "model": model, "request": request, "form": form, **more}
    return [place | {"cluster": cluster, "value": value} for cluster, value in by_cluster.items()]


def _accuracy(
    model: LanguageModel, seed: int, clusters: Sequence[str] = HELD_OUT, **settings: Any
) -> dict[str, float]:
    return by_cluster(evaluate(model, clusters, seed=seed, **settings))


def _of_base(base: LanguageModel, seed: int) -> list[Row]:
    """The base in every form of a request, and without an instruction."""
    rows: list[Row] = []
    for form, text in FORMS.items():
        rows += _rows(_accuracy(base, seed, form=text), part=BASES, form=form)
    none = _accuracy(base, seed, control=Control.NONE)
    return rows + _rows(none, part=BASES, request=str(Control.NONE))


def _held_out(base: LanguageModel, turn: Sequence[str], seed: int) -> list[Row]:
    """Tuned on all clusters but two, asked about those two: with the instruction in every form and
    with each control; the same tuned without instructions; and without siblings.
    """
    tuning = Tuning(others(*turn), seed=seed)
    model, rows = tune(base, tuning).model, list[Row]()
    for control in Control:
        values = _accuracy(model, seed, turn, control=control)
        rows += _rows(values, part=IN_TURN, request=str(control))
    for form in ("before", "inline"):
        rows += _rows(_accuracy(model, seed, turn, form=FORMS[form]), part=IN_TURN, form=form)
    untaught = tune(base, replace(tuning, control=Control.NONE)).model
    for control in (Control.INSTRUCTION, Control.NONE):
        values = _accuracy(untaught, seed, turn, control=control)
        rows += _rows(values, part=UNTAUGHT, request=str(control))
    if seed < WITHOUT_SIBLINGS_SEEDS:
        siblings = {name for cluster in turn for name in SIBLINGS.get(cluster, ())}
        alone = tune(base, Tuning(others(*turn, *siblings), seed=seed)).model
        rows += _rows(_accuracy(alone, seed, turn), part=ALONE_IN_KIND)
    return rows


def _by_breadth(base: LanguageModel, rest: Tuning) -> list[Row]:
    """By number of clusters tuned on; each set holds the smaller ones."""
    order = Rng(f"breadth/{rest.seed}").sample(rest.clusters, len(rest.clusters))
    rows: list[Row] = []
    for n in BREADTHS:
        model = tune(base, replace(rest, clusters=tuple(order[:n]))).model
        rows += _rows(_accuracy(model, rest.seed), part=BREADTH, model="gpt-middle", k=n)
    return rows


#: Tasks for which the tuned model is asked with demonstrations, and how many it is shown.
SHOWN_TASKS, SHOTS = (
    ("capital", "sentiment", "topic", "is_large", "add", "plural", "dialect", "verdict"),
    4,
)
SHOWN = f"{SHOTS} demonstrations"
#: What is measured of replies in dialogues: how many can be read as a guide's, and what they are
#: worth.
READABLE, GOLD = "replies that a guide could give", "gold reward"


def tuned_model(seed: int) -> list[Row]:
    """The shipped tuned model and its base: accuracy (percent) on every task by form of the
    request, with demonstrations instead of an instruction, and as a guide in dialogues.

    Each seed asks in another wording.
    """
    rows: list[Row] = []
    for name in (BASE, TUNED):
        model = load(name, "tiny")
        for form, text in FORMS.items():
            values = evaluate(model, others(), form=text, wordings=(seed % 3,), seed=seed)
            rows += [{"model": name, "request": form, "task": task, "value": value}
                     for task, value in values.items()]  # fmt: skip
        for cell in sweeps.grid(SHOWN_TASKS, (SHOTS,), (seed,), (name,), written=True):
            value = sweeps.measure(cell)
            rows.append({"model": name, "request": SHOWN, "task": cell.task, "value": value})
        for measure, value in as_guide(model, seed).items():
            rows.append({"model": name, "request": measure, "value": value})
    return rows


def as_guide(model: LanguageModel, seed: int, count: int = 100) -> dict[str, float]:
    """What a model's replies to held-out questions of visitors are like, drawn at temperature 1:
    the share (percent) that have a guide's manner, and their mean gold reward.
    """
    rng, asked = Rng(f"visitors/{seed}"), list[str]()
    while len(asked) < count:
        question = draw_question(rng)
        if not is_train(SPLIT_KEY, question):
            asked.append(question)
    written = replies(model, [("", question) for question in asked], seed=seed)
    pairs = [(question, reply) for question, (reply,) in zip(asked, written, strict=True)]
    readable = sum(manner_of(question, reply) is not None for question, reply in pairs)
    worth = sum(gold_reward(question, reply) for question, reply in pairs)
    return {READABLE: 100 * readable / count, GOLD: worth / count}


def by_held_out(
    table: pd.DataFrame,
    part: str,
    model: str = BASE,
    request: str = str(Control.INSTRUCTION),
    form: str = "after",
    clusters: Sequence[str] = HELD_OUT,
) -> pd.DataFrame:
    """Accuracy (percent) in one part of the study: a row a seed, a column a cluster."""
    rows = where(table, part=part, model=model, request=request, form=form)
    return rows.pivot(index="seed", columns="cluster", values="value")[list(clusters)]


def best_form(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Accuracy (percent) in the best form of a request, of each seed and cluster by itself: a row a
    seed, a column a cluster.

    The best is taken on the items that are tested, which flatters all models alike.

    Args:
        part: :data:`BASES` or :data:`IN_TURN`.
    """
    forms = [by_held_out(table, part, form=form) for form in FORMS]
    return pd.concat(forms).groupby(level="seed").max()


def best_of_base(table: pd.DataFrame) -> pd.DataFrame:
    """The same of the base."""
    return best_form(table, BASES)


def best_untaught(table: pd.DataFrame) -> pd.DataFrame:
    """The same of the models tuned without instructions, asked with one or without."""
    asked = [
        by_held_out(table, UNTAUGHT, request=str(control))
        for control in (Control.INSTRUCTION, Control.NONE)
    ]
    return pd.concat(asked).groupby(level="seed").max()


def by_form(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent), mean over seeds: a row a held-out cluster; the base and the tuned models
    by form of the request, and the tuned ones whose siblings were held out, too.
    """
    columns = {
        f"{name}, {form}": by_held_out(table, part, form=form).mean()
        for name, part in (("base", BASES), ("tuned", IN_TURN))
        for form in FORMS
    }
    columns["no siblings, after"] = by_held_out(table, ALONE_IN_KIND).mean()
    return pd.DataFrame(columns).rename_axis(index=None)


def by_control(table: pd.DataFrame, clusters: Sequence[str]) -> dict[str, pd.Series]:
    """What stands in the instruction's place -> accuracy (percent), mean over held-out clusters, by
    seed; then the model tuned without instructions and the base, each at its best.
    """
    tuned = {
        str(c): by_held_out(table, IN_TURN, request=str(c), clusters=clusters) for c in Control
    }
    others_ = {
        UNTAUGHT: best_untaught(table)[[*clusters]],
        BASES: best_of_base(table)[[*clusters]],
    }
    return {name: rows.mean(axis=1) for name, rows in (tuned | others_).items()}


def by_number(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Number of clusters tuned on -> accuracy (percent) of the middle model, mean over held-out
    clusters, (seeds,).
    """
    means = where(table, part=part).pivot_table("value", "seed", "k")
    return {str(int(k)): means[k].to_numpy() for k in means}


def by_size(table: pd.DataFrame, part: str) -> dict[str, np.ndarray]:
    """Model -> accuracy (percent), mean over held-out clusters, (seeds,).

    Args:
        part: :data:`BY_SIZE` for the tuned models, :data:`BASES` for their bases.
    """
    return {name: by_held_out(table, part, name).mean(axis=1).to_numpy() for name in LADDER}


def by_request(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of the shipped model and its base: the mean over clusters by form of the
    request, with demonstrations the mean over tasks; and as a guide.

    Args:
        table: of the study of the tuned model.
    """
    cluster_of = {name: cluster for cluster, names in clusters().items() for name in names}
    means = table.assign(cluster=table.task.map(cluster_of)).pivot_table(
        "value", ["model", "cluster"], "request"
    )
    rest = {
        name: where(table, request=name).groupby("model").value.mean()
        for name in (SHOWN, READABLE, GOLD)
    }
    wide = means.groupby("model").mean()[list(FORMS)].assign(**rest)
    return wide.rename_axis(index=None, columns=None)


def lost_by_tuning(table: pd.DataFrame) -> pd.Series:
    """Points that the tuned model lost against its base with demonstrations, mean over seeds, by
    task.

    Args:
        table: of the study of the tuned model.
    """
    means = where(table, request=SHOWN).pivot_table("value", "task", "model")
    return means[BASE] - means[TUNED]


def _gain(
    table: pd.DataFrame, over: Callable[[pd.DataFrame], pd.DataFrame], cluster: str
) -> np.ndarray:
    """Points by which the model tuned on instructions, at its best, beats another one at its best
    on one held-out cluster, by seed.
    """
    return (best_form(table, IN_TURN)[cluster] - over(table)[cluster]).to_numpy()


def _change(table: pd.DataFrame, request: str) -> np.ndarray:
    """Points by which the shipped tuned model differs from its base, by seed."""
    tuned, base = (by_seed(table, model=name, request=request) for name in (TUNED, BASE))
    return tuned - base


SETTINGS = Study("tuning-settings", 1, (BASE,), (0, 1), tuning_settings)
INSTRUCT = Study("instruct", 2, LADDER, (0, 1), instruction_tuning)
SHIPPED_STUDY = Study("tuned", 3, (BASE, TUNED), (0, 1, 2), tuned_model)
STUDIES = (SETTINGS, INSTRUCT, SHIPPED_STUDY)

#: Held-out clusters whose inputs do not say what is wanted.
NO_QUESTIONS = tuple(name for name in HELD_OUT if name not in QUESTIONS)
#: What a cheat reaches on a cluster: the commonest label of each of its tasks.
GUESSES = {"inference": 100 / 3, "judgement": 50.0}

_FLAN = "wei2022finetuned"
_claim = partial(Claim, "4e", source=_FLAN, studies=(INSTRUCT,), varies=(Varies.TRAINING,))


_FIRST = "where the instruction stands first the base already reads it"
_FEW = "two seeds are too few to decide it"
#: What tuning adds to the base in its best form, by cluster, and what was measured about it.
_NOT_OVER_BASE = {
    "inference": undecided(
        f"better in both seeds, and below what one label throughout reaches; {_FEW}"
    ),
    "geography": undecided(f"{_FIRST} without a fault; {_FEW}"),
    "reading comprehension": undecided(f"without any instruction the base does as well; {_FEW}"),
    "morphology": undecided(f"some points better on the mean; {_FEW}"),
    "judgement": undecided(f"{_FIRST} nearly without a fault; {_FEW}"),
    "closed-book questions": undecided(f"the base answers every question in its best form; {_FEW}"),
}
_NOT_OVER_UNTAUGHT = {
    cluster: undecided(f"{figure}; {_FEW}")
    for cluster, figure in {
        "inference": "a few points better on the mean",
        "reading comprehension": "worse on the mean: the questions ask for something by themselves",
        "judgement": "forty points better on the mean",
        "closed-book questions": "forty points better on the mean",
    }.items()
}


def _on(cluster: str) -> tuple[Claim, Claim]:
    guess = {"one label throughout": GUESSES[cluster]} if cluster in GUESSES else {}
    return (
        _claim(
            f"With {cluster} held out, tuning on instructions beats the base by more than 5 points,"
            " each in its best form of a request.",
            MoreThan(5),
            values=partial(_gain, over=best_of_base, cluster=cluster),
            baselines=lambda table: guess,
            **_NOT_OVER_BASE[cluster],
        ),
        _claim(
            f"With {cluster} held out, tuning on instructions beats the same tuning without"
            " instructions by more than 5 points.",
            MoreThan(5),
            values=partial(_gain, over=best_untaught, cluster=cluster),
            **_NOT_OVER_UNTAUGHT.get(cluster, {}),
        ),
    )


_kept = partial(
    Claim, "4e", source=_FLAN, studies=(SHIPPED_STUDY,), varies=(Varies.ITEMS,), kind=NoWorse(5)
)
CLAIMS = (
    *(claim for cluster in HELD_OUT for claim in _on(cluster)),
    _kept(
        statement="In dialogues as many of the shipped tuned model's replies as of its base's are"
        " such as a guide could give, up to 5 points.",
        values=partial(_change, request=READABLE),
        **undecided("a point fewer on the mean; three draws of questions leave the interval wide"),
    ),
    _kept(
        statement="With four demonstrations the shipped tuned model is no worse than its base, up"
        " to 5 points.",
        values=partial(_change, request=SHOWN),
    ),
)
