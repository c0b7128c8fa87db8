"""The study of hard prompts: what it measures of a task, and what the page reads off its record."""

import numpy as np
import pytest

from course.lm.language_model import load
from course.studies import hard_prompts as study
from course.world.instructions import INSTRUCTIONS


@pytest.fixture(scope="module")
def measured():
    return study.hard_prompts(0, tasks=("sentiment",), budget=400, others=("gpt-small",))[
        "sentiment"
    ]


def test_every_search_has_its_curve_its_words_and_its_worth_elsewhere(measured):
    assert set(measured["found"]) == {
        "exhaustive",
        "random",
        "random swaps",
        "PEZ",
        "RLPrompt",
        "AutoPrompt",
    }
    for found in measured["found"].values():
        assert (
            len(found["curve"]) == len(study.CALLS)
            and found["curve"][-1] == found["held_out"]
            and found["calls"] <= 400
        )
    assert set(measured["transfer"]["gpt-small"]) == {"by hand", *measured["found"]}
    assert (
        measured["by hand"]["prompt"] in INSTRUCTIONS["sentiment"]
        and measured["known layout"] > measured["by hand"]["held_out"]
    )
    assert measured["fluent"]["held_out"] >= 0 and measured["fluent"]["fluency"] < 0


def test_people_are_represented_by_their_best_wording():
    model, items = load("gpt-small", "tiny"), study.objective("sentiment", 0, 20, 10, "tiny")
    means = {
        text: items.values(model, [(text, i) for i in range(items.size)]).mean()
        for text in INSTRUCTIONS["sentiment"]
    }
    assert study.by_hand(model, items, "sentiment") == max(means, key=means.get)


def test_what_the_page_reads_is_a_mean_over_tasks(measured):
    only = {"found": {"PEZ": measured["found"]["PEZ"]}}
    values = [
        dict.fromkeys(study.TASKS, measured | only | {"transfer": {"m": {"PEZ": 40.0 + seed}}})
        for seed in range(3)
    ]
    assert study.held_out(values, "by hand").tolist() == pytest.approx(
        [measured["by hand"]["held_out"]] * 3
    )
    assert study.transferred(values, "m", "PEZ").tolist() == pytest.approx([40, 41, 42])
    assert study.known_layout(values).shape == (3,) and study.mean_curves(values)["PEZ"].shape == (
        3,
        len(study.CALLS),
    )
    assert study.by_task(values, "found", "PEZ")["grammar"] == pytest.approx(
        measured["found"]["PEZ"]["held_out"]
    )
    read = study.reading(values, "found", "PEZ")
    assert (
        read["gibberish"] == 100 * measured["found"]["PEZ"]["gibberish"]
        and np.isfinite(list(read.values())).all()
    )
    moved = study.prompts_elsewhere(values, "grammar")
    assert (
        moved["m"].tolist() == [40, 41, 42]
        and (moved[study.MODEL] == measured["found"]["PEZ"]["held_out"]).all()
    )
    table = study.prompts_found(values[0])
    assert len(table) == len(study.TASKS) * 2 and set(table["method"]) == {"by hand", "PEZ"}
