"""Prefix tree (radix tree) of token sequences, and its rows and mask for tree attention.

A prompt with demonstrations costs a model most of its time on tokens that it has read before: the
same demonstrations for every query, the same query for every label. In a prefix tree (as in SGLang:
Zheng et al. 2024) each distinct prefix stands once. Small subtrees are packed into rows; a mask
lets each token see its own ancestors and nothing else (tree attention: Miao et al. 2024). The
sequences "the red fox ran" and "the red hat"::

    the red ─┬─ fox ran        tree of three nodes
             └─ hat

    index      0    1    2    3    4
             the  red  fox  ran  hat      the tree in a row, depth first
    position   0    1    2    3    2      place in its own sequence
    last       4    4    3    3    4      index of the last token below it

    the        x
    red        x    x
    fox        x    x    x                the mask: token i sees token j
    ran        x    x    x    x           if j <= i <= last[j]
    hat        x    x    .    .    x
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
_ID = np.dtype(">u4")  # big-endian, so that the order of the bytes is the order of the numbers


@dataclass(eq=False, slots=True)
class Node:
    """A stretch of tokens that one or more sequences share.

    Attributes:
        start: how many tokens stand before it in each of its sequences.
        tokens: its token ids, (length,).
        parent, children: its place in the tree.
        ends: how many different sequences end within the subtree.
        size: tokens in the subtree, this node's included.
        longest: tokens on the longest way down from the beginning of this node.
    """

    start: int
    tokens: np.ndarray
    parent: "Node | None"
    children: list["Node"] = field(default_factory=list)
    ends: int = 0
    size: int = 0
    longest: int = 0

    @property
    def end(self) -> int:
        """Tokens from the beginning of its sequences to the end of this node."""
        return self.start + len(self.tokens)


@dataclass(frozen=True)
class Tree:
    """Distinct sequences, each prefix once. ``leaves[i]`` is the node at whose end sequence ``i``
    ends.
    """

    root: Node
    leaves: tuple[Node, ...]

    def at(self, sequence: int, position: int) -> tuple[Node, int]:
        """The node that holds the token at ``position`` of a sequence, and the token's place in the
        node.
        """
        node = self.leaves[sequence]
        while position < node.start and node.parent is not None:
            node = node.parent
        return node, position - node.start


def build_tree(sequences: Sequence[Sequence[int]]) -> Tree:
    """The tree of one or more sequences of token ids; equal ones have the same leaf.

    Raises:
        ValueError: if there is no sequence, or an empty one.
    """
    if not sequences or not all(len(s) for s in sequences):
        raise ValueError("expected one or more sequences of at least one token each")
    keys = [np.asarray(s, _ID).tobytes() for s in sequences]
    ordered = sorted(set(keys))
    arrays = [np.frombuffer(key, _ID) for key in ordered]
    common = np.array([0] + [_common(a, b) for a, b in zip(arrays, arrays[1:], strict=False)])
    ending, made = {}, []
    root = _node_of(arrays, common, 0, len(arrays), None)
    pending = [(root, 0, len(arrays))]
    while pending:
        node, low, high = pending.pop()
        made.append(node)
        if len(arrays[low]) == node.end:
            ending[ordered[low]] = node
            low += 1
        # where two neighbours have no more in common than this node, one child stops and the next
        # begins
        cuts = (
            [low, *(i for i in range(low + 1, high) if common[i] == node.end), high]
            if low < high
            else []
        )
        for first, last in zip(cuts, cuts[1:], strict=False):
            child = _node_of(arrays, common, first, last, node)
            node.children.append(child)
            pending.append((child, first, last))
    terminal = set(ending.values())
    for node in reversed(made):  # children come after their parents in the list
        node.ends = (node in terminal) + sum(child.ends for child in node.children)
        node.size = len(node.tokens) + sum(child.size for child in node.children)
        node.longest = len(node.tokens) + max((child.longest for child in node.children), default=0)
    return Tree(root, tuple(ending[key] for key in keys))


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """How many tokens two sequences share at their beginning."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


def _node_of(
    arrays: Sequence[np.ndarray], common: np.ndarray, low: int, high: int, parent: Node | None
) -> Node:
    """The node with what the sequences ``low`` to ``high`` share beyond their parent."""
    start = parent.end if parent else 0
    end = len(arrays[low]) if high - low == 1 else int(common[low + 1 : high].min())
    return Node(start, arrays[low][start:end].astype(np.int64), parent)


