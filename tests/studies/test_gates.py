"""Gates pass what is good enough and nothing else."""

import pandas as pd

from course.studies import gates
from course.studies.accuracy_by_shots import ACCURACY, BEST
from course.studies.model_quality import IN_BLANKS, ONE_SIDED, WIDTH
from course.studies.tables import rows_of
from course.world.lists import STRANGER
from course.world.profiles import PROFILED

LARGE, SMALL = 256.0, 160.0


def gpt(width: float, own: dict[int, float], held_out: float = 99.5) -> pd.DataFrame:
    """A GPT that knows nearly everything, with the same curve for all tasks."""
    counts = {("facts", "all"): 99.0, ("sums", "train"): 99.9, ("sums", "test"): held_out}
    rows = [{"measure": m, "part": part, "value": v} for (m, part), v in counts.items()]
    for task in (*PROFILED, STRANGER):
        for k, value in own.items():
            rows += rows_of({ACCURACY: value, BEST: 95.0}, task=task, k=k)
    return pd.DataFrame([*rows, {"measure": WIDTH, "value": width}])


GOOD = {0: 88.0, 1: 90.0, 4: 93.0, 16: 99.0}


def passed(table: pd.DataFrame) -> dict[str, str]:
    return gates.gates(table).passed.to_dict()


def test_a_good_large_model_passes_every_gate():
    verdicts = passed(gpt(LARGE, GOOD))
    assert set(verdicts.values()) == {"yes", ""}
    assert verdicts["stranger: worst against the ceiling"] == "", "reported alone"


def test_each_fault_is_seen():
    assert passed(gpt(LARGE, GOOD, held_out=98.9))["sums, held out"] == "no"
    far = passed(gpt(LARGE, GOOD | {4: 86.9}))
    assert far["verdict: worst against the ceiling"] == "no"
    fallen = passed(gpt(LARGE, GOOD | {16: 80.0}))
    assert fallen["dialect: worst step"] == "no"
    assert (
        passed(gpt(LARGE, dict.fromkeys(GOOD, 90.0)))["dialect: rise, none to most shown"] == "no"
    )


def test_ceiling_and_sums_are_gates_for_the_large_model_alone():
    verdicts = passed(gpt(SMALL, GOOD | {0: 60.0}, held_out=40.0))
    assert verdicts["sums, held out"] == verdicts["dialect: worst against the ceiling"] == ""


def test_bert_must_beat_the_best_one_sided_guess_by_far():
    def bert(right: float) -> pd.DataFrame:
        parts = {("facts", "all"): 96.0, ("facts by clue", "left"): 99.0}
        parts |= {("facts by clue", "right"): right, ("sums", "train"): 1.0, ("sums", "test"): 1.0}
        parts |= {(IN_BLANKS, "where"): 50.0, (ONE_SIDED, "where"): 38.0}
        parts |= {(IN_BLANKS, "sentiment"): 58.0, (ONE_SIDED, "sentiment"): 50.0}
        rows = [{"measure": m, "part": part, "value": v} for (m, part), v in parts.items()]
        return pd.DataFrame(rows)

    verdicts = passed(bert(95.0))
    assert verdicts["two-way facts, clue on the right"] == "yes"
    assert verdicts["where (one-sided guess 38)"] == "yes"
    assert verdicts["sentiment (one-sided guess 50)"] == "no"
    assert passed(bert(94.0))["two-way facts, clue on the right"] == "no"


def test_curves_have_a_column_a_number_of_demonstrations():
    shown = gates.curves(gpt(LARGE, GOOD))
    assert list(shown.columns) == ["k = 0", "k = 1", "k = 4", "k = 16"]
    assert shown.loc[("dialect", ACCURACY)].tolist() == [88, 90, 93, 99]
