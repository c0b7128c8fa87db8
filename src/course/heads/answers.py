"""Extractive question answering: a head scores every position as the answer's start and end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from transformers import AutoModelForQuestionAnswering, PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.validation import boolean, check_fields, each, integer, shown, text
from course.heads.head import Head, Piece, outputs
from course.heads.rows import text_in
from course.models.loading import AutoModelClass
from course.models.text import text_ids
from course.tasks.metrics import best_score
from course.training.batches import pad_id

#: Where an answer is looked for, from its ``answer_start`` on: in some data sets that is off by a
#: character or two.
_SHIFTS = (0, -1, 1, -2, 2)


@dataclass(frozen=True)
class Answer:
    """A part of a context, ``context[start:end]``; absent if it has no place there."""

    text: str = ""
    start: int | None = None
    end: int | None = None

    @property
    def absent(self) -> bool:
        return self.start is None


@dataclass(frozen=True)
class Window:
    """A window over a row's context, which the model reads in one pass.

    Attributes:
        row: the row's number.
        feature: what the model reads; the question stands before the context.
        offsets: for each token of the context, (position, start, end): where it stands in the
            feature and in the context's text.
    """

    row: int
    feature: dict
    offsets: list[tuple[int, int, int]]


@dataclass(frozen=True)
class SpanHead(Head):
    """Extractive question answering, as in SQuAD (Rajpurkar et al. 2016).

    A context that is longer than the window is read in several windows that overlap, and the best
    span of all of them is the answer. That there is none is said by a span that begins and ends at
    ``[CLS]`` (Devlin et al. 2019 on SQuAD 2.0, Rajpurkar et al. 2018).

    Attributes:
        may_be_absent: whether predictions may say so; in training windows that lack the answer
            always do.
        window: most tokens of a window, question and special tokens included (at most what the
            tokenizer's models read).
        stride: how many tokens of the context two windows share.
        longest: most tokens of a predicted answer.
    """

    labels: tuple[str, ...] = ("start", "end")
    may_be_absent: bool = False
    window: int = 384
    stride: int = 128
    longest: int = 30
    loader: ClassVar[AutoModelClass] = AutoModelForQuestionAnswering
    kind: ClassVar[str] = "span"
    measure: ClassVar[str] = "F1"

    def __post_init__(self) -> None:
        check_fields(
            self,
            labels=each(text(), 2),
            may_be_absent=boolean(),
            window=integer(1),
            stride=integer(0),
            longest=integer(1),
        )

    def features(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]) -> list[dict]:
        """As :meth:`Head.features`; a row has as many features as windows."""
        return [window.feature for window in self.windows(tokenizer, rows)]

    def windows(
        self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict], labelled: bool = True
    ) -> list[Window]:
        """The windows of all rows, in order.

        Args:
            labelled: whether the features have the positions of the answers; without them a row
                needs no answer.

        Raises:
            ValueError: for a question that leaves no room for its context, and for an answer that
                is not in its context.
        """
        rows = list(rows)
        questions, contexts = (
            [text_in(row, name, f"row {i}") for i, row in enumerate(rows)]
            for name in ("question", "context")
        )
        size = min(self.window, tokenizer.model_max_length)
        stride = self._stride(tokenizer, rows, size)
        encoded = tokenizer(
            questions,
            contexts,
            truncation="only_second",
            max_length=size,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            split_special_tokens=True,
        )
        names, windows = [name for name in tokenizer.model_input_names if name in encoded], []
        for i, number in enumerate(encoded["overflow_to_sample_mapping"]):
            feature = {name: encoded[name][i] for name in names}
            sides = encoded.sequence_ids(i)
            offsets = [
                (t, *encoded["offset_mapping"][i][t]) for t, side in enumerate(sides) if side == 1
            ]
            if labelled:
                answer = answer_in(rows[number], f"row {number}")
                cls = feature["input_ids"].index(tokenizer.cls_token_id)
                start, end = self._target(answer, offsets, cls)
                feature |= {"start_positions": start, "end_positions": end}
            windows.append(Window(number, feature, offsets))
        return windows

    def _stride(self, tokenizer: PreTrainedTokenizerBase, rows: list[dict], size: int) -> int:
        """The overlap of windows; a window that a question nearly fills has less of it.

        Raises:
            ValueError: for a question that leaves no room for its context.
        """
        if tokenizer.cls_token_id is None or not tokenizer.is_fast:
            raise ValueError(
                f"{type(tokenizer).__name__} has no [CLS] token or no offsets; answers are marked "
                "with a BERT's fast tokenizer"
            )
        lengths = [
            len(ids) for ids in text_ids(tokenizer, [row["question"] for row in rows], begin=False)
        ]
        room = size - max(lengths) - tokenizer.num_special_tokens_to_add(pair=True)
        if room < 1:
            worst = lengths.index(max(lengths))
            raise ValueError(
                f"row {worst}: the question {rows[worst]['question'][:40]!r}… has {max(lengths)} "
                "tokens, which leaves no room for its "
                f"context in a window of {size}; shorten it or widen the window"
            )
        return min(self.stride, room - 1)

    @staticmethod
    def _target(answer: Answer, offsets: list[tuple[int, int, int]], cls: int) -> tuple[int, int]:
        """First and last position of the answer in a window; ``[CLS]`` twice if it is not there as
        a whole.
        """
        first, last = answer.start, answer.end
        if first is None or last is None or not offsets:
            return cls, cls
        if offsets[0][1] > first or offsets[-1][2] < last:
            return cls, cls
        inside = [t for t, start, end in offsets if start < last and end > first]
        return (inside[0], inside[-1]) if inside else (cls, cls)

    def predict(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> list[Answer]:
        """The best span of each row over its windows, or an absent answer where that scores higher
        (:attr:`may_be_absent`).
        """
        rows = list(rows)
        windows = self.windows(tokenizer, rows, labelled=False)
        best, nothing = [(-torch.inf, Answer())] * len(rows), [torch.inf] * len(rows)
        for positions, output in outputs(
            model, [window.feature for window in windows], pad_id(tokenizer)
        ):
            for i, starts, ends in zip(
                positions,
                output.start_logits.float().cpu(),
                output.end_logits.float().cpu(),
                strict=True,
            ):  # (T,)
                window = windows[i]
                cls = window.feature["input_ids"].index(tokenizer.cls_token_id)
                # some other window may hold the answer, so the least sure one decides
                nothing[window.row] = min(nothing[window.row], float(starts[cls] + ends[cls]))
                if window.offsets:
                    score, answer = self._best(window, starts, ends, rows[window.row]["context"])
                    best[window.row] = max(
                        best[window.row], (score, answer), key=lambda pair: pair[0]
                    )
        return [
            Answer() if self.may_be_absent and none > score else answer
            for (score, answer), none in zip(best, nothing, strict=True)
        ]

    def _best(
        self, window: Window, starts: torch.Tensor, ends: torch.Tensor, context: str
    ) -> tuple[float, Answer]:
        places = [t for t, _, _ in window.offsets]
        score, first, last = best_span(starts[places], ends[places], self.longest)
        start, end = window.offsets[first][1], window.offsets[last][2]
        return score, Answer(context[start:end], start, end)

    def truth(self, row: dict) -> Answer:
        return answer_in(row, "the row")

    def heading(self, row: dict) -> str:
        return row["question"]

    def pieces(self, row: dict, prediction: Answer) -> tuple[Piece, ...]:
        if prediction.start is None or prediction.end is None:
            return (Piece(row["context"]), Piece("", "no answer"))
        return tuple(marked_span(row["context"], prediction.start, prediction.end))

    def cases(self, row: dict, prediction: Answer) -> list[tuple[str, bool]]:
        """The question by its first word, or that it has no answer; right is an exact match."""
        kind = row["question"].split()[0].lower() if row["answers"]["text"] else "no answer"
        return [(kind, self.is_right(row, prediction))]

    def is_right(self, row: dict, prediction: Answer) -> bool:
        """Whether the text is that of any reference, wherever it stands (SQuAD's exact match)."""
        return squad_score("exact", prediction.text, row["answers"]["text"]) == 1

    def measures(self, rows: Sequence[dict], predictions: Sequence[Answer]) -> dict[str, float]:
        """SQuAD's F1 over words, and exact match."""
        pairs = [
            (answer.text, row["answers"]["text"])
            for answer, row in zip(predictions, rows, strict=True)
        ]
        return {
            name: 100 * sum(squad_score(metric, *pair) for pair in pairs) / len(pairs)
            for name, metric in (("F1", "f1"), ("exact", "exact"))
        }


def squad_score(metric: str, text: str, references: Sequence[str]) -> float:
    """SQuAD's ``"exact"`` match or word ``"f1"``, 0 to 1; of several references the best counts. No
    references, or an empty text, stand for an absent answer.
    """
    return best_score(f"squad.{metric}", text, references or [""])


def answer_in(row: dict, where: str) -> Answer:
    """The first answer of a row in SQuAD's schema, where it stands in the context; absent if the
    row has none.

    Args:
        where: the row as an error names it, e.g. ``"row 3"``.

    Raises:
        ValueError: for answers in another schema, or for one that does not stand where its
            ``answer_start`` says.
    """
    answers = row.get("answers")
    if not isinstance(answers, dict) or not all(
        isinstance(answers.get(name), list | tuple) for name in ("text", "answer_start")
    ):
        raise ValueError(
            f"{where}: answers={shown(answers)}: expected a dictionary with the lists text and "
            "answer_start"
        )
    if len(answers["text"]) != len(answers["answer_start"]):
        raise ValueError(
            f"{where}: {len(answers['text'])} answers and {len(answers['answer_start'])} "
            "answer_start: expected as many"
        )
    if not answers["text"]:
        return Answer()
    text, start = answers["text"][0], answers["answer_start"][0]
    for begin in (start + shift for shift in _SHIFTS):
        if text and begin >= 0 and row["context"][begin : begin + len(text)] == text:
            return Answer(text, begin, begin + len(text))
    raise ValueError(
        f"{where}: the answer {shown(text)} does not stand at {start} in its context; correct "
        "answer_start"
    )


def best_span(starts: torch.Tensor, ends: torch.Tensor, longest: int) -> tuple[float, int, int]:
    """(score, first, last) of the span of at most ``longest`` tokens with the highest start + end
    logit; ``first <= last``.

    Args:
        starts, ends: (T,), the logits of the tokens that may be part of an answer.
    """
    scores = starts[:, None] + ends[None, :]  # (T, T): row first, column last
    allowed = torch.ones_like(scores, dtype=torch.bool).triu().tril(longest - 1)
    best = int(scores.masked_fill(~allowed, -torch.inf).argmax())
    first, last = divmod(best, len(ends))
    return float(scores[first, last]), first, last


def marked_span(context: str, start: int, end: int) -> list[Piece]:
    """A context with its answer as a marked piece."""
    pieces = (
        Piece(context[:start].strip()),
        Piece(context[start:end], "answer"),
        Piece(context[end:].strip()),
    )
    return [piece for piece in pieces if piece.text]
