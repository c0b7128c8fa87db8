"""The claims of chapter 8. Their thresholds were set before anything was measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course.foundation.intervals import PERCENT, Nested
from course.studies.choosing import LABELS, STUDY, TASKS, THIRD_WORD, WITH_LABELS
from course.studies.choosing_bodies import BODIES, BODY_TASKS, THIRD
from course.studies.choosing_tables import baselines, gap, right_advice
from course.studies.claims import Claim, MoreThan, NoWorse, Varies, fails, undecided
from course.studies.records import Study

_ITEMS_AND_TRAINING = (Varies.ITEMS, Varies.TRAINING)
_OF_BODIES = (*_ITEMS_AND_TRAINING, Varies.PRETRAINING)
_FEW, _MANY = LABELS[0], LABELS[-1]


def _ahead(
    statement: str,
    kind: MoreThan | NoWorse,
    source: str,
    one: str,
    other: str,
    labels: int,
    tasks: Sequence[str] = tuple(TASKS),
    study: Study = STUDY,
    **measured: Any,
) -> Claim:
    """The claim that one method is ahead of another one with some labels.

    Args:
        study: that measured it; that of bodies has one run for each.
        measured: what the record gives, where the claim does not hold.
    """
    return Claim(
        "8",
        statement,
        kind,
        source,
        _OF_BODIES if study is BODIES else _ITEMS_AND_TRAINING,
        studies=(study,),
        values=lambda table: _design(study, gap(table, one, other, labels, tasks)),
        baselines=lambda table: baselines(table, labels, tasks),
        **measured,
    )


def _design(study: Study, gaps: np.ndarray) -> Nested | np.ndarray:
    return Nested([[own] for own in gaps]) if study is BODIES else gaps


CLAIMS = (
    _ahead(
        f"With {_FEW} labels, showing them in the prompt is ahead of LoRA on the same model.",
        MoreThan(5), "hu2022lora", "few-shot", "lora-generator", _FEW,
        **fails(
            "translation decides the mean: its prompt stands in a layout that the model has not"
            " read and gets nothing, while eight labels and LoRA are enough; on the other two tasks"
            " the prompt is ahead"
        ),
    ),
    _ahead(
        f"With {_MANY} labels, LoRA is ahead of showing some of them to the same model.",
        MoreThan(5), "hu2022lora", "lora-generator", "few-shot", _MANY,
    ),
    _ahead(
        "With 128 labels, LoRA is ahead of a prompt without any: the advice to fine-tune.",
        MoreThan(0), "lorica", "lora-generator", "zero-shot", 128,
    ),
    _ahead(
        f"With {_MANY} labels, LoRA is ahead of a soft prompt on the same model.",
        MoreThan(0), "lester2021power", "lora-generator", "soft-prompt", _MANY,
    ),
    _ahead(
        f"With {_FEW} labels, a head on a frozen body is no worse than LoRA on that body.",
        NoWorse(2), "devlin2019bert", "head", "lora", _FEW, WITH_LABELS,
        **undecided("which eight labels are drawn moves the difference by more than the margin"),
    ),
    _ahead(
        f"With {_MANY} labels, LoRA on a body is ahead of a head on the frozen one.",
        MoreThan(5), "hu2022lora", "lora", "head", _MANY, WITH_LABELS,
        **fails(
            "on exchanged topics hardly an error is left to either, and on inference neither gets"
            " beyond half of the items"
        ),
    ),
    _ahead(
        f"With {_MANY} labels, LoRA on a pretrained body is ahead of TF-IDF.",
        MoreThan(5), "devlin2019bert", "lora", "tfidf", _MANY, WITH_LABELS,
        **fails(
            "on exchanged topics counting words makes no error either, and on inference it is some"
            " points ahead on the mean"
        ),
    ),
    _ahead(
        f"On the third word, too, with {_FEW} labels, showing them in the prompt is ahead of LoRA"
        " on the same model.",
        MoreThan(5), "hu2022lora", "few-shot", "lora-generator", _FEW, (THIRD_WORD,), THIRD,
        **fails("the writer gives every third word without a label, so nothing is left to gain"),
    ),
    _ahead(
        f"On the third word, too, with {_MANY} labels, LoRA is ahead of showing some of them to"
        " the same model.",
        MoreThan(5), "hu2022lora", "lora-generator", "few-shot", _MANY, (THIRD_WORD,), THIRD,
        **fails("the writer gives every third word without a label, so nothing is left to gain"),
    ),
    _ahead(
        f"On three pretrained bodies, with {_MANY} labels, LoRA is ahead of showing some of them"
        " to the same model.",
        MoreThan(5), "hu2022lora", "lora-generator", "few-shot", _MANY, BODY_TASKS, BODIES,
    ),
    _ahead(
        "On three pretrained bodies, with 128 labels, LoRA is ahead of a prompt without any.",
        MoreThan(0), "lorica", "lora-generator", "zero-shot", 128, BODY_TASKS, BODIES,
    ),
    Claim(
        "8",
        "The advice of course compare is within two points of the best method on nine tables in"
        " ten.",
        MoreThan(90),
        "agresti2005simple",
        _ITEMS_AND_TRAINING,
        studies=(STUDY,),
        values=right_advice,
        unit="% of tables",
        bounds=PERCENT,
        **undecided(
            "where a method is recommended, it is right; where it cannot be told, what measured as"
            " good on a hundred test items is a few points behind on a thousand others in some"
            " tables; and the seeds differ"
        ),
    ),
)  # fmt: skip
