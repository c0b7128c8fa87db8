"""What is read off the record of quality: means over seeds."""

import pandas as pd

from course.studies import accuracy_by_shots, model_quality, model_quality_tables
from course.studies.bodies import LADDER


def rows_of(model: str, task: str, seed: int, accuracies: dict[int, float], best: float) -> list:
    place = {"seed": seed, "model": model, "task": task}
    both = [
        place | {"k": k, "measure": measure, "value": value}
        for k, own in accuracies.items()
        for measure, value in (
            (accuracy_by_shots.ACCURACY, own),
            (accuracy_by_shots.BEST, best + k),
        )
    ]
    return both


TABLE = pd.DataFrame(
    [
        *rows_of("gpt-large", "dialect", 0, {0: 20.0, 8: 80.0}, 90.0),
        *rows_of("gpt-large", "dialect", 1, {0: 30.0, 8: 90.0}, 90.0),
        *rows_of("gpt-large", "capital", 0, {0: 10.0, 8: 100.0}, 90.0),
        *rows_of("gpt-large", "capital", 1, {0: 10.0, 8: 100.0}, 90.0),
        {"seed": 0, "model": "gpt-large", "measure": "unseen loss", "value": 1.5},
        {"seed": 0, "model": "bert-middle", "measure": model_quality.MASKED, "value": 75.0},
        *(
            {"seed": 0, "model": m, "measure": "loss on lists", "part": part, "value": value}
            for m in LADDER
            for part, value in (("model", 0.8), ("generator", 0.6))
        ),
        *(
            {"seed": seed, "model": "gpt-large", "measure": m, "part": p, "value": v + seed}
            for seed in (0, 1)
            for m, p, v in (
                ("facts", "all", 90.0),
                ("facts", "critics", 80.0),
                ("sums", "train", 99.0),
                ("sums", "test", 70.0),
            )
        ),
    ]
)


def test_curves_have_a_row_a_seed_and_a_column_a_number_of_demonstrations():
    curves, best = model_quality_tables.curves_by_shots(
        TABLE, {"gpt-large": "large"}, {"dialect": "D"}
    )
    assert curves["D"]["large"].tolist() == [[20, 80], [30, 90]]
    assert best["D"].tolist() == [[90, 98]] * 2
    gaps = model_quality_tables.below_the_best(TABLE, "gpt-large", "dialect")
    assert gaps.to_dict() == {0: 65, 8: 13}


def test_tables_are_means_over_seeds():
    every = model_quality_tables.every_task(TABLE)
    assert every.loc["capital"].to_dict() == {0: 10, 8: 100, "best": 98}
    assert list(every.index) == ["capital", "dialect"], "by accuracy with eight"
    known = model_quality_tables.knowledge(TABLE, ["gpt-large"]).loc["gpt-large"].to_dict()
    assert known == {"all facts": 90.5, "critics": 80.5, "sums": 99.5, "held out": 70.5}
    losses = model_quality_tables.losses(TABLE).loc["gpt-large"]
    assert losses.tolist() == [0.8, 0.6, 1.5]


def test_berts_stand_above_the_best_one_sided_guess():
    blanks, guesses = model_quality.IN_BLANKS, model_quality.ONE_SIDED
    measured = {
        ("facts", "all"): 99.0,
        ("facts by clue", "left"): 98.0,
        ("facts by clue", "right"): 97.0,
        ("sums", "test"): 96.0,
        (blanks, "sentiment"): 90.0,
        (blanks, "inference"): 35.0,
        (blanks, "where"): 20.0,
        (guesses, "sentiment"): 50.0,
        (guesses, "inference"): 44.0,
        (guesses, "where"): 37.0,
        (model_quality.MASKED, None): 75.0,
    }
    rows = [
        {"seed": 0, "model": "b", "measure": m, "part": part, "value": value}
        for (m, part), value in measured.items()
    ]
    shown = model_quality_tables.of_bert(pd.DataFrame(rows), ["b"])
    assert shown.loc["b"].tolist() == [75, 99, 98, 97, 96, 90, 35, 20]
    assert shown.loc[guesses, ["sentiment", "inference", "where"]].tolist() == [50, 44, 37]
    assert shown.loc[guesses].isna().sum() == 5
