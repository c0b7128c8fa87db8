"""Packing documents into rows of fixed length, and what each objective wants to see of them.

A row holds whole documents; none is cut, and attention stays within a document. Padding is what is
left over at the end of a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from course.world.vocabulary import CLS, END, MASK, SEP, SPECIAL_TOKENS, vocabulary

#: The label of a position that the loss leaves out, as in ``transformers``.
IGNORED = -100
#: A batch takes documents until they would fill this share of it.
_FILL = 0.98
#: Share of a document's tokens that BERT has to fill in; of these 80 % are masked, 10 % replaced,
#: 10 % left (Devlin et al. 2019). More than the original's 15 %: short training learns faster from
#: more questions (Wettig et al. 2023).
MASKED_SHARE = 0.4


@dataclass(frozen=True)
class Batch:
    """Packed rows; every array is (rows, length) and of integers.

    Attributes:
        ids: the input tokens.
        labels: the tokens to predict, :data:`IGNORED` elsewhere. For GPT already shifted by one.
        document: 0, 1, ... for the documents of a row, -1 for padding.
        position: 0, 1, ... from the start of each document.
    """

    ids: np.ndarray
    labels: np.ndarray
    document: np.ndarray
    position: np.ndarray

    @property
    def predicted(self) -> int:
        """How many positions carry a label."""
        return int((self.labels != IGNORED).sum())

    def rows(self, start: int, step: int) -> "Batch":
        """Every ``step``-th row from ``start`` on: one process's share."""
        return Batch(
            self.ids[start::step],
            self.labels[start::step],
            self.document[start::step],
            self.position[start::step],
        )


def encode(document: str) -> list[int]:
    """The ids of a document of the corpus, without special tokens.

    Raises:
        KeyError: if a word is not in the vocabulary; the generator writes no such word.
    """
    words = vocabulary()
    return [words[word] for word in document.split(" ")]


def fill_rows(segments: Iterable[list[int]], rows: int, length: int) -> list[list[list[int]]]:
    """Put segments into rows, the longest first, each into the first row with room (first-fit
    decreasing).

    Takes segments until their tokens would fill 98 % of the rows; the few that then fit nowhere are
    dropped.

    Raises:
        ValueError: if a segment is longer than a row.
    """
    taken, tokens = [], 0
    for segment in segments:
        if len(segment) > length:
            raise ValueError(
                f"a document of {len(segment)} tokens does not fit a row of {length}; use a longer row"
            )
        if tokens + len(segment) > _FILL * rows * length:
            break
        taken.append(segment)
        tokens += len(segment)
    room, packed = [length] * rows, [[] for _ in range(rows)]
    for segment in sorted(taken, key=len, reverse=True):
        for row in range(rows):
            if room[row] >= len(segment):
                packed[row].append(segment)
                room[row] -= len(segment)
                break
    return packed


def pack_for_gpt(documents: Iterable[str], rows: int, length: int) -> Batch:
    """Next-token prediction: a document is ``[END] words``, its labels are ``words [END]``."""
    end = vocabulary()[END]
    packed = fill_rows(([end, *encode(d)] for d in documents), rows, length)
    return lay_out(packed, [[segment[1:] + [end] for segment in row] for row in packed], length)


def pack_for_bert(documents: Iterable[str], rows: int, length: int, seed: list[int]) -> Batch:
    """Masked language modelling: a document is ``[CLS] words [SEP]``, of which a share is hidden or
    disturbed.

    Args:
        seed: entropy for the choice of what to mask, e.g. ``[seed, step]``.
    """
    cls, sep, mask = (vocabulary()[token] for token in (CLS, SEP, MASK))
    packed = fill_rows(([cls, *encode(d), sep] for d in documents), rows, length)
    batch = lay_out(packed, packed, length)
    draws = np.random.Generator(np.random.PCG64(seed))
    ordinary = (batch.document >= 0) & (batch.ids != cls) & (batch.ids != sep)
    chosen = ordinary & (draws.random(batch.ids.shape) < MASKED_SHARE)
    fate = draws.random(batch.ids.shape)
    noise = draws.integers(len(SPECIAL_TOKENS), len(vocabulary()), batch.ids.shape)
    ids = np.where(chosen & (fate < 0.8), mask, np.where(chosen & (fate < 0.9), noise, batch.ids))
    return Batch(ids, np.where(chosen, batch.labels, IGNORED), batch.document, batch.position)


def lay_out(packed: list[list[list[int]]], labels: list[list[list[int]]], length: int) -> Batch:
    """Rows of segments, and the labels of each segment, as a :class:`Batch` of (rows, ``length``)."""
    rows = len(packed)
    ids = np.zeros((rows, length), dtype=np.int64)
    wanted = np.full((rows, length), IGNORED, dtype=np.int64)
    document = np.full((rows, length), -1, dtype=np.int64)
    position = np.zeros((rows, length), dtype=np.int64)
    for r, row in enumerate(packed):
        at = 0
        for d, segment in enumerate(row):
            end = at + len(segment)
            ids[r, at:end] = segment
            wanted[r, at:end] = labels[r][d]
            document[r, at:end] = d
            position[r, at:end] = range(len(segment))
            at = end
    return Batch(ids, wanted, document, position)


def attention_mask(document: torch.Tensor, causal: bool) -> torch.Tensor:
    """Who may look at whom: (B, T) document numbers -> (B, 1, T, T), 0 within a document (if
    causal, backwards), else -inf.

    The mask is one to add, which every attention of ``transformers`` takes; a boolean one the plain
    attention takes for numbers.
    """
    same = document[:, None, :, None] == document[:, None, None, :]
    allowed = same.tril() if causal else same
    return torch.zeros(allowed.shape, device=document.device).masked_fill_(~allowed, float("-inf"))
