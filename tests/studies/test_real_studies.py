"""Studies of real models: what they name and keep, and, with a toy in the model's place, that they
measure what they say.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy_data import write_induction, write_toy_data

from course.compare import ModelChoice, generators
from course.foundation.intervals import FEWEST_UNITS
from course.lm import load
from course.models import HubError, load_model, model_names
from course.prompting import evaluation
from course.prompting.evaluation import Question, scores
from course.prompting.prompts import PLAIN, Prompt
from course.studies import advice_tables, choosing, real_choosing, real_study
from course.studies.command import main, measure
from course.studies.on_real_models import (
    adapters,
    advice,
    forgetting,
    heads,
    in_context,
    questions,
    requests,
    specialist,
    tuned,
)
from course.studies.on_real_models.catalogue import REAL_STUDIES, of_tier
from course.studies.real_study import REAL_TIERS, RealStudy
from course.studies.records import partial_runs
from course.studies.tables import where
from course.tasks import LOCAL_DATA, load_task

#: The shipped models have no words for school problems.
KNOWN = ["the capital of dorland is rosken ."]


@pytest.fixture
def data(tmp_path, monkeypatch):
    write_toy_data(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_TIER", "index")


@pytest.fixture
def toy(data, monkeypatch):
    """The smallest shipped model in the real one's place, and few questions."""
    small = {
        "load": lambda role, precision: load("gpt-small", "tiny"),
        "load_model": lambda role: load_model("gpt-small", "tiny"),
        "PRECISION": "fp32",
        "ASKED": 4,
        "SHOTS": (0, 2),
        "SPECIALIST_LABELS": (8,),
        "LLM_LABELS": 8,
        "LLM_STEPS": 1,
        "STORED_TASKS": (1, 3),
    }
    for module in (adapters, forgetting, in_context, questions, specialist, tuned):
        for name in small.keys() & vars(module).keys():
            monkeypatch.setattr(module, name, small[name])


def test_every_study_names_models_and_data_that_there_are():
    for study in REAL_STUDIES.values():
        assert set(study.models) <= set(model_names("index")) and set(study.data) <= set(LOCAL_DATA)
        assert len(study.seeds) >= FEWEST_UNITS
        paths = {of_tier(study, tier).path for tier in REAL_TIERS}
        assert len(paths) == len(REAL_TIERS)


def test_a_record_is_of_the_models_and_the_data(data, monkeypatch):
    study = REAL_STUDIES["demonstrations"]
    weights = study.weights()
    assert set(weights) == {"gpt-middle", "data: sentiment", "data: inference"}

    def no_name(repository, kind="model"):
        raise HubError("the hub does not answer")

    monkeypatch.setattr("course.models.roles.locked_revision", no_name)
    with pytest.raises(HubError):
        of_tier(study, "hub").weights()


