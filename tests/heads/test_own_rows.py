"""Heads on a reader's own data: labels in any order or as words, rows that lack something, splits
that are not there.
"""

from dataclasses import replace

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value

from course.heads import SequenceHead, TokenHead, head_for, learn
from course.heads.answers import answer_in
from course.models.loading import load_tokenizer
from course.tasks.registry import Task
from course.world.example import Example

TEXTS = ["the plot is lovely", "the ending is dull", "a lovely meal", "a dull meal"]
NAMES = ["negative", "positive"]


def task_of(rows: list[dict], labels=(), features=None, splits=("train",)) -> Task:
    data = Dataset.from_list(rows, features=features)
    read = lambda row: Example(row["sentence"], str(row["label"]))  # noqa: E731
    return Task(
        "own", "own", ("what is it ?",), labels, DatasetDict(dict.fromkeys(splits, data)), read
    )


def texts(*labels, **more) -> list[dict]:
    return [
        {"sentence": text, "label": label, **more}
        for text, label in zip(TEXTS, labels, strict=False)
    ]


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer("bert-middle")


def test_labels_in_another_order_do_not_swap_the_truth():
    features = Features({"sentence": Value("string"), "label": ClassLabel(names=NAMES)})
    for order in (("negative", "positive"), ("positive", "negative"), ()):
        head = head_for(task_of(texts(1, 0, 1, 0), order, features))
        assert head.labels == ("negative", "positive")
        assert [head.truth(row) for row in texts(1, 0)] == ["positive", "negative"]
    assert head_for(task_of(texts(1, 0), ("bad", "good"), features)).labels == ("bad", "good")
    for other in (("negative", "neutral"), ("bad", "good", "so so")):
        with pytest.raises(
            ValueError, match="'own' has the labels .*, and its column 'label' negative, positive"
        ):
            head_for(task_of(texts(1, 0), other, features))


def test_labels_that_are_words_are_taken(tokenizer):
    head = head_for(task_of(texts("positive", "negative", "positive", "negative")))
    assert head.labels == ("negative", "positive")
    features = head.features(tokenizer, texts("positive", "negative"))
    assert [feature["labels"] for feature in features] == [1, 0] and head.truth(
        texts("positive")[0]
    ) == "positive"


def test_numbers_without_words_ask_for_them():
    with pytest.raises(
        ValueError,
        match=r"the labels of the task 'own' are \[\]: expected two or more; name them with "
        r"labels=",
    ):
        head_for(task_of(texts(1, 0)))


@pytest.mark.parametrize("label", [-1, 2, None, "neutral", 0.5, True])
def test_a_row_without_a_label_is_named(label, tokenizer):
    head = SequenceHead(tuple(NAMES), task_of(texts(0)).read)
    with pytest.raises(
        ValueError,
        match="row 1: label=.*: expected 0 to 1, or one of negative, positive; leave rows without "
        "a label out",
    ):
        head.encode(tokenizer, [*texts(0), {"sentence": "a meal", "label": label}])


@pytest.mark.parametrize("text", [None, 3, ["a", "meal"]])
def test_a_row_without_a_text_is_named(text, tokenizer):
    head = SequenceHead(tuple(NAMES), task_of(texts(0)).read)
    with pytest.raises(ValueError, match="row 1: sentence=.*: expected a text"):
        head.encode(tokenizer, [*texts(0), {"sentence": text, "label": 0}])


def test_rows_without_labels_can_be_predicted(tokenizer):
    head = head_for(task_of(texts("positive", "negative")))
    model = head.new_model("bert-middle")
    bare = [{"sentence": text} for text in TEXTS]
    assert head.predict(model, tokenizer, bare) == head.predict(model, tokenizer, texts(1, 0, 1, 0))
    tagger = TokenHead(("O", "B-PER"))
    assert [
        len(tags)
        for tags in tagger.predict(
            tagger.new_model("bert-middle"), tokenizer, [{"tokens": ["anna", "sleeps"]}]
        )
    ] == [2]


