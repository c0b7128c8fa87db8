"""Instruction tuning: what is tuned on, what is held out, what the controls leave of an
instruction, and the model that ships.
"""

import json
import shutil
from collections import Counter
from dataclasses import asdict, replace
from functools import cache
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.finetuning import instruction_tuning, release
from course.finetuning.instruction_tuning import AFTER, ALONE, BEFORE, INLINE, Control, Tuning
from course.foundation.rng import Rng
from course.lm.contract import Sample, TextModel
from course.lm.language_model import load
from course.models import loading as models
from course.models import shipped, sources
from course.pretraining.recipes import RECIPES
from course.prompting.evaluation import all_profiles, questions, scores
from course.tasks.registry import load_task
from course.world.corpus import Corpus
from course.world.held_out import INSTRUCTION_MARK, SIBLINGS
from course.world.instructions import INSTRUCTIONS
from course.world.split import TEST, TRAIN

WORDING = "give the opposite of the word ."


class Oracle(TextModel):
    """Writes what a function of the prompt says, as a model that goes on after its answer would."""

    def __init__(self, answer):
        self.answer = answer

    def generate(self, prompts, config=None, **changes):
        return [[Sample(f" {self.answer(prompt)} ", 1, 0.0, "stop")] for prompt in prompts]

    def score(self, prompts, continuations) -> np.ndarray:
        raise NotImplementedError


@pytest.fixture(scope="module")
def base():
    return load("gpt-small")


def test_a_request_is_what_it_is_about_and_what_is_asked():
    assert (
        instruction_tuning.request(WORDING, "hot")
        == f"input : hot \n instruction : {WORDING} \n output :"
    )
    assert (
        instruction_tuning.request(WORDING, "hot", BEFORE)
        == f"instruction : {WORDING} \n input : hot \n output :"
    )
    assert (
        instruction_tuning.request(WORDING, "hot", INLINE)
        == f"instruction : {WORDING} hot \n output :"
    )
    assert (
        instruction_tuning.request("what is the opposite of hot ?")
        == "instruction : what is the opposite of hot ? \n output :"
    )
    assert instruction_tuning.request("", "hot") == "input : hot \n output :"
    with pytest.raises(ValueError, match="neither a wording nor a text"):
        instruction_tuning.request("")


def test_clusters_hold_every_described_task_once():
    found = [name for names in instruction_tuning.clusters().values() for name in names]
    assert len(found) == len(set(found)) and set(found) | set(instruction_tuning.LEFT_OUT) == set(
        INSTRUCTIONS
    )
    assert {*instruction_tuning.HELD_OUT, *instruction_tuning.CHOSEN_BY} <= set(
        instruction_tuning.clusters()
    )
    assert not set(instruction_tuning.HELD_OUT) & set(instruction_tuning.CHOSEN_BY), (
        "what is tested chose nothing"
    )
    assert set(instruction_tuning.others("geography")) == set(instruction_tuning.clusters()) - {
        "geography"
    }
    with pytest.raises(ValueError, match="no cluster 'cookery'; choose from arithmetic"):
        instruction_tuning.others("cookery")


CLUSTERS = st.lists(
    st.sampled_from(sorted(instruction_tuning.clusters())), min_size=1, max_size=6, unique=True
)


@settings(max_examples=25, deadline=None)
@given(CLUSTERS, st.integers(1, 3))
def test_a_mixture_has_instructions_of_its_clusters_and_training_items_alone(chosen, wordings):
    tuning = Tuning(tuple(chosen), wordings, forms=(AFTER,), corpus_share=0.0)
    made = instruction_tuning.mixture(tuning, 60)
    tasks = [name for cluster in chosen for name in instruction_tuning.clusters()[cluster]]
    known = {text: name for name in tasks for text in INSTRUCTIONS[name][:wordings]}
    for prompt, completion in made:
        text, rest = prompt.removeprefix("input : ").split(f" \n {INSTRUCTION_MARK} ")
        words = rest.removesuffix(" \n output :")
        assert words in known
        same = [n for n in tasks if words in INSTRUCTIONS[n][:wordings]]
        assert any((text, completion.removesuffix(" \n")) in training_items(n) for n in same)


@cache
def training_items(name: str) -> set[tuple[str, str]]:
    """What the task itself says are its training items, however many."""
    return {
        (e.input, e.output)
        for e in load_task(name, sizes={TRAIN: instruction_tuning.CAP}).examples(TRAIN)
    }


def test_clusters_have_the_same_share_of_a_mixture_whatever_their_number_of_tasks():
    chosen = ("geography", "topic", "words")
    made = instruction_tuning.mixture(Tuning(chosen, forms=(AFTER,), corpus_share=0.0), 900)
    cluster_of = {
        text: c
        for c in chosen
        for n in instruction_tuning.clusters()[c]
        for text in INSTRUCTIONS[n]
    }
    counts = Counter(
        next(c for text, c in cluster_of.items() if text in prompt) for prompt, _ in made
    )
    assert set(counts) == set(chosen) and all(240 < count < 360 for count in counts.values())


