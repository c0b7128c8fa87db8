"""Heads: every schema gets its head, labels and predictions find their words, and the logits are
those of the few lines of the book.
"""

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities
from toys import word_pieces
from transformers import (
    BertConfig,
    GPTNeoXForSequenceClassification,
    ModernBertForQuestionAnswering,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
)

from course.heads import (
    TASKS,
    SequenceHead,
    TokenHead,
    by_hand,
    confusion,
    errors_by_kind,
    head_for,
    learn,
    take,
    with_new_words,
)
from course.heads.head import outputs
from course.heads.new_words import words_of
from course.heads.tags import entities, first_pieces, labels_of_pieces, marked_words, tags_of_words
from course.models.loading import load_model, load_tokenizer
from course.tasks.registry import load_task
from course.training.batches import pad_id
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.packing import IGNORED
from course.world.entities import TAGS

FEW = {"train": 40, "validation": 10, "test": 20}
CLASSES = (
    ModernBertForSequenceClassification,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
    ModernBertForQuestionAnswering,
)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer("bert-middle")


@pytest.fixture(scope="module")
def tasks():
    return {name: load_task(name, sizes=FEW) for name in TASKS}


@pytest.mark.parametrize(
    ("name", "kind", "cls"),
    zip(TASKS, ("sequence", "pair", "tokens", "span"), CLASSES, strict=True),
)
def test_every_schema_gets_its_head_on_the_same_body(tasks, name, kind, cls):
    head, body = head_for(tasks[name]), load_model("bert-middle").model
    assert head.kind == kind
    model, fresh = head.new_model("bert-middle"), head.new_model("bert-middle", pretrained=False)
    assert type(model) is type(fresh) is cls and model.dtype == torch.float32
    assert tuple(model.config.id2label.values()) == head.labels
    assert all(
        torch.equal(p, model.model.get_parameter(name)) for name, p in body.named_parameters()
    )
    assert not any(
        torch.equal(p, fresh.model.get_parameter(name))
        for name, p in body.named_parameters()
        if "weight" in name and p.ndim > 1
    )


def test_a_head_is_fresh_and_its_seed_decides(tasks):
    head = head_for(tasks["sentiment"])
    state = torch.get_rng_state()
    one, again, other = (
        head.new_model("bert-middle", seed=seed).classifier.weight for seed in (0, 0, 1)
    )
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(state, torch.get_rng_state())


def test_a_task_of_another_schema_is_refused(tasks):
    with pytest.raises(
        ValueError, match=r"no head for the task 'add' with the columns .*; expected those of SST-2"
    ):
        head_for(load_task("add"))


@pytest.mark.parametrize("name", TASKS)
def test_one_way_to_train_predict_and_score(tasks, tokenizer, name):
    task, head = tasks[name], head_for(tasks[name])
    model = head.new_model("bert-middle")
    rows = task.data["train"].select(range(16))
    before = head.score(model, tokenizer, rows)
    fit(
        model,
        head.encode(tokenizer, rows),
        FitSettings(steps=40, learning_rate=5e-4, batch_size=8, precision="fp32"),
    )
    scores = head.scores(model, tokenizer, rows)
    assert scores[head.measure] > max(80, before) and all(
        0 <= value <= 100 for value in scores.values()
    )
    perfect = head.measures(list(rows), [head.truth(row) for row in rows])
    assert set(perfect.values()) == {100.0} and set(perfect) == set(scores)


@pytest.mark.parametrize("name", TASKS)
def test_a_prediction_does_not_depend_on_the_rows_beside_it(tasks, tokenizer, name):
    """Passes of similar length against one row at a time."""
    head, rows = head_for(tasks[name]), list(tasks[name].data["test"])
    model = head.new_model("bert-middle")
    assert head.predict(model, tokenizer, rows) == [
        head.predict(model, tokenizer, [row])[0] for row in rows
    ]


def batch(head, tokenizer, rows) -> dict[str, torch.Tensor]:
    """The first pass of rows as the model reads it, padding included."""
    data = head.encode(tokenizer, rows)
    (found,) = data.micro_batches(
        range(len(rows)), type("Layout", (), {"max_tokens_per_batch": 10**6, "pass_cost": 10**6})()
    )
    read = ("input_ids", "attention_mask", "token_type_ids")
    return {name: found.tensors[name] for name in read if name in found.tensors}


@pytest.mark.parametrize("name", TASKS)
def test_a_few_lines_give_the_logits_of_transformers(tasks, tokenizer, name):
    head = head_for(tasks[name])
    model, inputs = head.new_model("bert-middle"), batch(head, tokenizer, tasks[name].data["test"])
    _assert_same_logits(name, model, inputs)


@pytest.mark.parametrize("name", TASKS)
def test_the_same_lines_give_the_logits_of_the_original_bert(tasks, name):
    """The body of the real models: a pooler for whole texts, nothing in between for words."""
    head, tokenizer = head_for(tasks[name]), word_pieces()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        num_labels=len(head.labels),
    )
    torch.manual_seed(0)
    model = head.loader.from_config(config).eval()
    inputs = batch(head, tokenizer, tasks[name].data["test"])
    assert "token_type_ids" in inputs
    _assert_same_logits(name, model, inputs)


