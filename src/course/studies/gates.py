"""Gates: what a pretrained model must reach before it is shipped.

``python -m course.studies.gates MODEL ...`` measures shipped models by their names, or finished
folders of ``make pretrain`` by their paths (``./pretrained/gpt-large``), and prints each gate with
its figure and its verdict. The thresholds were set before the models were trained. Nothing is
recorded: the figures of the shipped models are those of the study of quality
(:mod:`course.studies.model_quality`).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from course.lm.language_model import LanguageModel, load
from course.pretraining.recipes import RECIPES
from course.studies.accuracy_by_shots import ACCURACY, BEST
from course.studies.model_quality import IN_BLANKS, ONE_SIDED, WIDTH, from_context, quality_of
from course.studies.tables import where
from course.world.lists import STRANGER
from course.world.profiles import PROFILED
from course.world.split import TEST, TRAIN

#: Least shares (percent) of single sums and of facts.
SUMS, GPT_FACTS, BERT_FACTS = 99.0, 98.0, 95.0
#: "Well above" the best one-sided guess, and the most that may lie between a curve and its ceiling,
#: in points.
ABOVE_GUESS, UNDER_CEILING = 10.0, 8.0
#: A curve rises if its end is so much above its beginning and no step falls by more than sampling
#: does, in points.
RISE, FALL = 10.0, 5.0
#: What the ceiling and the sums are a gate for; smaller models are reported beside it.
LARGE = RECIPES["gpt-large"].width


def measure(name: str, count: int = 300, seed: int = 0) -> pd.DataFrame:
    """What the gates need to know of one model, as the study of quality has it.

    Args:
        name: of a shipped model, or the path of a folder.
        count: questions in context for each task and number of demonstrations.
    """
    model, label = load(name, "tiny"), Path(name).name
    rows = quality_of(model, label, seed)
    if isinstance(model, LanguageModel):
        rows += from_context(model, label, seed, count)
    return pd.DataFrame(rows)


def gates(table: pd.DataFrame) -> pd.DataFrame:
    """The gates of one model.

    Args:
        table: from :func:`measure`, or the rows of one model from the study of quality.

    Returns:
        A row a gate: ``figure`` (percent, or points), ``wanted`` (at least so much; none where it
        is only reported) and ``passed`` (``"yes"``, ``"no"`` or ``""``).
    """
    figures = _of_bert(table) if IN_BLANKS in set(table.measure) else _of_gpt(table)
    rows = [
        (name, figure, wanted, "" if wanted is None else "yes" if figure >= wanted else "no")
        for name, figure, wanted in figures
    ]
    return pd.DataFrame(rows, columns=["gate", "figure", "wanted", "passed"]).set_index("gate")


#: A gate: its name, the figure, and the least that is wanted, if anything is.
Figure = tuple[str, float, float | None]


def _value(table: pd.DataFrame, measure: str, part: str) -> float:
    return float(where(table, measure=measure, part=part).value.mean())


def _of_bert(table: pd.DataFrame) -> list[Figure]:
    rows: list[Figure] = [
        ("all facts, clue on the left", _value(table, "facts", "all"), BERT_FACTS),
        *(
            (f"two-way facts, clue on the {clue}", _value(table, "facts by clue", clue), BERT_FACTS)
            for clue in ("left", "right")
        ),
    ]
    for task in where(table, measure=IN_BLANKS).part.unique():
        guess = _value(table, ONE_SIDED, task)
        name = f"{task} (one-sided guess {guess:.0f})"
        rows.append((name, _value(table, IN_BLANKS, task), guess + ABOVE_GUESS))
    sums = (("stated", TRAIN), ("held out", TEST))
    return rows + [(f"sums, {name}", _value(table, "sums", part), None) for name, part in sums]


def _of_gpt(table: pd.DataFrame) -> list[Figure]:
    large = bool((where(table, measure=WIDTH).value >= LARGE).all())
    rows: list[Figure] = [("facts", _value(table, "facts", "all"), GPT_FACTS)]
    for name, part in (("stated", TRAIN), ("held out", TEST)):
        rows.append((f"sums, {name}", _value(table, "sums", part), SUMS if large else None))
    for task in (*PROFILED, STRANGER):
        own, best = (_curve(table, task, measure) for measure in (ACCURACY, BEST))
        rise, fall = (None, None) if task == STRANGER else (RISE, -FALL)  # reported alone
        rows.append((f"{task}: rise, none to most shown", own[-1] - own[0], rise))
        rows.append((f"{task}: worst step", float(np.diff(own).min()), fall))
        bound = -UNDER_CEILING if large and task != STRANGER else None
        rows.append((f"{task}: worst against the ceiling", float((own - best).min()), bound))
    return rows


def _curve(table: pd.DataFrame, task: str, measure: str) -> np.ndarray:
    """Accuracy (percent), mean over seeds, by number of demonstrations."""
    return where(table, task=task, measure=measure).groupby("k").value.mean().to_numpy()


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (percent) of a GPT in context and that of the best possible answers: a row for each
    task and measure, a column a number of demonstrations.
    """
    rows = table[table.measure.isin((ACCURACY, BEST))]
    return rows.pivot_table("value", ["task", "measure"], "k").rename(columns="k = {:.0f}".format)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the gates of the models that are named."""
    parser = argparse.ArgumentParser(
        prog="python -m course.studies.gates",
        description="Print what models must reach before they are shipped, and what they reach.",
    )
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="names of shipped models, or paths of folders"
    )
    for name in parser.parse_args(arguments).models:
        table = measure(name)
        print(f"\n{name}", gates(table).round(1).to_string(na_rep=""), sep="\n")
        if ACCURACY in set(table.measure):
            print(curves(table).round(0).rename_axis(columns=None).to_string())


if __name__ == "__main__":
    main()
