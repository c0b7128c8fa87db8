"""Queries with demonstrations, and the measures on them."""

import pytest

from course.cloze.expectations import beginnings, fact_blanks, sum_blanks, translation_blanks
from course.prompting.in_context import accuracy, ceiling, queries
from course.world import sums
from course.world.example import Example
from course.world.exercises import CHAINS, EXERCISES
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.relations import relations
from course.world.split import TEST, TRAIN, split_of


@pytest.mark.parametrize(
    "name", ["capital", "dialect", "verdict", "sentiment", "first_word", "add"]
)
def test_demonstrations_are_of_training_and_the_query_is_held_out(name):
    task = list_tasks()[name]
    for query in queries(name, 4, 30):
        profile = next(
            p for p in task.profiles if all(task.output(x, p) == y for x, y in query.demonstrations)
        )
        assert query.input not in [x for x, _ in query.demonstrations]
        assert len(query.demonstrations) == 4
        assert all(task.split(x, profile) == TRAIN for x, _ in query.demonstrations)
        assert task.split(query.input, profile) == TEST
        assert any(query.output == task.output(query.input, p) for p in task.profiles)


@pytest.mark.parametrize("name", ["inference", "grammar", "who", "closed_book"])
def test_so_it_is_for_exercises(name):
    kind = EXERCISES[name]
    for query in queries(name, 2, 20):
        assert kind.split(Example(query.input, query.output)) == TEST
        assert all(kind.split(Example(x, y)) == TRAIN for x, y in query.demonstrations)


def test_the_prompt_ends_where_the_output_should_stand():
    query = queries("capital", 1, 1, form="inout")[0]
    (x, y), asked = query.demonstrations[0], query.input
    assert query.prompt == f"input : {x} \n output : {y} \n input : {asked} \n output :"
    for name, kind in EXERCISES.items():
        if name in CHAINS:
            continue
        query = queries(name, 1, 1)[0]
        assert query.prompt.endswith(kind.frame.format(x=query.input, y="§").split(" §")[0])


def test_queries_depend_on_their_seed_only():
    assert (
        queries("verdict", 2, 5, seed=1)
        == queries("verdict", 2, 5, seed=1)
        != queries("verdict", 2, 5, seed=2)
    )


def test_unknown_names_list_what_there_is():
    with pytest.raises(ValueError, match="no task 'sudoku'; choose from capital"):
        queries("sudoku", 1, 1)
    with pytest.raises(ValueError, match="no list format 'xml'; choose from colon"):
        queries("capital", 1, 1, form="xml")
    with pytest.raises(ValueError, match="no split 'dev'; choose from train, validation, test"):
        queries("sentiment", 1, 1, split="dev")
    with pytest.raises(ValueError, match="the answers of 'route' are worked out in several words"):
        queries("route", 1, 1)
    with pytest.raises(ValueError, match="has several words: generate it"):
        accuracy(Oracle([]), queries("to_velan", 1, 20))
    with pytest.raises(ValueError, match="cannot draw 60 different items"):
        queries("capital", 60, 1)


class Oracle:
    """Answers every prompt with the outputs that it was given."""

    def __init__(self, outputs):
        self.outputs = outputs

    def token_ids(self, words):
        return range(len(words))

    def next_word(self, prompts):
        return prompts

    def likeliest(self, prompts):
        return self.outputs


def test_accuracy_counts_right_and_wrong_answers():
    asked = queries("capital", 1, 10)
    outputs = [q.output for q in asked]
    assert accuracy(Oracle(outputs), asked) == 1.0
    assert accuracy(Oracle(["wrong", *outputs[1:]]), asked) == 0.9


def test_the_ceiling_rises_with_demonstrations():
    posterior = Posterior()
    assert (
        ceiling(queries("verdict", 1, 40), posterior)
        < ceiling(queries("verdict", 8, 40), posterior)
        <= 1.0
    )


def test_blanks_stand_in_the_same_sentence_with_their_clue_on_either_side():
    for blanks in (fact_blanks(), translation_blanks(40), sum_blanks(40)):
        for left, right in zip(blanks[::2], blanks[1::2], strict=True):
            whole = f"{left.before} {left.word} {left.after}".strip(" ")
            assert whole == f"{right.before} {right.word} {right.after}".strip(" ")
            assert (left.clue, right.clue) == ("left", "right")
            assert right.word in left.before.split() and left.word in right.after.split()
    assert fact_blanks()[0].before.startswith("the capital of") and len(fact_blanks()) > 200


def test_blanks_settle_their_word():
    tables = relations()
    for name in ("capital", "opposite", "plural"):
        table = tables[name].table
        assert len(set(table.values())) == len(table)
    for blank in sum_blanks(60):
        step = f"{blank.before} {blank.word} {blank.after}".split(" =")[0].strip()
        assert split_of(sums.SPLIT_KEY, step) == TEST


def test_beginnings_are_held_out_and_longer_than_two_words():
    for beginning in beginnings(20):
        assert len(beginning.continuation.split()) > 2
        english = (
            beginning.prompt if beginning.prompt.startswith("english") else beginning.continuation
        )
        text = english.removeprefix("english : ").removesuffix(" \n velan :")
        assert split_of("phrase", text) == TEST


def test_a_title_stands_above_the_demonstrations_and_changes_nothing_else():
    plain, titled = queries("dialect", 2, 5), queries("dialect", 2, 5, titled=True)
    for one, other in zip(plain, titled, strict=True):
        assert (
            other.prompt == "each word in the speech of one town \n " + one.prompt
            and other.output == one.output
        )
        assert other.bare.prompt == "each word in the speech of one town \n " + one.bare.prompt
