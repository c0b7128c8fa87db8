"""Models that write prompts, and the search among what they wrote."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from course.lm.contract import Sample, TextModel
from course.lm.language_model import load
from course.search import (
    AskedWriter,
    BlankFiller,
    Objective,
    OpeningWriter,
    SuccessiveHalving,
    Trigger,
    Writer,
    WrittenPrompts,
    answers,
    search,
    tune_writer,
)  # fmt: skip
from course.search.triggers import triggers
from course.search.writing import distinct
from course.tasks.registry import load_task
from course.world.example import Example


@pytest.fixture(scope="module")
def gpt():
    return load("gpt-small", "tiny")


@pytest.fixture(scope="module")
def bert():
    return load("bert-middle", "tiny")


@dataclass(frozen=True)
class Listed(Writer):
    """Writes what it is told to."""

    first: tuple[str, ...]

    def write(self, examples, count, seed):
        return [*self.first, *[""] * (count - len(self.first))]

    def vary(self, prompt, examples, count, seed):
        return [prompt, f"{prompt} b"][:count]


@dataclass(frozen=True)
class Bare(Objective):
    """A prompt is the better the more of its words are ``b``; there are no examples to show."""

    size = 4

    def values(self, model, pairs):
        return np.array([float(prompt.split().count("b")) for prompt, _ in pairs])

    def held_out(self, model, prompt):
        return float(prompt.split().count("b"))


@dataclass(frozen=True)
class Counted(Bare):
    """The same with an example."""

    examples = (Example("x", "y"),)


def test_the_best_are_varied_and_every_text_that_is_written_is_counted():
    method = WrittenPrompts(
        Listed(("a", "b", "b  b")),
        count=5,
        resampled=2,
        best=1,
        variations=2,
        best_arm=partial(SuccessiveHalving, first=4),
    )
    found = search(method, Counted(), None, budget=100)
    assert found.prompt == "b b b b" and [step.prompt for step in found.steps] == [
        "b b",
        "b b b",
        "b b b b",
    ]
    assert found.calls == 5 + 3 * 4 + 2 + 4 + 2 + 4


@dataclass(frozen=True)
class Uneven(Counted):
    """A single ``b`` is fair on every item, more of them are good on a few items and bad on all
    others.
    """

    size = 32

    def values(self, model, pairs):
        return np.array([0.5 if prompt == "b" else float(item < 8) for prompt, item in pairs])


def test_a_variation_takes_the_place_of_the_best_only_if_it_is_better_where_both_were_tried():
    method = WrittenPrompts(Listed(("b",)), count=1, resampled=3, best=1, variations=2)
    for seed in range(6):
        found = search(method, Uneven(), None, budget=1000, seed=seed)
        assert found.prompt == "b"


def test_a_budget_that_ends_within_a_race_leaves_its_leader():
    method = WrittenPrompts(Listed(tuple("a b " * n + "a" for n in range(8))), count=8, resampled=0)
    found = search(method, Counted(), None, budget=8 + 8 + 5)
    assert found.prompt.split().count("b") == 7 and found.calls < 21


def test_prompts_of_people_may_take_part():
    found = search(
        WrittenPrompts(Listed(("a",)), count=1, resampled=0, start=("b",)),
        Counted(),
        None,
        budget=20,
    )
    assert found.prompt == "b"


def test_writers_that_cannot_serve_are_refused():
    with pytest.raises(ValueError, match="all 3 texts that the writer wrote are empty"):
        search(WrittenPrompts(Listed(()), count=3), Counted(), None, budget=20)
    with pytest.raises(ValueError, match="Bare has no examples"):
        search(
            WrittenPrompts(Listed(("a",))),
            Bare(),
            None,
            budget=20,
        )
    with pytest.raises(ValueError, match="count=0: expected a whole number of at least 1"):
        WrittenPrompts(Listed(()), count=0)


def test_space_and_doubles_do_not_matter():
    assert distinct(["a  b", "", "a b ", "c\n"]) == ("a b", "c")


def test_bert_names_a_task_from_its_list(bert):
    examples = answers("plural", 20, 1, wanted_tier="tiny").examples
    texts = BlankFiller(bert).write(examples, 12, seed=0)
    assert "the plural of each word" in texts and [len(t.split()) for t in texts[:4]] == [
        3,
        4,
        5,
        6,
    ]
    assert (
        texts
        == BlankFiller(bert).write(examples, 12, seed=0)
        != BlankFiller(bert).write(examples, 12, seed=1)
    )


def test_a_variation_of_a_title_keeps_some_of_its_words(bert):
    title = "the plural of each word"
    varied = BlankFiller(bert).vary(
        title, answers("plural", 20, 1, wanted_tier="tiny").examples, 6, seed=0
    )
    assert all(len(text.split()) == 5 for text in varied) and any(
        set(text.split()) & set(title.split()) for text in varied
    )


def test_bad_fillers_of_blanks_are_refused(gpt, bert):
    with pytest.raises(ValueError, match="temperature=0"):
        BlankFiller(bert, temperature=0)
    with pytest.raises(ValueError, match="use a masked one"):
        BlankFiller(gpt)


def test_a_tuned_writer_names_tasks_that_it_was_tuned_on(gpt):
    writer = tune_writer(gpt, ("tagging",), steps=60)
    texts = writer.write(answers("is_above_fifty", 30, 1, wanted_tier="tiny").examples, 12, seed=0)
    assert sum("number" in text or "fifty" in text for text in texts) >= 6
    assert all(
        text.startswith("the plural")
        for text in writer.vary("the plural of word", [Example("cat", "cats")] * 3, 3, 0)
    )
    with pytest.raises(ValueError, match="no cluster 'sports'"):
        tune_writer(gpt, ("sports",))


class Echo(TextModel):
    """Answers with the number of the request and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def generate(self, prompts, config=None, **changes):
        self.asked += prompts
        return [
            [Sample(f" text {i} {k}", 1, 0.0, "stop") for k in range(changes.get("n", 1))]
            for i in range(len(prompts))
        ]

    def score(self, prompts, continuations):
        raise NotImplementedError


