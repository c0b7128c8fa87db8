"""What is recorded of reward models from comparisons with wrong labels."""

import pandas as pd

from course.studies import label_noise, reward

SIZES = {"BODY": "gpt-small", "COMPARED": 8, "ON_POLICY": 4, "TESTED": 4, "HELD_OUT": 4}


def test_a_run_has_each_number_of_comparisons_with_each_share_of_wrong_labels(monkeypatch):
    for name, size in (SIZES | {"COMPARISONS": (2, 4)}).items():
        monkeypatch.setattr(label_noise, name, size)
    monkeypatch.setattr(reward, "BODY", SIZES["BODY"])
    monkeypatch.setattr(reward, "STEPS", {2: 1, 4: 1})
    rows = pd.DataFrame(label_noise.label_noise(0))
    assert len(rows) == 2 * 3 * 2 and rows["value"].between(0, 100).all()
    assert rows[rows["measure"] == label_noise.SURE]["value"].min() >= 50
    table = label_noise.by_noise(rows)
    assert list(table.index.names) == ["comparisons", "wrong labels (%)"] and len(table) == 6


def test_too_sure_is_what_confidence_exceeds_accuracy_by():
    rows = [
        {"seed": seed, "comparisons": 50, "wrong": 0.25, "measure": measure, "value": value}
        for seed in (0, 1)
        for measure, value in ((label_noise.RIGHT, 60 + seed), (label_noise.SURE, 90.0))
    ]
    (row,) = label_noise.by_noise(pd.DataFrame(rows)).reset_index().to_dict("records")
    assert row == {
        "comparisons": 50,
        "wrong labels (%)": 25,
        "right": 60.5,
        "sure": 90.0,
        "too sure": 29.5,
    }
