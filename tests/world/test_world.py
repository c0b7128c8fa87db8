"""The parts of the world: facts agree, steps are true, splits are stable, draws are fair."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.foundation.rng import Rng, Weighted
from course.world import (
    exercises,
    inference,
    judgements,
    lexicon,
    list_documents,
    lists,
    maps,
    orders,
    phrases,
    problems,
    questions,
    reviews,
    stories,
    sums,
)
from course.world.held_out import SIBLINGS
from course.world.relations import (
    ATTRIBUTES,
    critic_verdicts,
    dialect_forms,
    draw_dialect,
    relations,
)
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
        lexicon.WEATHER,
        lexicon.NOUNS,
        lexicon.COLOURS,
        lexicon.TORVISH.values(),
        [form for forms in lexicon.VELAN_NOUNS.values() for form in forms],
    )
    words = [word for kind in kinds for word in kind]
    assert len(words) == len(set(words))


@given(st.integers(1, 6), st.integers())
def test_every_step_of_a_problem_is_true(steps, seed):
    problem = problems.write_problem(Rng(seed), steps, train=False)
    assert len(problem.steps) == steps
    value = int(problem.question.split(" has ")[1].split()[0])
    for step in problem.steps:
        assert step.startswith(f"{value} ")
        value = sums.result(step)
        assert 0 <= value <= 99
    assert problem.answer == str(value) and problem.rationale.endswith(f"= {value} .")
    assert problems.read_problem(problem.question) == problem


@given(st.integers(1, 6), st.booleans(), st.integers())
def test_every_derivation_is_a_true_one_and_its_errors_are_seen(steps, train, seed):
    rng = Rng(seed)
    problem = problems.write_problem(rng, min(steps, 3) if train else steps, train)
    for way, found in problems.derivations(problem, train).items():
        for wording in range(3):
            written = [sums.write_sum(step, wording) for step in found]
            assert problems.check(problem, " ".join(written)) is None, way
            # a wrong sum, a sum too few, a sum twice, another story's sum
            wrong = " ".join([*written[:-1], sums.WORDINGS["+"][wording].format(a=1, b=1, c=3)])
            assert problems.check(problem, wrong)
            assert problems.check(problem, " ".join(written[:-1]))
            assert problems.check(problem, " ".join([*written, written[-1]]))
        assert not train or all(split_of(sums.SPLIT_KEY, step) == TRAIN for step in found)
    assert problems.check(problem, problems.write_solution(rng, problem, train)) is None


@pytest.mark.parametrize(
    ("solution", "fault"),
    [
        ("8 + 5 = 13 . 13 - 2 = 11 .", None),
        ("8 - 2 = 6 . 6 + 5 = 11 .", None),  # another order
        ("8 + 2 = 10 . 10 + 3 = 13 . 13 - 2 = 11 .", None),  # through the ten
        ("8 plus 5 is 13 . 13 minus 2 is 11 .", None),
        ("8 and 5 more make 13 . 13 without 2 leaves 11 .", None),
        ("8 + 5 = 14 . 14 - 3 = 11 .", "8 \\+ 5 is not 14"),
        ("8 + 5 = 13 . 12 - 1 = 11 .", "12 - 1 does not start from 13"),
        ("8 + 3 = 11 .", "not those of the story"),  # the right number by a wrong way
        (
            "8 + 4 = 12 . 12 + 1 = 13 . 13 - 2 = 11 .",
            "not those of the story",
        ),  # taken apart, but not at a ten
        ("8 - 2 = 6 . 6 + 4 = 10 . 10 + 1 = 11 .", None),
        ("", "not those of the story"),
    ],
)
def test_a_true_derivation_is_told_from_a_false_one(solution, fault):
    problem = problems.read_problem(
        "mira has 8 apples . mira buys 5 more . mira sells 2 . how many apples does mira have ?"
    )
    found = problems.check(problem, solution)
    if fault is None:
        assert found is None
    else:
        assert re.search(fault, found)


def test_word_problems_have_two_or_three_ways():
    rng, ways = Rng("ways"), Counter()
    for _ in range(400):
        ways[len(problems.derivations(problems.write_problem(rng, 2)))] += 1
    assert ways[2] + ways[3] + ways[4] > 200
    with pytest.raises(ValueError, match="no word problem in 'mira has 8 apples .'"):
        problems.read_problem("mira has 8 apples .")


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


def test_the_grid_is_the_map_as_one_draws_it():
    for row, below in pairwise(maps.grid()):
        assert [maps.neighbours()[place, "south"] for place in row] == list(below)
        assert [maps.neighbours()[place, "east"] for place in row] == [*row[1:], row[0]]
    assert sorted(place for row in maps.grid() for place in row) == sorted(lexicon.PLACES)


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


def test_a_summary_says_who_has_what_where_in_the_end():
    rng = Rng("summaries")
    for _ in range(200):
        story = stories.write_story(rng, train=False)
        thing, room = story.who_question.removesuffix(" ?").split()[-1], story.summary.split()[-2]
        moves = [
            s
            for s in story.text.split(" . ")
            if story.who_answer in s.split() and any(r in s.split() for r in lexicon.ROOMS)
        ]
        assert (
            story.summary == f"in the end {story.who_answer} has the {thing} in the {room} ."
            and room in moves[-1].split()
        )


def test_statements_about_a_story_hold_or_fail_as_they_say():
    rng, labels = Rng("statements"), Counter()
    for _ in range(300):
        example = stories.check(rng, train=False)
        story, statement = example.input.split(" \n statement : ")
        words, told = statement.split(), story.split(" . ")
        if words[1] == "is":
            true = (
                words[4]
                in [
                    s
                    for s in told
                    if words[0] in s.split() and any(r in s.split() for r in lexicon.ROOMS)
                ][-1].split()
            )
        else:
            true = any(words[0] in s.split() and words[3] in s.split() for s in told)
        assert example.output == ("holds" if true else "fails")
        labels[example.output] += 1
    assert abs(labels["holds"] / 300 - 0.5) < 0.1


def test_every_claim_form_comes_under_every_label_alike():
    rng, found = Rng("pairs"), Counter()
    for _ in range(20_000):
        _, claim, label = inference.write_pair(rng, train=False)
        found[inference.form_of(claim), label] += 1
    for form in inference.CLAIMS:
        total = sum(found[form, label] for label in inference.LABELS)
        assert all(abs(found[form, label] / total - 1 / 3) < 0.05 for label in inference.LABELS), (
            form
        )


def test_the_claim_alone_is_right_in_a_third_of_the_cases():
    found = inference.baselines(30_000)
    print({reader: round(share, 3) for reader, share in found.items()})
    assert abs(found["claim alone"] - 1 / 3) < 0.02 and abs(found["majority"] - 1 / 3) < 0.02
    with pytest.raises(ValueError, match="'the cat is wild .' is no claim"):
        inference.form_of("the cat is wild .")


def _meaning(sentence: str) -> tuple:
    """(kind, what is meant) of a premise or claim, written apart from the generator."""
    words = sentence.removesuffix(" .").split()
    people = [w for w in words if w in lexicon.FIRST_NAMES]
    room = next((w for w in words if w in lexicon.ROOMS), None)
    doing = next((w for w in words if w.endswith("ing")), None)
    if "than" in words:
        comparative = words[words.index("than") - 1]
        opposite = inference._OPPOSITE[comparative]
        return (
            ("more", (people[0], comparative, people[1]))
            if comparative < opposite
            else ("more", (people[1], opposite, people[0]))
        )
    if not people:
        return ("none" if {"nobody", "no", "empty"} & set(words) else "some", room, doing)
    return ("not" if "not" in words else "is", people[0], room, doing)


def _judged(premise: str, claim: str) -> str:
    """The label by logic alone: everybody does one thing in one room; who is not spoken of may do
    anything anywhere.
    """
    facts = [_meaning(s + " .") for s in premise.removesuffix(" .").split(" . ")]
    kind, *rest = _meaning(claim)
    if kind == "more":
        (a, comparative, b) = rest[0]
        if ("more", (a, comparative, b)) in facts:
            return "true"
        return "false" if ("more", (b, comparative, a)) in facts else "unknown"
    at = [f for f in facts if f[0] == "is"]
    if kind in ("some", "none"):
        room, doing = rest
        if any((room is None or f[2] == room) and (doing is None or f[3] == doing) for f in at):
            return "true" if kind == "some" else "false"
        # "in the house" stands for every room
        if any(f[0] == "none" and f[1:] == (room, doing) for f in facts):
            return "false" if kind == "some" else "true"
        return "unknown"
    person, room, doing = rest
    said = [f for f in at if f[1] == person]
    if said:
        true = (room is None or said[0][2] == room) and (doing is None or said[0][3] == doing)
        return "true" if true == (kind == "is") else "false"
    if any(f[0] == "none" and f[1:] == (room, doing) for f in facts):
        return "false" if kind == "is" else "true"
    return "unknown"


def test_consequences_in_prose_follow():
    """What a conclusion says is what logic says of the two sentences."""
    rng, found = Rng("consequences"), Counter()
    for _ in range(300):
        text = inference._concluded(rng)
        mark = next(m for m in ("so it can not be that", "perhaps", "so") if f" {m} " in text)
        premise, claim = text.split(f" {mark} ")
        label = {"so": "true", "perhaps": "unknown"}.get(mark, "false")
        assert _judged(premise, claim) == label
        found[label] += 1
    assert min(found.values()) > 30


def test_a_story_told_again_ends_with_everybody_in_the_last_room():
    rng = Rng("retold")
    for _ in range(200):
        told, ends = stories.retell(rng).removeprefix("a story : ").split(" now ")
        last = dict(re.findall(r"(\w+) (?:went to|walked into|moved to) the (\w+)", told))
        ((owner, thing),) = re.findall(r"(\w+) (?:took|picked up) the (\w+)", told)
        right = [*(f"{p} is in the {r}" for p, r in last.items()), f"{owner} has the {thing}"]
        assert sorted(ends.removesuffix(" .").split(" . ")) == sorted(right)


def test_labels_of_pairs_follow_from_logic():
    rng = Rng("logic")
    for _ in range(3000):
        premise, claim, label = inference.write_pair(rng, train=False)
        assert _judged(premise, claim) == label, (premise, claim)


def test_consistency_and_paraphrases_follow_from_logic():
    rng, labels = Rng("consistency"), Counter()
    for _ in range(1500):
        example = inference.compare(rng, train=False)
        first, second = example.input.split(" \n second : ")
        assert (_judged(first, second) == "false") == (example.output == "clash"), example
        labels[example.output] += 1
    for _ in range(1500):
        example = inference.paraphrase(rng, train=False)
        first, second = example.input.split(" \n second : ")
        if "hired" not in example.input:
            assert (_meaning(first) == _meaning(second)) == (example.output == "same"), example
        labels[example.output] += 1
    assert all(abs(count / 1500 - 0.5) < 0.06 for count in labels.values())


def test_judgements_agree_with_the_facts():
    rng = Rng("judgements")
    for _ in range(500):
        fact, pair, four = (
            write(rng, train=False)
            for write in (judgements.check_fact, judgements.compare, judgements.odd_one_out)
        )
        relation, subject = judgements._stated()[fact.input]
        true = any(
            fact.input == s.format(s=subject, o=relations()[relation].table[subject])
            for s in relations()[relation].sentences
        )
        assert fact.output == ("correct" if true else "wrong")
        kinds = [lexicon.CATEGORY_OF[noun] for noun in pair.input.split(" and ")]
        assert pair.output == ("alike" if kinds[0] == kinds[1] else "unlike")
        counts = Counter(lexicon.CATEGORY_OF[noun] for noun in four.input.split(" , "))
        assert counts[lexicon.CATEGORY_OF[four.output]] == 1 and sorted(counts.values()) == [1, 3]


def test_siblings_are_clusters_with_labels_of_their_own():
    clusters = {}
    for kind in exercises.EXERCISES.values():
        clusters.setdefault(kind.cluster, []).append(kind)
    clusters |= {
        task.cluster: [*clusters.get(task.cluster, []), task]
        for task in lists.list_tasks().values()
    }
    for cluster, siblings in SIBLINGS.items():
        own = {label for kind in clusters[cluster] for label in kind.labels}
        for sibling in siblings:
            assert not own & {label for kind in clusters[sibling] for label in kind.labels}, (
                cluster,
                sibling,
            )


def test_the_wrong_word_is_asked_with_the_same_choice():
    for seed in range(50):
        right, wrong = (
            exercises.EXERCISES[name].write(Rng(seed), False)
            for name in ("grammar", "grammar_mistake")
        )
        assert right.input == wrong.input and {right.output, wrong.output} == {"a", "b"}


def test_dialects_come_from_a_recipe_and_a_new_one_is_none_of_the_old():
    rng, shares = Rng("dialects"), []
    for _ in range(50):
        table = draw_dialect(rng)
        assert table not in dialect_forms().values() and table.keys() == set(lexicon.NOUNS)
        for kind in lexicon.CATEGORY_NAMES:
            endings = Counter(
                lexicon.VELAN_NOUNS[n].index(y)
                for n, y in table.items()
                if lexicon.CATEGORY_OF[n] == kind
            )
            shares.append(max(endings.values()) / endings.total())
    assert 0.65 < sum(shares) / len(shares) < 0.85
    every = {form for forms in lexicon.VELAN_NOUNS.values() for form in forms}
    assert {form for table in dialect_forms().values() for form in table.values()} == every


def test_four_in_ten_labelled_lists_have_an_order():
    rng, kinds, labelled, in_blocks = Rng("orders"), Counter(), 0, []
    for _ in range(6000):
        made = list_documents.write_list(rng, 0.2)
        if lists.list_tasks()[made.task].labels:
            labelled += 1
            kinds[made.order.kind] += 1
        else:
            assert made.order == orders.PLAIN
        if made.order.kind == "sorted" and made.author == "careful":
            written = [y for _, y in made.items]
            blocks = [y for i, y in enumerate(written) if i == 0 or y != written[i - 1]]
            in_blocks.append(len(blocks) == len(set(blocks)))
    # a label whose inputs run out gives way, even to one that had its turn
    assert sum(in_blocks) > 0.8 * len(in_blocks) > 50
    assert abs(1 - kinds["plain"] / labelled - orders.ORDER_SHARE) < 0.04
    assert all(kinds[kind] > 0.07 * labelled for kind in orders.ORDER_SHARES)


def test_velan_has_its_own_word_order():
    rng = Rng("velan")
    for _ in range(200):
        english, velan = phrases.write_phrase(rng, train=False)
        verb = [w for w in english.split() if w in lexicon.VELAN_VERBS]
        if verb:
            assert velan.split()[-1] == lexicon.VELAN_VERBS[verb[0]]
        assert len(velan.split()) == len([w for w in english.split() if w != "the"])


def test_torvish_has_another_order_and_other_words():
    rng = Rng("torvish")
    back = {word: english for english, word in lexicon.TORVISH.items()}
    for _ in range(200):
        english, torvish = phrases.write_phrase(rng, train=False, language="torvish")
        verb = [w for w in english.split() if w in lexicon.VELAN_VERBS]
        plain = [w for w in english.split() if w != "the"]
        assert [back[w] for w in torvish.split()] == verb + [w for w in plain if w not in verb]
    with pytest.raises(ValueError, match="no language 'latin'; choose from velan, torvish"):
        phrases.write_phrase(rng, language="latin")


@pytest.mark.parametrize("language", phrases.LANGUAGES)
def test_a_gloss_has_every_word_of_the_sentence_and_says_what_it_means(language):
    rng = Rng("gloss")
    for _ in range(100):
        english, sentence = phrases.write_phrase(rng, language=language)
        words, meanings = zip(*phrases.word_for_word(sentence, language), strict=True)
        assert " ".join(words) == sentence
        assert sorted(meanings) == sorted(word for word in english.split() if word != "the")
    with pytest.raises(ValueError, match=f"{language} has no word 'dog', in 'dog'"):
        phrases.word_for_word("dog", language)


def test_a_question_has_the_split_of_its_subject_in_the_list_task():
    rng = Rng("questions")
    for _ in range(200):
        assert questions.split_of_question(questions.ask(rng)) == TRAIN