def test_a_request_alone_is_for_inputs_that_ask_for_something():
    made = instruction_tuning.mixture(
        Tuning(("closed-book questions", "topic"), forms=(ALONE, INLINE), corpus_share=0.0), 200
    )
    alone = [
        prompt
        for prompt, _ in made
        if not any(text in prompt for texts in INSTRUCTIONS.values() for text in texts)
    ]
    assert alone and not any("the " in prompt and " was " in prompt for prompt in alone), (
        "no review alone"
    )


def test_a_share_of_a_mixture_is_unread_text_of_the_corpus():
    tuning = Tuning(("topic",), seed=1)
    made = instruction_tuning.mixture(tuning, 300)
    documents = [document for prompt, document in made if not prompt]
    assert 35 < len(documents) < 85, "a fifth"
    stream = Corpus().stream(instruction_tuning.TUNING_STREAMS + 1)
    assert documents == list(islice(stream, len(documents)))
    assert max(recipe.steps for recipe in RECIPES.values()) < instruction_tuning.TUNING_STREAMS
    requests = [prompt for prompt, _ in made if prompt]
    marked = [prompt.startswith(INSTRUCTION_MARK) for prompt in requests]
    assert 0.3 < sum(marked) / len(requests) < 0.95, "some descriptions stand below their input"


def test_clusters_that_are_held_out_together_are_no_siblings_and_siblings_are_tuned_on():
    for turn in instruction_tuning.TURNS:
        rest = instruction_tuning.others(*turn)
        for cluster in turn:
            siblings = SIBLINGS.get(cluster, ())
            assert not set(siblings) & set(turn) and set(siblings) <= set(rest)
    assert not set(instruction_tuning.CHOSEN_BY) & set(instruction_tuning.HELD_OUT)


def test_controls_take_away_what_they_say():
    rng = Rng("test")
    for name in ("capital", "is_large", "inference"):
        right = INSTRUCTIONS[name][1]
        made = {control: instruction_tuning.worded(name, 1, control, rng) for control in Control}
        assert made[Control.INSTRUCTION] == right and made[Control.NONE] == ""
        assert made[Control.NAME] == name.replace("_", " ")
        assert (
            sorted(made[Control.SHUFFLED].split()) == sorted(right.split())
            and made[Control.SHUFFLED] != right
        )
        owner = next(n for n, texts in INSTRUCTIONS.items() if made[Control.OTHER] in texts)
        assert not any(
            {owner, name} <= set(names) for names in instruction_tuning.clusters().values()
        )
    assert INSTRUCTION_MARK not in instruction_tuning.request(made[Control.NONE], "hot")


def test_accuracy_is_the_share_of_right_texts_over_items_and_wordings():
    right = {e.input: e.output for e in load_task("capital").examples(TEST)}

    def answer(prompt: str) -> str:
        text = prompt.removeprefix("input : ").split(" \n")[0]
        return right[text] if "name the capital" in prompt else "nowhere"

    found = instruction_tuning.evaluate(Oracle(answer), ["geography"])
    assert found["capital"] == pytest.approx(100 / 3) and found["flag"] == 0
    assert (
        instruction_tuning.evaluate(Oracle(answer), ["geography"], wordings=(0,))["capital"] == 100
    )
    assert (
        instruction_tuning.evaluate(Oracle(answer), ["geography"], wordings=(1, 2))["capital"] == 0
    )
    assert (
        instruction_tuning.evaluate(Oracle(lambda prompt: answer(prompt) + " city"), ["geography"])[
            "capital"
        ]
        == 0
    ), "no more than the answer"


def test_means_count_clusters_not_tasks():
    by_task = {"capital": 100.0, "country": 100.0, "flag": 40.0, "topic": 20.0}
    assert instruction_tuning.by_cluster(by_task) == {"geography": 80.0, "topic": 20.0}
    assert instruction_tuning.mean_by_cluster(by_task) == 50.0


def test_settings_that_make_no_sense_are_refused(base):
    with pytest.raises(ValueError, match="no cluster 'cookery'"):
        Tuning(("cookery",))
    with pytest.raises(ValueError, match="no clusters to tune on"):
        Tuning(())
    with pytest.raises(ValueError, match="wordings=4: expected a whole number from 1 to 3"):
        Tuning(("topic",), wordings=4)
    with pytest.raises(ValueError, match="topic: to tune on and to validate on"):
        instruction_tuning.tune(base, Tuning(("topic", "words")), validate_on=["topic"])


