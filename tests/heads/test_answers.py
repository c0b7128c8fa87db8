"""Answers marked in a context: the search for the best span, windows, absent answers and SQuAD's
measures.
"""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import word_pieces

from course.heads import Answer, SpanHead, head_for, with_absent_answers
from course.heads.absent import subject
from course.heads.answers import best_span, squad_score
from course.models.loading import load_tokenizer
from course.tasks.metrics import NORMALISERS
from course.tasks.registry import load_task
from course.training.fit_settings import FitSettings
from course.training.fitting import fit

SIZES = {"train": 300, "validation": 20, "test": 60}


@pytest.fixture(scope="module")
def task():
    return load_task("extraction", sizes=SIZES)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer("bert-middle")


def naive_span(starts: list[float], ends: list[float], longest: int) -> tuple[float, int, int]:
    """Every span, one after the other."""
    best = (-float("inf"), 0, 0)
    for first in range(len(starts)):
        for last in range(first, min(first + longest, len(ends))):
            if starts[first] + ends[last] > best[0]:
                best = (starts[first] + ends[last], first, last)
    return best


_LOGITS = st.integers(-50, 50).map(lambda x: x / 4)  # exact in float32, with ties


@given(st.lists(st.tuples(_LOGITS, _LOGITS), min_size=1, max_size=12), st.integers(1, 14))
def test_the_best_span_is_that_of_the_naive_search(pairs, longest):
    starts, ends = (list(side) for side in zip(*pairs, strict=True))
    assert best_span(torch.tensor(starts), torch.tensor(ends), longest) == naive_span(
        starts, ends, longest
    )


def words(count: int) -> str:
    return " ".join("anna went to the hall .".split()[i % 6] for i in range(count))


@pytest.mark.parametrize(
    "tokenizer_of",
    [lambda: load_tokenizer("bert-middle"), word_pieces],
    ids=["words", "word pieces"],
)
def test_windows_cover_the_context_and_hold_the_answer(tokenizer_of):
    tokenizer, head = tokenizer_of(), SpanHead(window=24, stride=10)
    context = words(30) + " the fox sleeps in the attic . " + words(30)
    start = context.index("attic")
    row = {
        "question": "the fox ?",
        "context": context,
        "answers": {"text": ["attic"], "answer_start": [start]},
    }
    windows = head.windows(tokenizer, [row, row])
    assert len(windows) > 6 and [window.row for window in windows] == sorted(
        window.row for window in windows
    )
    mine = [window for window in windows if window.row == 0]
    covered = {
        position
        for window in mine
        for _, begin, end in window.offsets
        for position in range(begin, end)
    }
    assert covered == {i for i, sign in enumerate(context) if sign != " "}
    for before, after in zip(mine, mine[1:], strict=False):
        assert len({o[1:] for o in before.offsets} & {o[1:] for o in after.offsets}) == 10
    targets = [
        (
            w.feature["start_positions"],
            w.feature["end_positions"],
            {t: (a, b) for t, a, b in w.offsets},
        )
        for w in mine
    ]
    found = [
        context[places[first][0] : places[last][1]] for first, last, places in targets if first
    ]
    assert found and set(found) == {"attic"}
    for first, last, places in targets:
        whole = any(a <= start < b for a, b in places.values()) and any(
            a < start + 5 <= b for a, b in places.values()
        )
        assert (first > 0) == (last > 0) == whole, (
            "a window without the whole answer points to [CLS]"
        )


class Pointer(torch.nn.Module):
    """A stand-in for a model: certain of one token id as start and end, and of ``[CLS]`` to a given
    degree.
    """

    def __init__(self, tokenizer, word: str, cls: float):
        super().__init__()
        self.wanted, self.first, self.cls, self.device = (
            tokenizer.convert_tokens_to_ids(word),
            tokenizer.cls_token_id,
            cls,
            "cpu",
        )

    def forward(self, input_ids, **_):
        logits = 5.0 * (input_ids == self.wanted) + self.cls * (input_ids == self.first)
        return type("Output", (), {"start_logits": logits, "end_logits": logits})


@pytest.fixture
def any_plan(monkeypatch):
    from course.heads import head
    from course.training.batches import BatchingPlan

    monkeypatch.setattr(
        head,
        "batching_plan",
        lambda model, tokens: BatchingPlan(
            packed=False, chosen_logits=False, max_tokens_per_batch=tokens
        ),
    )


def test_the_best_of_all_windows_is_the_answer_and_absence_needs_every_window(any_plan, tokenizer):
    context = f"{words(40)} tomas took the lamp . {words(40)}"
    rows = [
        {
            "question": "who has the lamp ?",
            "context": c,
            "answers": {"text": [], "answer_start": []},
        }
        for c in (context, words(80))
    ]
    head = SpanHead(window=24, stride=8, may_be_absent=True)
    assert len(head.windows(tokenizer, rows)) > 6
    found = head.predict(Pointer(tokenizer, "tomas", cls=1.0), tokenizer, rows)
    assert (
        found == [Answer("tomas", context.index("tomas"), context.index("tomas") + 5), Answer()]
        and found[1].absent
    )
    sure = head.predict(Pointer(tokenizer, "tomas", cls=6.0), tokenizer, rows)
    assert all(answer.absent for answer in sure)
    forced = dataclasses.replace(head, may_be_absent=False).predict(
        Pointer(tokenizer, "tomas", cls=6.0), tokenizer, rows
    )
    assert forced[0].text == "tomas" and not forced[1].absent


