"""Figures draw what they are given, for any number of tasks, with every curve labelled."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from course import plots
from course.expectations import expected, sum_blanks
from course.lm import load
from course.plots import style
from course.training import History

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def clean():
    plots.use_style()
    yield
    plt.close("all")


def words(figure) -> set[str]:
    figure.canvas.draw()
    return {text.get_text() for ax in figure.axes for text in ax.texts}


def test_top_words_marks_the_right_word():
    model, blank = load("gpt-small"), sum_blanks(1)[0]
    figure = plots.same_text_two_models([("a ____", blank.word, *2 * [expected(model, [blank])[0]])], model, model)
    bold = {label.get_text() for ax in figure.axes for label in ax.get_yticklabels() if label.get_fontweight() == "bold"}
    assert bold <= {blank.word} and len(figure.axes) == 2


@pytest.mark.parametrize("kinds", [{"sums": "sums"}, {"sums": "sums", "facts": "facts"}])
def test_by_clue_labels_both_models(kinds):
    value = {kind: {clue: {"gpt": 50.0, "bert": 90.0} for clue in ("left", "right")} for kind in kinds}
    assert {"GPT", "BERT"} <= words(plots.by_clue([value, value, value], kinds))


def test_heat_map_prints_every_value():
    table = pd.DataFrame({"a": [10.0, 99.0], "b": [20.0, 30.0]}, index=["generalist", "a"])
    assert words(plots.heat_map(table, "title")) == {"10", "99", "20", "30"}


def test_a_cell_without_a_value_stays_empty():
    table = pd.DataFrame({"k = 0": [10.0, 20.0], "k = 16": [99.0, float("nan")]}, index=["a", "b"])
    assert words(plots.accuracy_by_shots(table, "title")) == {"10", "20", "99"}


@pytest.mark.parametrize("tasks", [("a", "b"), ("a", "b", "c")])
def test_costs_draw_any_number_of_tasks(tasks):
    value = {"by_labels": {t: {"8": 1.0, "32": 2.0, "128": 3.0} for t in tasks}, "by_shots": {t: {"1": 5.0, "2": 6.0} for t in tasks}}
    figure = plots.cost_of_a_new_task([value, value, value], tasks)
    assert sum(ax.get_visible() for ax in figure.axes) == len(tasks)
    assert {"prompted", "fine-tuned"} <= words(figure)


def test_curves_under_the_ceiling_are_all_named():
    cell = {"model": 0.5, "ceiling": 0.7}
    value = {"m": {"in_context": {"t": {"0": cell, "1": cell, "2": cell}}}}
    assert {"best possible", "middle"} <= words(plots.shots_and_ceiling([value] * 3, {"m": "middle"}, {"t": "task"}, (0, 1, 2)))


def test_training_curves_end_in_their_names():
    curves = {name: (np.linspace(3, end, 100), 1e6) for name, end in (("one", 1.0), ("two", 1.01))}
    assert words(plots.training_curves(curves)) == {"one", "two"}


def test_labels_keep_their_distance():
    assert style.spread([1.0, 1.1, 5.0], 1.0) == [1.0, 2.0, 5.0]


@pytest.mark.parametrize("stopped", [True, False])
def test_a_learning_curve_marks_the_best_score(stopped):
    history = History(tuple(np.linspace(3, 1, 40)), ((0, 2.5), (20, 1.25), (40, 1.5)), 20, stopped, seconds=1.0, tokens=10)
    figure = plots.learning_curve(history, "loss (nats)")
    assert words(figure) == {"training", "best: 1.25"} | ({"stopped"} if stopped else set())
    marked = [line for line in figure.axes[1].lines if line.get_fillstyle() == "none"]
    assert [tuple(line.get_xydata()[0]) for line in marked] == [(20, 1.25)]


def test_a_learning_curve_without_validation_has_one_panel():
    figure = plots.learning_curve(History((3.0, 2.0), (), None, False, seconds=1.0, tokens=10), "loss (nats)")
    assert len(figure.axes) == 1 and words(figure) == {"training"}


def test_curves_by_steps_name_every_way():
    value = {"t": {str(n): {way: {"accuracy": 50.0 + n} for way in ("chain", "standard")} for n in (1, 2, 3)}}
    assert {"steps", "alone"} == words(plots.accuracy_by_steps([value] * 3, {"t": "task"}, {"chain": "steps", "standard": "alone"}))


def test_curves_by_samples_name_every_choice_and_the_greedy_line():
    runs = np.array([[10.0, 20.0], [12.0, 24.0], [11.0, 22.0]])
    found = plots.by_samples({"a": {"vote": runs, "any": runs + 30}}, (1, 2), {"a": 15.0})
    assert {"vote", "any", "greedy"} == words(found)


def test_the_front_joins_what_nothing_cheaper_beats():
    figure = plots.cost_front({"cheap": (2.0, 10.0), "worse": (4.0, 5.0), "dear": (8.0, 90.0)})
    assert words(figure) == {"cheap", "worse", "dear"}
    (front,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    assert list(front.get_xdata()) == [2.0, 8.0]
