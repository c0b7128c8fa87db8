"""Studies of instruction tuning: which settings, clusters held out in turn, the controls, what the
effect depends on; and the tuned model that ships.

Costs as measured on one core of a busy machine, seeds x seconds: tuning-settings 5 x 400, instruct
5 x 684, tuned 3 x 26.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from course.finetuning.instruction_tuning import (
    AFTER,
    BASE,
    BEFORE,
    CHOSEN_BY,
    HELD_OUT,
    INLINE,
    TUNED,
    TURNS,
    Control,
    Tuning,
    by_cluster,
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
from course.studies.bodies import LADDER
from course.studies.records import Row, Study
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


SETTINGS = Study("tuning-settings", 1, (BASE,), (0, 1, 2, 3, 4), tuning_settings)
INSTRUCT = Study("instruct", 2, LADDER, (0, 1, 2, 3, 4), instruction_tuning)
SHIPPED_STUDY = Study("tuned", 3, (BASE, TUNED), (0, 1, 2, 3, 4), tuned_model)
STUDIES = (SETTINGS, INSTRUCT, SHIPPED_STUDY)
