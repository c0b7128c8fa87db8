"""Figures of real models: every curve, bar and task is drawn and named, beside the shipped models'
or without them.
"""

import numpy as np
import pandas as pd
import pytest

from course import plots


def written(ax) -> set[str]:
    return {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_curves_have_one_colour_a_name_in_all_panels(seeds):
    runs = np.linspace(50, 90, 3) + np.arange(seeds)[:, None]
    panels = {
        "shipped": {"prompted": ((1, 2, 8), runs), "LoRA": ((8, 32, 500), runs)},
        "real": {"LoRA": ((50, 150, 500), runs), "prompted": ((0, 4, 8), runs)},
    }
    figure = plots.curves_side_by_side(panels, "examples", chance=50)
    left, right = figure.axes
    assert written(left) == written(right) == {"prompted", "LoRA", "guessing"}
    colours = [[c.get_color() for c in ax.lines if c.get_marker() == "o"] for ax in figure.axes]
    assert colours[0] == colours[1][::-1] and len({*colours[0]}) == 2
    ticks = [label.get_text() for label in right.get_xticklabels()]
    assert ticks == ["0", "4", "8", "50", "150", "500"]


def test_curves_that_end_together_have_names_apart():
    numbers = (0, 8)
    curves = {name: (numbers, np.full((3, 2), 70.0)) for name in ("gold", "random", "foreign")}
    (ax,) = plots.curves_side_by_side({"real": curves}, "examples").axes
    heights = sorted(text.get_position()[1] for text in ax.texts)
    assert len(heights) == 3 and min(np.diff(heights)) >= 8


def test_bars_say_their_means_and_what_was_not_asked():
    ways = {"standard": "answer alone", "chain": "with steps", "vote": "a vote"}
    panels = {
        "shipped": {"standard": [10.0, 12.0, 14.0], "chain": [90.0, 95.0, 97.0]},
        "real": {"standard": [2.0], "chain": [3.0], "vote": [5.0]},
    }
    figure = plots.ways_side_by_side(panels, ways, ("chain",))
    assert [written(ax) for ax in figure.axes] == [{"12", "94", "not asked"}, {"2", "3", "5"}]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [*ways.values()]
    bold = {patch.get_facecolor() for patch in figure.axes[1].patches}
    assert len(figure.axes[1].patches) == 3 and len(bold) == 2


def test_guessing_is_drawn_where_it_is_known_and_means_stand_in_a_column():
    panels = {"shipped": {"vote": [10.0] * 5}, "real": {"vote": [40.0, 60.0, 80.0]}}
    left, right = plots.ways_side_by_side(panels, {"vote": "a vote"}, (), {"real": 50.0}).axes
    assert "guessing" in written(right) - written(left)
    (dots,) = (line for line in right.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == [40.0, 60.0, 80.0]
    places = [
        t.get_position()[0] for ax in (left, right) for t in ax.texts if t.get_text() != "guessing"
    ]
    assert places[0] == places[1] > 100


def test_of_few_runs_every_one_is_seen():
    few, many = (np.linspace(40, 60, 3) + np.arange(n)[:, None] for n in (3, 5))
    for runs, lines in ((few, 4), (many, 1)):
        curves = {"prompted": ((0, 4, 8), runs), "LoRA": ((0, 4, 8), runs)}
        (ax,) = plots.curves_side_by_side({"real": curves}, "examples").axes
        assert len(ax.lines) == 2 * lines and bool(ax.collections) == (lines == 1)


def by_task(**ways: list[float]) -> pd.DataFrame:
    return pd.DataFrame(ways, index=["antonyms", "sum", "rhymes"])


def rows_of(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_tasks_are_ranked_by_what_the_first_way_gains():
    table = by_task(found=[50.0, 80.0, 20.0], people=[60.0, 60.0, 20.0])
    (ax,) = plots.two_ways_by_task({"real": table}).axes
    assert rows_of(ax) == ["antonyms", "rhymes", "sum"]
    assert written(ax) == {"● found", "○ people"}


def test_tasks_that_hardly_differ_have_one_row_and_rows_are_as_high_in_all_panels():
    table = by_task(found=[50.0, 80.0, 20.0], people=[60.0, 82.0, 24.0])
    panels = {"shipped": table.assign(people=0.0), "real": table}
    left, right = plots.two_ways_by_task(panels, least=5).axes
    assert rows_of(left) == ["rhymes", "antonyms", "sum"]
    assert rows_of(right) == ["2 others, mean", "antonyms"]
    points = {line.get_label(): line for line in right.lines}.values()
    assert [line.get_xdata()[0] for line in points] == [53, 50], "the second way, and the first"
    assert np.isclose(np.ptp(left.get_ylim()), np.ptp(right.get_ylim()))
