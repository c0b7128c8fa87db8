"""From a table to training and test items, with everything that is wrong with it counted and shown.

What is done about each thing stands in its :class:`Finding`; nothing is left out silently.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import Formatter

from course.compare.splits import near_copies, normalised, order, split
from course.compare.table import Table
from course.compare.task import KINDS, Item, TableTask
from course.foundation.rng import Rng
from course.foundation.validation import one_of, shown

#: The most test items, and the share of a smaller table that tests.
MOST_TEST, TEST_SHARE = 500, 1 / 3
#: Rows that are used at most; of a larger table so many at random.
MOST_ROWS = 20_000
#: Fewest items that can be compared on.
FEWEST = 12
#: More different answers than this are free answers, unless they are said to be labels; then so
#: many at most.
_USUAL_LABELS, MOST_LABELS = 50, 1000
#: Share of the most common label from which accuracy alone misleads.
SKEWED = 0.75
_TAG = re.compile(r"O|[BI]-\S+")
#: How a worked solution ends in its answer (GSM8K, Cobbe et al. 2021).
_FINAL = re.compile(r"\n#### *(\S[^\n]*?)\s*\Z")
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """Something about the data that a reader should know.

    Attributes:
        kind: a short name, such as ``"empty text"``.
        count: how many items.
        what: what was found and what was done about it.
        examples: a few of them.
    """

    kind: str
    count: int
    what: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """Training and test items of a task.

    Attributes:
        task: what is asked.
        train, test: the items; no text stands in both.
        findings: what was wrong or is worth knowing.
        source: where the table comes from.
    """

    task: TableTask
    train: tuple[Item, ...]
    test: tuple[Item, ...]
    findings: tuple[Finding, ...]
    source: str

    @property
    def fingerprint(self) -> str:
        """Changes when the task or an item does."""
        parts = [self.task.as_dict(), [[i.text, *i.answers] for i in (*self.train, *self.test)]]
        text = json.dumps([*parts, len(self.train)], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def subset(self, size: int, seed: int) -> tuple[Item, ...]:
        """``size`` training items; a smaller set is the beginning of a larger one of that seed."""
        stratified = self.task.kind == "labels"
        places = order([item.answer for item in self.train], seed, stratified)
        return tuple(self.train[i] for i in places[:size])

    def with_test(self, count: int) -> "Prepared":
        """The same with at most ``count`` of the test items."""
        if count >= len(self.test):
            return self
        places = order([item.answer for item in self.test], 0, self.task.kind == "labels")
        return replace(self, test=tuple(self.test[i] for i in sorted(places[:count])))

    def with_train(self, count: int) -> "Prepared":
        """The same with at most ``count`` of the training items, which a finding says."""
        left = len(self.train) - count
        if left <= 0:
            return self
        what = (
            "labelled items were left out, as the budget is too short to learn from all: "
            f"{count:,} at random are used (a longer --budget uses more, --budget none all)"
        )
        finding = Finding("items to learn from left out", left, what)
        return replace(self, train=self.subset(count, 0), findings=(*self.findings, finding))


def prepare(
    table: Table,
    text: str | Sequence[str],
    label: str,
    kind: str | None = None,
    template: str | None = None,
    instruction: str = "",
    test: Table | None = None,
    most_test: int = MOST_TEST,
    seed: int = 0,
) -> Prepared:
    """Training and test items of a table.

    Args:
        text: the column that is read, or several; two of them without a template are a pair.
        label: the column that is answered.
        kind: one of :data:`course.compare.task.KINDS` (default: what the column looks like).
        template: how several columns become one text: ``"{title}: {body}"``.
        instruction: what a prompted model is told.
        test: a table of its own with the test items.
        most_test: test items at most.
        seed: of the split.

    Raises:
        ValueError: for a column that is not there, a template without its fields, and a table with
            too little in it to compare anything.
    """
    columns = _columns(table, text, template)
    if table.column(label, "label") in columns:
        raise ValueError(f"label={label!r} is read as text, too: expected another column")
    bare = TableTask("answers", (), columns, label, template, instruction)
    items, findings = _items(bare, table, seed)
    items, more = _final_answers(items)
    findings += more
    found = one_of(KINDS)("kind", kind) if kind else _kind(items, table, label)
    task = replace(bare, kind=found)
    own: list[Item] = []
    if test is not None:
        test.column(label, "label")
        task.check_columns(test)
        own, more = _items(bare, test, seed)
        own, _ = _final_answers(own)
        findings += [replace(f, kind=f"{f.kind} (test table)") for f in more]
    findings = [Finding("reading", 1, note) for note in table.notes] + findings
    items, more = _without_repeats(task, items)
    own, _ = _without_repeats(task, own)
    findings += more
    if test is not None and not own:
        raise ValueError(f"{test.source} has no row with a text and an answer to test on")
    labels = _labels(task, [*items, *own])
    task = replace(task, labels=labels)
    _check_enough(task, items, label)
    train, tests, more = _split(task, items, own, most_test, seed)
    _check_sides(task, train, tests, test)
    findings += more + _about_labels(task, train, tests)
    return Prepared(task, tuple(train), tuple(tests), tuple(findings), table.source)


def _columns(table: Table, text: str | Sequence[str], template: str | None) -> tuple[str, ...]:
    columns = tuple(table.column(name) for name in ((text,) if isinstance(text, str) else text))
    if not columns:
        raise ValueError("text=[]: expected the name of at least one column")
    if len(set(columns)) < len(columns):
        raise ValueError(f"text={list(columns)}: a column stands there twice; name each once")
    if template is not None:
        try:
            fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        except ValueError as error:
            raise ValueError(f"template={template!r} cannot be read ({error})") from None
        if fields != set(columns):
            raise ValueError(
                f"template={template!r} has the fields {', '.join(sorted(fields)) or 'none'}: "
                f"expected {', '.join('{' + name + '}' for name in columns)}, one for each column"
            )
    return columns


def _items(task: TableTask, table: Table, seed: int) -> tuple[list[Item], list[Finding]]:
    """The rows that have a text and an answer."""
    items = [task.item(row, number) for number, row in enumerate(table.rows, 1)]
    empty = [item for item in items if not has_text(item)]
    silent = [item for item in items if has_text(item) and not item.answer.strip()]
    left = [item for item in items if has_text(item) and item.answer.strip()]
    findings = []
    for kind, some in (("empty text", empty), ("empty label", silent)):
        if some:
            rows = ", ".join(str(item.row) for item in some[:5])
            what = f"rows with an {kind}, which were left out (row {rows}, counted from 1)"
            findings.append(Finding(kind, len(some), what))
    if len(left) > MOST_ROWS:
        what = f"rows in all, of which {MOST_ROWS:,} at random were used"
        findings.append(Finding("large table", len(left), what))
        left = Rng(f"rows/{seed}").sample(left, MOST_ROWS)
    return left, findings


def _final_answers(items: list[Item]) -> tuple[list[Item], list[Finding]]:
    """The items with their final answers alone, if all of them are worked solutions."""
    ends = [match for item in items if (match := _FINAL.search(item.answer))]
    if not items or len(ends) < len(items):
        return items, []
    what = "answers are worked solutions, of which what is behind the last #### is the answer"
    finding = Finding("worked solution", len(items), what, tuple(end[1] for end in ends[:_SHOWN]))
    return [replace(i, answer=end[1]) for i, end in zip(items, ends, strict=True)], [finding]


def has_text(item: Item) -> bool:
    """Whether all of an item's columns have a text."""
    return all(part.strip() for part in item.texts)