def _assert_same_logits(name, model, inputs):
    with torch.inference_mode():
        theirs = model(**inputs)
        if name == "extraction":
            ours, theirs = (
                torch.stack(by_hand.span_logits(model, inputs)),
                torch.stack((theirs.start_logits, theirs.end_logits)),
            )
        else:
            lines = by_hand.token_logits if name == "entities" else by_hand.sequence_logits
            ours, theirs = lines(model, inputs), theirs.logits
    assert torch.allclose(ours, theirs, atol=1e-6) and ours.std() > 1e-3


def test_the_check_of_logits_sees_a_head_on_the_wrong_position(tasks, tokenizer):
    head = head_for(tasks["sentiment"])
    model, inputs = (
        head.new_model("bert-middle"),
        batch(head, tokenizer, tasks["sentiment"].data["test"]),
    )
    with torch.inference_mode():
        theirs = model(**inputs).logits
        flipped = {key: torch.cat((value[:, 1:], value[:, :1]), 1) for key, value in inputs.items()}
        assert not torch.allclose(by_hand.sequence_logits(model, flipped), theirs, atol=1e-3)


def test_pairs_are_told_apart_by_a_separator_and_by_segments_where_a_tokenizer_has_them(tasks):
    """The shipped BERT has no segments; BERT's own tokenizer has."""
    row = tasks["inference"].data["train"][0]
    for tokenizer in (load_tokenizer("bert-middle"), word_pieces()):
        (feature,) = head_for(tasks["inference"]).features(tokenizer, [row])
        first, second = (
            tokenizer(row[name], add_special_tokens=False).input_ids + [tokenizer.sep_token_id]
            for name in ("premise", "hypothesis")
        )
        assert feature["input_ids"] == [tokenizer.cls_token_id, *first, *second]
        if tokenizer is word_pieces():
            assert feature["token_type_ids"] == [0] * (1 + len(first)) + [1] * len(second)
        else:
            assert set(feature) == {"input_ids", "attention_mask", "labels"}


@pytest.mark.parametrize("name", ["sentiment", "inference"])
def test_a_causal_model_takes_the_heads_for_texts(tasks, name):
    """Its head reads the last token, so padding must not be taken for it."""
    head, tokenizer = head_for(tasks[name]), load_tokenizer("gpt-small")
    model = head.new_model("gpt-small")
    assert type(model) is GPTNeoXForSequenceClassification and model.config.pad_token_id == pad_id(
        tokenizer
    )
    rows = list(tasks[name].data["test"])
    assert (
        head.features(tokenizer, rows)[0]["input_ids"]
        == tokenizer(tasks[name].read(rows[0]).input).input_ids
    )
    padded = torch.empty(len(rows), len(head.labels))
    for positions, output in outputs(model, head.features(tokenizer, rows), 0):
        padded[positions] = output.logits
    alone = torch.cat(
        [next(outputs(model, head.features(tokenizer, [row]), 0))[1].logits for row in rows]
    )
    assert torch.allclose(padded, alone, atol=1e-5) and alone.std() > 1e-3


def test_a_tokenizer_without_padding_pads_with_its_end():
    class Bare:
        pad_token_id, eos_token_id = None, 7

    assert pad_id(Bare()) == 7


@pytest.mark.parametrize("name", ["sentiment", "inference", "entities"])
def test_a_row_that_does_not_fit_is_named(tasks, tokenizer, name):
    head = head_for(tasks[name])
    long = dict(tasks[name].data["train"][0])
    for column in ("sentence", "premise"):
        if column in long:
            long[column] = "dull " * 300
    if name == "entities":
        long |= {"tokens": ["anna"] * 300, "ner_tags": [1] * 300}
    with pytest.raises(
        ValueError,
        match=r"row 1 \(.*…\) has \d+ tokens, and at most 256 fit; shorten, split or leave it out",
    ):
        head.encode(tokenizer, [tasks[name].data["train"][1], long])


# --- word pieces

_WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-'.,é", min_size=1, max_size=12),
    min_size=1,
    max_size=9,
)


@given(_WORDS, st.data())
def test_tags_to_pieces_and_back_is_the_identity(words, data):
    tags = data.draw(
        st.lists(st.integers(0, len(TAGS) - 1), min_size=len(words), max_size=len(words))
    )
    ids = word_pieces()([words], is_split_into_words=True).word_ids(0)
    first = first_pieces(ids)
    labels = labels_of_pieces(tags, first, len(ids))
    assert sum(label != IGNORED for label in labels) == len(words), "one label a word"
    # a model that is right where it is asked, and wrong everywhere else
    said = [TAGS[label] if label != IGNORED else "B-MISC" for label in labels]
    assert tags_of_words(said, first, len(words)) == [TAGS[tag] for tag in tags]


