"""Packing: documents in rows of fixed length, and the attention mask that keeps them apart.

A row holds whole documents; none is cut, and attention stays within a document (Krell et al. 2021).
Padding is what is left over at the end of a row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

#: The label of a position that the loss leaves out, as in ``transformers``.
IGNORED = -100
#: A batch takes documents until they would fill this share of it.
_FILL = 0.98


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
    def num_targets(self) -> int:
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


def fill_rows(segments: Iterable[list[int]], rows: int, length: int) -> list[list[list[int]]]:
    """Put segments into rows, the longest first, each into the first row with room (first-fit
    decreasing).

    Takes segments until their tokens would fill 98 % of the rows; the few that then fit nowhere are
    dropped.

    Raises:
        ValueError: if a segment is longer than a row.
    """
    taken: list[list[int]] = []
    tokens = 0
    for segment in segments:
        if len(segment) > length:
            raise ValueError(
                f"a document of {len(segment)} tokens does not fit a row of {length}; "
                "use a longer row"
            )
        if tokens + len(segment) > _FILL * rows * length:
            break
        taken.append(segment)
        tokens += len(segment)
    room = [length] * rows
    packed: list[list[list[int]]] = [[] for _ in range(rows)]
    for segment in sorted(taken, key=len, reverse=True):
        for row in range(rows):
            if room[row] >= len(segment):
                packed[row].append(segment)
                room[row] -= len(segment)
                break
    return packed


def lay_out(packed: list[list[list[int]]], labels: list[list[list[int]]], length: int) -> Batch:
    """A :class:`Batch` of (rows, ``length``), from rows of segments and each segment's labels."""
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
