"""Split a table into training and test items: stratified, with equal and nearly equal texts on one
side.
"""

import re
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from course.foundation.rng import Rng

#: Texts whose sets of letter sequences have this much in common (Jaccard) are near-copies.
LIKENESS = 0.8
#: Letters of a sequence, and of the shortest text that can be a near-copy.
_LETTERS, _SHORTEST = 5, 20
#: Letters of a text that are looked at for near-copies.
_LONGEST = 20_000
#: MinHash (Broder 1997): hash functions, in bands of rows.
_BANDS, _ROWS = 16, 4
_PRIME = (1 << 31) - 1


def normalised(text: str) -> str:
    """A text without what copies differ in: one form for each letter, no capitals, single spaces,
    no marks around it.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", " ", folded).strip(" .!?…\"'")


def near_copies(texts: Sequence[str]) -> list[int]:
    """For each text the number of its group: equal texts and near-copies share one.

    Candidates come from MinHash with bands; each is checked by the sets themselves. Groups are
    closed: a copy of a copy is in the group.
    """
    sets = [_sequences(text) for text in texts]
    parents = list(range(len(texts)))
    for one, other in _candidates(sets):
        a, b = _root(parents, one), _root(parents, other)
        if a != b and _likeness(sets[one], sets[other]) >= LIKENESS:
            parents[max(a, b)] = min(a, b)
    same: dict[str, int] = {}
    for number, text in enumerate(texts):
        first = same.setdefault(normalised(text), number)
        a, b = _root(parents, first), _root(parents, number)
        parents[max(a, b)] = min(a, b)
    return [_root(parents, number) for number in range(len(texts))]


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _sequences(text: str) -> frozenset[int]:
    plain = normalised(text)
    if len(plain) < _SHORTEST:
        return frozenset()
    count = min(len(plain), _LONGEST) - _LETTERS + 1
    return frozenset(zlib.crc32(plain[i : i + _LETTERS].encode()) for i in range(count))


def _likeness(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / len(a | b)


def _candidates(sets: Sequence[frozenset[int]]) -> list[tuple[int, int]]:
    """Pairs that are equal in a band; of many in one band each is paired with the one before it."""
    drawn = np.random.default_rng(0)
    slopes = drawn.integers(1, _PRIME, _BANDS * _ROWS, dtype=np.int64)
    shifts = drawn.integers(0, _PRIME, _BANDS * _ROWS, dtype=np.int64)
    last: dict[Hashable, int] = {}
    pairs = []
    for number, hashes in enumerate(sets):
        if not hashes:
            continue
        values = np.fromiter(hashes, dtype=np.int64) % _PRIME
        # (functions, sequences): the products stay below 2**62
        smallest = ((slopes[:, None] * values + shifts[:, None]) % _PRIME).min(1)
        for band in range(_BANDS):
            key = (band, smallest[band * _ROWS : (band + 1) * _ROWS].tobytes())
            if key in last:
                pairs.append((last[key], number))
            last[key] = number
    return list(dict.fromkeys(pairs))


def split(labels: Sequence[str], groups: Sequence[int], test: int, seed: int = 0) -> list[bool]:
    """Whether each item is a test item: about ``test`` of them, of each label its share, and no
    group on both sides. A label with one group alone stays in training.

    Args:
        labels: of each item; equal ones for tasks without labels.
        groups: of each item, see :func:`near_copies`.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    by_label: dict[str, list[int]] = defaultdict(list)
    for group, items in members.items():
        by_label[labels[items[0]]].append(group)
    share, chosen = test / max(len(labels), 1), set()
    for label in sorted(by_label):
        own = Rng(f"split/{seed}/{label}").sample(by_label[label], len(by_label[label]))
        wanted, taken = share * sum(len(members[group]) for group in own), 0
        for group in own[:-1]:  # the last one is for training
            if taken + len(members[group]) / 2 <= wanted:
                chosen.add(group)
                taken += len(members[group])
    return [group in chosen for group in groups]


def order(labels: Sequence[str], seed: int, stratified: bool = True) -> list[int]:
    """Places in random order, so that the first ones make a small training set: one of every label
    to begin with, then as they come.
    """
    shuffled = Rng(f"subset/{seed}").sample(range(len(labels)), len(labels))
    if not stratified:
        return shuffled
    seen: set[str] = set()
    firsts = [i for i in shuffled if not (labels[i] in seen or seen.add(labels[i]))]  # type: ignore[func-returns-value]
    begin = set(firsts)
    return firsts + [i for i in shuffled if i not in begin]