def test_a_prediction_needs_no_answer_in_the_context(any_plan, tokenizer):
    """A context may be cut off before its answer; the label is then wrong, not the question."""
    row = {"question": "who has the lamp ?", "context": "tomas took the lamp ."}
    cut_off = row | {"answers": {"text": ["bathroom"], "answer_start": [90]}}
    head, model = SpanHead(), Pointer(tokenizer, "tomas", cls=1.0)
    assert [a.text for a in head.predict(model, tokenizer, [row, cut_off])] == ["tomas", "tomas"]
    with pytest.raises(ValueError, match="row 0: the answer 'bathroom' does not stand at 90"):
        head.encode(tokenizer, [cut_off])


def test_a_question_without_room_for_its_context_is_named(tokenizer, task):
    row = task.data["train"][0] | {"question": "where " * 30}
    with pytest.raises(
        ValueError,
        match=r"row 1: the question .* has 30 tokens, which leaves no room .* in a window of 24",
    ):
        SpanHead(window=24).encode(tokenizer, [task.data["train"][0], row])
    with pytest.raises(ValueError, match=r"no \[CLS\] token"):
        SpanHead().encode(load_tokenizer("gpt-small"), [row])


# --- absent answers


def test_absent_answers_are_absent_and_the_rest_is_untouched(task):
    changed = with_absent_answers(task, share=0.25)
    for split, rows in changed.data.items():
        before = list(task.data[split])
        contexts = {row["context"] for row in before}
        absent = [i for i, row in enumerate(rows) if not row["answers"]["text"]]
        assert len(absent) == pytest.approx(0.25 * len(rows), abs=1 + 0.05 * len(rows))
        for i, row in enumerate(rows):
            if i not in absent:
                assert row == before[i]
                continue
            asked, said = row["question"].removesuffix(" ?").split()[-1], row["context"].split()
            assert row["question"] == before[i]["question"] and row["context"] in contexts, (
                "nothing crosses a split"
            )
            assert asked not in said and before[i]["answers"]["text"][0] not in said
    assert head_for(changed).may_be_absent and not head_for(task).may_be_absent
    assert changed.examples("test")[absent[-1]].output == ""


def test_absent_answers_depend_on_the_seed_alone(task):
    one, again, other = (
        with_absent_answers(task, seed=seed).data["test"]["answers"] for seed in (0, 0, 1)
    )
    assert list(one) == list(again) != list(other)
    assert list(with_absent_answers(task, share=0).data["test"]) == list(task.data["test"])
    with pytest.raises(ValueError, match="share=1.5: expected a finite number from 0 to 1"):
        with_absent_answers(task, share=1.5)
    with pytest.raises(
        ValueError,
        match="'sentiment' has no questions about a context; expected data in SQuAD's schema",
    ):
        with_absent_answers(load_task("sentiment", sizes=SIZES))


def test_the_subject_is_the_rarest_word_in_common():
    row = {
        "question": "Who has the lamp?",
        "context": "Tomas took the lamp. Anna went to the hall.",
    }
    assert subject(row, {"the": 9, "lamp": 2}) == "lamp"
    assert subject({"question": "why?", "context": "the hall"}, {}) is None


def test_a_head_learns_to_say_that_there_is_no_answer(task):
    changed = with_absent_answers(task, share=0.5)
    head, tokenizer = head_for(changed), load_tokenizer("bert-middle")
    model, rows = head.new_model("bert-middle"), list(changed.data["train"])[:12]
    assert 2 < sum(not row["answers"]["text"] for row in rows) < 10
    fit(
        model,
        head.encode(tokenizer, rows),
        FitSettings(steps=60, learning_rate=1e-3, batch_size=6, precision="fp32"),
    )
    said = head.predict(model, tokenizer, rows)
    assert (
        sum(
            answer.absent == (not row["answers"]["text"])
            for answer, row in zip(said, rows, strict=True)
        )
        >= 11
    )
    empty = [row for row in rows if not row["answers"]["text"]]
    assert head.measures(empty, [Answer()] * len(empty)) == {"F1": 100.0, "exact": 100.0}


# --- SQuAD's measures


@pytest.mark.parametrize(
    ("said", "references", "exact", "f1"),
    [
        ("The Norman dynasty", ["Norman dynasty"], 1, 1),
        ("norman dynasty.", ["the dynasty", "Norman dynasty"], 1, 1),
        ("the old Norman dynasty", ["Norman dynasty"], 0, 0.8),
        ("a", ["b"], 0, 0),
        ("Rome", ["Paris", "Rome, Italy"], 0, 2 / 3),
        ("", [], 1, 1),
        ("Rome", [], 0, 0),
        ("", ["Rome"], 0, 0),
        ("rome rome", ["rome"], 0, 2 / 3),
    ],
)
def test_squads_measures_on_cases_worked_by_hand(said, references, exact, f1):
    assert squad_score("exact", said, references) == exact
    assert squad_score("f1", said, references) == pytest.approx(f1)


@given(st.text(max_size=30), st.text(max_size=30))
def test_measures_are_symmetric_bounded_and_agree(a, b):
    f1, exact = squad_score("f1", a, [b]), squad_score("exact", a, [b])
    assert f1 == squad_score("f1", b, [a]) and 0 <= exact <= f1 <= 1
    assert exact == float(NORMALISERS["squad"](a) == NORMALISERS["squad"](b))
    assert squad_score("exact", a, [a]) == squad_score("f1", a, [a]) == 1
