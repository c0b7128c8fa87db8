"""What the widgets of the page start from: words that every model knows, the exact posterior of
every state, and files that hold the shipped weights byte for byte.
"""

import base64
import json
import re
from types import SimpleNamespace

import pandas as pd
import pytest

from course.lm import load
from course.models.shipped import checked_folder
from course.pretraining.recipes import RECIPES
from course.publishing.live import build, page_data
from course.publishing.live.page_data import MODELS, MOST, READY, state_name, states
from course.studies import hard_prompts, in_context, self_consistency
from course.studies.accuracy_by_shots import BEST
from course.studies.bodies import GPTS
from course.world.lists import list_tasks
from course.world.posterior import Posterior


@pytest.fixture(scope="module")
def data() -> dict:
    return build._data()


def provided(script: str) -> tuple[str, dict]:
    """The name and the value that a script of data hands over."""
    name, value = re.fullmatch(r'courseLive\.provide\("([\w-]+)",(.*)\);\n', script, re.S).groups()
    return name, json.loads(value)


def test_every_state_that_a_reader_can_build_has_its_exact_posterior(data):
    own = data["demonstrations"]
    table = own["posterior"]
    assert len(own["items"]) == READY and own["most"] == MOST
    assert len(table) == len(list(states())) == 1 + 5 * 2 + 20 * 4 + 60 * 8 + 120 * 16
    exact, (yes, no) = Posterior(relabel=0.2), own["labels"]
    for state in [(), ((3, True),), ((4, False), (0, True)), ((2, True), (1, True), (0, False))]:
        shown = []
        for number, flipped in state:
            x, y = own["items"][number]
            shown.append((x, {yes: no, no: yes}[y] if flipped else y))
        answer = exact.predict(shown, own["query"])
        assert table[state_name(state)] == pytest.approx([answer[yes], answer[no]], abs=1e-4)
    assert len({tuple(values) for values in table.values()}) > 10  # labels do move it


def test_demonstrations_are_held_out_and_two_tasks_disagree_about_the_query(data):
    own = data["demonstrations"]
    inputs = [own["query"], *(x for x, _ in own["items"])]
    (task,) = (t for t in list_tasks().values() if t.title == own["right"]["task"])
    assert len(set(inputs)) == READY + 1
    assert {task.split(x) for x in inputs} == {"test"}
    assert all(task.output(x) == y for x, y in own["items"])
    assert own["right"]["label"] != own["other"]["label"]


@pytest.fixture
def recorded(monkeypatch):
    """Puts rows in the place of one study's record, and refuses every other study."""

    def put(study, rows):
        def read_record(asked):
            assert asked is study
            return SimpleNamespace(table=lambda: pd.DataFrame(rows))

        monkeypatch.setattr(page_data, "read_record", read_record)

    return put


def test_the_slider_of_labels_averages_bodies_of_one_kind_beside_the_best_reader(recorded):
    by_body = {"gold": 90.0, "flipped": 40.0}
    rows = [
        {"seed": seed, "model": body, "task": "is_even", "condition": condition,
         "value": value + 4 * body.endswith("seed1") - 10 * (body == "gpt-large")}
        for seed in range(3) for body in in_context.FLIPPING for condition, value in by_body.items()
    ]  # fmt: skip
    rows += [
        {"seed": seed, "model": BEST, "task": "is_even", "condition": condition,
         "value": 100 * share, "knob": share}
        for seed in range(3) for share in in_context.KNOB for condition in by_body
    ]  # fmt: skip
    recorded(in_context.FLIPPED, rows)
    slider = page_data.knob()
    assert slider["options"] == [
        "small, p = 0", "small, p = 0.05", "small, p = 0.2", "small, p = 0.5",
        "middle, p = 0.2", "large, p = 0.2",
    ]  # fmt: skip
    means = [[mean for mean, _, _ in option] for option in slider["values"]]
    # of three bodies one is 4 points better; the best possible is that of the same p
    assert means == [
        [91.3, 41.3, 0], [90, 40, 5], [90, 40, 20], [91.3, 41.3, 50], [91.3, 41.3, 20], [80, 30, 20]
    ]  # fmt: skip
    assert len(slider["rows"]) == 3 and slider["chance"] == 50