def test_one_seed_is_kept_beside_the_others(data, tmp_path, monkeypatch):
    monkeypatch.setattr(real_study, "RECORDS", tmp_path)
    study = RealStudy("toy", 1, ("gpt-middle",), (0, 1), lambda seed: [{"value": seed}])
    measure(study, (1,))
    measure(study, (0,))
    runs, _ = partial_runs(study)
    assert runs == {"0": [{"value": 0}], "1": [{"value": 1}]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tier", "index", "heads", "--seed", "99"], "no seed 99 in heads; its seeds are"),
        (["--tier", "index", "quality"], "no such study: quality; choose from specialist"),
    ],
)
def test_the_command_refuses_what_there_is_not(arguments, message, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "tiny")
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_demonstrations_are_measured_under_every_condition_and_calibration(toy):
    rows = in_context.real_demonstrations(0)
    conditions = {(row["condition"], row["shots"]) for row in rows if "condition" in row}
    assert conditions == {("none", 0), *((name, 2) for name in in_context.CONDITIONS)}
    assert {row["calibration"] for row in rows if "calibration" in row} == {
        "none",
        "contextual",
        "batch",
    }
    assert all(0 <= row["value"] <= 100 for row in rows)


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_a_specialist_stands_beside_the_prompted_model(toy, monkeypatch):
    monkeypatch.setattr(specialist, "plain_texts", lambda seed: KNOWN)
    rows = specialist.specialist_or_prompt(0)
    assert {(row["way"], row["number"]) for row in rows} == {
        ("prompted", 0),
        ("prompted", 4),
        ("prompted", 8),
        ("LoRA", 8),
    }
    plain = {(r["way"], r["number"]): r["value"] for r in rows if r["measure"] == "plain text"}
    assert set(plain) == {("prompted", 0), ("LoRA", 8)}  # demonstrations change no weights
    assert plain["prompted", 0] != plain["LoRA", 8] and min(plain.values()) > 0


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_learning_curves_are_measured_as_far_as_each_method_goes(data, monkeypatch):
    tables = {"sentiment": advice.TABLES["sentiment"]}
    methods = ("majority", "tfidf", "zero-shot", "few-shot", "head", "lora-generator")
    small = {"ROWS": 24, "TESTED": 6, "TABLES": tables, "NAMES": methods, "LABELS": (4, 8)}
    small |= {"MOST_LABELS": {methods[-1]: 4}, "real_models": lambda: ModelChoice("gpt-small")}
    for name, value in small.items():
        monkeypatch.setattr(real_choosing, name, value)
    monkeypatch.setattr(choosing, "LABELS", (4, 8))
    monkeypatch.setattr(advice, "JUDGING", 6)
    monkeypatch.setattr(generators, "training", lambda size: 2)
    advice._rows.cache_clear()
    rows = real_choosing.real_choosing(0)
    sizes = {(row["method"], row["labels"]) for row in rows}
    assert sizes == {(m, n) for m in methods for n in (4, 8)} - {
        ("zero-shot", 4), ("zero-shot", 8), ("lora-generator", 8)
    } | {("zero-shot", 0)}  # fmt: skip
    assert all(0 <= row["value"] <= 100 and row["bytes"] > 0 for row in rows)
    monkeypatch.setattr(real_choosing, "LABELS", (4, 80))
    with pytest.raises(ValueError, match="sentiment: 16 rows to learn from, expected 80 of 24"):
        real_choosing.real_choosing(0)
    advice._rows.cache_clear()


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_what_is_forgotten_is_measured_before_and_after(toy, monkeypatch, tmp_path):
    write_induction(tmp_path, "rhymes", [{"input": f"{i} hat", "output": "cat"} for i in range(20)])
    monkeypatch.setenv("COURSE_INDUCTION", str(tmp_path))
    monkeypatch.setattr(forgetting, "REMEMBERED", ("rhymes",))
    monkeypatch.setattr(forgetting, "BEGINNINGS", ("the capital of dorland is",))
    monkeypatch.setattr(forgetting, "plain_texts", lambda seed: KNOWN)
    table = pd.DataFrame(forgetting.what_is_forgotten(0))
    wide = table.pivot(index="measure", columns="way", values="value")
    assert {*wide.index} == {"film snippets", "rhymes", "plain text", "text"}
    assert {*wide.columns} == {forgetting.BEFORE, forgetting.AFTER}
    before, after = wide.loc["plain text", [forgetting.BEFORE, forgetting.AFTER]]
    assert before != after and min(before, after) > 0
    texts = where(table, measure="text")
    assert texts["prompt"].nunique() == 1 and texts["text"].str.len().min() > 0


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_adapters_of_an_llm_stand_beside_the_prompted_one(toy):
    table = pd.DataFrame(adapters.adapters_of_llm(0))
    wide = table.pivot(index="method", columns="measure", values="value")
    assert [*wide.sort_values("bytes").index][0] == "none"
    assert {*wide.index} == {"none", *adapters.LLM_METHODS}
    assert 0 < wide.loc["ia3", "bytes"] < wide.loc["lora", "bytes"]
    assert wide["score"].between(0, 100).all()


def test_adapters_are_written_beside_one_model(toy):
    table = pd.DataFrame(adapters.hundred_adapters(0))
    size = where(table, measure="MB").set_index(["way", "tasks"])["value"]
    one = size["adapters", 3] - size["adapters", 1]
    assert size["adapters", 1] == pytest.approx(size["models", 1] + one / 2, rel=0.01)
    assert 0 < one < size["models", 1]


def test_heads_are_tried_pretrained_and_fresh_on_nested_labels(data, monkeypatch):
    learned = []

    class Toy:
        def score(self, rows):
            return 50.0

    def learn(task, labels, pretrained, seed, steps, precision):
        learned.append((task.name, labels, pretrained, len(task.data["train"]), steps))
        return Toy()

    monkeypatch.setattr(heads.learning, "learn", learn)
    monkeypatch.setattr(heads, "MORE_LABELS", {"inference": (2, 4)})
    rows = heads.more_heads(0)
    ways = [(row["task"], row["labels"], row["way"] == "pretrained") for row in rows]
    assert ways == [call[:3] for call in learned] and len(ways) == 4
    # all are drawn from the rows of which the first measurement took its labels
    assert {call[3] for call in learned} == {len(load_task("inference", seed=0).data["train"])}
    heads.real_answers(0)
    assert {call[0] for call in learned[4:]} == {"extraction"}
    assert {call[4] for call in learned[4:]} == {heads.ANSWER_STEPS}