def test_words_do_come_in_pieces_and_only_the_first_is_labelled():
    row = {"tokens": ["Peter", "Blackburn", "sleeps"], "ner_tags": [1, 2, 0]}
    (feature,) = TokenHead(TAGS).features(word_pieces(), [row])
    assert len(feature["input_ids"]) > 8 and [
        label for label in feature["labels"] if label != IGNORED
    ] == [1, 2, 0]
    assert feature["labels"][0] == feature["labels"][-1] == IGNORED


def test_the_alignment_check_sees_labels_that_are_one_off():
    ids = word_pieces()([["Peter", "Blackburn"]], is_split_into_words=True).word_ids(0)
    labels = labels_of_pieces(
        [1, 2], {word: position + 1 for word, position in first_pieces(ids).items()}, len(ids)
    )
    assert labels[1] == IGNORED


def test_a_word_that_the_tokenizer_drops_is_outside():
    ids = word_pieces()([["red", "\u200b", "fox"]], is_split_into_words=True).word_ids(0)
    first = first_pieces(ids)
    assert 1 not in first and tags_of_words(["B-PER"] * len(ids), first, 3) == [
        "B-PER",
        "O",
        "B-PER",
    ]


# --- scores and mistakes


@given(st.lists(st.sampled_from(TAGS), min_size=1, max_size=12))
def test_entities_are_those_of_seqeval(tags):
    assert set(entities(tags)) == {
        (start, end + 1, kind) for kind, start, end in get_entities(tags)
    }
    words = [f"w{i}" for i in range(len(tags))]
    pieces = marked_words(words, tags)
    assert " ".join(piece.text for piece in pieces).split() == words
    assert [piece.mark for piece in pieces if piece.mark] == [kind for _, _, kind in entities(tags)]


def test_an_entity_counts_as_a_whole():
    head = TokenHead(TAGS)
    row = {"tokens": ["anna", "brandt", "left", "vessa"], "ner_tags": [1, 2, 0, 5]}
    found = head.measures([row], [["B-PER", "O", "O", "B-LOC"]])
    assert found["F1"] == 50 and found["accuracy"] == 75
    nothing = head.measures([row], [["O"] * 4])
    assert nothing == {"F1": 0.0, "precision": 0.0, "recall": 0.0, "accuracy": 25.0}
    assert found["F1"] == 100 * f1_score([head.truth(row)], [["B-PER", "O", "O", "B-LOC"]])


def test_errors_are_counted_by_kind():
    head = TokenHead(TAGS)
    row = {"tokens": ["anna", "brandt", "left", "vessa"], "ner_tags": [1, 2, 0, 5]}
    table = errors_by_kind(
        head, [row, row], [["B-PER", "O", "O", "B-LOC"], ["B-PER", "I-PER", "O", "B-LOC"]]
    )
    assert table.loc["PER"].tolist() == [2, 50.0] and table.loc["LOC"].tolist() == [2, 0.0]
    reviews = SequenceHead(("negative", "positive"), read=None)
    rows = [
        {"sentence": "the plot was not dull but long .", "label": 1},
        {"sentence": "the soup was dull .", "label": 0},
    ]
    assert reviews.cases(rows[0], "negative") == [("with both", False)] and reviews.cases(
        rows[1], "negative"
    ) == [("neither", True)]


def test_confusion_gives_shares_of_the_right_label():
    table = confusion(("a", "b", "c"), ["a", "a", "b"], ["a", "b", "b"])
    assert (
        table.loc["a"].tolist() == [50, 50, 0]
        and table.loc["b"].tolist() == [0, 100, 0]
        and table.loc["c"].sum() == 0
    )
    assert isinstance(table, pd.DataFrame) and list(table.columns) == ["a", "b", "c"]


# --- learning


def test_fewer_labels_are_a_part_of_more(tasks):
    rows = tasks["sentiment"].data["train"]
    assert (
        take(rows, 5, seed=1)["idx"]
        == take(rows, 9, seed=1)["idx"][:5]
        != take(rows, 5, seed=2)["idx"][:5]
    )
    with pytest.raises(
        ValueError,
        match="41 labels are wanted and 40 rows are there; load the task with larger sizes=",
    ):
        take(rows, 41)


def test_learning_keeps_the_weights_that_are_best_on_validation_rows(tasks):
    learned = learn(tasks["entities"], 10, validated=True)
    best = max(score for _, score in learned.history.scores)
    assert learned.score(tasks["entities"].data["validation"]) == pytest.approx(best) and best > 50
    assert len(learned.history.scores) == 4 and learned.history.best_step > 0


def test_new_words_are_in_every_test_row_and_in_no_label():
    task = load_task("entities", sizes={"train": 400, "validation": 60, "test": 60})
    changed = with_new_words(task)
    vocabulary = {
        split: [set(words_of(task.read(row).input)) for row in changed.data[split]]
        for split in changed.data
    }
    seen = set().union(*vocabulary["train"])
    assert all(words - seen for words in vocabulary["test"]) and len(changed.data["train"]) < 400
    assert (
        with_new_words(task).data["test"]["id"]
        == changed.data["test"]["id"]
        != with_new_words(task, seed=1).data["test"]["id"]
    )
    with pytest.raises(
        ValueError, match="no row of 'entities' is left in the split 'train'; load more rows"
    ):
        with_new_words(task, share=1.0)
