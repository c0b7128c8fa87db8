"""The task that a table poses: what is read, what is answered, and how an answer is graded.

Three kinds: ``"labels"`` (one of a few), ``"answers"`` (short free text) and ``"tags"`` (a BIO tag
for every word). A model that is prompted writes words; :meth:`TableTask.write` says which, and
:meth:`TableTask.read` reads them back, or says that they cannot be read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from string import Formatter
from typing import Any

import numpy as np

from course.compare.table import Table, Value
from course.foundation.validation import shown
from course.heads.tags import entities
from course.prompting.classify import match
from course.prompting.prompts import PLAIN, Prompt, Template, Verbalizer
from course.tasks.metrics import METRICS, NORMALISERS, best_score
from course.world.example import Example

KINDS = ("labels", "answers", "tags")
#: The deciding measure of each kind, and what else is told; all in percent.
MEASURES = {
    "labels": ("accuracy", "macro F1"),
    "answers": ("exact", "F1"),
    "tags": ("entity F1", "tag accuracy"),
}
#: Most labels that are named in an instruction.
_NAMED = 40
_NONE = "none"


@dataclass(frozen=True)
class Item:
    """A row as the methods see it.

    Attributes:
        text: what is read; of a pair the two texts with their columns' names.
        answer: the label, the answer, or the tags with a space between them.
        others: further answers that are right.
        texts: the text of each column.
        row: its place in the table, from 1.
    """

    text: str
    answer: str = ""
    others: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    row: int = 0

    @property
    def answers(self) -> tuple[str, ...]:
        return (self.answer, *self.others)


@dataclass(frozen=True)
class Prediction:
    """What a method says of an item.

    Attributes:
        answer: in the form of :attr:`Item.answer`; None if what was written cannot be read.
        written: what was written, by methods that write.
    """

    answer: str | None
    written: str = ""


@dataclass(frozen=True)
class TableTask:
    """Which columns are read, which one is answered, and how.

    Attributes:
        kind: one of :data:`KINDS`.
        labels: the labels (or tags) that there are; empty for free answers.
        text: the columns that are read.
        label: the column that is answered.
        template: how several columns become one text, with a field for each; None for one column,
            or two that are a pair.
        instruction: what a prompted model is told; empty for what follows from the columns.
    """

    kind: str
    labels: tuple[str, ...]
    text: tuple[str, ...]
    label: str
    template: str | None = None
    instruction: str = ""

    @property
    def is_pair(self) -> bool:
        return len(self.text) == 2 and self.template is None

    @property
    def measure(self) -> str:
        """The name of the deciding measure."""
        return MEASURES[self.kind][0]

    @cached_property
    def words(self) -> dict[str, str]:
        """Label -> the word that a prompted model says for it: the label itself without the spaces
        around it; with a number where that would be the same for two.
        """
        forms = [NORMALISERS["label"](label) for label in self.labels]
        counted = [forms[:i].count(form) for i, form in enumerate(forms)]
        return {
            label: label.strip()
            if not before and label.strip()
            else f"{label.strip()} #{before + 1}"
            for label, before in zip(self.labels, counted, strict=True)
        }

    @property
    def told(self) -> str:
        """The instruction."""
        if self.instruction:
            return self.instruction
        read = " and the ".join(self.text)
        if self.kind == "labels":
            words = list(self.words.values())
            more = ", ..." if len(words) > _NAMED else ""
            return f"Read the {read} and give the {self.label}: {', '.join(words[:_NAMED])}{more}."
        if self.kind == "answers":
            return f"Read the {read} and give the {self.label}."
        kinds = ", ".join(sorted({tag[2:] for tag in self.labels if tag != "O"}))
        return (
            f"List the names in the text with their kinds ({kinds}), as in: name = kind; name = "
            "kind. "
            f"If there are no names, write {_NONE}."
        )

    def item(self, row: Mapping[str, Value], number: int = 0) -> Item:
        """A row of the table as an item; the answer is empty if the row has none."""
        texts = tuple(_joined(row[column]) for column in self.text)
        if self.template is not None:
            values = dict(zip(self.text, texts, strict=True))
            pieces = Formatter().parse(self.template)
            text = "".join(begin + values.get(name or "", "") for begin, name, _, _ in pieces)
        elif len(texts) == 1:
            text = texts[0]
        else:
            text = "\n".join(f"{c}: {t}" for c, t in zip(self.text, texts, strict=True))
        return Item(text, _joined(row.get(self.label, "")), (), texts, number)

    def check_columns(self, table: Table) -> None:
        """Refuse a table without the columns that are read.

        Raises:
            ValueError: naming the column, and those that there are.
        """
        for column in self.text:
            table.column(column)

    # prompts

    @property
    def layout(self) -> Template:
        return PLAIN

    def prompt(self, item: Item, instruction: str, shown_items: Sequence[Item] = ()) -> Prompt:
        """What a prompted model is given."""
        shown_examples = tuple(Example(one.text, self.shown_answer(one)) for one in shown_items)
        verbalizer = (
            Verbalizer.of(self.labels, self.words) if self.kind == "labels" else Verbalizer()
        )
        return Prompt(item.text, shown_examples, instruction, self.layout, verbalizer)

    def shown_answer(self, item: Item) -> str:
        """An answer as a demonstration has it: a label (the verbalizer finds its word), or what
        should be written.
        """
        return item.answer if self.kind == "labels" else self.write(item)

    def write(self, item: Item) -> str:
        """What a prompted model should write for an item."""
        if self.kind == "labels":
            return self.words[item.answer]
        if self.kind == "answers":
            return item.answer
        words, tags = item.text.split(), item.answer.split()
        parts = [f"{' '.join(words[a:b])} = {kind}" for a, b, kind in entities(tags)]
        return "; ".join(parts) or _NONE

    def read(self, written: str, item: Item) -> Prediction:
        """What a prompted model wrote, read back."""
        if self.kind == "labels":
            word = match(written, tuple(self.words.values()))
            answer = next((label for label, other in self.words.items() if other == word), None)
            return Prediction(answer, written)
        if self.kind == "answers":
            return Prediction(written.strip() or None, written)
        return Prediction(_tags(written, item, self.labels), written)

    # grading

    def scores(self, items: Sequence[Item], predictions: Sequence[Prediction]) -> np.ndarray:
        """The score of each item, (items,), in percent; their mean is the deciding measure.

        The F1 of entities is no mean over sentences. Its items' scores are the linearisation
        ``F + (2 tp - F (2 tp + fp + fn)) / mean(2 tp + fp + fn)``, whose mean is F, so that
        intervals and paired differences can be computed as for the others.
        """
        pairs = list(zip(items, predictions, strict=True))
        if self.kind == "labels":
            return np.array([100.0 * (p.answer == item.answer) for item, p in pairs])
        if self.kind == "answers":
            return np.array([100.0 * _exact(p.answer, item.answers) for item, p in pairs])
        counts = np.array([_counts(item.answer, p.answer) for item, p in pairs], dtype=float)
        both, all_ = 2 * counts[:, 0], counts.sum(1) + counts[:, 0]
        if not all_.sum():
            return np.full(len(pairs), 100.0)
        f1 = both.sum() / all_.sum()
        return 100 * (f1 + (both - f1 * all_) / all_.mean())

    def measures(
        self, items: Sequence[Item], predictions: Sequence[Prediction]
    ) -> dict[str, float]:
        """All measures, in percent: the deciding one, the second one, and of each label the recall
        (the share of its items that were given it).
        """
        first, second = MEASURES[self.kind]
        values = {first: float(self.scores(items, predictions).mean())}
        pairs = list(zip(items, predictions, strict=True))
        if self.kind == "labels":
            recalls, f1s = _by_label(pairs)
            values[second] = float(np.mean(list(f1s.values())))
            return values | {f"recall of {label}": value for label, value in recalls.items()}
        if self.kind == "answers":
            f1 = [best_score("squad.f1", p.answer or "", item.answers) for item, p in pairs]
            return values | {second: 100 * float(np.mean(f1))}
        same = [
            a == b
            for item, p in pairs
            for a, b in zip(item.answer.split(), _as_tags(p.answer, item), strict=True)
        ]
        return values | {second: 100 * float(np.mean(same))}

    # storage

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "TableTask":
        lists = {name: tuple(stored[name]) for name in ("labels", "text")}
        return replace(cls(**{**stored, **lists}))


def _joined(value: Value) -> str:
    if isinstance(value, str):
        return value
    if spaced := [part for part in value if len(part.split()) != 1]:
        raise ValueError(
            f"the word {shown(spaced[0])} in a list of words: expected words without spaces"
        )
    return " ".join(value)


def _exact(answer: str | None, right: Sequence[str]) -> float:
    """Whether an answer is one of the right ones: the same text or number, or the same but for
    capitals, punctuation and articles.
    """
    if answer is None:
        return 0.0
    loosely = [text for text in right if NORMALISERS["squad"](text)]
    same = best_score("exact", answer, right)
    return max(same, *(METRICS["squad.exact"](answer, text) for text in loosely), 0.0)


def _as_tags(answer: str | None, item: Item) -> list[str]:
    tags = (answer or "").split()
    return tags if len(tags) == len(item.text.split()) else ["O"] * len(item.text.split())


def _counts(right: str, answer: str | None) -> tuple[int, int, int]:
    """Entities that are right, too many, and missed; those of an answer that cannot be read are all
    missed.
    """
    expected = set(entities(right.split()))
    named = set(entities(answer.split())) if answer else set()
    return len(expected & named), len(named - expected), len(expected - named)


def _by_label(
    pairs: Sequence[tuple[Item, Prediction]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Recall and F1 of every label that a test item has, in percent."""
    recalls, f1s = {}, {}
    for label in sorted({item.answer for item, _ in pairs}):
        having = sum(item.answer == label for item, _ in pairs)
        given = sum(p.answer == label for _, p in pairs)
        both = sum(item.answer == label == p.answer for item, p in pairs)
        recalls[label], f1s[label] = 100 * both / having, 200 * both / (having + given)
    return recalls, f1s


def _tags(written: str, item: Item, labels: Sequence[str]) -> str | None:
    """The tags that a list of names stands for; None for anything else than such a list."""
    words, tags = item.text.split(), ["O"] * len(item.text.split())
    kinds = {tag[2:].casefold(): tag[2:] for tag in labels if tag != "O"}
    line = next((line.strip() for line in written.splitlines() if line.strip()), "")
    if line.casefold().rstrip(".") == _NONE:
        return " ".join(tags)
    for part in filter(None, (part.strip() for part in line.rstrip(".").split(";"))):
        named = re.fullmatch(r"(.+?) ?= ?(.+)", part)
        if not named or named[2].strip().casefold() not in kinds:
            return None
        kind, name = kinds[named[2].strip().casefold()], named[1].split()
        for start in range(len(words) - len(name) + 1):
            if words[start : start + len(name)] == name and set(
                tags[start : start + len(name)]
            ) == {"O"}:
                tags[start : start + len(name)] = [f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1)]
    return " ".join(tags) if line else None