def test_small_models_of_the_slider_are_those_of_its_label_knob():
    assert all(
        RECIPES[body].relabel == share
        for share, bodies in in_context.KNOB.items()
        for body in bodies
    )
    assert {RECIPES[b].relabel for b in (*GPTS, in_context.LARGE)} <= {*in_context.KNOB}


def test_the_slider_of_samples_shows_every_setting_by_number_of_samples(recorded):
    rows = [
        {"seed": seed, "setting": name, "model": model, "way": way, "measure": "accuracy",
         "chooser": chooser, "k": k, "value": k + better + 20 * number}
        for seed in range(3)
        for number, (name, setting) in enumerate(self_consistency.SETTINGS.items())
        for model in setting.models for way in setting.ways
        for chooser, better in (("vote", 0), ("any right", 10)) for k in self_consistency.LOOKS
    ]  # fmt: skip
    recorded(self_consistency.VOTES, rows)
    slider = page_data.samples()
    assert slider["options"] == ["1", "2", "4", "8", "16"]
    assert [name for name, _ in slider["rows"]] == [
        f"{chooser}: {title}"
        for title in ("problems, 2 steps", "problems, 4 steps", "routes, 4 steps")
        for chooser in ("vote", "any right")
    ]
    means = [[mean for mean, _, _ in option] for option in slider["values"]]
    assert means[0] == [1, 11, 21, 31, 41, 51] and means[-1] == [16, 26, 36, 46, 56, 66]


def test_the_slider_of_budgets_shows_every_search_beside_people(recorded):
    ways = {"random": 0, "AutoPrompt": 20, "RLPrompt": 10}
    rows = [
        {"seed": seed, "task": task, "way": way, "measure": "test after", "calls": calls,
         "value": calls / 100 + better}
        for seed in range(3) for task in ("topic", "grammar") for way, better in ways.items()
        for calls in hard_prompts.CALLS
    ]  # fmt: skip
    rows += [
        {"seed": seed, "task": "topic", "way": hard_prompts.BY_HAND, "measure": "test",
         "model": hard_prompts.MODEL, "value": 40.0}
        for seed in range(3)
    ]  # fmt: skip
    recorded(hard_prompts.HARD, rows)
    slider = page_data.budget()
    assert slider["options"][0] == "250" and slider["options"][-1] == "2,500"
    roles = [["people's words", "people"], ["random words", "rest"]]
    assert slider["rows"] == [*roles, ["AutoPrompt", "opened"], ["RLPrompt", "prompted"]]
    means = [[mean for mean, _, _ in option] for option in slider["values"]]
    assert means[0] == [40, 2.5, 22.5, 12.5] and means[-1] == [40, 25, 45, 35]


def test_every_chip_is_one_word_of_both_models(data):
    for name in ("front", "cloze"):
        words = [word for group in data[name]["chips"] for word in group["words"]]
        for model in MODELS.values():
            assert len(load(model).token_ids([*words, *data[name]["sentence"]])) >= len(words)


def test_the_files_hold_the_shipped_weights_and_nothing_that_could_end_a_script(tmp_path, data):
    build.write_files(tmp_path)
    names = {f"data-{name}.js" for name in data} | {f"weights-{role}.js" for role in MODELS}
    assert {path.name for path in tmp_path.iterdir()} == {
        *names, "loader.js", "engine.js", "widgets.js", "live.css",
    }  # fmt: skip
    for name in names:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "</" not in text and provided(text)[0] == name.removesuffix(".js")
    for role, name in MODELS.items():
        _, files = provided((tmp_path / f"weights-{role}.js").read_text(encoding="utf-8"))
        shipped = (checked_folder(name) / "model.safetensors").read_bytes()
        assert base64.b64decode(files["weights"]) == shipped and files["name"] == name


def test_a_page_gets_the_first_answers_and_an_unknown_widget_is_refused(data):
    place = '<p>before</p><div class="live" data-live="{}">a <a href="x">link</a></div><p>after</p>'
    page = build.with_first_answers(place.format("chain"))
    assert data["chain"]["recorded"] in page and "link" not in page
    assert page.startswith("<p>before</p>") and page.endswith("<p>after</p>")
    with pytest.raises(ValueError, match="data-live='chian': no such widget; choose from front"):
        build.with_first_answers(place.format("chian"))