@dataclass(frozen=True)
class Rows:
    """Subtrees laid side by side, each in depth-first order, so that a subtree is a stretch of its
    row.

    Attributes:
        tokens: ids, (R, L), padded with 0.
        positions: place of each token in its own sequence, (R, L).
        last: index in the row of the last token below each token, (R, L). Token ``i`` may see ``j``
            if ``j <= i <= last[j]``.
        places: node -> (row, index of the node's first token in that row).
    """

    tokens: np.ndarray
    positions: np.ndarray
    last: np.ndarray
    places: dict[Node, tuple[int, int]]

    def visible(self) -> np.ndarray:
        """Who may see whom: (R, L, L) booleans, the second axis looks at the third. Padding sees
        itself.
        """
        index = np.arange(self.tokens.shape[1])
        return (index[None, None, :] <= index[None, :, None]) & (
            index[None, :, None] <= self.last[:, None, :]
        )


def lay(rows: Sequence[Sequence[Node]]) -> Rows:
    """Lay subtrees into rows, in the order given."""
    length = max(sum(node.size for node in row) for row in rows)
    tokens, positions = np.zeros((2, len(rows), length), np.int64)
    last = np.tile(np.arange(length), (len(rows), 1))
    places = {}
    for r, row in enumerate(rows):
        begin = 0
        for top in row:
            pending = [(top, begin)]
            begin += top.size
            while pending:
                node, at = pending.pop()
                places[node], after = (r, at), at + len(node.tokens)
                tokens[r, at:after] = node.tokens
                positions[r, at:after] = np.arange(node.start, node.end)
                last[r, at:after] = at + node.size - 1
                for child in node.children:
                    pending.append((child, after))
                    after += child.size
    return Rows(tokens, positions, last, places)


def pack(nodes: Sequence[Node], capacity: int, weight: Callable[[Node], int]) -> list[list[Node]]:
    """Subtrees in rows whose weights add up to ``capacity`` at most; one that weighs more has a row
    of its own. The others get rows of about equal weights, for a batch is padded to its longest
    row.
    """
    ordered = sorted(nodes, key=weight, reverse=True)
    alone = [[node] for node in ordered if weight(node) > capacity]
    others = ordered[len(alone) :]
    if not others:
        return alone

    def longest(rows: list[list[Node]]) -> int:
        return max(sum(map(weight, row)) for row in rows)

    filled = _filled(others, capacity, weight)
    each = len(others) // len(filled)
    # as many rows as these, and as many as share subtrees of one size evenly
    counts = sorted({len(filled), *(-(-len(others) // n) for n in (each, each - 1) if n)})
    ways = [filled, *(_levelled(others, count, weight) for count in counts)]
    fitting = [rows for rows in ways if longest(rows) <= capacity]
    return alone + min(fitting, key=lambda rows: len(rows) * longest(rows))


def _filled(
    ordered: Sequence[Node], capacity: int, weight: Callable[[Node], int]
) -> list[list[Node]]:
    """Subtrees in rows that are filled one after the other."""
    rows: list[list[Node]] = []
    room = 0
    for node in ordered:
        if weight(node) > room:
            rows.append([])
            room = capacity
        rows[-1].append(node)
        room -= weight(node)
    return rows


def _levelled(
    ordered: Sequence[Node], count: int, weight: Callable[[Node], int]
) -> list[list[Node]]:
    """Subtrees, the heaviest first, each in the row that is the lightest so far."""
    rows: list[list[Node]] = [[] for _ in range(count)]
    totals = [(0, number) for number in range(count)]  # a heap
    for node in ordered:
        total, number = heapq.heappop(totals)
        rows[number].append(node)
        heapq.heappush(totals, (total + weight(node), number))
    return rows


def lay_alone(node: Node) -> Rows:
    """One node in a row of its own, without what stands below it."""
    length = len(node.tokens)
    positions = np.arange(node.start, node.end)
    return Rows(
        node.tokens[None], positions[None], np.full((1, length), length - 1), {node: (0, 0)}
    )


def batches(
    items: Iterable[Item], length: Callable[[Item], int], most: int
) -> Iterator[list[Item]]:
    """Neighbours in batches that hold ``most`` tokens at most, padding to the longest included; a
    longer item is alone.
    """
    batch: list[Item] = []
    longest = 0
    for item in items:
        if batch and (len(batch) + 1) * max(longest, length(item)) > most:
            yield batch
            batch, longest = [], 0
        batch.append(item)
        longest = max(longest, length(item))
    if batch:
        yield batch
