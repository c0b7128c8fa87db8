"""Demonstrations in the prompt of a real model: number, labels and order (chapters 4 and 4a)."""

from course.lm.language_model import load
from course.prompting.calibration import KINDS, order_effect
from course.prompting.evaluation import changed
from course.prompting.selection import Balanced
from course.studies.on_real_models.questions import ASKED, PRECISION, right, with_instruction
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.tasks.registry import load_task
from course.world.split import TRAIN

#: Demonstrations in a prompt.
SHOTS = (0, 1, 2, 4, 8)
CONDITIONS = ("gold", "random", "flipped", "foreign")


def real_demonstrations(seed: int) -> list[Row]:
    """Sentiment in context: right, random, flipped labels and foreign inputs by demonstrations; and
    orders of four with and without calibration.

    Returns:
        Rows with ``condition`` or ``calibration``, ``shots``, ``measure`` and ``value`` (percent).
    """
    model, task = load("gpt-middle", precision=PRECISION), load_task("sentiment", seed=seed)
    foreign = [example.input for example in load_task("inference", seed=seed).examples(TRAIN)]
    rows: list[Row] = []
    for shots in SHOTS:
        asked = with_instruction(task, shots, ASKED, seed)
        for condition in CONDITIONS if shots else ("none",):
            now = changed(asked, condition, seed, foreign) if shots else asked
            named: Row = {"condition": condition, "shots": shots, "measure": "accuracy"}
            rows.append(named | {"value": right(model, now)})
    some = with_instruction(task, 4, ASKED, seed, selection=Balanced(task.labels))
    effect = order_effect(model, some, seed=seed)
    for kind in KINDS:
        for measure in ("mean", "worst", "spread"):
            value = getattr(effect, measure)(kind)
            rows.append({"calibration": kind, "shots": 4, "measure": measure, "value": value})
    return rows


STUDIES = (
    RealStudy(
        "demonstrations",
        1,
        ("gpt-middle",),
        (*SEEDS, 3, 4),
        real_demonstrations,
        ("sentiment", "inference"),
    ),
)