@pytest.mark.filterwarnings("ignore::course.models.text.UnknownWordsWarning")
def test_the_advice_on_small_tables_is_judged_by_rows_that_it_has_not_seen(data, monkeypatch):
    # the tiny model has no word for "contradiction"
    tables = {"sentiment": advice.TABLES["sentiment"]}
    screen = ("majority", "tfidf", "zero-shot", "few-shot", "head")
    for name, value in {"ROWS": 24, "JUDGING": 6, "TABLES": tables, "SCREEN": screen}.items():
        monkeypatch.setattr(advice, name, value)
    monkeypatch.setattr(advice, "real_models", lambda: ModelChoice("gpt-small"))
    for cached in (advice._rows, advice._bench):
        cached.cache_clear()
    small, judges = (
        advice.small_table("sentiment", "advice/sentiment/0", 24),
        advice._judges("sentiment"),
    )
    texts = {item.text for item in (*small.train, *small.test)}
    assert len(texts) == 24 and len(judges) == 6 and not texts & {item.text for item in judges}
    rows = advice.real_advice(0)
    for cached in (advice._rows, advice._bench):
        cached.cache_clear()
    kinds = {(row["task"], row["part"]) for row in rows}
    assert kinds == {(t, p) for t in advice.TABLES for p in ("asked", "score", "advice")}
    score = {
        row["method"]: row["value"]
        for row in rows
        if (row["task"], row["part"]) == ("sentiment", "score")
    }
    assert set(score) == set(advice.SCREEN)
    # the most common answer of the small table on the rows that judge
    common = Counter(item.answer for item in small.train).most_common(1)[0][0]
    assert score["majority"] == pytest.approx(100 * np.mean([i.answer == common for i in judges]))
    (given,) = (row for row in rows if (row["task"], row["part"]) == ("sentiment", "advice"))
    assert given["value"] in (0, 100) and score[given["best"]] == max(score.values())
    table = pd.DataFrame([{"seed": 0} | row for row in rows])
    ((task, drawn),) = advice_tables.by_draw(table).iterrows()
    assert task == "sentiment" and drawn["right"] == ("yes" if given["value"] == 100 else "no")
    assert drawn["points behind"] == given["behind"]
    assert drawn["advice"].startswith("cannot tell: ") == (given["method"] == "")
    whole = advice_tables.by_task(table).loc["all"]
    assert whole["tables"] == 1 and whole["right (%)"] == given["value"]
    shown = advice_tables.by_method(table)["sentiment"]
    assert shown["TF-IDF"] == score["tfidf"] and len(shown) == len(advice.SCREEN)


def test_an_answer_counts_wherever_it_stands_in_a_reply():
    replies = ("The plural of cat is Cats.", "Catsuits, I think.", "62 + 96 = 158.")
    prompt = Prompt("cat", template=PLAIN)
    asked = [
        Question(prompt, words, "exact", ()) for words in (("cats",), ("cats",), ("15", "158"))
    ]
    assert requests.contained(asked, replies) == pytest.approx(200 / 3)


@pytest.mark.parametrize(
    ("metric", "answer", "reply", "stands"),
    [
        ("exact", "The cat was seen by her.", "Here it is: the cat was seen by\nher!", True),
        ("exact", "Is it so?", "is it so", True),
        ("exact", "It is so.", "It is sober.", False),
        ("set", "dog, cat", "The animals are Cat and dog.", True),
        ("set", "dog, cat", "The animal is a cat.", False),
    ],
)
def test_an_answer_stands_there_with_or_without_its_last_sign(metric, answer, reply, stands):
    asked = Question(Prompt("cat", template=PLAIN), (answer,), metric, ())
    assert requests.contained([asked], [reply]) == (100 if stands else 0)


def test_a_reply_is_graded_up_to_where_a_written_answer_ends():
    model = load("gpt-small", "tiny")
    asked = evaluation.questions(load_task("find_city", wanted_tier="tiny"), 4, 12)
    asked = [*asked[:8], *(replace(question, answers=("nowhere",)) for question in asked[8:])]
    replies = requests.replies_to(model, asked)
    assert max(map(len, replies)) > max(len(question.words[0]) for question in asked)
    expected = 100 * scores(model, asked, written=True).mean()
    assert 0 < expected < 100
    assert requests.answered(model, asked, replies) == pytest.approx(expected)
