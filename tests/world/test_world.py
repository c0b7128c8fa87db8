"""The parts of the world: facts agree, steps are true, splits are stable, draws are fair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.rng import Rng, Weighted
from course.world import (
    conduct,
    exercises,
    inference,
    lexicon,
    maps,
    phrases,
    questions,
    reviews,
    stories,
    sums,
)
from course.world.relations import ATTRIBUTES, critic_verdicts, dialect_forms, relations
from course.world.split import TEST, TRAIN, VALIDATION, split_of, split_table


@given(st.text(), st.text())
def test_a_split_is_a_pure_function_of_its_input(key, text):
    assert split_of(key, text) == split_of(key, text) in (TRAIN, VALIDATION, TEST)


def test_splits_have_their_shares_and_their_known_values():
    found = [split_of("shares", str(i)) for i in range(20_000)]
    assert abs(found.count(TEST) / 20_000 - 0.16) < 0.01
    assert abs(found.count(VALIDATION) / 20_000 - 0.08) < 0.01
    assert [split_of("golden", str(i)) for i in range(6)] == [
        "train",
        "train",
        "train",
        "train",
        "test",
        "train",
    ]


@given(st.lists(st.text(), min_size=3, max_size=80, unique=True))
def test_a_table_is_split_without_an_empty_part(inputs):
    splits = split_table("key", tuple(inputs))
    assert splits.keys() == set(inputs) and set(splits.values()) == {TRAIN, VALIDATION, TEST}
    assert splits == split_table("key", tuple(reversed(inputs)))


def test_too_small_a_table_is_refused():
    with pytest.raises(ValueError, match="2 inputs under 'key': three splits need at least three"):
        split_table("key", ("a", "b"))


@given(st.integers(1, 30), st.integers(0, 30), st.integers())
def test_draws_are_within_bounds_and_different(size, count, seed):
    rng = Rng(seed)
    if count > size:
        with pytest.raises(ValueError, match=f"cannot draw {count} different items from {size}"):
            rng.sample(range(size), count)
        return
    assert len(set(rng.sample(range(size), count))) == count
    assert 0 <= rng.randrange(size) < size and 3 <= rng.randint(3, 5) <= 5


def test_weighted_draws_follow_their_weights():
    rng, draw = Rng("weights"), Weighted({"a": 3, "b": 1, "c": 0})
    drawn = [draw.draw(rng) for _ in range(4000)]
    assert abs(drawn.count("a") / 4000 - 0.75) < 0.03 and "c" not in drawn


def test_facts_cover_their_subjects_and_agree():
    table = relations()
    assert {c: table["country"].table[v] for c, v in table["capital"].table.items()} == {
        c: c for c in lexicon.COUNTRIES
    }
    assert all(table["opposite"].table[b] == a for a, b in table["opposite"].table.items())
    assert all(nouns <= set(lexicon.NOUNS) for nouns in ATTRIBUTES.values())


def test_profiles_differ_from_one_another_and_agree_more_often_than_not():
    tables = list(critic_verdicts().values())
    assert len({tuple(t.values()) for t in tables}) == len(tables)
    pairs = [(a, b) for i, a in enumerate(tables) for b in tables[:i]]
    agreement = sum(a[d] == b[d] for a, b in pairs for d in lexicon.DISHES) / (
        len(pairs) * len(lexicon.DISHES)
    )
    assert 0.5 < agreement < 0.7
    for table in dialect_forms().values():
        assert all(form in lexicon.VELAN_NOUNS[noun] for noun, form in table.items())


def test_names_are_not_shared_between_kinds():
    kinds = (
        lexicon.COUNTRIES,
        lexicon.CITIES,
        lexicon.FIRST_NAMES,
        lexicon.SURNAMES,
        lexicon.PLACES,
        lexicon.CRITICS,
        lexicon.DIALECTS,
        lexicon.NONCE_LABELS,
        lexicon.NONCE_KEYS,
        [form for forms in lexicon.VELAN_NOUNS.values() for form in forms],
    )
    words = [word for kind in kinds for word in kind]
    assert len(words) == len(set(words))


@given(st.integers(1, 6), st.integers())
def test_every_step_of_a_problem_is_true(steps, seed):
    problem = sums.write_problem(Rng(seed), steps, train=False)
    assert len(problem.steps) == steps
    value = int(problem.question.split(" has ")[1].split()[0])
    for step in problem.steps:
        assert step.startswith(f"{value} ")
        value = sums.result(step)
        assert 0 <= value <= 99
    assert problem.answer == str(value) and problem.rationale.endswith(f"= {value} .")


@given(st.integers(1, 6), st.integers())
def test_every_hop_of_a_route_is_on_the_map(steps, seed):
    example = exercises.route(Rng(seed), train=False, steps=steps)
    hops = example.rationale.removesuffix(" .").split(" . ")
    assert len(hops) == steps and hops[-1].endswith(f"is {example.output}")
    for hop in hops:
        way, _, start, _, end = hop.split()
        assert maps.neighbours()[start, way] == end


def test_there_and_back_again():
    for (place, way), target in maps.neighbours().items():
        back = {"north": "south", "south": "north", "east": "west", "west": "east"}[way]
        assert maps.walk(target, [back]) == [place]


def test_longer_chains_are_refused_for_training():
    for write in (exercises.problem, exercises.route):
        with pytest.raises(
            ValueError, match="4 steps: the corpus holds at most 3; pass train=False"
        ):
            write(Rng(0), train=True, steps=4)


@pytest.mark.parametrize("text", ["17", "17 * 5", "a + b", "1 + 2 + 3"])
def test_what_is_no_sum_is_refused(text):
    with pytest.raises(ValueError, match="is no sum: expected two numbers"):
        sums.result(text)


@pytest.mark.parametrize(
    ("review", "sentiment"),
    [
        ("the plot was dull .", "negative"),
        ("the plot was not dull .", "positive"),
        ("the plot was dull but the ending seemed superb to me .", "positive"),
        ("we had a great meal but the waiter was not good .", "negative"),
    ],
)
def test_sentiment_is_read_as_the_generator_means_it(review, sentiment):
    assert reviews.sentiment(review) == sentiment


def test_reviews_without_sentiment_or_topic_are_refused():
    with pytest.raises(ValueError, match="no sentiment in 'the plot'"):
        reviews.sentiment("the plot")
    with pytest.raises(ValueError, match="no topic in 'great'"):
        reviews.topic("great")


def test_answers_to_a_story_are_in_the_story():
    rng = Rng("stories")
    for _ in range(300):
        story = stories.write_story(rng, train=False)
        sentences = story.text.split(" . ")
        person = story.where_question.removesuffix(" ?").split()[-1]
        moves = [s for s in sentences if person in s.split() and any(r in s for r in lexicon.ROOMS)]
        assert story.where_answer in moves[-1]
        assert any(
            story.who_answer in s.split() and ("took" in s or "picked" in s) for s in sentences
        )


def test_labels_of_pairs_are_balanced():
    rng = Rng("pairs")
    labels = [inference.write_pair(rng, train=False)[2] for _ in range(3000)]
    assert all(abs(labels.count(label) / 3000 - 1 / 3) < 0.04 for label in inference.LABELS)


def test_velan_has_its_own_word_order():
    rng = Rng("velan")
    for _ in range(200):
        english, velan = phrases.write_phrase(rng, train=False)
        verb = [w for w in english.split() if w in lexicon.VELAN_VERBS]
        if verb:
            assert velan.split()[-1] == lexicon.VELAN_VERBS[verb[0]]
        assert len(velan.split()) == len([w for w in english.split() if w != "the"])


def test_a_question_has_the_split_of_its_subject_in_the_list_task():
    rng = Rng("questions")
    for _ in range(200):
        assert questions.split_of_question(questions.ask(rng)) == TRAIN


@pytest.mark.parametrize(
    ("manner", "low", "high"),
    [("kind", 3.0, 4.0), ("plain", 2.0, 2.0), ("rude", -3.0, 1.0)],
)
def test_the_gold_reward_orders_the_manners(manner, low, high):
    rng = Rng(f"manner/{manner}")
    rewards = [conduct.gold_reward(*conduct.write_reply(rng, manner)) for _ in range(300)]
    assert low <= min(rewards) and max(rewards) <= high


def test_the_gold_reward_sees_a_wrong_answer_and_a_long_one():
    question, reply = conduct.write_reply(Rng("reward"), "plain")
    target, way, place = reply.split()[1], reply.split()[3], reply.split()[6]
    assert conduct.gold_reward(question, reply) == 2.0
    wrong = "north" if way != "north" else "south"
    assert conduct.gold_reward(question, f"the {target} is {wrong} of the {place} .") == 0.0
    assert conduct.gold_reward(question, reply + " well" * 30) < 2.0
    assert conduct.gold_reward(question, "") == 0.0
