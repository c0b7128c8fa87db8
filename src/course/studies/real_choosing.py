"""Study of chapter 8 on real models: learning curves of prompting, heads and tuning on film reviews
and on pairs of SNLI, each method run as ``course compare`` runs it.

So that a seed takes minutes, this is less than a comparison: what is prompted or trained has its
usual setting and chooses none, LoRA on the writer stops at fewer labels than the others, there are
no soft prompts and no LoRA on the encoder, and the test items are as few as a small table has.

Stated before anything was measured, of both tasks together: with 8 labels, asking the writer
without any is ahead of training it on them; with 128 labels, training it is ahead of asking it
without (the advice to fine-tune); with 512 labels, the encoder that is tuned whole is ahead of
TF-IDF by more than 5 points, and ahead of a head on the frozen one.

Cost, seeds x seconds of a busy core: choosing 3 x 986.
"""

from functools import partial

from course.compare.base import Method, Setting
from course.compare.bodies import ENCODER_ROLE, PROMPTED_ROLE, Bench
from course.compare.preparation import Prepared
from course.studies.choosing import LABELS, measured, methods_for, score_row
from course.studies.on_real_models.advice import TABLES, real_models, small_table
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row

#: The methods, prompts first.
NAMES = (
    "majority",
    "tfidf",
    "zero-shot",
    "few-shot",
    "few-shot-calibrated",
    "head",
    "head-full",
    "lora-generator",
)
#: Method -> the most labels that it learns from; of the others the most of all.
MOST_LABELS = {"lora-generator": 128}
#: Test items, and rows that they and the labels are drawn from.
TESTED, ROWS = 200, 800


def real_choosing(seed: int) -> list[Row]:
    """Every method on both tasks by the number of labels, of which each seed draws others, as it
    does of test items.

    Returns:
        Rows with ``part`` (``"score"``), ``task`` and what
        :func:`course.studies.choosing.score_row` returns.
    """
    rows: list[Row] = []
    for name in TABLES:
        data = labelled_table(name, seed)
        bench = Bench(data.task, real_models())
        setting = partial(usual_setting, bench)
        cells = measured(bench, data, seed, methods_for(data, NAMES), setting, MOST_LABELS)
        rows += [{"part": "score", "task": name, **score_row(cell, data)} for cell in cells]
    return rows


def labelled_table(name: str, seed: int) -> Prepared:
    """What ``course compare`` makes of some rows of a task: as many labels as the curves have, and
    :data:`TESTED` test items.
    """
    data = small_table(name, f"curves/{name}/{seed}", ROWS).with_test(TESTED)
    if len(data.train) < LABELS[-1]:
        raise ValueError(
            f"{name}: {len(data.train)} rows to learn from, expected {LABELS[-1]} of {ROWS}"
        )
    return data


def usual_setting(bench: Bench, method: Method) -> Setting | None:
    """The usual setting of what trials would take long with; None for what chooses in no time."""
    if not (method.iterative or method.body == "causal"):
        return None
    return method.settings(bench, LABELS[0])[0]


CHOOSING = RealStudy(
    "choosing", 1, (PROMPTED_ROLE, ENCODER_ROLE), SEEDS, real_choosing, tuple(TABLES)
)
