"""Questions are held out and paired; answers are judged as they are."""

import numpy as np
import pytest

from course.lm.contract import Sample, TextModel
from course.lm.language_model import load
from course.prompting.evaluation import (
    Question,
    all_profiles,
    best_possible,
    changed,
    fresh_questions,
    questions,
    recognised,
    scores,
    stranger_questions,
)
from course.prompting.prompts import DemonstrationsDoNotFit, Prompt, Template, Verbalizer
from course.prompting.selection import Balanced
from course.world.example import Example
from course.world.exercises import CHAINS, EXERCISES
from course.world.lexicon import VELAN_NOUNS
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.relations import dialect_forms
from course.world.split import TEST, TRAIN


@pytest.fixture(scope="module")
def model():
    return load("gpt-small")


class Parrot(TextModel):
    """Writes the word that it was given for each prompt, and likes it best among labels."""

    def __init__(self, words):
        self.words = words

    def generate(self, prompts, config=None, **changes):
        self.settings = changes
        return [[Sample(f" {self.words[prompt]}", 1, 0.0, "stop")] for prompt in prompts]

    def score(self, prompts, continuations):
        return np.array(
            [float(c.strip() == self.words[p]) for p, c in zip(prompts, continuations, strict=True)]
        )


@pytest.mark.parametrize("name", ["dialect", "is_large", "sentiment", "capital"])
def test_questions_are_held_out_and_demonstrations_are_training(name):
    task = list_tasks()[name]
    for question in questions(all_profiles(name), 4, 20):
        prompt = question.prompt
        profile = next(
            p
            for p in task.profiles
            if all(task.output(e.input, p) == e.output for e in prompt.demonstrations)
        )
        assert task.split(prompt.query, profile) == TEST
        assert all(task.split(e.input, profile) == TRAIN for e in prompt.demonstrations)
        assert question.answers[0] in {task.output(prompt.query, p) for p in task.profiles}
        assert question.outputs == task.labels or set(question.outputs) <= set(task.outputs)


def test_questions_are_paired_across_numbers_of_demonstrations():
    tasks = all_profiles("dialect")
    few, many = (questions(tasks, k, 10, seed=3) for k in (2, 5))
    for a, b in zip(few, many, strict=True):
        assert (a.prompt.query, a.answers) == (b.prompt.query, b.answers)
        assert a.prompt.demonstrations == b.prompt.demonstrations[:2]
    assert questions(tasks, 2, 10, seed=3) == few != questions(tasks, 2, 10, seed=4)


def test_a_selection_and_a_template_are_used():
    task = all_profiles("is_large")[0]
    for question in questions(
        task,
        6,
        5,
        selection=Balanced(task.labels),
        template=Template("{x} ; {y} \n"),
        instruction="is it large",
    ):
        assert sorted(e.output for e in question.prompt.demonstrations) == ["no"] * 3 + ["yes"] * 3
        assert question.prompt.text.startswith("is it large \n") and question.prompt.text.endswith(
            " ;"
        )


def question_of(query: str, answer: str, labels=(), **settings) -> Question:
    verbalizer = Verbalizer.of(labels) if labels else Verbalizer()
    answers = (answer,) if labels else (answer, "also this")
    return Question(Prompt(query, (), verbalizer=verbalizer, **settings), answers, "exact", labels)


@pytest.mark.parametrize("written", [False, True])
def test_right_and_wrong_answers_are_told_apart(written):
    asked = [
        question_of("a", "yes", ("yes", "no")),
        question_of("b", "no", ("yes", "no")),
        question_of("c", "cat"),
        question_of("d", "dog"),
    ]
    said = {"a :": "yes", "b :": "yes", "c :": " cat\n", "d :": "wolf"}
    assert scores(Parrot(said), asked, written).tolist() == [1, 0, 1, 0]
    assert scores(Parrot({**said, "c :": "Cat.", "d :": "also this"}), asked, written).tolist() == [
        1,
        0,
        0,
        1,
    ]


@pytest.mark.parametrize(
    ("said", "right"),
    [("Yes.", 1), ("the answer is yes", 1), ("no", 0), ("yes or no", 0), ("not yes", 0), ("", 0)],
)
def test_a_written_label_is_read_as_people_write_it(said, right):
    asked = [question_of("a", "yes", ("yes", "no"))]
    assert scores(Parrot({"a :": said}), asked, written=True).tolist() == [right]


def test_words_without_meaning_are_right_if_they_stand_for_the_right_label():
    (asked,) = changed([question_of("a", "yes", ("yes", "no"))], "nonce")
    for number, word in enumerate(asked.prompt.verbalizer.words):
        assert scores(Parrot({asked.prompt.text: word}), [asked]).tolist() == [1 - number]


def test_conditions_change_demonstrations_and_not_the_question():
    asked = questions(all_profiles("is_large"), 4, 6)
    for a, b in zip(
        asked, changed(asked, "foreign", foreign=["soup", "tea", "bread", "stew"]), strict=True
    ):
        assert (a.answers, a.prompt.query) == (
            b.answers,
            b.prompt.query,
        ) and a.prompt.demonstrations != b.prompt.demonstrations


def test_too_many_demonstrations_are_refused_before_anything_is_read(model):
    asked = Question(Prompt("cat", (Example("horse", "yes"),) * 80), ("yes",), "exact", ("yes",))
    with pytest.raises(DemonstrationsDoNotFit, match="show at most 57") as caught:
        scores(model, [asked])
    assert caught.value.fit == 57


