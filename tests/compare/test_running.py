"""A comparison on the tiny models: whole, stopped and gone on with, kept and used, reported."""

import io
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from html import unescape
from types import SimpleNamespace

import pytest
import torch
from endpoint import chat_completion, completion, endpoint

from course.compare import (
    Served,
    command,
    compare,
    generators,
    job,
    load_learned,
    read_table,
    report,
    running,
    searched,
    trained_head,
    use,
)
from course.compare import cells as cells_module
from course.compare.bodies import Bench, ModelChoice, choose_models
from course.compare.cards import card
from course.compare.cells import Cell, measure
from course.compare.command import main as compare_main
from course.compare.memory import peak_memory
from course.compare.metering import Deadline, OutOfTime, TimedData
from course.compare.plan import (
    affordable_items,
    affordable_labels,
    make_plan,
    seconds_of,
    sizes_for,
)
from course.compare.preparation import prepare
from course.compare.registry import METHODS, methods_named
from course.compare.use_command import main as use_main
from course.models import load_model, shipped
from course.models.sources import parameters_of
from course.tasks import load_task

FAST = [name for name, method in METHODS.items() if method.in_screen]


@pytest.fixture(scope="session")
def reviews():
    examples = load_task("sentiment", sizes={"train": 150}).examples("train")
    rows = [{"review": e.input, "verdict": e.output} for e in examples]
    return list({row["review"]: row for row in rows}.values())[:66]


def shortened(patch):
    """Trainings of a few steps: what is learned does not matter here."""
    patch.setattr(trained_head, "training", lambda size: (2, 8))
    patch.setattr(generators, "training", lambda size: 2)
    patch.setattr(searched, "CALLS", 40)
    patch.setattr(searched, "CANDIDATES", 3)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    shortened(monkeypatch)


def run(table, out, **settings):
    settings = {"methods": ["majority", "tfidf", "few-shot", "head"], "budget": None} | settings
    return compare(table, "review", "verdict", out=out, model="tiny", **{"seeds": 2, **settings})


@pytest.fixture(scope="module")
def whole(reviews, tmp_path_factory):
    """All methods on all labels, once, with what they have learned."""
    with pytest.MonkeyPatch.context() as patch:
        shortened(patch)
        names = [name for name, method in METHODS.items() if method.body != "served"]
        out = tmp_path_factory.mktemp("whole") / "report"
        result = run(reviews, out, methods=names, seeds=1, sizes=[44])
        result.save(out)
    return result


def test_every_method_answers_every_test_item(whole):
    assert whole.complete() == [name for name, m in METHODS.items() if m.body != "served"]
    assert all(len(cell.answers) == len(whole.data.test) for cell in whole.cells)
    assert whole.score("zero-shot").mean > 80 > whole.score("majority").mean
    tried = {cell.method: len(cell.trials) for cell in whole.cells}
    assert tried["lora"] == tried["full"] == 4 + 2 and tried["tfidf"] == tried["few-shot"] == 4


def test_the_list_of_methods_says_what_each_costs(whole, capsys):
    """Whether something is trained, and how many calls an answer takes, as they were measured."""
    compare_main(["--methods", "list"])
    shown = capsys.readouterr().out
    for name, method in METHODS.items():
        assert f"{name} " in shown and f"needs {method.needs}" in shown
        assert str(method.cost) in shown
    for name in whole.complete():
        (cell,), cost = whole.cells_of(name), METHODS[name].cost
        assert cell.query.calls == cost.query * len(whole.data.test)
        assert ("steps" in cost.trains) == (cell.learning.trained > 0)


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if m.body in ("causal", "encoder")])
def test_estimates_are_within_a_factor_of_two(whole, name):
    cell = whole.cells_of(name)[0]
    estimate = whole.estimates[name, cell.size]
    items = len(whole.data.test)
    expected = estimate.learning + estimate.query.times(items)
    real = cell.learning + cell.query
    for unit in ("calls", "read", "computed", "trained"):
        if name in ("search", "prompt-lora") and unit != "trained":
            continue  # how many different instructions a model writes is not known before
        a, b = getattr(expected, unit), getattr(real, unit)
        assert a == b == 0 or 0.5 <= a / b <= 2, (unit, a, b)
    if name != "search":
        assert 0.5 <= estimate.bytes / cell.bytes <= 2, (estimate.bytes, cell.bytes)


@pytest.mark.parametrize("name", [name for name, m in METHODS.items() if m.body != "served"])
def test_what_was_kept_answers_as_it_did(whole, name):
    task, predictor = load_learned(whole.folder, name)
    texts = [{"review": item.text} for item in whole.data.test]
    answers = use(read_table(texts), task, predictor)
    assert answers == [answer or "" for answer in whole.cells_of(name)[0].answers]
    assert "course use" in (whole.folder / "methods" / name / "README.md").read_text("utf-8")


