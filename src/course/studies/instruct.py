"""Studies of instruction tuning: clusters held out in turn, the controls, what the effect depends
on; and the tuned model that ships.
"""

from collections.abc import Sequence
from dataclasses import replace

from course.finetuning.instruction_tuning import (
    AFTER,
    BASE,
    BEFORE,
    HELD_OUT,
    INLINE,
    TUNED,
    Control,
    Tuning,
    by_cluster,
    evaluate,
    others,
    tune,
)
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting import sweeps
from course.studies.records import Row, Study

#: Numbers of clusters tuned on, beside all that are left when :data:`HELD_OUT` is held out.
BREADTHS = (1, 3, 6)
SIZES = ("gpt-small", "gpt-middle", "gpt-large")


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
    bases = {name: load(name) for name in SIZES}
    large, middle, rest = (
        bases["gpt-large"],
        bases["gpt-middle"],
        Tuning(others(*HELD_OUT), seed=seed),
    )
    together = {name: tune(base, rest).model for name, base in bases.items()}
    untaught = tune(large, replace(rest, control=Control.NONE)).model
    widest = _accuracy(together["gpt-middle"], seed)
    rows = _rows(_accuracy(large, seed, form=BEFORE), part=BASES, request=REQUEST_FIRST)
    for name in SIZES:
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
    place = {"part": part, "model": model, "request": request, **more}
    return [place | {"cluster": cluster, "value": value} for cluster, value in by_cluster.items()]


def _accuracy(
    model: LanguageModel, seed: int, clusters: Sequence[str] = HELD_OUT, **settings
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
    more = {"part": WORDINGS, "model": "gpt-middle", "k": tuning.wordings}
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
    """The shipped tuned model and its base: accuracy (percent) on every task by form of the request,
    and with demonstrations instead of an instruction.

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


STUDIES = (
    Study("instruct", 1, SIZES, (0, 1, 2), instruction_tuning),
    Study("tuned", 2, (BASE, TUNED), (0, 1, 2), tuned_model),
)
