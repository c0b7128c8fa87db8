"""What chapter 5 reads off its records."""

import pytest

from course.studies import reasoning


def cell(accuracy, tokens=10.0):
    return {"accuracy": accuracy, "tokens": tokens}


def chained(shift=0.0):
    """A record of chains in which every way has an accuracy of its own."""
    rank = {way: i for i, way in enumerate(reasoning.WAYS)}
    ways = {task: {str(n): {way: cell(10.0 * i + n + shift, 2.0 * (i + 1)) for way, i in rank.items()} for n in reasoning.STEPS}
            for task in reasoning.TASKS}  # fmt: skip
    return {
        "ways": ways,
        "controls": {
            task: {style: cell(70.0) for style in reasoning.CONTROLS} for task in reasoning.TASKS
        },
        "triggers": {
            task: {phrase: cell(60.0 + shift) for phrase in reasoning.TRIGGERS}
            for task in reasoning.TASKS
        },
        "ladder": dict.fromkeys(reasoning.LADDER[:-1], ways),
    }


def test_gains_are_paired_means_over_the_tasks():
    values = [chained()["ways"], chained(5.0)["ways"]]
    values[1]["route"]["3"]["chain"] = cell(100.0)
    found = reasoning.gains(values, "chain", "standard", 3)
    assert found[0] == 10 and found[1] == pytest.approx((10 + 10 + 100 - 8) / 3)
    assert reasoning.gains(values, "chain", "standard", 3, ("route",)).tolist() == [10, 92]


def test_tables_are_means_over_the_seeds():
    values = [chained(), chained(10.0)]
    assert reasoning.by_size(values, "chain", 3).loc["route"].tolist() == [18, 18, 18]
    assert reasoning.by_trigger(values).to_numpy().tolist() == [[65.0] * 3] * len(
        reasoning.TRIGGERS
    )
    assert reasoning.with_controls(values)[0]["route"] == {
        "standard": 3, "chain": 13, "zero-shot": 23, "trigger": 33, "shuffled": 70, "filler": 70, "answer first": 70
    }  # fmt: skip


def voted(greedy, scale):
    """A record of votes with one setting for each name, where a vote of n samples is right in n *
    scale percent.
    """
    counts = {str(n): n * scale for n in reasoning.LOOKS}
    run = {"vote": counts, "any": {n: 2 * v for n, v in counts.items()}}
    run["calibration error"] = scale
    varied = {
        "vote": {n: v + 1 for n, v in counts.items()},
        "any": run["any"],
        "calibration error": 5.0,
    }
    part = {
        "greedy": greedy,
        "by_temperature": {str(t): run for t in reasoning.TEMPERATURES},
        "varied": varied,
    }
    return dict.fromkeys(reasoning.SETTINGS, part)


def test_votes_are_set_against_the_greedy_chain():
    values = [voted(10.0, 1.0), voted(10.0, 2.0)]
    assert reasoning.vote_gains(values, "slips", "1.0").tolist() == [6, 22]
    assert reasoning.vote_gains(values, "wavers", "varied").tolist() == [7, 23]
    curves = reasoning.samples_of(values[:1], "slips", "1.0")
    assert (
        curves["vote"].tolist() == [[float(n) for n in reasoning.LOOKS]]
        and (curves["any right"] == 2 * curves["vote"]).all()
    )
    table = reasoning.by_way(values)
    assert table["agrees"].tolist() == [10, 24, 24, 25] and list(table) == list(reasoning.SETTINGS)
    assert reasoning.calibration_errors(values)["slips"].tolist() == [1.5, 1.5, 5]


def test_costs_are_means_over_the_same_problems():
    two = ("problem", "route")
    reduced = {
        task: {str(n): {"least to most": cell(90.0, 50.0)} for n in reasoning.STEPS[1:]}
        for task in two
    }
    found = reasoning.costs([chained()], [reduced])
    assert (
        found["least to most"] == (50, 90)
        and found["standard"] == (2, 4)
        and found["chain"] == (4, 14)
    )


def test_choosers_are_compared_at_sixteen_samples():
    looks = {str(n): float(n) for n in reasoning.LOOKS}
    own = {
        "best of n": {n: v + 20 for n, v in looks.items()},
        "weighted vote": {n: v + 10 for n, v in looks.items()},
    }
    value = {
        "greedy": 12.0,
        "greedy tokens": 3.0,
        "tokens": looks,
        "vote": looks,
        "any right": looks,
        "gpt-large": own,
        "fine-tuned": own | {"best of n": looks},
    }
    assert reasoning.verifier_gains([value], "best of n", "vote").tolist() == [20]
    assert reasoning.verifier_gains([value], "best of n", "vote", "fine-tuned").tolist() == [0]
    assert reasoning.verifier_gains([value], "vote", "greedy").tolist() == [4]
    curves = reasoning.choosers([value], {"large": ("gpt-large", "best of n"), "vote": ("vote",)})
    assert curves["large"].tolist() == [[21.0, 22.0, 24.0, 28.0, 36.0]] and curves[
        "vote"
    ].shape == (1, 5)
    costs = reasoning.choice_costs([value, value | {"greedy": 14.0}])
    assert costs == {
        "greedy": (3, 13),
        "vote of 4": (4, 4),
        "best of 4": (4, 24),
        "vote of 16": (16, 16),
        "best of 16": (16, 36),
    }
