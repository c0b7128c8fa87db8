"""What a prompted model should write can be read back, and scores are those of the libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score as entity_f1
from sklearn.metrics import f1_score, recall_score

from course.compare.task import Item, Prediction, TableTask

TAGS = ("O", "B-PER", "B-LOC", "I-PER", "I-LOC")


def task(kind="labels", labels=("neg", "pos", "mixed"), text=("text",), **settings):
    return TableTask(kind, labels, text, "label", **settings)


def test_columns_become_one_text():
    row = {"title": "A", "body": "b", "label": "pos"}
    pair = task(text=("title", "body"))
    assert pair.item(row).text == "title: A\nbody: b" and pair.is_pair
    joined = task(text=("title", "body"), template="{title}: {body}")
    assert joined.item(row).text == "A: b" and not joined.is_pair
    assert task().item({"text": "t"}).answer == ""


def test_labels_that_look_alike_get_words_that_do_not():
    words = task(labels=(" pos", "Pos", "neg", "01", "1")).words
    assert words == {" pos": "pos", "Pos": "Pos #2", "neg": "neg", "01": "01", "1": "1"}


@pytest.mark.parametrize(
    "written, answer",
    [(" pos", "pos"), ("Label: mixed", "mixed"), ("no idea", None), ("pos or neg", None)],
)
def test_written_labels(written, answer):
    assert task().read(written, Item("t")).answer == answer


def test_free_answers_are_compared_leniently_but_not_blindly():
    items = [
        Item("q", a, others)
        for a, others in [("Paris", ()), ("3", ()), ("!", ()), ("no", ("nope",))]
    ]
    given_ = ["the paris.", "3.0", "?", "nope"]
    scores = task("answers", ()).scores(items, [Prediction(a) for a in given_])
    assert scores.tolist() == [100, 100, 0, 100]
    assert task("answers", ()).scores(items[:1], [Prediction(None)]).tolist() == [0]


tagged = st.lists(st.sampled_from(TAGS), min_size=1, max_size=8)


def clean(tags):
    """Tags in which no entity begins with I-, as BIO has it."""
    done = []
    for tag in tags:
        begun = tag[0] != "I" or (done and done[-1][2:] == tag[2:])
        done.append(tag if begun else f"B-{tag[2:]}")
    return done


@given(tagged)
def test_named_entities_are_read_back(tags):
    tags = clean(tags)
    item = Item(" ".join(f"w{i}" for i in range(len(tags))), " ".join(tags))
    own = task("tags", TAGS)
    assert own.read(own.write(item), item).answer == item.answer


@pytest.mark.parametrize("written", ["", "w0", "w0 = ORG", "I see w0"])
def test_entities_that_cannot_be_read(written):
    assert task("tags", TAGS).read(written, Item("w0 w1", "O O")).answer is None


@given(st.lists(st.tuples(tagged, tagged), min_size=1, max_size=6))
def test_the_mean_of_the_items_is_seqevals_f1(pairs):
    pairs = [(clean(a[: len(b)]), clean(b[: len(a)])) for a, b in pairs]
    items = [Item(" ".join("w" * len(a)), " ".join(a)) for a, _ in pairs]
    predictions = [Prediction(" ".join(b)) for _, b in pairs]
    mean = task("tags", TAGS).scores(items, predictions).mean()
    if any(tag != "O" for pair in pairs for tags in pair for tag in tags):
        expected = entity_f1([a for a, _ in pairs], [b for _, b in pairs], zero_division=0)
        assert mean == pytest.approx(100 * expected)
    else:
        assert mean == 100


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "c", None])), min_size=1)
)
def test_macro_f1_and_recalls_are_sklearns(pairs):
    right, answers = [a for a, _ in pairs], [b or "?" for _, b in pairs]
    own = task(labels=("a", "b", "c"))
    values = own.measures([Item("t", a) for a in right], [Prediction(b) for _, b in pairs])
    there = sorted(set(right))
    assert values["macro F1"] == pytest.approx(
        100 * f1_score(right, answers, labels=there, average="macro", zero_division=0)
    )
    recalls = recall_score(right, answers, labels=there, average=None, zero_division=0)
    assert [values[f"recall of {label}"] for label in there] == pytest.approx(list(100 * recalls))
    assert values["accuracy"] == pytest.approx(100 * np.mean(np.array(right) == np.array(answers)))


def test_a_task_is_stored_and_read():
    own = task(template="{text}!", instruction="Say.")
    assert TableTask.of(own.as_dict()) == own