PASTED = """
import json, os, re, sys
from pathlib import Path
sys.modules["course"] = None  # an import of the package fails
for name, text in json.loads(sys.argv[2]).items():
    os.chdir(Path(sys.argv[1]) / name)
    (code,) = re.findall(r"```python\\n(.*?)```", Path("README.md").read_text("utf-8"), re.S)
    scope = {}
    exec(code.replace('"a text"', repr(text)), scope)
    print(json.dumps(scope["answer"]))
"""


@pytest.fixture(scope="module")
def copied(whole, tmp_path_factory):
    """The kept methods, each with the course's models in its folder, as its card wants them."""
    place = tmp_path_factory.mktemp("copied") / "methods"
    shutil.copytree(whole.folder / "methods", place)
    for name, kept in itertools.product(("bert-middle", "gpt-large", "gpt-tuned"), place.iterdir()):
        (kept / name).symlink_to(shipped.WEIGHTS / name, target_is_directory=True)
    return place


def test_what_a_card_has_answers_without_this_package(whole, copied):
    """Pasted into a process in which the package cannot be imported, for every kept method, on a
    text with the answer that it gave most rarely.
    """
    texts, expected = {}, []
    for name in (name for name in whole.complete() if name != "majority"):
        answers = whole.cells_of(name)[0].answers
        rare = min(answers, key=answers.count)
        texts[name] = whole.data.test[answers.index(rare)].text
        expected.append(rare)
    given = [sys.executable, "-W", "ignore", "-c", PASTED, str(copied), json.dumps(texts)]
    ended = subprocess.run(given, capture_output=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stderr[-2000:]
    given = [json.loads(line) for line in ended.stdout.splitlines() if line[:1] in '"[']
    assert [answer[0] if isinstance(answer, list) else answer for answer in given] == expected


def pasted(folder, text, monkeypatch):
    """What the lines of a card define, run in the folder of its method, with the models beside."""
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text("utf-8"), re.S)
    assert "import course" not in code and "from course" not in code
    monkeypatch.chdir(folder)
    scope = {}
    exec(code.replace('"a text"', repr(text)), scope)  # noqa: S102 - what a reader would paste
    return scope


def test_the_lines_of_the_card_load_what_was_trained_to_write(whole, copied, monkeypatch):
    ids = torch.tensor([[1, 2, 3, 4]])
    for name in ("soft-prompt", "lora-generator", "full"):
        model = pasted(copied / name, "the room was nice", monkeypatch)["model"]
        ours = load_learned(whole.folder, name)[1].meter.local.model
        with torch.inference_mode():
            torch.testing.assert_close(model.eval()(ids).logits, ours(ids).logits)


def test_the_lines_of_the_card_write_an_answer(tmp_path, monkeypatch):
    examples = load_task("from_torvish", sizes={"train": 40}).examples("train")
    rows = [{"t": e.input, "l": e.output} for e in examples]
    settings = {"methods": "zero-shot,soft-prompt", "budget": None, "seeds": 1, "sizes": [8]}
    out = tmp_path / "r"
    result = compare(rows, "t", "l", kind="answers", model="tiny", out=out, **settings)
    for name in ("zero-shot", "soft-prompt"):
        place = result.save(out) / "methods" / name
        for weights in ("gpt-large", "gpt-tuned"):
            (place / weights).symlink_to(shipped.WEIGHTS / weights, target_is_directory=True)
        answer = pasted(place, result.data.test[0].text, monkeypatch)["answer"]
        assert (answer or None) == result.cells_of(name)[0].answers[0]


@pytest.mark.parametrize("name", ["head", "bitfit"])
@pytest.mark.parametrize("kind", ["pair", "tags"])
def test_the_lines_of_the_card_read_pairs_and_words(kind, name, reviews, tmp_path, monkeypatch):
    table = [
        {"t": one["review"], "u": other["review"], "l": one["verdict"]}
        for one, other in itertools.pairwise(reviews[:37])
    ]
    if kind == "tags":
        for row in table:
            row["l"] = " ".join("B-X" if len(word) > 5 else "O" for word in row["t"].split())
    text, out = ["t", "u"] if kind == "pair" else "t", tmp_path / "r"
    settings = {"methods": name, "budget": None, "seeds": 1, "sizes": [20]}
    result = compare(table, text, "l", model="tiny", out=out, **settings)
    place = result.save(out) / "methods" / name
    shutil.copytree(shipped.WEIGHTS / "bert-middle", place / "bert-middle")
    item, given = result.data.test[0], result.cells_of(name)[0].answers[0]
    first, second = item.texts if kind == "pair" else (item.text, "")
    card = (place / "README.md").read_text("utf-8").replace('"another"', repr(second))
    (place / "README.md").write_text(card, "utf-8")
    assert " ".join(pasted(place, first, monkeypatch)["answer"]) == given