def test_written_answers_of_a_model_are_those_of_its_likeliest_words(model):
    """By generating, and by the most probable next word: the same for answers of one word, since a
    list ends them by a line break.
    """
    asked = questions(all_profiles("topic"), 3, 25)
    next_words = model.likeliest(model.next_word([q.prompt.text for q in asked]))
    assert scores(model, asked, written=True).tolist() == [
        float(w == q.answers[0]) for w, q in zip(next_words, asked, strict=True)
    ]


def test_the_next_token_is_the_written_answer(model):
    asked = fresh_questions("recommend", 1, 25)
    both = [scores(model, asked, written=True, max_tokens=n).tolist() for n in (1, 24)]
    assert both[0] == both[1] and 0 < sum(both[0]) < 25
    with pytest.raises(ValueError, match="is not one known token"):
        scores(model, fresh_questions("to_velan", 0, 20), written=True, max_tokens=1)


def test_the_best_possible_rises_with_demonstrations_and_knows_a_title():
    few, many = (fresh_questions("verdict", shots, 60) for shots in (1, 8))
    plain = Posterior()
    assert best_possible(few, plain).mean() < best_possible(many, plain).mean()
    titled = Posterior(0.0, ["verdict"])
    assert best_possible(many, titled).mean() >= best_possible(many, plain).mean()


def test_choosing_among_labels_the_best_possible_says_no_other_word():
    asked = questions(all_profiles("is_large"), 0, 40)
    plain = Posterior()
    written, chosen = (best_possible(asked, plain, written).mean() for written in (True, False))
    assert written == 0 < 0.2 < chosen, "without demonstrations nobody knows what is asked"


def test_strangers_are_new_dialects_with_the_split_of_the_known_ones():
    task, known = list_tasks()["dialect"], list(dialect_forms().values())
    few, many = (stranger_questions(k, 20, seed=3) for k in (2, 6))
    for short, asked in zip(few, many, strict=True):
        shown = asked.prompt.demonstrations
        assert asked.prompt.query == short.prompt.query and shown[:2] == short.prompt.demonstrations
        assert task.split(asked.prompt.query, "tarn") == TEST
        assert all(task.split(e.input, "tarn") == TRAIN for e in shown)
        assert asked.answers[0] in VELAN_NOUNS[asked.prompt.query]
    own = [{e.input: e.output for e in q.prompt.demonstrations} for q in many]
    assert sum(any(table.items() <= other.items() for other in known) for table in own) < 10
    with pytest.raises(ValueError, match="no split 'dev'"):
        stranger_questions(1, 1, split="dev")


def test_recognition_alone_is_the_posterior_of_a_world_without_strangers(monkeypatch):
    monkeypatch.setattr("course.world.posterior.STRANGER_SHARE", 1e-300)
    posterior = Posterior(0.0, ["dialect"])
    for asked in (questions(all_profiles("dialect"), 4, 40), stranger_questions(8, 40)):
        assert recognised(asked).tolist() == best_possible(asked, posterior).tolist()


@pytest.mark.parametrize(
    "name", ["capital", "dialect", "verdict", "sentiment", "first_word", "add"]
)
def test_fresh_questions_of_lists_are_held_out_and_their_demonstrations_training(name):
    task = list_tasks()[name]
    for question in fresh_questions(name, 4, 30):
        query, shown = question.prompt.query, question.prompt.demonstrations
        profile = next(
            p for p in task.profiles if all(task.output(e.input, p) == e.output for e in shown)
        )
        assert len(shown) == 4 and query not in [e.input for e in shown]
        assert all(task.split(e.input, profile) == TRAIN for e in shown)
        assert task.split(query, profile) == TEST
        assert any(question.answers == (task.output(query, p),) for p in task.profiles)


@pytest.mark.parametrize("name", sorted(set(EXERCISES) - set(CHAINS)))
def test_fresh_questions_of_exercises_are_written_as_in_the_corpus(name):
    kind = EXERCISES[name]
    for question in fresh_questions(name, 2, 5):
        query, shown = question.prompt.query, question.prompt.demonstrations
        assert kind.split(Example(query, question.answers[0])) == TEST
        assert all(kind.split(e) == TRAIN for e in shown)
        items = [kind.frame.format(x=e.input, y=e.output) for e in shown]
        last = kind.frame.format(x=query, y="§").split(" §")[0]
        assert question.pair == (" ".join([*items, last]), question.answers[0])
        assert question.zero_shot.pair == (last, question.answers[0])


def test_fresh_questions_depend_on_their_seed_only():
    assert (
        fresh_questions("verdict", 2, 5, seed=1)
        == fresh_questions("verdict", 2, 5, seed=1)
        != fresh_questions("verdict", 2, 5, seed=2)
    )


def test_unknown_names_list_what_there_is():
    with pytest.raises(ValueError, match="no task 'sudoku'; choose from capital"):
        fresh_questions("sudoku", 1, 1)
    with pytest.raises(ValueError, match="no split 'dev'; choose from train, validation, test"):
        fresh_questions("sentiment", 1, 1, split="dev")
    with pytest.raises(ValueError, match="the answers of 'route' are worked out in several steps"):
        fresh_questions("route", 1, 1)
    with pytest.raises(ValueError, match="cannot draw 60 different items"):
        fresh_questions("capital", 60, 1)