def test_a_real_model_is_asked_with_demonstrations_then_for_variations():
    model, examples = Echo(), [Example(f"in{i}", f"out{i}") for i in range(9)]
    writer = AskedWriter(model)
    assert writer.write(examples, 2, 0) == ["text 0 0", "text 1 0"] and writer.vary(
        "be brief", examples, 2, 0
    ) == ["text 0 0", "text 0 1"]
    first, second, variation = model.asked
    assert (
        first.count("Input: in") == 5
        and "Output: out" in first
        and first.endswith("The instruction was to")
        and first != second
    )
    assert "Input: be brief" in variation


def test_the_trigger_phrase_is_found_in_the_models_own_solutions(gpt):
    objective = triggers(steps=2, train=8, test=12)
    assert not {p.question for p in objective.train} & {p.question for p in objective.test}
    found = search(
        WrittenPrompts(OpeningWriter(gpt), count=16, variations=4), objective, gpt, budget=400
    )
    assert (
        found.prompt.endswith(" .")
        and found.held_out > objective.held_out(gpt, "the answer is") + 30
    )


def test_solutions_of_one_problem_begin_differently(gpt):
    examples = triggers(steps=2, train=2, test=1).examples
    written = OpeningWriter(gpt, temperature=1.5).write(examples, 12, seed=0)
    assert len(written) == 12 and len(set(written)) > 2, "no more than one text a problem"


def test_problems_of_two_tasks_make_no_objective():
    one, other = triggers(train=1, test=1), triggers("route", train=1, test=1)
    with pytest.raises(ValueError, match="expected those of one task"):
        Trigger(one.train, other.test)


def test_a_task_that_is_loaded_makes_an_objective():
    task = load_task("capital", wanted_tier="tiny")
    assert answers(task, 4, 4).train == answers("capital", 4, 4, wanted_tier="tiny").train
