"""Questions to a real model: behind an instruction, in half precision, and how many of its answers
are right.
"""

from collections.abc import Sequence
from typing import Any

from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question, questions, scores
from course.prompting.prompts import PLAIN
from course.tasks.task import Task

#: In which everything is computed, on every machine alike: without instructions for it a CPU is
#: slow, with them it is three to four times as fast as in single precision.
PRECISION = "bf16"
#: Questions of a measurement.
ASKED = 100


def with_instruction(
    task: Task, shots: int, count: int, seed: int, **settings: Any
) -> list[Question]:
    """Questions behind the first of the task's instructions: without any, a prompt that has no
    demonstrations would not say what is wanted.
    """
    instruction = task.instructions[0]
    return questions(task, shots, count, seed, template=PLAIN, instruction=instruction, **settings)


def right(model: LanguageModel, asked: Sequence[Question]) -> float:
    """Accuracy in percent."""
    return 100 * float(scores(model, asked).mean())
