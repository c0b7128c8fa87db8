"""The corpus: same bytes everywhere, every word known, and nothing in it that is held out."""

import hashlib
from collections import Counter
from itertools import islice

import pytest

from course.foundation.rng import Rng
from course.world import (
    conduct,
    entities,
    exercises,
    grammar,
    held_out,
    lexicon,
    list_documents,
    lists,
    maps,
    profiles,
    prose,
    reviews,
    stories,
    sums,
)
from course.world.corpus import Corpus, readable
from course.world.instructions import HEAD_INSTRUCTIONS, INSTRUCTIONS
from course.world.split import TEST, TRAIN, VALIDATION, split_of
from course.world.vocabulary import vocabulary

SAMPLE = 120_000


@pytest.fixture(scope="module")
def sample() -> list[str]:
    """A large sample, of streams that training sees and of another seed."""
    return [
        d
        for seed in (0, 1)
        for stream in range(3)
        for d in islice(Corpus(seed).stream(stream), SAMPLE // 6)
    ]


def test_same_seed_gives_the_same_bytes_on_every_machine():
    text = "\n".join(islice(Corpus(seed=3).stream(7), 2000)).encode()
    assert hashlib.sha256(text).hexdigest() == GOLDEN


GOLDEN = "5f22496c3fed878e6daf9e942f190eb08cc10e97138f05e0cfb19a132ceff246"


def test_other_streams_seeds_and_knobs_give_other_documents():
    first = list(islice(Corpus().stream(0), 50))
    for other in (Corpus().stream(1), Corpus(seed=1).stream(0), Corpus(relabel=0.9).stream(0)):
        assert list(islice(other, 50)) != first


def test_shares_of_the_mixture_add_up_to_100():
    assert sum(kind.share for kind in Corpus().kinds()) == pytest.approx(100)


def test_relabel_must_be_a_probability():
    with pytest.raises(ValueError, match=r"relabel=1.5: expected a finite number from 0 to 1"):
        Corpus(relabel=1.5)


def test_every_word_is_in_the_vocabulary(sample):
    words = vocabulary()
    assert len(words) <= 2000
    unknown = {w for document in sample for w in document.split(" ")} - words.keys()
    assert not unknown
    assert (
        not {
            w
            for texts in (INSTRUCTIONS | HEAD_INSTRUCTIONS).values()
            for text in texts
            for w in text.split(" ")
        }
        - words.keys()
    )
    assert {str(n) for n in range(100)} <= words.keys()


def test_the_instruction_format_never_occurs(sample):
    assert not [d for d in sample if held_out.INSTRUCTION_MARK in d]
    text = "\n".join(sample)
    assert not [
        wording
        for wordings in (INSTRUCTIONS | HEAD_INSTRUCTIONS).values()
        for wording in wordings
        if wording in text
    ]


def test_no_held_out_sum_occurs_anywhere_in_any_wording(sample):
    held = {s for s in sums.all_steps() if split_of(sums.SPLIT_KEY, s) != TRAIN}
    assert len(held) > 400
    for document in sample:
        words = document.split(" ")
        for i, word in enumerate(words):
            if word in "+-" and 0 < i < len(words) - 1:
                assert " ".join(words[i - 1 : i + 2]) not in held
        assert not held & {step for step, _ in sums.read_sums(document)}


def test_chains_are_no_longer_than_the_longest_allowed(sample):
    longest = 0
    for document in sample:
        for line in document.split("\n"):
            if line.strip().startswith("answer :") and "the answer is" in line:
                longest = max(longest, len(sums.read_sums(line)), line.count(" of "))
    assert longest == held_out.LONGEST_TRAINING_CHAIN


def test_no_route_of_the_corpus_begins_like_a_held_out_one(sample):
    """So no short test route is the beginning of a longer training route, whose worked solution
    would give its answer away.
    """
    found = Counter()
    for document in sample:
        words = document.split(" ")
        for i in range(len(words) - 4):
            if words[i : i + 2] == ["start", "at"]:
                found[maps.split_of_route(words[i + 2], [words[i + 5]])] += 1
    assert set(found) == {TRAIN} and found[TRAIN] > 1000


def test_a_glossary_says_first_whose_words_it_states():
    """It may hold held-out items in the layout of a list, so it must leave nothing to infer."""
    rng = Rng("glossaries")
    for _ in range(500):
        head, rows = prose.write_glossary(rng).split(" \n ", 1)
        task, profile = next(
            (task, profile)
            for task in profiles.PROFILED
            for profile in profiles.tables(task)
            if profile in head.split(" ")
        )
        stated = profiles.tables(task)[profile]
        words = [word for word in rows.split(" ") if word.isalpha()]
        shown = [word for word in words if word in stated]
        assert shown and all(stated[word] in words for word in shown)


def test_a_table_has_a_heading_and_a_layout_that_no_list_has(sample):
    """Tables state held-out items, so they must not be lists: every row stands under a heading that
    says what it states.
    """
    assert not any("|" in layout for layout in list_documents.FORMATS.values())
    headings = [f"a table : {task.title} " for task in lists.list_tasks().values()]
    headings += [
        head.format(p=p)
        for task, head in prose._GLOSSARY_HEADS.items()
        for p in profiles.tables(task)
    ]
    tables = [document for document in sample if "|" in document.split(" ")]
    assert len(tables) > 1000
    for document in tables:
        heading, *rows = document.removesuffix("\n").split("\n")
        assert any(h.removesuffix("\n") == heading for h in headings), heading
        assert all(row.count(" | ") == 1 for row in rows)


def test_foreign_words_stand_in_prose_alone():
    rng, foreign = Rng("foreign"), set(lexicon.WEATHER)
    for kind in Corpus().kinds():
        written = {w for _ in range(300) for w in kind.write(rng).split(" ")}
        assert bool(written & foreign) == (kind.name == "facts"), kind.name
    for task in lists.list_tasks().values():
        assert not any(task.output(word, task.profiles[0]) for word in foreign), task.name
    for wordings in INSTRUCTIONS.values():
        assert not foreign & {w for text in wordings for w in text.split(" ")}


def test_words_for_manners_are_said_about_guides_and_asked_of_none(sample):
    words = {*conduct.MANNERS.options, "careful", "careless"}
    found = 0
    for document in sample:
        if not words & set(document.split(" ")):
            continue
        found += 1
        assert not any(
            words & set(line.split(" "))
            for line in document.split("\n")
            if line.strip().startswith(("visitor :", "guide :"))
        )
        assert not any(f"be {word}" in document for word in words)
    assert found > 1000


@pytest.mark.parametrize("name", [name for name in exercises.EXERCISES if name != "closed_book"])
def test_no_held_out_exercise_occurs(sample, name):
    kind, rng = exercises.EXERCISES[name], Rng(f"test/{name}")
    held = []
    while len(held) < 60:
        example = kind.write(rng, train=False)
        if kind.split(example) != TRAIN:
            held.append(example.input)
    # the whole line that asks: a short phrase may well begin or end a longer one
    text, question = "\n".join(sample), kind.frame.split("{y}")[0].rsplit("\n", 1)[0] + "\n"
    assert not [x for x in held if question.format(x=x) in text]
    shown = kind.write(rng, train=True)
    assert kind.split(shown) == TRAIN


def held_out_sentences(count: int = 400) -> list[str]:
    """Reviews, tagged sentences, stories, journeys and grammar of the held-out splits."""
    rng = Rng("test/sentences")
    drawn = [(reviews.SPLIT_KEY, reviews.write_review(rng)) for _ in range(count)]
    drawn += [
        (entities.SPLIT_KEY, " ".join(entities.write_sentence(rng, train=False)[0]))
        for _ in range(count)
    ]
    drawn += [(stories.SPLIT_KEY, stories.write_story(rng, train=False).text) for _ in range(count)]
    drawn += [("travel", lists.list_tasks()["find_city"].draw(rng)) for _ in range(count)]
    held = [text for key, text in drawn if split_of(key, text) != TRAIN]
    for _ in range(count):
        frame, choice = grammar.choose(rng, train=False).input.split(" ( a ) ")
        if split_of(grammar.SPLIT_KEY, frame) != TRAIN:
            held += [
                frame,
                *(frame.replace(grammar.BLANK, word) for word in choice.split(" ( b ) ")),
            ]
    return held


def found_in(text: str, sentences: list[str]) -> list[str]:
    """The sentences that stand in a text: at a start of a line, after the end of another sentence,
    or after a mark.
    """
    return [
        s
        for s in sentences
        if s in text and any(f"{before}{s}" in text for before in ("\n", "\n ", ". ", ": ", "; "))
    ]


def test_no_held_out_sentence_occurs(sample):
    held = held_out_sentences()
    assert len(held) > 400
    assert not found_in("\n" + "\n".join(sample), held)


def test_the_search_finds_a_leak(sample):
    """The search above is worth something: planted at the end of a document, every sentence is
    found.
    """
    for document, sentence in zip(sample, held_out_sentences(40), strict=False):
        assert found_in(f"\n{document}\n{sentence}", [sentence]) and not found_in(
            f"\n{document}", [sentence]
        )


def test_lists_ask_no_held_out_item_and_no_held_out_combination():
    rng, combinations, splits = Rng("test/lists"), Counter(), Counter()
    for _ in range(30_000):
        made = list_documents.write_list(rng, relabel=0.2)
        task = lists.list_tasks()[made.task]
        combinations[made.task, made.format] += 1
        splits.update(task.split(x, made.profile) for x, _ in made.items)
    assert splits[TEST] == splits[VALIDATION] == 0 and splits[TRAIN] > 100_000
    assert not combinations.keys() & held_out.HELD_OUT_COMBINATIONS
    for task, form in held_out.HELD_OUT_COMBINATIONS:
        assert task in lists.list_tasks() and form in list_documents.FORMATS
    every = {(t, f) for t in lists.list_tasks() for f in list_documents.FORMATS}
    assert every - combinations.keys() == held_out.HELD_OUT_COMBINATIONS


def test_readable_text_has_the_spacing_of_prose():
    assert readable("a : b \n the end , i say . \n") == "a : b\nthe end, i say."
