"""Checkers of chapter 2: padding, pooling, entities from tags, and the span of an answer."""

from collections.abc import Callable, Sequence

import torch

from course.check.verdict import Verdict, cases, judge


def attention_mask(answer: Callable[[Sequence[int]], torch.Tensor]) -> Verdict:
    """Check ``attention_mask(lengths)``: 1 at the tokens of each text and 0 at the padding behind
    them, (texts, longest).
    """
    hint = "a row a text, as many ones as it has tokens, then zeros up to the longest text"
    return judge(
        "attention_mask",
        answer,
        [
            *cases(_padding, hint, {"lengths": [3, 1]}, {"lengths": [2, 4, 3]}),
            *cases(_padding, "texts of one length need no padding", {"lengths": [2, 2]}),
            *cases(_padding, "a single text is a batch, too: one row", {"lengths": [3]}),
        ],
    )


def _padding(lengths: Sequence[int]) -> torch.Tensor:
    longest = max(lengths)
    return torch.tensor([[int(place < length) for place in range(longest)] for length in lengths])


def mean_pooling(answer: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Verdict:
    """Check ``mean_pooling(vectors, mask)``: the mean vector of each text, (B, H), from vectors
    (B, T, H) and a mask (B, T) that is 1 at tokens and 0 at padding.
    """
    vectors = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [50.0, 50.0]], [[4.0, 0.0]] * 3])
    mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    left = {"vectors": vectors.flip(1), "mask": mask.flip(1)}
    single = {"vectors": torch.tensor([[[2.0, 5.0, 1.0]]]), "mask": torch.tensor([[1]])}
    true = {"vectors": vectors, "mask": mask.bool()}
    return judge(
        "mean_pooling",
        answer,
        [
            *cases(
                _pooled,
                "vectors of padding count neither in the sum nor in the number of tokens",
                {"vectors": vectors, "mask": mask},
            ),
            *cases(_pooled, "padding may stand on the left: let the mask say where it is", left),
            *cases(_pooled, "one text of one token gives a row of its own, (1, H)", single),
            *cases(_pooled, "a mask may hold booleans: turn it into numbers first", true),
        ],
    )


def _pooled(vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    rows = []
    for text, kept in zip(vectors, mask, strict=True):
        tokens = [vector for vector, keep in zip(text, kept, strict=True) if keep]
        rows.append(torch.stack(tokens).sum(0) / len(tokens))
    return torch.stack(rows)


def entities(answer: Callable[[Sequence[str]], list[tuple[str, int, int]]]) -> Verdict:
    """Check ``entities(tags)``: the entities in BIO tags as (kind, start, end), end excluded, in
    the order of the text. As in seqeval, an I that continues nothing begins an entity.
    """
    hint = "B- begins an entity, I- of the same kind goes on with it, anything else ends it"
    two = ["B-PER", "B-PER", "I-PER"]
    return judge(
        "entities",
        answer,
        [
            *cases(
                _entities,
                hint,
                {"tags": ["O", "B-PER", "I-PER", "O", "B-CITY", "O"]},
            ),
            *cases(_entities, "an entity may reach the end of the text", {"tags": two[1:]}),
            *cases(_entities, "a B- right behind an entity begins another one", {"tags": two}),
            *cases(
                _entities,
                "an I- that continues nothing, or is of another kind, begins an entity",
                {"tags": ["O", "I-CITY", "I-CITY"]},
                {"tags": ["B-PER", "I-CITY", "O"]},
            ),
            *cases(_entities, "without a name there is nothing to list", {"tags": ["O", "O"]}),
        ],
    )


def _entities(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    before = "O"
    for place, tag in enumerate(tags):
        kind = tag[2:]
        if tag.startswith("I-") and before[2:] == kind:
            found[-1] = (kind, found[-1][1], place + 1)
        elif tag != "O":
            found.append((kind, place, place + 1))
        before = tag
    return found


def best_span(
    answer: Callable[[Sequence[float], Sequence[float], int], tuple[int, int]],
) -> Verdict:
    """Check ``best_span(start, end, longest)``: (first, last) token of the answer with the highest
    sum of the two scores. A span has 1 to ``longest`` tokens and does not begin at token 0; (0, 0)
    means that there is no answer, and competes with the rest.
    """
    order = "the last token may not stand before the first: try the pairs, not each by itself"
    return judge(
        "best_span",
        answer,
        [
            *cases(_span, order, _scores([0, 1, 5, 2], [0, 6, 1, 3], 4)),
            *cases(
                _span,
                "a span has at most `longest` tokens, the first and the last included",
                _scores([0, 5, 1, 2], [0, 1, 2, 5], 2),
                _scores([0, 5, 1, 2], [0, 1, 2, 5], 3),
            ),
            *cases(_span, "(0, 0) says that there is no answer", _scores([4, 1, 2], [4, 2, 1], 2)),
            *cases(
                _span,
                "token 0 is [CLS]: only (0, 0) may begin there",
                _scores([9, 1, 2], [0, 3, 8], 3),
            ),
        ],
    )


def _scores(start: list[int], end: list[int], longest: int) -> dict[str, list[float] | int]:
    return {"start": [float(s) for s in start], "end": [float(e) for e in end], "longest": longest}


def _span(start: Sequence[float], end: Sequence[float], longest: int) -> tuple[int, int]:
    spans = [(0, 0)]
    for first in range(1, len(start)):
        spans += [(first, last) for last in range(first, min(first + longest, len(start)))]
    return max(spans, key=lambda span: start[span[0]] + end[span[1]])