def test_words_and_tags_go_together(tokenizer):
    head = TokenHead(("O", "B-PER", "I-PER"))
    right = {"tokens": ["anna", "sleeps"], "ner_tags": ["B-PER", 0]}
    assert head.truth(right) == ["B-PER", "O"] and len(head.features(tokenizer, [right])) == 1
    for row, message in [
        (
            {"tokens": ["anna", "sleeps"], "ner_tags": [1]},
            r"row 1: 2 tokens and ner_tags=\[1\]: expected one tag for each token",
        ),
        (
            {"tokens": ["anna", "sleeps"], "ner_tags": [1, -1]},
            "row 1, token 1: label=-1: expected 0 to 2",
        ),
        (
            {"tokens": ["anna", None], "ner_tags": [1, 0]},
            "row 1: tokens=.*: expected a list of words",
        ),
        (
            {"tokens": "anna sleeps", "ner_tags": [1, 0]},
            "row 1: tokens=.*: expected a list of words",
        ),
        ({"tokens": ["anna"]}, "row 1: 1 tokens and ner_tags=None"),
    ]:
        with pytest.raises(ValueError, match=message):
            head.encode(tokenizer, [right, row])


def test_tags_that_are_words_are_collected_and_have_to_be_bio():
    def tagged(*tags):
        rows = [{"tokens": ["anna", "sleeps"], "ner_tags": list(tags)}]
        features = Features(
            {"tokens": Sequence(Value("string")), "ner_tags": Sequence(Value("string"))}
        )
        return Task(
            "own",
            "own",
            ("who ?",),
            (),
            DatasetDict(train=Dataset.from_list(rows, features=features)),
            lambda row: row,
        )

    assert head_for(tagged("B-PER", "O")).labels == ("O", "B-PER")
    with pytest.raises(
        ValueError,
        match="the task 'own' has the tag 'NOUN': expected BIO tags such as O, B-PER and I-PER",
    ):
        head_for(tagged("NOUN", "O"))


def test_an_answer_stands_where_it_says():
    row = {
        "question": "who sleeps ?",
        "context": "anna sleeps",
        "answers": {"text": ["anna"], "answer_start": [0]},
    }
    assert answer_in(row, "row 0").end == 4
    off = row | {"answers": {"text": ["anna"], "answer_start": [2]}}
    assert answer_in(off, "row 0") == answer_in(row, "row 0")
    for answers, message in [
        (None, "row 7: answers=None: expected a dictionary with the lists text and answer_start"),
        (
            {"text": ["anna"], "answer_start": []},
            "row 7: 1 answers and 0 answer_start: expected as many",
        ),
        (
            {"text": ["anna"], "answer_start": [5]},
            "row 7: the answer 'anna' does not stand at 5 in its context; correct answer_start",
        ),
        ({"text": ["s"], "answer_start": [-1]}, "row 7: the answer 's' does not stand at -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            answer_in(row | {"answers": answers}, "row 7")


def test_a_split_that_is_not_there_is_asked_for_only_where_it_is_needed():
    task = task_of(texts("positive", "negative", "positive", "negative"))
    assert len(learn(task, 4).history.losses) > 0
    with pytest.raises(
        ValueError,
        match="the task 'own' has no rows in the split 'validation': expected some, or "
        "validated=False",
    ):
        learn(task, 4, validated=True)
    with pytest.raises(
        ValueError, match="the task 'own' has no split 'train' but test; a head learns from one"
    ):
        head_for(replace(task, data=DatasetDict(test=task.data["train"])))


@pytest.mark.parametrize("labels", [-1, 0, 1.5, True, "4"])
def test_a_number_of_labels_that_is_none_is_refused(labels):
    with pytest.raises(
        (TypeError, ValueError), match="labels=.*: expected a whole number of at least 1"
    ):
        learn(task_of(texts("positive", "negative")), labels)
