"""What a comparison costs, which words a model knows, and which folders are removed."""

import json
import re
import time

import pytest
from endpoint import chat_completion, endpoint

from course.compare import Served, compare, costs, frozen_head, generators, searched, trained_head
from course.compare.base import CARD_FILE, METHOD_FILE, Estimate
from course.compare.bodies import Bench, ModelChoice
from course.compare.cells import CELLS, LEARNED, Cell, cell_file, measure
from course.compare.command import main
from course.compare.costs import Speed, Speeds, correction
from course.compare.coverage import LOUD, MANY_UNKNOWN, Coverage, coverage_of
from course.compare.metering import Meter, Work
from course.compare.preparation import prepare
from course.compare.pruning import prune_learned
from course.compare.reading import read_table
from course.compare.registry import METHODS
from course.foundation import write_text
from course.models import load_tokenizer
from course.tasks import load_task

KEY = "data and models"


def test_only_the_first_seed_pays_for_choosing():
    estimate = Estimate(Work(trained=300), Work(), 1.0, choosing=Work(trained=200))
    assert [estimate.learning_with(seed).trained for seed in (0, 1, 2)] == [300, 100, 100]
    speeds = Speeds({"encoder": Speed(read=10.0, written=1.0, load=0.5)}, 0.01)
    first, second = (
        speeds.seconds(METHODS["lora"], estimate, Cell("lora", 128, seed), 10) for seed in (0, 1)
    )
    assert second == pytest.approx(0.5 + 3 * 100 / 10)  # one load, one training
    assert first == pytest.approx(0.5 * 3 + 3 * 300 / 10)  # two trainings more in the trials
    control = [
        speeds.seconds(METHODS["tfidf"], estimate, Cell("tfidf", 100, s), 50) for s in (0, 1)
    ]
    assert control[0] > control[1] == pytest.approx(0.01 * 150)


def test_what_is_encoded_once_takes_time_once():
    """A frozen head tries its settings on vectors that it has."""
    data = prepare(
        read_table([{"t": f"a {i * i} b", "l": str(i % 2)} for i in range(60)]), "t", "l"
    )
    bench, size = Bench(data.task, ModelChoice()), len(data.train)
    estimate = METHODS["head"].estimate(bench, data, size)
    tokens = estimate.query.computed
    speeds = Speeds({"encoder": Speed(read=10.0, written=1.0, load=0.0)}, 0.01)
    seconds = speeds.seconds(METHODS["head"], estimate, Cell("head", size, 0), 20)
    assert seconds == pytest.approx((size + 20) * tokens / 10)
    assert estimate.learning.computed > 2 * size * tokens  # it is counted whenever it is used


def test_written_answers_take_the_time_that_they_took_in_the_measurement(monkeypatch):
    """However much a model writes beyond the answer."""
    examples = load_task("from_torvish", sizes={"train": 60}).examples("train")
    rows = [{"t": e.input, "l": e.output} for e in examples]
    data = prepare(read_table(rows), "t", "l", "answers")
    bench = Bench(data.task, ModelChoice("gpt-small"))

    def timed(work):
        work()
        return 5.0 if getattr(work, "func", None) is costs.written_answers else 1e-3

    monkeypatch.setattr(costs, "_timed", timed)
    speeds = costs.measured_speeds(bench, data, ["causal"])
    zero_shot = METHODS["zero-shot"]
    estimate = zero_shot.estimate(bench, data, 0)
    seconds = speeds.seconds(zero_shot, estimate, Cell("zero-shot", 0, 0), 8)
    assert 2.5 < seconds < 10


@pytest.mark.parametrize("name", ["zero-shot", "few-shot", "lora-generator"])
def test_written_tokens_are_within_a_factor_of_two(name, free_answers):
    """Of a model that goes on behind its answer, too."""
    bench, data = free_answers
    estimate, _, real = cost_of(name, bench, data)
    expected = estimate.learning + estimate.query.times(len(data.test))
    written = real.learning.written + real.query.written
    assert 0.5 <= expected.written / written <= 2