@pytest.mark.parametrize(
    "choice, line",
    [
        (ModelChoice(tier="index"), '"SmolLM2-135M-Instruct", dtype'),
        (ModelChoice(tier="hub"), '"HuggingFaceTB/SmolLM2-360M-Instruct", dtype'),
        (ModelChoice("/some/folder"), '"/some/folder", dtype'),
    ],
)
def test_the_card_of_an_adapter_names_the_model_that_it_is_for(choice, line, whole, tmp_path):
    place = shutil.copytree(whole.folder / "methods" / "lora-generator", tmp_path / "lora")
    stored = json.loads((place / "method.json").read_text(encoding="utf-8"))
    stored["base"] = choice.causal
    (place / "method.json").write_text(json.dumps(stored), encoding="utf-8")
    written = card(replace(whole, choice=choice), "lora-generator", place)
    assert f"base = AutoModelForCausalLM.from_pretrained({line}" in written
    assert "gpt-large" not in written and "merge_and_unload" not in written


def test_the_page_says_how_to_repeat_it(whole, reviews, tmp_path):
    given = "<pre>compare(table, text=&#x27;review&#x27;, label=&#x27;verdict&#x27;"
    assert given in (whole.folder / "report.html").read_text(encoding="utf-8")
    file = tmp_path / "my reviews.csv"
    lines = ["the review,verdict", *(f"{row['review']},{row['verdict']}" for row in reviews)]
    file.write_text("\n".join(lines), encoding="utf-8")
    compare(
        file, "the review", "verdict", methods="majority", out=tmp_path / "r", model="tiny",
        budget=None, instruction="Say it's good or bad.",
    ).save(tmp_path / "r")  # fmt: skip
    page = unescape((tmp_path / "r" / "report.html").read_text(encoding="utf-8"))
    (line,) = (line for line in page.splitlines() if "course compare" in line)
    words = shlex.split(line.partition("<pre>")[2])
    assert words[2] == str(file) and words[words.index("--text") + 1] == "the review"
    assert words[words.index("--instruction") + 1] == "Say it's good or bad."
    assert words[words.index("--methods") + 1] == "majority"


NOT_USUAL = [
    [
        *("--delimiter", "|", "--columns", "the id,review,verdict,-odd", "--encoding", "cp1252"),
        *("--test", "test.csv", "--label", "verdict", "--kind", "labels"),
        *("--text", "the id", "--text", "review", "--template", "{the id}: {review}"),
        *("--methods", "tfidf,majority", "--model", "tiny", "--precision", "fp32"),
        *("--encoder", str(shipped.WEIGHTS / "bert-middle"), "--instruction", "Is it good?"),
        *("--budget", "90s", "--seeds", "2", "--sizes", "8,16", "--most-test", "20"),
    ],
    [
        *("--text", "review", "--label=-odd", "--delimiter", "|", "--methods", "majority"),
        *("--columns", "the id,review,verdict,-odd"),
        *("--served", "http://localhost:1/v1", "--served-model", "a model", "--completions"),
        *("--price", "0.15/0.6", "--allow-personal", "--budget", "none", "--model", "tiny"),
    ],
]


@pytest.mark.parametrize("options", NOT_USUAL)
def test_the_command_on_the_page_is_the_one_that_was_given(options, reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{i}|{row['review']} é|{row['verdict']}|{'bc'[i % 2]}" for i, row in enumerate(reviews)
    ]
    codec = "cp1252" if "cp1252" in options else "utf-8"
    (tmp_path / "my table.csv").write_text("\n".join(rows[:50]), codec)
    (tmp_path / "test.csv").write_text("\n".join(["the id|review|verdict|-odd", *rows[50:]]), codec)
    given = ["my table.csv", *options, "--out", "to/report"]
    compare_main(given)
    page = unescape((tmp_path / "to" / "report" / "report.html").read_text(encoding="utf-8"))
    (line,) = (line for line in page.splitlines() if "course compare" in line)
    words = shlex.split(line.partition("<pre>")[2].partition("</pre>")[0])
    assert words[:2] == ["course", "compare"]
    parse = command._parser().parse_args
    assert vars(parse(words[2:])) == vars(parse(given))


