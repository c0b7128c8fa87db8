"""The best possible answer: the exact Bayes posterior over what a list document leaves unsaid.

A list of demonstrations has a latent task, profile, label map, order and author. Their prior and
likelihood are known, because the generator is ours, so the predictive distribution of the next
output can be computed by enumeration. A dialect that was drawn for one list alone is none of the
sixteen: what it calls a word follows from the recipe of dialects and from its other words.

Over the lists that the generator writes, no reader of the demonstrations alone, model or person,
can be right more often on average: it is the ceiling in the course's figures. (On one task alone
somebody who expects that task can do better.)

Two things are lifted, since a reader cannot know them: the split (every input may be asked) and the
held-out combinations. Hence the format tells nothing about the task, and is left out. Idea: Xie et
al. 2022; Panwar et al. 2024.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from math import log

import numpy as np

from course.world import lexicon as lex
from course.world import orders
from course.world.list_documents import (
    AUTHOR_LINES,
    HASTY_ERROR,
    HASTY_SHARE,
    PERMUTED_SHARE,
    STRANGER_SHARE,
    TASK_WEIGHTS,
    TITLE_SHARE,
)
from course.world.lists import ListTask, list_tasks
from course.world.relations import FAVOURITE_FORM

_FEWEST = 3  # items in the shortest list


@dataclass(frozen=True)
class _Maps:
    """All label maps of a task: (M, number of labels) words by number, and the log prior of each."""

    words: np.ndarray
    log_prior: np.ndarray


class Posterior:
    """The exact predictor for lists of a corpus whose label knob is ``relabel``.

    Args:
        relabel: the corpus's label knob p.
        tasks: the tasks that the corpus draws from (default: all of them), with weights
            :data:`course.world.list_documents.TASK_WEIGHTS`.
    """

    def __init__(self, relabel: float = 0.2, tasks: Sequence[str] | None = None):
        known = list_tasks()
        if not 0 <= relabel <= 1:
            raise ValueError(f"relabel={relabel}: expected a probability from 0 to 1")
        if tasks is not None and (unknown := [t for t in tasks if t not in known]):
            raise ValueError(
                f"no such list tasks: {', '.join(unknown)}; choose from {', '.join(known)}"
            )
        self.relabel = relabel
        self.tasks = tuple(known[name] for name in (tasks if tasks is not None else known))
        self._word_number: dict[str, int] = {}

    def predict(
        self,
        demonstrations: Sequence[tuple[str, str]],
        query: str,
        author: str | None = None,
        title: str | None = None,
    ) -> dict[str, float]:
        """The distribution of the output of ``query`` after the demonstrations.

        Args:
            demonstrations: (input, output) pairs, all inputs different from one another and from
                the query.
            query: the input to answer.
            author: ``"careful"`` or ``"hasty"`` if the document says so.
            title: the name of the task if the document has its title.

        Returns:
            output -> probability; the probabilities sum to 1.

        Raises:
            ValueError: if no list of the corpus can hold these items, and for an unknown author or
                title.
        """
        if author not in (None, *AUTHOR_LINES):
            raise ValueError(
                f"author={author!r}: expected one of {', '.join(AUTHOR_LINES)}, or None"
            )
        if title is not None and title not in {task.name for task in self.tasks}:
            raise ValueError(
                f"title={title!r}: expected the name of one of the tasks {', '.join(t.name for t in self.tasks)}, or None"
            )
        answers: dict[str, float] = {}
        for log_weight, given in self._explanations(demonstrations, query, author, title):
            for word, probability in given:
                answers[word] = answers.get(word, 0.0) + float(np.exp(log_weight)) * probability
        total = sum(answers.values())
        if total <= 0:
            raise ValueError(
                f"no list of the corpus holds the items {list(demonstrations)!r} and {query!r} together; "
                "expected inputs of one task of the micro-world, with outputs that this task can have"
            )
        return {word: p / total for word, p in sorted(answers.items(), key=lambda pair: -pair[1])}

    def _explanations(
        self,
        demonstrations: Sequence[tuple[str, str]],
        query: str,
        author: str | None,
        title: str | None,
    ) -> Iterator[tuple[float, list[tuple[str, float]]]]:
        """(log weight, [(word, probability)]) of every latent that explains the demonstrations."""
        authors = {"careful": 1 - HASTY_SHARE, "hasty": HASTY_SHARE}
        if author is not None:
            authors = {author: 1.0}
        for task in self.tasks:
            if title is not None and task.name != title:
                continue
            known = [task.output(x, task.profiles[0]) for x, _ in demonstrations] + [
                task.output(query, task.profiles[0])
            ]
            if any(y is None for y in known):
                continue
            inputs = [x for x, _ in demonstrations] + [query]
            prior = log(TASK_WEIGHTS.get(task.name, 1.0)) + _log_length(task, len(inputs))
            if prior == -np.inf:
                continue
            truths = self._truths(task, inputs)  # (profiles, k + 1)
            priors = prior + np.array(
                [
                    _log_inputs(task, profile, row)
                    for profile, row in zip(task.profiles, truths, strict=True)
                ]
            )
            priors -= log(len(task.profiles))
            if task.name == "dialect":
                # the inputs of a dialect's list are as probable in one dialect as in another
                stranger = priors[0] + log(len(task.profiles)) + log(STRANGER_SHARE)
                stranger += 0.0 if title else log(1 - TITLE_SHARE)
                for name, share in authors.items():
                    yield from _of_stranger(
                        task, demonstrations, query, name, stranger + log(share)
                    )
                priors += log(1 - STRANGER_SHARE)
            maps = self._maps(task, title)
            for name, share in authors.items():
                yield from self._of_author(
                    task, maps, truths, demonstrations, name, priors + log(share)
                )

    def _truths(self, task: ListTask, inputs: list[str]) -> np.ndarray:
        """(profiles, inputs): the number of the right label (or of the right word, for tasks
        without labels).
        """
        number = task.labels.index if task.labels else self._number
        # an input that a profile lacks has the empty output, which no list holds
        known = [[task.output(x, p) or "" for x in inputs] for p in task.profiles]
        return np.array([[number(word) for word in words] for words in known])

    def _number(self, word: str) -> int:
        return self._word_number.setdefault(word, len(self._word_number))

    def _maps(self, task: ListTask, title: str | None) -> _Maps:
        if not task.labels:
            return _Maps(
                np.zeros((1, 0), dtype=int), np.array([0.0 if title else log(1 - TITLE_SHARE)])
            )
        untitled = 0.0 if title else log(1 - TITLE_SHARE)
        maps = [(task.labels, log(1 - self.relabel) + untitled if self.relabel < 1 else -np.inf)]
        if title is None and self.relabel > 0:
            maps += [
                (words, log(self.relabel) + share) for words, share in _other_maps(task.labels)
            ]
        words = np.array([[self._number(w) for w in words] for words, _ in maps])
        return _Maps(words, np.array([share for _, share in maps]))

    def _of_author(
        self,
        task: ListTask,
        maps: _Maps,
        truths: np.ndarray,
        demonstrations: Sequence[tuple[str, str]],
        author: str,
        priors: np.ndarray,
    ) -> Iterator[tuple[float, list[tuple[str, float]]]]:
        """What :meth:`_explanations` yields, of one author; ``priors`` is (profiles,)."""
        seen = np.array([self._number(y) for _, y in demonstrations], dtype=int)
        if task.labels:
            expected = maps.words[:, truths]  # (maps, profiles, k + 1)
            possible = (maps.words[:, :, None] == seen).any(1).all(1)[:, None]  # (maps, 1)
            outputs = maps.words  # (maps, labels)
        else:
            expected = truths[None]
            allowed = frozenset(task.outputs)
            possible = np.array([[all(y in allowed for _, y in demonstrations)]])
            outputs = np.array([[self._number(y) for y in task.outputs]])
        wrong = (expected[:, :, :-1] != seen).sum(2)  # (maps, profiles)
        if author == "careful":
            likelihood = np.where((wrong == 0) & possible, 0.0, -np.inf)
        else:
            right = len(seen) - wrong
            likelihood = np.where(
                possible,
                right * log(1 - HASTY_ERROR) + wrong * log(HASTY_ERROR / (outputs.shape[1] - 1)),
                -np.inf,
            )
        weights = likelihood + maps.log_prior[:, None] + priors
        for m, p in zip(*np.nonzero(weights > -np.inf), strict=True):
            yield weights[m, p], self._answers(outputs[m], expected[m, p, -1], author)

    def _answers(self, outputs: np.ndarray, right: int, author: str) -> list[tuple[str, float]]:
        words = self._words()
        if author == "careful":
            return [(words[right], 1.0)]
        other = HASTY_ERROR / (len(outputs) - 1)
        return [(words[w], 1 - HASTY_ERROR if w == right else other) for w in outputs]

    def _words(self) -> list[str]:
        return list(self._word_number)


@cache
def _other_maps(labels: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], float], ...]:
    """Every label map but the usual one, with its log probability given that a list is relabelled."""
    swapped = [p for p in permutations(labels) if p != labels]
    if len(labels) > 2:
        return tuple((p, -log(len(swapped))) for p in swapped)
    made_up = list(permutations(lex.NONCE_LABELS, len(labels)))
    return tuple((p, log(PERMUTED_SHARE) - log(len(swapped))) for p in swapped) + tuple(
        (p, log(1 - PERMUTED_SHARE) - log(len(made_up))) for p in made_up
    )


def _log_length(task: ListTask, count: int) -> float:
    """Log probability that a list of the task has ``count`` items or more."""
    longest = task.most
    if count > longest:
        return -np.inf
    return 0.0 if count <= _FEWEST else log((longest - count + 1) / (longest - _FEWEST + 1))


def _log_inputs(task: ListTask, profile: str, truths: np.ndarray) -> float:
    """Log probability that the inputs of a list are these, in all orders that it may have.

    Inputs are drawn without replacement from a table. Open tasks share their domain with no table,
    so the density of their inputs in a plain list is the same for every task that could explain
    them, and is left out.

    Args:
        truths: the numbers of the right labels of the inputs, for a task with labels.
    """
    table = task.tables.get(profile, {})
    plain = -sum(log(len(table) - i) for i in range(len(truths))) if task.truth is None else 0.0
    if not task.labels:
        return plain
    sizes = (
        _label_counts(task, profile)
        if task.truth is None
        else dict.fromkeys(task.labels, 1 / len(task.labels))
    )
    return orders.log_mixture(task.labels, [task.labels[i] for i in truths], sizes, plain)


@cache
def _label_counts(task: ListTask, profile: str) -> dict[str, int]:
    outputs = list(task.tables[profile].values())
    return {label: outputs.count(label) for label in task.labels}


def _of_stranger(
    task: ListTask,
    demonstrations: Sequence[tuple[str, str]],
    query: str,
    author: str,
    log_prior: float,
) -> Iterator[tuple[float, list[tuple[str, float]]]]:
    """(log weight, [(word, probability)]) for a dialect that was drawn for this list alone.

    Kinds of things are independent of one another in the recipe, so each is summed over its
    favourite endings by itself.
    """
    allowed = frozenset(task.outputs)
    if not all(y in allowed for _, y in demonstrations):
        return
    weights = {kind: np.full(3, 1 / 3) for kind in lex.CATEGORY_NAMES}
    for x, y in demonstrations:
        weights[lex.CATEGORY_OF[x]] = weights[lex.CATEGORY_OF[x]] * _by_favourite(
            x, y, author, len(allowed)
        )
    likelihood = np.prod([part.sum() for part in weights.values()])
    if likelihood == 0:
        return
    favourite = weights[lex.CATEGORY_OF[query]]
    words = lex.VELAN_NOUNS[query] if author == "careful" else task.outputs
    given = [
        (y, float(favourite @ _by_favourite(query, y, author, len(allowed)) / favourite.sum()))
        for y in words
    ]
    yield log_prior + float(np.log(likelihood)), given


def _by_favourite(noun: str, written: str, author: str, outputs: int) -> np.ndarray:
    """(3,): the probability that an author writes this for a noun, by the favourite ending of its
    kind.
    """
    form = np.full((3, 3), (1 - FAVOURITE_FORM) / 2) + np.eye(3) * (
        FAVOURITE_FORM - (1 - FAVOURITE_FORM) / 2
    )
    same = np.array([written == variant for variant in lex.VELAN_NOUNS[noun]], dtype=float)
    error = HASTY_ERROR if author == "hasty" else 0.0
    return form @ (same * (1 - error) + (1 - same) * error / (outputs - 1))
