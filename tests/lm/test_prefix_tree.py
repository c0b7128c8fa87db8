"""Rows of subtrees: each in one of them, none too heavy, and hardly anything to pad."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from course.lm.prefix_tree import Node, pack

CAPACITY = 192


def weigh(node: Node) -> int:
    return node.size


def subtrees(weights: list[int]) -> list[Node]:
    return [Node(0, np.zeros(weight), None, size=weight) for weight in weights]


def slots(rows: list[list[Node]]) -> int:
    """Tokens of the rows that are no longer than others must be, padding included."""
    totals = [sum(map(weigh, row)) for row in rows]
    usual = [total for total in totals if total <= CAPACITY]
    return len(usual) * max(usual, default=0)


def one_after_the_other(nodes: list[Node]) -> list[list[Node]]:
    """The judge: rows that are filled one after the other, the heaviest subtrees first."""
    rows: list[list[Node]] = []
    for node in sorted(nodes, key=weigh, reverse=True):
        if not rows or sum(map(weigh, rows[-1])) + node.size > CAPACITY:
            rows.append([])
        rows[-1].append(node)
    return rows


@given(st.lists(st.integers(1, 400), max_size=60))
def test_every_subtree_is_in_one_row_and_no_row_is_too_heavy(weights):
    nodes = subtrees(weights)
    rows = pack(nodes, CAPACITY, weigh)
    assert sorted(map(id, (node for row in rows for node in row))) == sorted(map(id, nodes))
    for row in rows:
        assert row and (len(row) == 1 or sum(map(weigh, row)) <= CAPACITY)
    assert slots(rows) <= slots(one_after_the_other(nodes))


def test_rows_of_alike_subtrees_need_hardly_any_padding():
    for count in (7, 8, 50, 100, 500):
        nodes = subtrees([20 + 7 * i % 17 for i in range(count)])
        read = sum(map(weigh, nodes))
        assert read > 0.97 * slots(pack(nodes, CAPACITY, weigh)), count
    assert read < 0.95 * slots(one_after_the_other(nodes))