def _kind(items: Sequence[Item], table: Table, label: str) -> str:
    if not items:
        return "labels"
    if isinstance(table.rows[items[0].row - 1][label], list):
        return "tags"
    tags = [item.answer.split() for item in items]
    if all(
        len(some) == len(item.text.split()) and all(map(_TAG.fullmatch, some))
        for some, item in zip(tags, items, strict=True)
    ):
        return "tags"
    different = Counter(item.answer for item in items)
    often = sum(count for count in different.values() if count > 1) / len(items)
    few = len(different) <= max(2, min(_USUAL_LABELS, len(items) // 4))
    return "labels" if few and often >= 0.5 else "answers"


def _without_repeats(task: TableTask, items: Sequence[Item]) -> tuple[list[Item], list[Finding]]:
    """Every text once. With several labels it keeps the most common one, and without such a one it
    is left out; several free answers are all right.
    """
    by_text: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_text[normalised(item.text) if task.kind != "tags" else item.text].append(item)
    kept, repeats, disputed, dropped = [], 0, [], 0
    for some in by_text.values():
        counts = Counter(item.answer for item in some).most_common()
        repeats += len(some) - len(counts)
        first = next(item for item in some if item.answer == counts[0][0])
        if len(counts) == 1:
            kept.append(first)
        elif task.kind == "answers":
            kept.append(replace(first, others=tuple(answer for answer, _ in counts[1:])))
        else:
            disputed.append(some)
            if counts[0][1] > counts[1][1]:
                kept.append(first)
            else:
                dropped += 1
    findings = []
    if repeats:
        what = "rows that repeat a text with the same answer; each text counts once"
        findings.append(Finding("repeated row", repeats, what))
    if disputed:
        what = (
            "texts with two or more labels; each kept its most common label, and the "
            f"{dropped} without such a one were left out"
        )
        examples = [
            f"{some[0].text[:60]!r}: {', '.join(repr(i.answer) for i in some[:4])}"
            for some in disputed[:_SHOWN]
        ]
        findings.append(Finding("same text, two labels", len(disputed), what, tuple(examples)))
    return sorted(kept, key=lambda item: item.row), findings


def _labels(task: TableTask, items: Sequence[Item]) -> tuple[str, ...]:
    if task.kind == "answers":
        return ()
    if task.kind == "labels":
        return tuple(sorted({item.answer for item in items}))
    for item in items:
        words, tags = item.text.split(), item.answer.split()
        if len(words) != len(tags):
            raise ValueError(
                f"row {item.row} has {len(words)} words and {len(tags)} tags: expected one tag for "
                "each word"
            )
        if wrong := [tag for tag in tags if not _TAG.fullmatch(tag)]:
            raise ValueError(
                f"row {item.row} has the tag {wrong[0]!r}: expected O, or B- or I- and a kind"
            )
    every = {tag for item in items for tag in item.answer.split()} - {"O"}
    both = {f"{mark}-{tag[2:]}" for tag in every for mark in "BI"}
    return ("O", *sorted(both))


def _check_enough(task: TableTask, items: Sequence[Item], label: str) -> None:
    if len(items) < FEWEST:
        raise ValueError(
            f"{len(items)} different texts with an answer are too few to compare anything: "
            f"expected at least {FEWEST}"
        )
    if len(task.labels) > MOST_LABELS:
        raise ValueError(
            f"label={label!r} has {len(task.labels):,} different labels: expected at most "
            f"{MOST_LABELS:,}, as a head has a weight for each; take kind='answers' "
            "(--kind answers) for free answers"
        )
    if task.kind != "answers" and len(task.labels) < 2:
        raise ValueError(
            f"label={label!r}: all rows have {shown(task.labels[0])}: expected two or more labels"
        )


def _check_sides(
    task: TableTask, train: Sequence[Item], tests: Sequence[Item], test: Table | None
) -> None:
    """Refuse a split with a side on which nothing can be compared."""
    if not tests and task.kind == "labels":
        raise ValueError(
            f"none of the {len(task.labels):,} labels has two different texts, one of them to test "
            "on: expected several rows of a label, or kind='answers' (--kind answers)"
        )
    if not tests:
        raise ValueError("all texts are nearly alike, so that none is left to test on")
    if test is not None and len(train) < FEWEST:
        raise ValueError(
            f"{len(train)} texts are left to learn from without those that are in {test.source}, "
            f"too: expected at least {FEWEST}; name another table to test on"
        )


def _split(
    task: TableTask, items: list[Item], own: list[Item], most: int, seed: int
) -> tuple[list[Item], list[Item], list[Finding]]:
    findings = []
    texts = [item.text for item in (*items, *own)]
    groups = near_copies(texts)
    copies = len(texts) - len(set(groups))
    if own:
        tested = set(groups[len(items) :])
        train = [item for item, group in zip(items, groups, strict=False) if group not in tested]
        if gone := len(items) - len(train):
            what = "training texts that are (nearly) in the test table, too, and were left out"
            findings.append(Finding("copy of a test text", gone, what))
        return train, own[:most] if len(own) <= most else _some(own, most), findings
    if copies:
        examples = _copies(texts, groups)
        what = "texts nearly like another one; copies are all for training or all for testing"
        findings.append(Finding("near-copy", copies, what, examples))
    labels = [item.answer if task.kind == "labels" else "" for item in items]
    wanted = min(most, round(TEST_SHARE * len(items)))
    tested_items = split(labels, groups, wanted, seed)
    train = [item for item, tests in zip(items, tested_items, strict=True) if not tests]
    tests = [item for item, tests in zip(items, tested_items, strict=True) if tests]
    return train, tests if len(tests) <= most else _some(tests, most), findings


def _some(items: list[Item], most: int) -> list[Item]:
    return [items[i] for i in sorted(Rng("test").sample(range(len(items)), most))]


def _copies(texts: Sequence[str], groups: Sequence[int]) -> tuple[str, ...]:
    pairs = [(texts[group], text) for text, group in zip(texts, groups, strict=True)]
    return tuple(f"{a[:50]!r} and {b[:50]!r}" for a, b in pairs if a != b)[:_SHOWN]


def _about_labels(task: TableTask, train: Sequence[Item], test: Sequence[Item]) -> list[Finding]:
    if task.kind != "labels":
        return []
    findings = []
    counts = Counter(item.answer for item in (*train, *test))
    once = sorted(label for label, count in counts.items() if count == 1)
    if once:
        what = "labels that stand there once: they are in training, and nothing tests them"
        findings.append(
            Finding("label seen once", len(once), what, tuple(map(repr, once[:_SHOWN])))
        )
    forms = defaultdict(list)
    for label in sorted(counts):
        forms[normalised(label)].append(label)
    alike = [labels for labels in forms.values() if len(labels) > 1]
    if alike:
        what = (
            "groups of labels that differ in spaces, capitals or marks alone; they are kept apart"
        )
        examples = tuple(", ".join(map(repr, labels)) for labels in alike[:_SHOWN])
        findings.append(Finding("labels alike", len(alike), what, examples))
    label, most = counts.most_common(1)[0]
    if most / sum(counts.values()) >= SKEWED:
        what = (
            f"items have the label {label!r}, {100 * most / sum(counts.values()):.0f} % of all: "
            "look at "
            "macro F1 and at the recall of each label, too"
        )
        findings.append(Finding("skewed labels", most, what))
    return findings