@pytest.fixture(scope="module")
def free_answers():
    examples = load_task("from_torvish", sizes={"train": 60}).examples("train")
    rows = [{"t": e.input, "l": e.output} for e in examples]
    data = prepare(read_table(rows), "t", "l", "answers")
    return Bench(data.task, ModelChoice("gpt-tuned")), data


READ, WRITE, BACK = 1e-3, 2e-2, 3


@pytest.fixture
def token_clock(monkeypatch):
    """A clock that goes on by the tokens that models read, write and are trained on."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(trained_head, "training", lambda size: (4, 8))
    monkeypatch.setattr(generators, "training", lambda size: 4)

    def watched(place, name, seconds):
        real = getattr(place, name)

        def timed(*given, **more):
            before = getattr(given[0], "work", None)
            result = real(*given, **more)
            now[0] += seconds(result, before, given[0])
            return result

        monkeypatch.setattr(place, name, timed)

    def asked(_, before, who):
        work = who.work - before
        return READ * work.computed + WRITE * work.written

    watched(Meter, "_count", asked)
    watched(trained_head.HeadPredictor, "predict", asked)
    for place in (frozen_head, costs):
        watched(place, "encode", lambda result, *_: READ * sum(result[1]))
    for place in (trained_head, generators):
        watched(place, "fit", lambda history, *_: BACK * READ * history.tokens)
    return now


LOCAL = ("zero-shot", "few-shot", "few-shot-calibrated", "head", "lora", "soft-prompt")


def cost_of(name, bench, data):
    """(estimate, expected seconds, what was measured) of a method on all labels."""
    method, size = METHODS[name], len(data.train) if METHODS[name].uses_labels else 0
    speeds = costs.measured_speeds(bench, data, [method.body])
    estimate = method.estimate(bench, data, size)
    cell = Cell(name, size, 0)
    expected = speeds.seconds(method, estimate, cell, len(data.test))
    return estimate, expected, measure(cell, bench, data, None, None)


@pytest.mark.parametrize("name", LOCAL)
def test_seconds_are_within_a_factor_of_two(name, token_clock):
    examples = load_task("sentiment", sizes={"train": 60}).examples("train")
    rows = [{"t": e.input, "l": e.output} for e in examples]
    data = prepare(read_table(rows), "t", "l")
    _, expected, real = cost_of(name, Bench(data.task, ModelChoice()), data)
    assert 0.5 <= expected / (real.learn_seconds + real.query_seconds) <= 2


def test_a_search_stays_below_its_bound():
    """How many instructions a model writes is not known before: only the most is."""
    examples = load_task("sentiment", sizes={"train": 45}).examples("train")
    data = prepare(read_table([{"t": e.input, "l": e.output} for e in examples]), "t", "l")
    estimate, _, real = cost_of("search", Bench(data.task, ModelChoice()), data)
    assert 0 < estimate.learning.calls <= searched.CALLS
    assert 0 < real.learning.calls <= searched.CALLS + searched.CANDIDATES


def test_a_dry_run_estimates_money_where_a_price_is_given(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    examples = load_task("sentiment", sizes={"train": 60}).examples("train")
    lines = [json.dumps({"t": e.input, "l": e.output}) for e in examples]
    (tmp_path / "table.jsonl").write_text("\n".join(lines), encoding="utf-8")
    given = ["table.jsonl", "--text", "t", "--label", "l", "--model", "tiny", "--dry-run"]
    given += ["--methods", "served-zero-shot,served-few-shot", "--served-model", "m"]
    with endpoint(lambda path, request, number: (200, {}, chat_completion("positive"))) as (
        url,
        seen,
    ):
        main([*given, "--served", url, "--price", "100/200"])
        shown = capsys.readouterr().out
        main([*given, "--served", url])
        unpriced = capsys.readouterr().out
        assert not seen  # a dry run asks nothing
        price = {"price_read": 100.0, "price_written": 200.0}
        result = compare(
            "table.jsonl", "t", "l", methods="served-zero-shot,served-few-shot", model="tiny",
            served=Served("m", url, **price), sizes=[8], seeds=1, budget=None,
        )  # fmt: skip
    head, *lines = [re.split(r" {2,}", line) for line in shown.splitlines()[1:]]
    money = {line[0]: line[head.index("money")] for line in lines if len(line) == len(head)}
    assert money["majority"] == "-"
    for name in ("served-zero-shot", "served-few-shot"):
        real = result.table().loc[name, "money"]
        assert 0.5 <= float(money[name]) / real <= 2
    assert "money" not in unpriced.splitlines()[1]
    assert "no --price was given" in unpriced and "Not estimated: memory" in shown
    assert "nothing is sent to measure it" in shown


def test_estimates_are_corrected_by_what_was_measured():
    lora = Cell("lora", 128, 1)
    assert correction(lora, []) == 1
    own = (Cell("lora", 128, 0), 5.0, 10.0)
    alike = (Cell("head-full", 128, 0), 8.0, 10.0)
    other = (Cell("head", 128, 0), 90.0, 10.0)
    assert correction(lora, [own, alike, other]) == 0.5
    assert correction(lora, [alike, other]) == 0.8
    assert correction(lora, [other]) == 1
    assert correction(lora, [own, (Cell("lora", 32, 0), 3.0, 1.0)]) == pytest.approx(8 / 11)
    # one cell that a sleeping machine has measured does not decide everything
    assert correction(lora, [(own[0], 1e6, 1.0)]) == 20


def test_unknown_words_are_counted_and_named():
    tokenizer = load_tokenizer("gpt-middle")
    known = coverage_of(tokenizer, ["the room was not wonderful ."])
    assert known == Coverage(1.0, 0, ()) and known.finding("the model") is None
    texts = ["the zyzzyva was not wonderful .", "the zyzzyva and the quokka ."]
    some = coverage_of(tokenizer, texts)
    assert some.unknown == 3 and some.missing == ("zyzzyva", "quokka")
    assert some.known == pytest.approx(1 - 3 / 12)
    finding = some.finding("the model")
    assert finding.kind == MANY_UNKNOWN and "25.0 %" in finding.what and finding.count == 3
    few = Coverage(LOUD, 2, ("a",)).finding("the model")
    assert few.kind == "unknown words"


def learned(folder, name, *more, files=("model/a.safetensors",)):
    """What a method has learned, with files that are not listed."""
    place = folder / LEARNED / name
    for file in (*files, *more):
        write_text(place / file, "x")
    write_text(place / METHOD_FILE, json.dumps({"method": name, "files": list(files)}))
    write_text(place / CARD_FILE, "# card")
    return place


def test_what_another_comparison_has_learned_is_removed(tmp_path):
    old, needless = learned(tmp_path, "lora"), learned(tmp_path, "zero-shot")
    current = learned(tmp_path, "head")
    write_text(tmp_path / CELLS / cell_file(Cell("head", 40, 0), KEY), "{}")
    write_text(tmp_path / CELLS / cell_file(Cell("lora", 40, 0), "other models"), "{}")
    cells = sorted((tmp_path / CELLS).iterdir())
    assert prune_learned(tmp_path, KEY, 40) == ["lora", "zero-shot"]
    assert not old.exists() and not needless.exists() and current.exists()
    assert sorted((tmp_path / CELLS).iterdir()) == cells
    assert prune_learned(tmp_path / "nowhere", KEY, 40) == []


def test_what_somebody_else_has_written_stays(tmp_path):
    places = [learned(tmp_path, "lora", "model/notes.txt"), learned(tmp_path, "my-method")]
    unlisted = learned(tmp_path, "head")
    write_text(unlisted / METHOD_FILE, json.dumps({"method": "head"}))
    write_text(learned(tmp_path, "bitfit") / METHOD_FILE, "no JSON")
    elsewhere = tmp_path / "elsewhere"
    write_text(elsewhere / "a.safetensors", "x")
    linked = learned(tmp_path, "tfidf", files=())
    (linked / "model").symlink_to(elsewhere, target_is_directory=True)
    assert prune_learned(tmp_path, KEY, 40) == []
    assert all(place.exists() for place in (*places, unlisted, linked, elsewhere))
