"""Figures of adapters draw what they are given, with every point and curve named."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

from course import plots
from course.adapters import METHODS

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def clean():
    plots.use_style()
    yield
    plt.close("all")


def words(figure) -> set[str]:
    figure.canvas.draw()
    titles = {ax.get_title(place) for ax in figure.axes for place in ("left", "center")}
    return titles | {text.get_text() for ax in figure.axes for text in (*ax.texts, *ax.get_yticklabels())}


def test_every_method_has_its_drawing():
    found = words(plots.where_it_acts())
    assert {method.title for method in METHODS.values()} <= found


def test_the_front_is_what_nothing_beats_in_both():
    points = {"head": (1, 50), "bitfit": (2, 60), "prefix": (3, 55), "full": (9, 70)}
    figure = plots.pareto({"easy": points, "hard": points | {"lora": (1, 80)}})
    assert {"easy", "hard", "head only", "BitFit", "prefix tuning", "full fine-tuning"} <= words(figure)
    assert [list(ax.lines[0].get_ydata()) for ax in figure.axes] == [[50, 60, 70], [80]]


def test_sizes_are_named():
    scores = {model: {"bitfit": [50.0, 51.0, 52.0], "full": [60.0, 61.0, 62.0]} for model in ("a", "b")}
    counts = {model: {"bitfit": 10, "full": 1000} for model in ("a", "b")}
    assert {"small", "large", "BitFit", "full fine-tuning"} <= words(plots.by_model_size(scores, counts, {"a": "small", "b": "large"}))


def test_shelves_forgetting_and_prefixes_are_named():
    shelf = {"tasks": (1, 10), "megabytes": (1.0, 10.0), "switch_ms": (2.0, 3.0)}
    assert {"whole models", "adapters"} <= words(plots.hundred_tasks([shelf] * 3, [shelf] * 3))
    assert {"tuned", "80 %  its own task", "90 %  the other tasks"} <= words(plots.forgetting({"tuned": (80.0, 90.0)}))
    curves = {"random start": {"0.1": [1.0, 2.0, 3.0]}, "start from a text": {"0.1": [2.0, 3.0, 4.0]}}
    assert {*curves, "head only"} <= words(plots.prefix_starts(curves, 1.5, "head only"))
