"""Catastrophic forgetting: accuracy on other tasks after a model was tuned for one, fully or by an
adapter that can be switched off.
"""

from collections.abc import Sequence

import pandas as pd

from course.finetuning.specialists import accuracy, specialise
from course.lm.language_model import LanguageModel
from course.prompting.evaluation import fresh_questions

BEFORE, FULL, ON, OFF = (
    "only prompted",
    "all parameters tuned",
    "LoRA, switched on",
    "LoRA, switched off",
)


def measure(
    base: LanguageModel,
    task: str,
    tasks: Sequence[str],
    steps: int = 100,
    shots: int = 3,
    count: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy (percent) on the task that a model was tuned for, and its mean on the others.

    On its own task a tuned model gets no demonstrations, as in its training; everything else has
    ``shots`` demonstrations.

    Returns:
        Rows: before tuning, all parameters tuned, LoRA on and off. Columns: ``own`` and ``others``.
    """
    full = specialise(base, task, steps=steps, seed=seed).model
    lora = specialise(base, task, steps=steps, seed=seed, method="lora").model
    questions = {name: fresh_questions(name, shots, count, seed) for name in tasks}

    def row(model: LanguageModel, tuned: bool) -> dict[str, float]:
        own = [question.zero_shot for question in questions[task]] if tuned else questions[task]
        others = [accuracy(model, questions[name]) for name in tasks if name != task]
        return {"own": accuracy(model, own), "others": sum(others) / len(others)}

    rows = {BEFORE: row(base, False), FULL: row(full, True), ON: row(lora, True)}
    with lora.model.disable_adapter():
        rows[OFF] = row(lora, False)
    return pd.DataFrame.from_dict(rows, orient="index")