def test_the_call_on_the_page_has_what_was_given(reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"methods": ["tfidf"], "seeds": 1, "sizes": (8,), "budget": "2m", "most_test": 20}
    result = compare(reviews, "review", "verdict", test=reviews[:15], **settings)
    call = result.request.repeated("r")

    def again(table, **named):
        return compare(table, **named)

    scope = {"compare": again, "table": reviews, "test": reviews[:15]}
    same = eval(call, scope)  # noqa: S307 - what a reader would paste
    assert same.request == replace(result.request, model=same.request.model)
    assert same.data == result.data and same.sizes == result.sizes


def test_the_majority_baseline_is_always_in_sight(reviews, tmp_path):
    result = run(reviews, tmp_path, methods="tfidf", sizes=[8], seeds=1)
    result.save(tmp_path)
    assert result.names == ["majority", "tfidf"] == sorted(result.table().index)
    assert set(result.curve()["method"]) == {"majority", "tfidf"}
    assert "most common" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no method can be used.*head"):  # but it alone is none
        run(
            [{"review": f"電影{i}", "verdict": str(i % 2)} for i in range(40)], None, methods="head"
        )


def test_the_page_needs_nothing_else(whole):
    page = (whole.folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href|url)\s*[=(]\s*["\']?(?:https?:)?//', page)
    assert "Models: the course&#x27;s gpt-tuned (prompted)" in page
    assert "the whole process" in page and "no graphics processor was used" in page
    assert page.count("<svg") == 4 and 'class="dark"' in page and 'name="viewport"' in page
    for sentence in whole.best().sentences:
        assert sentence[:40] in page
    stored = json.loads((whole.folder / "results.json").read_text(encoding="utf-8"))
    assert {row["method"] for row in stored["methods"]} == set(whole.complete())
    assert (whole.folder / "results.csv").read_text(encoding="utf-8").startswith("method,labels")


def test_texts_in_the_page_are_text(reviews, tmp_path):
    table = [row | {"review": row["review"] + " <script>alert(1)</script>"} for row in reviews]
    result = run(table, tmp_path / "r", methods="majority,tfidf", instruction="<b>Say</b>")
    result.save(tmp_path / "r")
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<b>Say" not in page


def test_a_run_that_was_killed_goes_on(reviews, tmp_path, monkeypatch):
    done, real = [], cells_module.measure

    def measured(cell, *more):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(cell.name)
        return real(cell, *more)

    monkeypatch.setattr(cells_module, "measure", measured)
    with pytest.raises(KeyboardInterrupt):
        run(reviews, tmp_path, sizes=[8])
    first = list(done)
    done[:] = [None] * 4  # no interruption any more
    result = run(reviews, tmp_path, sizes=[8])
    again = done[4:]
    assert len(first) == 3 and not set(first) & set(again)
    assert len(first) + len(again) == len(result.cells)
    done.clear()
    done[:] = [None] * 4
    same = run(reviews, tmp_path, sizes=[8])
    assert done == [None] * 4
    kept = [{(c.method, c.size, c.seed): asdict(c) for c in r.cells} for r in (same, result)]
    assert kept[0] == kept[1]


KILLED = """
import os, signal, sys
from course.compare import cells, compare
from course.foundation import atomic_write

real, stored = atomic_write._rename, []

def rename(source, target):
    stored.append(target)
    if sum(path.parent.name == "cells" for path in stored) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)

atomic_write._rename = rename
compare(sys.argv[1], "review", "verdict", methods="majority,tfidf", sizes=[8], seeds=2, budget=None,
        out=sys.argv[2], model="tiny")
"""


@pytest.mark.skipif(os.name == "nt", reason="a process is killed by a signal")
def test_a_process_that_was_killed_while_it_stored_a_cell_goes_on(reviews, tmp_path, monkeypatch):
    file, out = tmp_path / "reviews.jsonl", tmp_path / "report"
    file.write_text("".join(json.dumps(row) + "\n" for row in reviews), encoding="utf-8")
    ended = subprocess.run([sys.executable, "-c", KILLED, file, out], capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    kept = {path: path.stat().st_mtime_ns for path in (out / "cells").glob("*.json")}
    assert len(kept) == 2 and not (out / "report.html").exists()
    done, real = [], cells_module.measure
    monkeypatch.setattr(
        cells_module, "measure", lambda c, *m: [done.append(c.name), real(c, *m)][1]
    )
    result = run(file, out, methods="majority,tfidf", sizes=[8])
    assert len(done) == len(result.cells) - 2 and len(result.cells) == 6
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    assert not result.unfinished and result.save(out) == out


def test_a_report_is_copied_whole_or_not_at_all(whole, tmp_path, monkeypatch):
    """An interrupted copy leaves what stood there; a whole one is what was measured."""
    place = whole.save(tmp_path / "copy")
    before = {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    same = {p.relative_to(whole.folder) for p in whole.folder.rglob("*") if p.is_file()}
    assert {p.relative_to(place) for p in before} == same
    weights = before[place / "methods" / "full" / "model" / "model.safetensors"]
    real = shutil.copytree

    def half(source, target, *given, **more):
        real(source, target, *given, **more)
        if source.name == "full":
            (target / "model" / "model.safetensors").write_bytes(weights[:100])
            raise KeyboardInterrupt
        return target

    monkeypatch.setattr(shutil, "copytree", half)
    with pytest.raises(KeyboardInterrupt):
        whole.save(place)
    assert before == {p: p.read_bytes() for p in place.rglob("*") if p.is_file()}
    monkeypatch.undo()
    (place / "methods" / "full" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="notes.txt"):
        whole.save(place)


def test_the_page_says_what_each_model_takes_to_be_hosted(whole):
    page = (whole.folder / "report.html").read_text(encoding="utf-8")
    for name, loaded in (
        ("gpt-tuned", load_model("gpt-tuned")),
        ("bert-middle", load_model("bert-middle")),
    ):
        count = parameters_of(name)
        assert count == loaded.num_parameters()
        shown = f"{count * 4 / 1e6:,.1f} MB in fp32 or {count * 2 / 1e6:,.1f} MB in bf16"
        assert f"{shown} ({count:,} parameters)" in page


def test_another_table_or_a_damaged_cell_is_refused(reviews, tmp_path):
    run(reviews, tmp_path, methods="majority")
    with pytest.raises(ValueError, match="comparison of other data"):
        run(reviews[:-1], tmp_path, methods="majority")
    (path,) = (tmp_path / "cells").glob("majority-44*")
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged.*delete it"):
        run(reviews, tmp_path, methods="majority")


class Clock:
    """A clock that goes on by one second whenever it is looked at."""

    now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


def test_the_clock_stops_what_runs(reviews):
    data = prepare(read_table(reviews), "review", "verdict")
    for name in ("lora", "few-shot", "head", "soft-prompt"):
        bench = Bench(data.task, choose_models("tiny"), Deadline(2.5, Clock()))
        with pytest.raises(OutOfTime):
            measure(Cell(name, 40, 0), bench, data, None, None)


def test_loading_a_shared_model_is_no_learning(reviews, monkeypatch):
    happened = []
    real = Bench._loaded

    def loaded(bench, chat):
        happened.append("load")
        return real(bench, chat)

    def clock():
        happened.append("clock")
        return float(len(happened))

    monkeypatch.setattr(Bench, "_loaded", loaded)
    monkeypatch.setattr(cells_module.time, "perf_counter", clock)
    data = prepare(read_table(reviews), "review", "verdict")
    bench = Bench(data.task, choose_models("tiny"))
    measure(Cell("zero-shot", 0, 0), bench, data.with_test(2), None, None)
    assert happened.count("load") == 1 and happened[0] == "load"


def test_errors_in_tags_are_shown_as_names(monkeypatch):
    names = ("Ann", "Bob", "Cem", "Dan", "Eva", "Flo")
    table = [{"t": f"{names[i % 6]} saw {i * i} dogs", "l": "B-PER O O O"} for i in range(40)]
    result = compare(table, "t", "l", methods="majority", model="tiny", budget=None, sizes=[20])
    text, right = table[0]["t"], table[0]["l"]
    wrong = [(text, right, "-"), (text, "O O O O", right)]
    monkeypatch.setattr(result, "complete", lambda: ["head"])
    monkeypatch.setattr(result, "only_wrong", lambda name, most: wrong)
    shown = report._errors(result)
    assert "Ann = PER" in shown and "B-PER" not in shown and "none" in shown


def test_data_looks_at_the_clock_before_every_step():
    inner = SimpleNamespace(micro_batches=lambda chosen, plan: ["batch"])
    timed = TimedData(inner, Deadline(3, Clock()))
    assert timed.micro_batches([0], None) == timed.micro_batches([0], None) == ["batch"]
    with pytest.raises(OutOfTime):
        timed.micro_batches([0], None)


def test_what_there_is_no_time_for_is_named(reviews, tmp_path, monkeypatch):
    real = running.Job.seconds
    monkeypatch.setattr(
        running.Job, "seconds", lambda job, c: 1e6 if c.method == "head" else real(job, c) / 1e6
    )
    said = []
    settings = {"budget": "1h", "sizes": [8], "seeds": 1, "say": said.append}
    result = run(reviews, tmp_path, methods="tfidf,head", **settings)
    assert [line for line in said if line.startswith("head: left out for now; it needs about")]
    assert not [line for line in said if line.startswith("tfidf")]  # over at once
    assert (
        result.names == ["majority", "tfidf"] and "needs about 1000000 s" in result.left_out["head"]
    )
    assert "head-8-0" in result.unfinished
    assert "not tried: head" in result.best().sentences[2].lower()


def test_controls_are_measured_on_all_labels_though_the_budget_is_spent(reviews, tmp_path):
    result = run(reviews, tmp_path, budget=1e-3, methods="majority,tfidf,few-shot", sizes=[8, 36])
    assert result.names == ["majority", "tfidf"] == result.complete()
    assert {cell.size for cell in result.cells} == {44}
    assert {"tfidf-36-0", "few-shot-44-0"} <= set(result.unfinished)
    assert result.cells_of("tfidf")[0].trials  # its setting was chosen


def test_no_seed_is_measured_before_the_one_that_chooses_the_setting(
    reviews, tmp_path, monkeypatch
):
    real = running.Job.seconds
    monkeypatch.setattr(
        running.Job,
        "seconds",
        lambda job, c: 1e6 if (c.method, c.seed) == ("few-shot", 0) else real(job, c) / 1e6,
    )
    result = run(reviews, tmp_path, budget="1h", methods="tfidf,few-shot", seeds=2)
    assert result.names == ["majority", "tfidf"]
    assert {"few-shot-44-0", "few-shot-44-1"} <= set(result.unfinished)


def test_the_first_answer_is_told_while_the_others_are_measured(reviews, tmp_path):
    said = []
    settings = {"methods": "majority,tfidf", "sizes": [8], "seeds": 1, "say": said.append}
    result = run(reviews, tmp_path, **settings)
    (first,) = (line for line in said if line.startswith("first answer after "))
    assert " ".join(result.best().sentences[:2]) in first
    assert 0 < result.first_seconds <= result.seconds


def test_ray_with_one_worker_is_refused():
    """It would measure in this process, and no cluster would be asked."""
    with pytest.raises(ValueError, match="jobs=1 with the backend 'ray'.*--jobs 2"):
        job.RunSettings(backend="ray")


def test_processes_measure_the_same(reviews, tmp_path):
    names = {"methods": "majority,tfidf", "sizes": [8]}
    one, two = run(reviews, tmp_path / "1", **names), run(reviews, tmp_path / "2", jobs=2, **names)
    assert {c.method: c.answers for c in one.cells} == {c.method: c.answers for c in two.cells}


def test_tiny_models_refuse_what_they_cannot_read(tmp_path):
    said = ("不好看", "很好看")
    table = [{"review": f"電影{i}{said[i % 2]}", "verdict": str(i % 2)} for i in range(40)]
    lines = []
    result = run(table, tmp_path, methods="tfidf,zero-shot,head", say=lines.append)
    assert result.names == ["majority", "tfidf"]
    assert any("warning" in line and "the encoder does not know" in line for line in lines)
    result.save(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('class="loud"') == 2 and "the prompted model does not know" in page
    assert all("--model index" in result.left_out[name] for name in ("zero-shot", "head"))


def test_a_served_model_is_told_what_is_sent(reviews, tmp_path):
    said = []
    with endpoint(lambda path, request, number: (200, {}, chat_completion("positive"))) as (
        url,
        seen,
    ):
        served = Served("m", url, price_read=1.0, price_written=2.0)
        settings = {"methods": "majority,served-zero-shot", "served": served, "say": said.append}
        result = run(reviews, tmp_path / "r", **settings)
        private = [
            {**row, "review": f"{row['review']} mail a{i}@b.com"} for i, row in enumerate(reviews)
        ]
        before = len(seen)
        with pytest.raises(ValueError, match="e-mail.*allow_personal"):
            run(private, tmp_path / "p", **settings)
        assert len(seen) == before
    (cell,) = result.cells_of("served-zero-shot")
    assert cell.sent[0] == len(result.data.test) == len(seen)
    assert any(url in line and "are sent" in line for line in said)
    assert result.table().loc["served-zero-shot", "money"] > 0
    assert set(cell.answers) == {"positive"}


def echoing(path, request, number):
    """An endpoint of plain completions that tells log-probabilities: the last word is likelier the
    shorter it is.
    """
    text = request["prompt"]
    if not request.get("echo"):
        return 200, {}, completion(" Say what it is .")
    cut = text.rindex(" ")
    tokens, offsets = [text[:cut], text[cut:], "!"], [0, cut, len(text)]
    logprobs = {
        "tokens": tokens,
        "text_offset": offsets,
        "token_logprobs": [None, -float(len(text) - cut), -1.0],
    }
    return 200, {}, completion(text + "!", logprobs)


def test_prompts_for_a_served_model_are_calibrated_and_searched(reviews, tmp_path):
    names = "served-few-shot-calibrated,served-search"
    rows = [row | {"verdict": row["verdict"][:3]} for row in reviews]
    rows = [row | {"verdict": "x" * (3 + (row["verdict"] == "pos"))} for row in rows]
    with endpoint(echoing) as (url, seen):
        served = Served("m", url, chat=False)
        result = run(rows, tmp_path, methods=names, served=served, seeds=1, sizes=[44])
        asked, kept = len(seen), load_learned(tmp_path, "served-search")
        assert use(read_table([{"review": "a new one"}]), *kept) == ["xxx"]
    assert result.complete() == ["majority", *names.split(",")] and not result.left_out
    assert result.sent[0] >= asked > 0
    calibrated, searching = (result.cells_of(name)[0] for name in names.split(","))
    assert set(searching.answers) == {"xxx"}  # the shorter label, whatever is asked
    state = json.loads(
        (tmp_path / "methods" / "served-few-shot-calibrated" / "method.json").read_text("utf-8")
    )
    assert state["offsets"][0] - state["offsets"][1] == pytest.approx(1.0)  # taken off again
    assert calibrated.learning.calls > 0


def test_what_an_endpoint_does_not_tell_is_named(reviews, tmp_path):
    """By chat before anything is sent; of plain completions as soon as it is asked. What was sent
    by then is told.
    """

    def answer(path, request, number):
        return 200, {}, (chat_completion if "messages" in request else completion)("positive")

    names = "served-few-shot-calibrated,served-zero-shot"
    with endpoint(answer) as (url, seen):
        for chat in (True, False):
            out = tmp_path / str(chat)
            served, before = Served("m", url, chat), len(seen)
            result = run(reviews, out, methods=names, served=served, seeds=1, sizes=[20])
            why = result.left_out["served-few-shot-calibrated"]
            assert "log-probabilities of labels" in why and "--completions" in why
            assert ("does not repeat" in why) == (not chat)
            assert set(result.cells_of("served-zero-shot")[0].answers) == {"positive"}
            assert result.sent[0] >= len(seen) - before > 0
            assert (result.sent_in_vain[0] > 0) == (not chat)


def test_a_search_with_a_served_model_is_done_only_if_it_is_named(reviews):
    served = Served("m", "http://localhost:1/v1")
    given = ("tiny", None, None, None, "", None, job.RunSettings(None))
    default = job.prepared_job(reviews, "review", "verdict", None, *given, served=served)
    assert "served-few-shot" in {method.name for method in default.methods}
    assert "served-search" not in {method.name for method in default.methods}


def test_memory_of_a_graphics_processor_stands_beside_the_main_memory(
    reviews, tmp_path, monkeypatch
):
    now = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", now.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda card: (card + 1) * 10**9)
    with peak_memory() as peak:
        assert now == [0, 1] and peak.gpu is None
    assert peak.gpu == 3 * 10**9
    monkeypatch.undo()
    with peak_memory() as peak:
        pass
    assert peak.gpu is None and (peak.main or 10**9) > 10**6
    result = run(reviews, tmp_path, methods="majority,tfidf", seeds=1, sizes=[20])
    assert "GPU" not in report.costs_table(result)
    result.cells = tuple(replace(cell, peak_gpu_bytes=12 * 10**6) for cell in result.cells)
    shown = report.costs_table(result)
    assert "<th>GPU MB" in shown.replace(' class="number"', "") and ">12<" in shown


# plan


def test_the_plan_begins_with_the_screen():
    plan = make_plan(methods_named(None), 1000, False, None, 3)
    first, *rest = plan.phases()
    assert [cell.method for cell in first] == FAST and {cell.seed for cell in first} == {0}
    assert plan.sizes == (8, 32, 128, 512, 1000)
    seen = set()
    for cell in (cell for phase in plan.phases() for cell in phase):
        assert cell.seed == 0 or (cell.method, cell.size) in seen
        seen.add((cell.method, cell.size))
    assert rest[1][0].method == "lora"


def test_budgets_sizes_and_test_items():
    assert [seconds_of(b) for b in ("90s", "10m", "1.5h", 7, None)] == [90, 600, 5400, 7, None]
    for wrong in ("ten", "-1m", "0"):
        with pytest.raises(ValueError, match="expected a time"):
            seconds_of(wrong)
    assert sizes_for(40) == [8, 40] and sizes_for(12) == [8, 12] and sizes_for(100, [5]) == [5, 100]
    with pytest.raises(ValueError, match="1 to 100"):
        sizes_for(100, [200])
    assert (
        affordable_items(1.0, 0.0, 500, 600) == 100 and affordable_items(0.1, 0.0, 500, None) == 500
    )
    with pytest.raises(ValueError, match="no method 'lore'"):
        methods_named("lore")


def test_a_large_table_is_shortened_to_the_labels_that_there_is_time_for():
    def slow(size):
        return 0.1 * size

    assert affordable_labels(slow, 10_000, 600, named=False) == 512
    assert affordable_labels(slow, 10_000, 600, named=True) == 2048
    assert affordable_labels(slow, 10_000, None, named=False) == 10_000
    assert affordable_labels(slow, 100, 1, named=False) == 100
    # labels that cost nothing are not left out, whatever else takes long
    assert affordable_labels(lambda size: 500.0, 10_000, 600, named=False) == 10_000


def test_left_out_labels_are_said_and_a_run_that_goes_on_keeps_their_number(
    reviews, tmp_path, monkeypatch
):
    said = []
    with monkeypatch.context() as patch:
        patch.setattr(job, "affordable_labels", lambda *given: 20)
        first = run(reviews, tmp_path, methods="majority,tfidf", budget="1h", say=said.append)
    again = run(reviews, tmp_path, methods="majority,tfidf", budget="1h")
    for result in (first, again):
        assert result.sizes[-1] == len(result.data.train) == 20
        (finding,) = (f for f in result.data.findings if "left out" in f.kind)
        assert finding.count == 24 and "budget" in finding.what
    assert any(line.startswith("24 ") and "20" in line for line in said)
    assert any(line.startswith("models: none") for line in said)


# the commands


def test_the_commands_from_file_to_answers(reviews, tmp_path, monkeypatch, capsysbinary):
    monkeypatch.chdir(tmp_path)
    lines = ["review;verdict", *(f"{row['review']};{row['verdict']}" for row in reviews)]
    (tmp_path / "reviews.csv").write_text("\n".join(lines), encoding="utf-8")
    given = ["reviews.csv", "--text", "review", "--label", "verdict", "--model", "tiny"]
    compare_main([*given, "--methods", "majority,zero-shot", "--dry-run"])
    shown = capsysbinary.readouterr().out.decode()
    assert "zero-shot" in shown and "tokens read" in shown and not (tmp_path / "report").exists()
    compare_main([*given, "--methods", "majority,zero-shot", "--budget", "none", "--sizes", "8"])
    out = capsysbinary.readouterr().out.decode()
    assert "report.html" in out
    head, *rows = out.splitlines()
    assert head.split("  ")[0] == "method" and "accuracy %" in head and "ms an answer" in head
    assert {row.split()[0] for row in rows[:2]} == {"majority", "zero-shot"}
    new = f"id;review\n7;{reviews[0]['review']}\n8;\n".encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(new)))
    with pytest.warns(UserWarning, match="1 rows have no text"):
        use_main(["report", "--method", "zero-shot"])  # with the separator that the rows have
    header, first, second = capsysbinary.readouterr().out.decode().splitlines()
    assert header == "id;review;verdict"
    assert first == f"7;{reviews[0]['review']};{reviews[0]['verdict']}" and second == "8;;"
    (tmp_path / "new.jsonl").write_text(json.dumps({"review": reviews[0]["review"]}), "utf-8")
    use_main(["report", "new.jsonl", "--method", "zero-shot"])  # a file, in its own format
    assert json.loads(capsysbinary.readouterr().out)["verdict"] == reviews[0]["verdict"]
    with pytest.raises(SystemExit, match="the name of a file says its format"):
        use_main(["report", "new.jsonl", "--method", "zero-shot", "--format", "tsv"])


@pytest.mark.parametrize(
    "change, named",
    [
        ({0: "missing.csv"}, "no file 'missing.csv'"),
        ({2: "revue"}, "did you mean 'review'"),
        ({0: "latin.csv"}, "0xe9.*--encoding"),
    ],
)
def test_a_wrong_file_ends_with_one_line(change, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_text("review,verdict\na,b\n", encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes("review,verdict\ncafé,b\n".encode("cp1252"))
    given = ["reviews.csv", "--text", "review", "--label", "verdict"]
    for place, value in change.items():
        given[place] = value
    with pytest.raises(SystemExit, match=named):
        compare_main(given)


def test_a_report_without_the_method_is_named(tmp_path):
    with pytest.raises(SystemExit, match="results.json"):
        monkey = pytest.MonkeyPatch()
        monkey.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"review\na\n")))
        try:
            use_main([str(tmp_path)])
        finally:
            monkey.undo()
