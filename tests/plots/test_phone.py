"""Figures for a narrow screen: one column, readable text, and axes that are named."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course import plots
from course.plots.phone import SCREEN, SMALLEST_TEXT, for_phone, smallest_text


def three_panels():
    runs = np.full((3, 3), 50.0)
    panels = {name: {"chain": runs, "standard": runs - 10} for name in ("one", "two", "three")}
    return plots.accuracy_by_steps(panels, (1, 2, 3))


def test_panels_stand_in_one_column_and_can_be_read():
    figure = three_panels()
    narrow = for_phone(figure)
    assert narrow is not None
    narrow.canvas.draw()
    boxes = [ax.get_position() for ax in narrow.axes]
    assert all(upper.y0 > lower.y1 for upper, lower in zip(boxes, boxes[1:], strict=False))
    pixels = smallest_text(narrow) * SCREEN / (72 * narrow.get_figwidth())
    assert pixels >= SMALLEST_TEXT
    assert [ax.get_ylabel() for ax in narrow.axes] == ["accuracy (%)"] * 3
    numbered = [
        [t.get_text() for t in ax.get_yticklabels() if t.get_visible()] for ax in narrow.axes
    ]
    assert numbered[0] == numbered[1] == numbered[2] != []


def test_the_figure_itself_stays_as_it_was_and_nothing_more_is_shown():
    figure = three_panels()
    before = tuple(figure.get_size_inches()), figure.axes[1].get_ylabel(), plt.get_fignums()
    for_phone(figure)
    after = tuple(figure.get_size_inches()), figure.axes[1].get_ylabel(), plt.get_fignums()
    assert before == after


def test_narrow_panels_share_a_row_and_hidden_ones_take_no_room():
    figure, axes = plt.subplots(1, 4, figsize=(7.4, 3))
    axes[0].set_title("a panel")
    axes[3].set_visible(False)
    narrow = for_phone(figure)
    assert narrow is not None
    grids = [ax.get_subplotspec().get_geometry()[:2] for ax in narrow.axes]
    assert grids == [(2, 2)] * 3


def test_what_can_be_read_on_a_phone_needs_no_variant():
    figure, ax = plt.subplots(figsize=(4, 3))
    ax.set_title("large enough")
    assert for_phone(figure) is None


def test_names_of_rows_keep_their_colours():
    runs = {"people's words": [10.0] * 3, "LoRA": [90.0] * 3}
    figure = plots.same_labels({"one": runs, "two": runs})
    narrow = for_phone(figure)
    assert narrow is not None
    first, second = ([t.get_color() for t in ax.get_yticklabels()] for ax in narrow.axes)
    assert first == second and len(set(first)) == 2


def test_long_lines_are_broken_and_keys_stay_within_the_figure():
    every = ("the model searched on", "other seed", "third seed", "smaller", "larger")
    models = {name: np.full(2, 50.0) for name in every}
    figure = plots.elsewhere({"people's words": models})
    figure.axes[0].set_xlabel("a name of an axis that is far too long for the width of a phone")
    narrow = for_phone(figure)
    assert narrow is not None
    (ax,) = narrow.axes
    assert "\n" in ax.get_xlabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*models]
    narrow.canvas.draw()
    assert ax.get_legend().get_window_extent().x1 <= narrow.bbox.x1


def test_names_beside_the_last_panel_alone_become_a_key_above_the_first():
    runs = np.array([[30.0, 60.0]] * 3)
    curves = dict.fromkeys(("random search", "learned", "learned, reads"), runs)
    fixed = {"no prefix": 25.0, "hand-written": 95.0}
    panels = ("polite", "rude", "careful")
    figure = plots.steering_searches(
        dict.fromkeys(panels, curves), dict.fromkeys(panels, fixed), (0, 4000)
    )
    narrow = for_phone(figure)
    assert narrow is not None
    (names,) = narrow.legends
    styles = {line.get_label(): line.get_linestyle() for line in names.legend_handles}
    assert styles == dict.fromkeys(curves, "-") | {"no prefix": ":", "hand-written": "--"}
    assert not any(text.get_visible() for ax in narrow.axes for text in ax.texts)
    narrow.canvas.draw()
    box = names.get_window_extent()
    assert box.y0 > narrow.axes[0].get_window_extent().y1 and box.x1 <= narrow.bbox.x1
    assert figure.legends == [] and all(t.get_visible() for t in figure.axes[-1].texts)


def test_a_key_above_all_panels_stays_within_the_figure():
    runs = {start: np.array([[1.0, 2.0]] * 3) for start in ("model", "even")}
    narrow = for_phone(plots.gamed_reward(dict.fromkeys(("reward", "gold", "right"), runs), (0, 9)))
    assert narrow is not None
    (names,) = narrow.legends
    narrow.canvas.draw()
    assert len(names.get_texts()) == 2 and names.get_window_extent().x1 <= narrow.bbox.x1


def test_numbers_of_an_axis_do_not_touch():
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3))
    for ax in axes:
        ax.plot([-0.075, 0.075], [0, 1])
        ax.set_title("a panel")
    narrow = for_phone(figure)
    assert narrow is not None
    narrow.canvas.draw()
    for ax in narrow.axes:
        low, high = ax.get_xlim()
        shown = [
            text.get_window_extent()
            for place, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            if low <= place <= high
        ]
        assert len(shown) >= 2
        assert all(right.x0 - left.x1 > 4 for left, right in zip(shown, shown[1:], strict=False))


def test_a_panel_of_few_rows_has_no_empty_ground_below_them():
    def table(rows):
        names = [f"task {number}" for number in range(rows)]
        return pd.DataFrame({"found": np.arange(rows) * 4.0, "people's words": 50.0}, index=names)

    figure = plots.two_ways_by_task({"many rows": table(20), "few rows": table(4)})
    narrow = for_phone(figure)
    assert narrow is not None
    many, few = narrow.axes
    assert few.get_ylim()[0] > -1
    heights = (ax.get_position().height / np.ptp(ax.get_ylim()) for ax in (many, few))
    per_row = [height * narrow.get_figheight() for height in heights]
    assert per_row[1] < 2 * per_row[0]
    assert figure.axes[1].get_ylim()[0] < -10, "the wide figure keeps its rows as high as beside"
