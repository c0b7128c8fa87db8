"""The tokenizer: a real fast tokenizer that reads what a person types and what the generator writes
alike.
"""

from itertools import islice

import pytest

from course.pretraining.packing import encode
from course.pretraining.tokenizer import build_tokenizer
from course.world.corpus import Corpus, readable
from course.world.vocabulary import END, vocabulary


@pytest.fixture(scope="module")
def gpt():
    return build_tokenizer("gpt")


def test_reads_the_corpus_word_by_word(gpt):
    for document in islice(Corpus().stream(11), 300):
        assert gpt(document).input_ids == [vocabulary()[END], *encode(document)]


def test_reads_text_as_a_person_writes_it(gpt):
    for document in islice(Corpus().stream(12), 300):
        typed = readable(document).capitalize()
        assert gpt(typed).input_ids[1:] == encode(document.removesuffix(" \n"))


def test_decodes_to_text_that_reads_the_same(gpt):
    for document in islice(Corpus().stream(13), 100):
        ids = gpt(document).input_ids
        assert gpt(gpt.decode(ids, skip_special_tokens=True)).input_ids == ids


def test_unknown_words_and_numbers_become_unk(gpt):
    assert gpt.convert_ids_to_tokens(gpt("paris 100 99").input_ids) == [
        "[END]",
        "[UNK]",
        "[UNK]",
        "99",
    ]


def test_bert_tells_pairs_apart_by_their_separator():
    bert = build_tokenizer("bert")
    pair = bert("the cat", "a [MASK]")
    assert bert.convert_ids_to_tokens(pair.input_ids) == [
        "[CLS]",
        "the",
        "cat",
        "[SEP]",
        "a",
        "[MASK]",
        "[SEP]",
    ]
    assert set(pair) == {"input_ids", "attention_mask"}


def test_both_kinds_share_one_vocabulary(gpt):
    assert gpt.get_vocab() == build_tokenizer("bert").get_vocab() == vocabulary()


def test_another_kind_is_refused():
    with pytest.raises(ValueError, match="kind='t5': expected 'gpt' or 'bert'"):
        build_tokenizer("t5")
