"""Rows of whole documents: nothing is cut, doubled or lost silently."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.training.packing import fill_rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 6))
def test_rows_hold_whole_segments_and_never_overflow(lengths, rows):
    segments = [[i] * n for i, n in enumerate(lengths)]
    packed = fill_rows(segments, rows, 40)
    assert len(packed) == rows
    assert all(sum(map(len, row)) <= 40 for row in packed)
    placed = [segment for row in packed for segment in row]
    assert all(segment in segments for segment in placed)
    assert len({segment[0] for segment in placed}) == len(placed)


def test_a_document_longer_than_a_row_is_an_error():
    with pytest.raises(ValueError, match="41 tokens does not fit a row of 40"):
        fill_rows([[0] * 41], 2, 40)
