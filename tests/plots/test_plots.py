"""Figures draw what they are given, for any number of tasks, with every curve labelled."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from contrast import contrast
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.legend import Legend

from course import plots
from course.adapters import METHODS
from course.plots import style
from course.plots.colours import COLOURS, ON_LIGHT, ON_STRONG, PALE, text_colour
from course.training.history import History


def words(figure) -> set[str]:
    figure.canvas.draw()
    return {text.get_text() for ax in figure.axes for text in ax.texts}


def names(figure) -> set[str]:
    """All words of a figure: those in the panels and their keys, titles, and names of rows."""
    titles = {ax.get_title(place) for ax in figure.axes for place in ("left", "center")}
    return (
        words(figure)
        | titles
        | {text.get_text() for legend in figure.findobj(Legend) for text in legend.get_texts()}
        | {label.get_text() for ax in figure.axes for label in ax.get_yticklabels()}
    )


def every_seed(rows: list[dict]) -> pd.DataFrame:
    """Three seeds that measured the same."""
    return pd.DataFrame([{"seed": seed} | row for seed in range(3) for row in rows])


def test_top_words_marks_the_right_word():
    likeliest = [("Ten", 0.75), ("$2", 0.2), ("", 0.05)]
    figure = plots.same_text_two_models([("a ____", "ten", likeliest, likeliest[1:])])
    bold = {
        label.get_text()
        for ax in figure.axes
        for label in ax.get_yticklabels()
        if label.get_fontweight() == "bold"
    }
    assert bold == {"Ten"} and len(figure.axes) == 2
    assert words(figure) == {"75 %", "20 %", "5 %"}
    assert {r"\$2", "line break"} <= names(figure), "a dollar begins no formula"


@pytest.mark.parametrize("kinds", [{"sums": "sums"}, {"sums": "sums", "facts": "facts"}])
def test_by_clue_labels_every_way(kinds):
    ways = {"one": "GPT", "both": "BERT", "read": "GPT reading"}
    table = every_seed(
        [
            {"task": kind, "clue": clue, "way": way, "value": value}
            for kind in kinds
            for clue in ("left", "right")
            for way, value in zip(ways, (50.0, 90.0, 70.0), strict=True)
        ]
    )
    figure = plots.by_clue(table, kinds, ways)
    assert set(ways.values()) <= words(figure)
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    _, below, above = [line.get_linewidth() for line in lines if line.get_linestyle() == "-"]
    assert below > above, "a line under another one is seen"


def test_names_that_are_too_high_are_lowered_and_the_rest_stay():
    _, ax = plt.subplots()
    ends = [(100.0, "a", "#222222"), (99.0, "b", "#222222"), (3.0, "c", "#222222")]
    style.name_ends(ax, 1, ends, gap=11, highest=100)
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert heights == {"a": 100, "b": 89, "c": 3}


def test_a_leader_ends_before_the_name_that_it_leads_to():
    figure, ax = plt.subplots()
    style.name_ends(ax, 1, [(5.0, "a", "#222222"), (5.1, "b", "#222222")], 3, leaders_from=0)
    ax.set_ylim(0, 10)
    figure.draw_without_rendering()
    end = ax.transData.transform((1, 5))[0]
    assert len(ax.lines) == 2 and min(text.get_window_extent().x0 for text in ax.texts) > end + 2


def test_heat_map_prints_every_value():
    table = pd.DataFrame({"a": [10.0, 99.0], "b": [20.0, 30.0]}, index=["generalist", "a"])
    assert words(plots.heat_map(table, "title")) == {"10", "99", "20", "30"}


def test_a_cell_without_a_value_stays_empty():
    table = pd.DataFrame({0: [10.0, 20.0], 16: [99.0, float("nan")]}, index=["a", "b"])
    figure = plots.accuracy_by_shots(table, "title", "demonstrations")
    assert words(figure) == {"10", "20", "99"}
    assert figure.axes[0].get_xlabel() == "demonstrations"


@pytest.mark.parametrize("tasks", [("a", "b"), ("a", "b", "c")])
def test_costs_draw_any_number_of_tasks(tasks):
    points = {"fine-tuned": {8: 1.0, 32: 2.0, 128: 3.0}, "prompted": {1: 5.0, 2: 6.0}}
    rows = [
        {"task": task, "way": way, "k": k, "value": value}
        for task in tasks
        for way, curve in points.items()
        for k, value in curve.items()
    ]
    figure = plots.cost_of_a_new_task(every_seed(rows), tasks)
    assert sum(ax.get_visible() for ax in figure.axes) == len(tasks)
    assert {"prompted", "fine-tuned"} <= words(figure)


def test_curves_under_the_ceiling_are_all_named():
    runs = np.full((4, 3), 100.0)
    sizes = {"small": runs, "middle": runs, "large": runs}
    figure = plots.shots_and_ceiling({"task": sizes}, {"task": runs}, (0, 1, 2), {"task": runs})
    assert {"best possible", "dotted: recognition alone", *sizes} == words(figure)
    (ax,) = figure.axes
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert max(heights[name] for name in sizes) == 100, "no name rises over the scores"
    assert heights["best possible"] > 100, "nor does the curve run into its own name"
    (dotted,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert dotted.get_zorder() > max(area.get_zorder() for area in ax.collections)


def test_held_out_clusters_names_the_three_marks_and_every_cluster():
    tuned = {"a": [70.0, 71.0, 72.0], "b": [20.0, 21.0, 22.0]}
    figure = plots.held_out_clusters(tuned, {"a": 1.0, "b": 2.0}, {"a": 90.0, "b": 80.0})
    assert {"base", "tuned", "one seed of it", "base at its best"} <= names(figure)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["b", "a"], (
        "the best on top"
    )


def test_controls_are_bars_with_their_means():
    figure = plots.instruction_controls(
        {"questions": {"with": [50.0, 60.0, 70.0], "base at its best": [10.0, 10.0, 10.0]}}
    )
    assert words(figure) == {"60", "10"}
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["base at its best", "with"]
    colours = [to_hex(bar.get_facecolor()) for bar in figure.axes[0].patches]
    assert colours == [COLOURS["base at its best"], plots.OPENED]


def test_what_instruction_tuning_depends_on_has_a_panel_each():
    runs = {"1": np.linspace(9, 13, 5), "3": np.linspace(19, 23, 5)}
    figure = plots.instruction_curves(
        {"clusters": runs, "size": runs, "wordings": runs}, {"size": runs}
    )
    assert [ax.get_title("left") for ax in figure.axes] == ["clusters", "size", "wordings"]
    assert [{text.get_text() for text in ax.texts} for ax in figure.axes] == [
        {"tuned"},
        {"tuned", "base"},
        {"tuned"},
    ]
    assert [[list(line.get_ydata()) for line in ax.lines] for ax in figure.axes] == [
        [[11.0, 21.0]] * n for n in (1, 2, 1)
    ]


def test_training_curves_end_in_their_names():
    curves = {name: (np.linspace(3, end, 100), 1e6) for name, end in (("one", 1.0), ("two", 1.01))}
    curves["short"] = ([3.0] * 100, 2e5)
    figure = plots.training_curves({"GPT": curves, "BERT": {"other": ([0.3] * 100, 1e6)}})
    assert words(figure) == {*curves, "other"}
    assert [ax.get_title("left") for ax in figure.axes] == ["GPT", "BERT"]
    gpt, bert = figure.axes
    assert gpt.get_ylim() != bert.get_ylim(), "losses of different labels have axes of their own"
    assert gpt.get_xlim() == bert.get_xlim()
    heights = {text.get_text(): text.get_position()[1] for text in gpt.texts}
    low, high = gpt.get_ylim()
    assert heights["two"] - heights["one"] >= 0.079 * (high - low), "no name over another"


def heads_rows(kinds=("a", "b")) -> list[dict]:
    rows = []
    for task in "tuv":
        for way, low in (("pretrained", 60.0), ("scratch", 50.0)):
            shared = {"task": task, "way": way, "model": "a body"}
            rows += [
                {"part": "score", "labels": labels, "value": value} | shared
                for labels, value in ((10, low), (100, low + 30))
            ]
            rows += [
                {"part": "wrong", "kind": k, "labels": 100, "value": low} | shared for k in kinds
            ]
    return rows


@pytest.mark.parametrize("titles", [{"t": "one"}, {"t": "one", "u": "two", "v": "three"}])
def test_both_ways_are_named_and_so_is_the_rule_that_learns_nothing(titles):
    figure = plots.by_number_of_labels(
        every_seed(heads_rows()), titles, {"t": ("claim alone", 50.0)}
    )
    assert {"pretrained", "from scratch", "claim alone"} <= words(figure)
    dotted = [line for ax in figure.axes for line in ax.lines if line.get_linestyle() == ":"]
    assert len(dotted) == 1 and set(dotted[0].get_ydata()) == {50}
    assert sum(ax.get_visible() for ax in figure.axes) == len(titles)


def test_errors_have_a_row_a_kind_even_if_a_seed_lacks_it():
    figure = plots.errors(pd.DataFrame(heads_rows() + heads_rows(("a",))), {"t": "one"})
    assert {"pretrained", "from scratch"} <= words(figure)
    assert {label.get_text() for label in figure.axes[0].get_yticklabels()} == {"a", "b"}


def test_the_diagram_shows_what_each_head_reads():
    figure = plots.four_heads()
    assert len(figure.axes) == 4 and {"[CLS]", "B-PER", "start", "end", "negative"} <= words(figure)
    read = [sum(line.get_color() == plots.OPENED for line in ax.lines) for ax in figure.axes]
    assert read == [1, 1, 3, 4]


def test_labels_keep_their_distance():
    assert style.spread([1.0, 1.5, 5.0], 1.0) == [0.75, 1.75, 5.0], "moved as little as can be"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8).map(sorted), st.floats(0.5, 20))
def test_labels_are_spread_about_their_values(values, gap):
    placed = style.spread(values, gap)
    assert all(np.diff(placed) >= gap - 1e-9)
    assert sum(placed) == pytest.approx(sum(values), abs=1e-6)


@pytest.mark.parametrize("stopped", [True, False])
def test_a_learning_curve_marks_the_best_score(stopped):
    history = History(
        tuple(np.linspace(3, 1, 40)),
        ((0, 2.5), (20, 1.25), (40, 1.5)),
        20,
        stopped,
        seconds=1.0,
        tokens=10,
    )
    figure = plots.learning_curve(history, "loss (nats)")
    assert words(figure) == {"training", "best: 1.25"} | ({"stopped"} if stopped else set())
    marked = [line for line in figure.axes[1].lines if line.get_fillstyle() == "none"]
    assert [tuple(line.get_xydata()[0]) for line in marked] == [(20, 1.25)]


def test_a_learning_curve_without_validation_has_one_panel():
    figure = plots.learning_curve(
        History((3.0, 2.0), (), None, False, seconds=1.0, tokens=10), "loss (nats)"
    )
    assert len(figure.axes) == 1 and words(figure) == {"training"}


def test_conditions_are_bars_with_their_means():
    runs = {"gold": [80.0, 81.0, 82.0], "none": [10.0, 11.0, 12.0]}
    figure = plots.by_condition(
        {"both": runs, "one": runs}, {"gold": "right labels", "none": "nothing"}
    )
    assert words(figure) == {"81", "11"} and len(figure.axes) == 2
    other = plots.by_condition({"one": runs}, {"gold": "right", "none": "no"}, highlighted="none")
    bars = [to_hex(bar.get_facecolor()) for bar in other.axes[0].patches]
    assert bars == [PALE, plots.PROMPTED]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "right labels",
        "nothing",
    ]


def test_points_lost_have_a_row_a_task_and_an_interval_each():
    points = {"is_large": [10.0, 12.0, 14.0], "colour": [0.0, 0.0, 0.0]}
    figure = plots.points_lost({"random": points, "none": points}, {"random": "a", "none": "b"})
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["a", "b"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["is large", "colour"]
    dots = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert dots == [12.0, 0.0]
    low, high = next(
        line.get_xdata()
        for line in figure.axes[0].lines
        if len(line.get_xdata()) == 2 and line.get_linewidth() == 4
    )
    assert low < 10 and high > 14


def test_right_and_flipped_labels_are_named_at_the_end_of_their_curves():
    models = {
        name: {"gold": [80.0] * 3, "flipped": [flipped] * 3}
        for name, flipped in (("small", 70.0), ("large", 20.0))
    }
    figure = plots.right_and_flipped({"sizes": models}, {"sizes": "size"}, {"sizes": [9.0, 2.0]})
    (ax,) = figure.axes
    assert words(figure) == {"right", "flipped", "chance", "best possible"}
    curves = [list(line.get_ydata()) for line in ax.lines]
    assert [80.0, 80.0] in curves and [70.0, 20.0] in curves
    styles = {tuple(line.get_ydata()): line.get_linestyle() for line in ax.lines}
    assert styles[50.0, 50.0] == ":" and styles[9.0, 2.0] == "--"
    assert ax.get_xlabel() == "size"


def test_orders_show_their_mean_and_their_worst():
    runs = {kind: {"mean": [70.0] * 3, "worst": [60.0] * 3} for kind in ("none", "batch")}
    figure = plots.orders_and_calibration({"known": runs}, {"none": "as it is", "batch": "batch"})
    assert {"mean over orders", "worst order", "chance"} == words(figure)
    assert {y for line in figure.axes[0].lines for y in line.get_ydata()} == {50.0, 60.0, 70.0}


def test_every_token_is_shown_where_a_head_looks():
    weights = np.eye(15)[4]
    figure = plots.where_it_looks(tuple("abcdefghijklmn") + ("\n",), weights, 1, 2)
    assert words(figure) == set("abcdefghijklmn") | {"⏎"}
    grounds = [to_hex(patch.get_facecolor()) for patch in figure.axes[0].patches]
    assert len(grounds) == 15 and {*grounds[:4], *grounds[5:]} == {grounds[0]} != {grounds[4]}


@pytest.mark.parametrize(("layers", "heads", "numbers"), [(2, 3, 6), (24, 32, 0)])
def test_scores_of_few_heads_are_printed(layers, heads, numbers):
    figure = plots.head_scores(
        {"one": np.full((layers, heads), 0.25), "two": np.zeros((layers, heads))}
    )
    assert (
        sum(text.get_text() in ("0.25", "0.00") for ax in figure.axes for text in ax.texts)
        == 2 * numbers
    )


@pytest.mark.parametrize("weight", np.linspace(0, 1, 21))
def test_numbers_and_tokens_can_be_read_on_every_ground(weight):
    scores = plots.head_scores({"one": [[weight]]}).axes[0]
    heat = plots.accuracy_by_shots(pd.DataFrame({"8": {"task": 100 * weight}}), "title").axes[0]
    looks = plots.where_it_looks(("a",), (weight,), 0, 0).axes[0]
    grounds = (*(ax.images[0].cmap(weight) for ax in (scores, heat)), looks.patches[0].get_fc())
    for ax, ground in zip((scores, heat, looks), grounds, strict=True):
        shade = ax.texts[0].get_color()
        both = {text: contrast(text, to_hex(ground)) for text in (ON_LIGHT, ON_STRONG)}
        assert both[shade] > 0.99 * max(both.values()) and both[shade] > 4


def test_curves_by_steps_name_every_way():
    runs = np.array([[51.0, 52.0, 53.0]] * 3)
    panels = {"task": {"steps": runs, "alone": runs}, "other": {"steps": runs + 5, "alone": runs}}
    figure = plots.accuracy_by_steps(panels, (1, 2, 3))
    assert {"steps", "alone", "longer than\nany it read"} == words(figure)
    assert len(figure.axes) == 2
    apart = plots.accuracy_by_steps({"task": {"steps": runs + 40, "alone": runs}}, (1, 2, 3))
    assert {"steps", "alone", "longer than\nany it read"} == words(apart)


def test_curves_by_samples_name_every_choice_and_the_greedy_line():
    runs = np.array([[10.0, 20.0], [12.0, 24.0], [11.0, 22.0]])
    found = plots.by_samples({"a": {"vote": runs, "any": runs + 30}}, (1, 2), {"a": 15.0})
    assert {"vote", "any", "greedy"} == words(found)
    low = plots.by_samples({"a": {"vote": 0 * runs}}, (1, 2), {"a": 1.0}).axes[0]
    assert min(text.get_position()[1] for text in low.texts) == 3, "names stand over the axis"


def test_the_front_joins_what_nothing_cheaper_beats():
    rows = {"worse": (4.0, 5.0), "expensive": (8.0, 90.0), "cheap": (2.0, 10.0)}
    columns = ["tokens", "accuracy"]
    figure = plots.cost_front(pd.DataFrame.from_dict(rows, orient="index", columns=columns))
    assert words(figure) == {"cheap", "worse", "expensive"}
    (front,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    assert list(front.get_xdata()) == [2.0, 8.0]
    path = front.get_path().transformed(front.get_transform())
    struck = [t for t in figure.axes[0].texts if path.intersects_bbox(t.get_window_extent(), False)]
    assert struck == [], "no name lies on the line"


def test_every_method_has_its_drawing():
    titles = {name: method.title for name, method in METHODS.items()}
    assert set(titles.values()) <= names(plots.where_it_acts(titles))
    drawn = plots.adapters
    assert set(METHODS) == {*drawn._TRAINED, *drawn._ADDED, "head"}, "a method without a drawing"


def test_the_front_is_what_nothing_beats_in_both():
    points = {
        name: (size, np.array([score - 1, score + 1]))
        for name, size, score in (("head", 1, 50), ("bitfit", 2, 60), ("prefix", 3, 55))
    } | {"full": (9, np.array([70]))}
    figure = plots.pareto({"easy": points, "hard": points | {"lora": (1, np.array([80]))}})
    assert {"easy", "hard", *points, "lora"} <= names(figure)
    assert [list(ax.lines[0].get_ydata()) for ax in figure.axes] == [[50, 60, 70], [80]]


def test_names_of_points_near_the_bottom_stay_over_the_axis():
    """Also where the next point, at another height, is a few times as large."""
    low = {name: (15 + i, np.array([8 + 4.0 * i])) for i, name in enumerate("abcd")}
    high = {"lora": (84, np.array([99.0])), "full": (1800, np.array([98.0]))}
    figure = plots.pareto({"translation": low | high})
    bottom, top = figure.axes[0].get_ylim()
    named = [text for text in figure.axes[0].texts if text.get_text() in low]
    ends = [figure.axes[0].transData.inverted().transform(t.get_window_extent()) for t in named]
    assert len(named) == 4 and all(bottom < y < top for box in ends for y in box[:, 1])


def test_names_of_points_cover_no_other_name_and_scores_span_enough():
    near = {f"method {i}": (600 + 20 * i, np.array([75.0 + i])) for i in range(4)}
    figure = plots.pareto({"close": near})
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]
    bottom, top = ax.get_ylim()
    assert top - bottom >= 20, "noise must not look like a gap"


def test_storage_costs_forgetting_and_prefixes_are_named():
    table = every_seed(
        [
            {"way": way, "tasks": tasks, "measure": measure, "value": float(tasks)}
            for way in ("models", "adapters")
            for tasks in (1, 10)
            for measure in ("megabytes", "switch_ms")
        ]
    )
    assert {"whole models", "adapters"} <= names(plots.hundred_tasks(table))
    assert {"tuned", "80 %  its own task", "90 %  the other tasks"} <= names(
        plots.forgetting({"tuned": (80.0, 90.0)})
    )
    curves = {
        "random start": {"0.1": [1.0, 2.0, 3.0]},
        "start from a text": {"0.1": [2.0, 3.0, 4.0]},
    }
    assert {*curves, "head only"} <= names(plots.prefix_starts(curves, 1.5, "head only"))


def test_ways_to_use_labels_are_bars_in_their_colours():
    few = {"people's words": [10.0, 12.0, 14.0], "LoRA": [90.0, 91.0, 92.0]}
    figure = plots.same_labels({"named": few | {"title": [50.0, 50.0, 50.0]}, "unnamed": few})
    assert {"named", "unnamed", *few, "title", "12", "91", "50", "none there"} <= names(figure)
    colours = {label.get_text(): label.get_color() for label in figure.axes[0].get_yticklabels()}
    assert {name: colours[name] for name in few} == {
        name: text_colour(COLOURS[name]) for name in few
    }
    assert [len(ax.patches) for ax in figure.axes] == [3, 2], (
        "a way that a panel lacks has no bar there"
    )


def test_curves_along_an_axis_are_named_at_their_ends():
    runs = np.array([[10.0, 20.0], [12.0, 24.0], [11.0, 22.0]])
    figure = plots.accuracy_along({"one": runs, "LoRA": runs + 1}, ("small", "large"), "size")
    assert words(figure) == {"one", "LoRA"} and figure.axes[0].get_xlabel() == "size"
    assert {text.get_text(): text.get_color() for text in figure.axes[0].texts} == {
        "one": plots.PROMPTED,
        "LoRA": text_colour(COLOURS["LoRA"]),
    }
    heights = sorted(text.get_position()[1] for text in figure.axes[0].texts)
    assert heights[1] - heights[0] >= 7, "names do not overlap"
    with pytest.raises(ValueError, match="5 names without a colour of their own"):
        plots.accuracy_along(dict.fromkeys("abcde", runs), ("small", "large"), "size")


def test_searches_are_named_at_the_end_of_their_curves():
    runs = {
        name: np.array([[50.0, 60.0 + i], [51.0, 61.0 + i], [52.0, 62.0 + i]])
        for i, name in enumerate(("AutoPrompt", "PEZ", "random words"))
    }
    figure = plots.found_by_calls(runs, (500, 1000), 48.0, 90.0)
    assert {*runs, "people's words"} <= names(figure)
    (ax,) = figure.axes
    dashed = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    assert dashed == [48]
    assert ax.get_ylim()[1] < 80, "the known layout leaves the curves their room"
    assert "known layout: 90 %" in ax.get_title(loc="left")
    assert "1,000" in {label.get_text() for label in ax.get_xticklabels()}


def test_proposals_are_marked_and_their_correlation_is_told():
    guessed = np.array([-3.0, -2.0, 0.0, 1.0, 2.0])
    assert {"proposed words", "other words", "rank correlation 1.0"} <= names(
        plots.guessed_and_true(guessed, guessed**3, [0, 1])
    )


def test_single_words_far_beyond_the_others_leave_them_their_room():
    guessed = np.linspace(-1, 1, 41)
    true = guessed.copy()
    true[[2, 30, 31]] = -50.0, 60.0, -70.0
    figure = plots.guessed_and_true(guessed, true, [2])
    low, high = figure.axes[0].get_ylim()
    assert low < -50 and 1 <= high < 60, "what is proposed is in view"
    assert words(figure) == {"+60.00", "−70.00"}


def test_the_best_of_many_is_drawn_on_both_kinds_of_items():
    steps = [(16, 50.0, 50.0), (64, 75.0, 55.0)]
    figure = plots.best_of_many([steps] * 3, 160)
    assert {"items it was chosen by", "test items"} <= names(figure)
    chosen_by, held_out = (line.get_ydata() for line in figure.axes[0].lines)
    assert (chosen_by[0], chosen_by[-1], held_out[0], held_out[-1]) == (50, 75, 50, 55)


def test_every_model_has_its_mark_and_every_method_its_row():
    models = {"here": np.array([80.0, 82.0]), "smaller": np.array([60.0, 58.0])}
    figure = plots.elsewhere({"people's words": models, "PEZ": models})
    assert {"people's words", "PEZ", *models} <= names(figure)


def test_schedules_are_named_and_the_default_is_marked():
    curve = {
        name: ([100.0, 1000.0, 12500.0], [9.0, 3.0, 1.0]) for name in ("uniform", "UCB", "halving")
    }
    assert {"uniform", "UCB", "halving", "APE's default:\n12,500 calls"} <= words(
        plots.regret_by_calls([curve] * 3)
    )


def test_a_band_that_reaches_no_regret_ends_at_the_edge():
    curves = [
        {name: ([100.0, 12500.0], [9.0, last]) for name in ("uniform", "UCB", "halving")}
        for last in (0.0, 0.0, 0.4, 0.4)
    ]
    (ax,) = plots.regret_by_calls(curves).axes
    bottom = ax.get_ylim()[0]
    assert np.isclose(bottom, 0.1), "half of the lowest mean"
    lowest = [area.get_paths()[0].vertices[:, 1].min() for area in ax.collections]
    assert np.allclose(lowest, bottom) and len(lowest) == 3


def test_a_race_shows_how_many_are_left():
    rounds = [
        (1, (1.0, 1.0, 0.0, 0.0)),
        (2, (1.0, 0.5)),
    ]
    assert {"4", "2", "kept", "dropped"} <= words(plots.race(rounds))


def test_only_tasks_that_differ_are_drawn():
    table = pd.DataFrame(
        {"found": [90.0, 50.0], "people's words": [80.0, 50.0], "title": [70.0, 50.0]},
        index=["is_even", "topic"],
    )
    drawn = names(plots.found_by_task(table))
    assert "is even" in drawn and "topic" not in drawn and {"found", "people's words"} <= drawn


def test_every_search_and_every_fixed_prefix_of_steering_is_named():
    runs = np.array([[30.0, 30.0, 90.0]] * 3)
    curves = dict.fromkeys(("random search", "learned", "learned, reads"), runs)
    fixed = {"no prefix": 25.0, "hand-written": 95.0}
    figure = plots.steering_searches(
        {"kind": curves, "rude": curves}, {"kind": fixed, "rude": fixed}, (0, 500, 1000)
    )
    assert {*curves, *fixed, "kind", "rude"} <= names(figure)
    assert [list(line.get_ydata()) for line in figure.axes[0].lines[:4]] == [[30, 30, 90]] * 4, (
        "three seeds and their mean"
    )
    at_zero = {"no prefix": 0.0, "hand-written": 1.0}
    figure = plots.steering_searches({"kind": curves}, {"kind": at_zero}, (0, 500, 1000))
    heights = sorted(t.get_position()[1] for t in figure.axes[0].texts)
    assert heights[0] > 2 and min(np.diff(heights)) >= 8, "no name on the axis or over another"


def test_a_gamed_reward_stands_beside_what_was_meant():
    ends = {"reward": (30.0, 90.0), "gold": (1.2, 3.6), "right": (30.0, 90.0)}
    curves = {
        measure: {"model": np.array([[first, last]] * 3), "even": np.array([[first, first]] * 3)}
        for measure, (first, last) in ends.items()
    }
    figure = plots.gamed_reward(curves, (100, 1000))
    assert {"starts as a language model", "starts from any word"} <= names(figure)
    assert {"rewarded:\nminus words a reply", "meant:\ngold reward", "right answers (%)"} <= names(
        figure
    )
    for ax, (first, last) in zip(figure.axes, ends.values(), strict=True):
        assert list(ax.lines[0].get_ydata()) == [first, last]
        assert list(ax.lines[-1].get_ydata()) == [first, first]


def test_over_optimisation_names_every_choice_and_draws_every_seed():
    sizes = (1, 2, 4, 8)
    curves = {f"{m} comparisons": np.array([[0.0, 1, 2, m]] * 3) for m in (5, 20, 80, 5000)}
    others = {"by gold": np.full((3, 4), 4.0), "at random": np.zeros((3, 4))}
    figure = plots.overoptimisation(curves, curves | others, sizes)
    assert {"5 comparisons", "5,000 comparisons", *others, "gold reward"} <= names(figure)
    proxy, gold = figure.axes
    assert len(proxy.lines) == 16 + 4 and len(gold.lines) == 24 + 6, "seeds, means and leaders"
    assert len({line.get_color() for line in gold.lines}) == 6, "a colour for each choice"
    assert list(proxy.lines[3].get_ydata()) == [0, 1, 2, 5], "the mean, after three seeds"


def test_methods_are_drawn_in_the_order_of_their_runs():
    looks = pd.DataFrame({"kl": [0.0, 2.0, 1.5], "gold": [1.0, 2.0, 3.0]})
    figure = plots.gold_by_divergence({"DPO": looks, "RLOO": looks}, 2.0)
    (ax,) = figure.axes
    assert [list(line.get_xdata()) for line in ax.lines[:2]] == [[0, 2, 1.5]] * 2
    at = {text.get_text(): text.get_position() for text in ax.texts}
    assert set(at) == {"DPO", "RLOO", "compared here"}
    assert at["DPO"] != at["RLOO"], "beside the same end"
    assert ax.get_xlim()[1] < 2.1, "no axis where nothing was measured"


def test_methods_that_optimise_one_reward_share_a_panel_with_their_fits():
    runs = np.array([[0.0, 1, 2], [0.0, 2, 3]])
    methods = {name: (runs, factor * runs) for name, factor in (("best-of-n", 2), ("RLOO", 1))}
    fits = {name: (np.arange(3.0), np.zeros(3)) for name in methods}
    rewards = ("50 comparisons", "places alone")
    figure = plots.gold_by_distance(dict.fromkeys(rewards, methods), dict.fromkeys(rewards, fits))
    assert {*methods, *rewards, "thin: single runs", "dashed: fitted forms"} <= names(figure)
    ax = figure.axes[1]
    assert ax.get_xlim() == figure.axes[0].get_xlim()
    assert len(ax.lines) == 8 and ax.lines[3].get_linestyle() == ax.lines[7].get_linestyle() == "--"
    distance = [0, (1 + 2**0.5) / 2, (2**0.5 + 3**0.5) / 2]
    assert np.allclose(ax.lines[2].get_data(), [distance, [0, 3, 5]]), "the mean"


def test_every_request_has_its_name():
    table = pd.DataFrame({"before": [1.0, 1.1], "after": [2.0, 2.01]}, index=["none", "placebo"])
    assert {"none", "placebo"} <= names(plots.requests(table))


def test_a_panel_for_each_reward_with_every_judge():
    ends = {"itself": 3, "other": 2, "words": 1}
    judged = {name: np.array([[0.0, 1, end]] * 3) for name, end in ends.items()}
    known = {"itself": judged["itself"], "gold": judged["words"]}
    figure = plots.proxy_and_judges({"5": known, "5, real": judged, "50": known}, (1, 2, 4))
    assert {*judged, "gold", "5", "5, real", "50"} <= names(figure)
    assert [len(ax.lines) for ax in figure.axes] == [8 + 2, 12 + 3, 8 + 2, 0]
    assert list(figure.axes[0].lines[3].get_ydata()) == [0, 1, 3], "the mean, after three seeds"
    assert not figure.axes[3].get_visible()


def test_the_map_names_every_country_and_capital_in_the_block_of_its_region():
    regions = {
        way: [(f"{way}{i}", f"capital of {way}{i}") for i in range(8)]
        for way in ("north", "east", "south", "west")
    }
    figure = plots.map_of_countries(regions)
    at = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    every = {name for block in regions.values() for pair in block for name in pair}
    assert every | set(regions) <= set(at)
    assert all(at[f"north{i}"][1] < at[f"south{j}"][1] for i in range(8) for j in range(8))
    assert all(at[f"west{i}"][0] < at[f"east{j}"][0] for i in range(8) for j in range(8))


def test_a_route_is_drawn_in_bold_and_over_an_edge_in_two_pieces():
    grid = [["a", "b", "c"], ["d", "e", "f"]]
    lines = [
        len(plots.map_of_places(grid, route).axes[0].lines)
        for route in (["a"], ["a", "b"], ["c", "a"])
    ]
    assert [n - lines[0] for n in lines] == [0, 1, 2]
    tips = [len(plots.map_of_places(grid, r).axes[0].texts) for r in (["a"], ["c", "a"])]
    assert tips[1] - tips[0] == 2, "an arrow where it leaves, and one where it comes in"
    dotted = [line for line in plots.map_of_places(grid, ["a"]).axes[0].lines if line.is_dashed()]
    assert dotted and not any(
        0 < np.mean(line.get_xdata()) < 2 and 0 < np.mean(line.get_ydata()) < 1 for line in dotted
    ), "only outside the grid"
    texts = plots.map_of_places(grid, ["a", "b", "e"]).axes[0].texts
    assert {t.get_text() for t in texts if t.get_weight() == "bold"} == {"a", "b", "e"}
