"""Studies beside :mod:`course.studies.choosing`: one more task that prompting does not saturate,
the third word of three, and all four tasks on three pretrained bodies of each kind.

Less than the study beside which they stand, so that they take minutes: fewer test items, no advice,
what trains has its usual learning rate and chooses none, and the bodies are measured with one seed
each and without soft prompts or calibration. The prompted bodies are the middle GPTs, which are
smaller than the tuned writer of that study and were never tuned on instructions.

Stated before anything was measured: on the third word, too, with 8 labels showing them in the
prompt is ahead of LoRA on the same model by more than 5 points, with 512 LoRA is by more than 5;
over the bodies, with 512 labels LoRA is ahead of showing some of them by more than 5 points, and
with 128 it is ahead of asking without any.

Costs as measured on one core of a busy machine, seeds x seconds: third-word 5 x 46,
choosing-bodies 3 x 120.
"""

from collections.abc import Sequence
from functools import partial

from course.compare.base import Method, Setting
from course.compare.bodies import PROMPTED_ROLE, Bench, ModelChoice
from course.studies.bodies import BERTS, GPTS
from course.studies.choosing import (
    LABELS,
    NAMES,
    TASKS,
    THIRD_WORD,
    measured,
    methods_for,
    question,
    score_row,
)
from course.studies.records import Row, Study

#: Test items of a task.
TESTED = 300
#: The tasks of the bodies, and the methods.
BODY_TASKS = (*TASKS, THIRD_WORD)
BODY_METHODS = ("majority", "tfidf", "zero-shot", "few-shot", "head", "lora", "lora-generator")


def third_word(seed: int) -> list[Row]:
    """Every method that can do the task by the number of labels, on the models of ``choosing``.

    Returns:
        Rows as those of :func:`course.studies.choosing.choosing`, of the part ``"score"``.
    """
    return _scores(THIRD_WORD, seed, ModelChoice(), NAMES)


def bodies(number: int) -> list[Row]:
    """Some methods on all tasks by the number of labels, on one pretrained GPT and one BERT, with
    labels and test items of its own.

    Args:
        number: of the pair of bodies, and the seed of what is drawn.

    Returns:
        Rows as those of :func:`course.studies.choosing.choosing`, of the parts ``"score"`` and
        ``"cheat"``, and with ``model``, the GPT.
    """
    choice = ModelChoice(GPTS[number], BERTS[number])
    rows = [_scores(name, number, choice, BODY_METHODS) for name in BODY_TASKS]
    return [{"model": GPTS[number], **row} for some in rows for row in some]


def _scores(name: str, seed: int, choice: ModelChoice, methods: Sequence[str]) -> list[Row]:
    asked = question(name, seed, TESTED)
    data, bench = asked.data, Bench(asked.data.task, choice)
    setting = partial(usual_rate, bench)
    cells = measured(bench, data, seed, methods_for(data, methods), setting)
    rows: list[Row] = [{"part": "score", "task": name, **score_row(cell, data)} for cell in cells]
    for rule, value in asked.cheats.items():
        rows.append({"part": "cheat", "task": name, "rule": rule, "value": value})
    return rows


def usual_rate(bench: Bench, method: Method) -> Setting | None:
    """The usual setting of what trains; None for what chooses one by its labels."""
    return method.settings(bench, LABELS[0])[0] if method.iterative else None


THIRD = Study("third-word", 1, (PROMPTED_ROLE,), (0, 1, 2, 3, 4), third_word)
BODIES = Study("choosing-bodies", 1, (*GPTS, *BERTS), tuple(range(len(GPTS))), bodies)
STUDIES = (THIRD, BODIES)