@pytest.mark.parametrize("rank", [None, 4])
def test_tuning_teaches_what_is_asked_and_leaves_the_base_as_it_was(base, rank):
    before = [p.clone() for p in base.model.parameters()]
    tuned = instruction_tuning.tune(
        base, Tuning(("topic", "words"), steps=30, learning_rate=3e-3, rank=rank)
    )
    assert all(torch.equal(a, b) for a, b in zip(before, base.model.parameters(), strict=True))
    now, then = (
        instruction_tuning.evaluate(model, ["topic"])["topic"] for model in (tuned.model, base)
    )
    assert now > then + 20
    assert not hasattr(tuned.model.model, "peft_config")


def test_validation_keeps_the_best_weights(base):
    tuned = instruction_tuning.tune(
        base, Tuning(("topic",), steps=6), validate_on=["words"], validate_every=3
    )
    assert [step for step, _ in tuned.history.scores] == [0, 3, 6]
    best = max(score for _, score in tuned.history.scores)
    assert instruction_tuning.validation_accuracy(
        tuned.model, Tuning(("topic",)), ["words"]
    ) == pytest.approx(best)


@pytest.fixture(scope="module")
def shipped_twice(tmp_path_factory):
    """A short tuning of the shipped model, shipped twice into copies of the package's weights."""
    made = []
    for run in range(2):
        target = tmp_path_factory.mktemp(f"run{run}") / "weights"
        shutil.copytree(
            shipped.WEIGHTS,
            target,
            ignore=shutil.ignore_patterns("gpt-middle*", "gpt-small-*", "bert-*", "gpt-tuned"),
        )
        release.ship(replace(release.SHIPPED, steps=2), target)
        made.append(target)
    return made


def test_the_shipped_adapter_comes_out_the_same_again(shipped_twice):
    first, second = (
        json.loads((target / "sha256.json").read_text(encoding="utf-8")) for target in shipped_twice
    )
    assert {path: first[path] for path in first if "training" not in path} == {
        p: second[p] for p in second if "training" not in p
    }
    assert {path.split("/")[0] for path in first} == {"gpt-large", "gpt-small", "gpt-tuned"}


def test_an_adapter_of_other_weights_is_refused(shipped_twice, monkeypatch):
    folder = shipped_twice[0]
    monkeypatch.setattr(shipped, "WEIGHTS", folder)
    monkeypatch.setattr(shipped, "HASHES", folder / "sha256.json")
    assert (
        models.load_model("gpt-tuned").num_parameters()
        == models.load_model("gpt-large").num_parameters()
    )
    record = folder / "gpt-tuned" / "training.json"
    made = json.loads(record.read_text(encoding="utf-8"))
    record.write_text(json.dumps(made | {"base_sha256": "0" * 64}), encoding="utf-8")
    with pytest.raises(
        shipped.WeightsError, match=r"gpt-tuned/training.json is not the file that was shipped"
    ):
        models.load_model("gpt-tuned")
    monkeypatch.setattr(sources, "checked_folder", lambda name: folder / name)
    with pytest.raises(
        shipped.WeightsError,
        match="trained on other weights of gpt-large than the package has; make it again with",
    ):
        models.load_model("gpt-tuned")


def test_the_tuned_model_answers_and_stops_and_still_reads_demonstrations():
    tuned, untuned = load("gpt-tuned"), load("gpt-large")
    asked = [
        instruction_tuning.request("what is the capital of dorland ?"),
        instruction_tuning.request(WORDING, "hot"),
        instruction_tuning.request(WORDING, "hot", BEFORE),
    ]
    assert instruction_tuning.answers(tuned, asked) == ["rosken", "cold", "cold"]
    assert all(samples[0].finish == "end" for samples in tuned.generate(asked, max_tokens=8)), (
        "it ends the text by itself"
    )
    shown, alone = (questions(all_profiles("region"), shots, 60) for shots in (4, 0))
    assert scores(tuned, shown, written=True).mean() > max(
        scores(tuned, alone, written=True).mean() + 0.1,
        scores(untuned, shown, written=True).mean() - 0.2,
    ), "it still reads demonstrations"


def test_the_tuned_model_is_made_as_the_package_says():
    made = json.loads((shipped.WEIGHTS / "gpt-tuned" / "training.json").read_text(encoding="utf-8"))
    settings = json.loads(json.dumps(asdict(release.SHIPPED)))
    assert made["tuning"] == settings and made["base_sha256"] == shipped.weights_sha256("gpt-large")


def test_samples_are_test_items_with_their_wording():
    (wording, example), (_, other) = instruction_tuning.samples(("capital", "sentiment"), seed=1)
    assert wording == INSTRUCTIONS["capital"][0] and example in load_task("capital").examples(TEST)
    assert other.output in ("positive", "negative")


def test_forms_differ_in_where_the_instruction_stands():
    assert AFTER.index("{x}") < AFTER.index("{w}") and BEFORE.index("{w}") < BEFORE.index("{x}")
