"""How a comparison is repeated: the command with all of its options, or the call in Python."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from course.compare.bodies import Served
from course.compare.plan import BUDGET
from course.compare.reading import IN_MEMORY
from course.compare.table import ReadAs

if TYPE_CHECKING:
    from course.compare.job import RunSettings


@dataclass(frozen=True)
class Request:
    """What was asked of a comparison. What was left to the defaults is None or empty; so it is left
    out where the comparison is repeated.

    Attributes:
        source, test: where the table comes from, and the one to test on.
        read_as: what was said about the table's file.
        text, label, kind, template, instruction: as :func:`course.compare.compare` takes them.
        methods: their names.
        model, encoder: as they were named; the tier in force if none was.
        served: a model that is asked over the network.
        run: budget, seeds, sizes and the like.
    """

    source: str
    text: tuple[str, ...]
    label: str
    model: str
    run: "RunSettings"
    read_as: ReadAs = ReadAs()
    methods: tuple[str, ...] | None = None
    encoder: str | None = None
    kind: str | None = None
    template: str | None = None
    instruction: str = ""
    test: str | None = None
    served: Served | None = field(default=None)

    def repeated(self, out: str) -> str:
        """What repeats the comparison: a command for files, a call for tables in memory.

        Args:
            out: the folder of the report.
        """
        in_memory = {self.source, self.test} & set(IN_MEMORY)
        return self._call(out) if in_memory else self._command(out)

    def _command(self, out: str) -> str:
        words = ["course", "compare", self.source]
        for name, value in self._options(out):
            words += _words(name, value)
        return " ".join(map(shlex.quote, words))

    def _options(self, out: str) -> Iterator[tuple[str, Any]]:
        """(option, value) of what was named; True for an option without a value."""
        run, read_as = self.run, self.read_as
        given = {
            "label": self.label,
            "template": self.template,
            "instruction": self.instruction,
            "kind": self.kind,
            "test": self.test,
            "encoding": read_as.encoding,
            "delimiter": read_as.delimiter,
            "columns": _joined(read_as.columns),
            "methods": _joined(self.methods),
            "model": self.model,
            "encoder": self.encoder,
            "sizes": _joined(run.sizes),
            **{name: getattr(run, name) for name in _changed(run) if name not in _OWN_FORM},
            **self._served_options(),
            "out": out,
        }
        yield from (("--text", name) for name in self.text)
        if run.budget != BUDGET:
            yield "--budget", _time(run.budget)
        yield from ((f"--{n.replace('_', '-')}", value) for n, value in given.items() if value)

    def _served_options(self) -> dict[str, Any]:
        served = self.served
        if served is None:
            return {}
        prices = served.price_read, served.price_written
        known = [price for price in prices if price is not None]
        return {
            "served": served.base_url,
            "served_model": served.name,
            "completions": not served.chat,
            "price": f"{known[0]:g}/{known[-1]:g}" if known else None,
        }

    def _call(self, out: str) -> str:
        given = {
            "text": self.text[0] if len(self.text) == 1 else list(self.text),
            "label": self.label,
            "methods": self.methods and list(self.methods),
            "model": self.model,
            "encoder": self.encoder,
            "kind": self.kind,
            "template": self.template,
            "instruction": self.instruction,
            "served": self.served,
            "out": out,
        }
        changed = {name: getattr(self.run, name) for name in _changed(self.run)}
        words = [self._table(), *(f"{name}={value!r}" for name, value in given.items() if value)]
        if self.test is not None:
            words.append("test=test" if self.test in IN_MEMORY else f"test={self.test!r}")
        return f"compare({', '.join([*words, *(f'{n}={v!r}' for n, v in changed.items())])})"

    def _table(self) -> str:
        if self.source in IN_MEMORY:
            return "table"
        said = [f"{name}={value!r}" for name, value in vars(self.read_as).items() if value]
        return f"read_table({', '.join([repr(self.source), *said])})" if said else repr(self.source)


#: Settings of a run whose options are written in their own way.
_OWN_FORM = ("budget", "sizes")


def _changed(run: "RunSettings") -> list[str]:
    """The settings that are not the defaults."""
    return [f.name for f in fields(run) if getattr(run, f.name) != f.default]


def _words(option: str, value: Any) -> list[str]:
    """An option on a command line; a value that looks like an option is tied to its own."""
    if value is True:
        return [option]
    return [f"{option}={value}"] if str(value).startswith("-") else [option, str(value)]


def _joined(values: tuple | None) -> str | None:
    return None if values is None else ",".join(map(str, values))


def _time(seconds: float | None) -> str:
    """A budget as ``--budget`` takes it."""
    if seconds is None:
        return "none"
    size, unit = next(
        (s, u) for s, u in ((3600, "h"), (60, "m"), (1, "s")) if seconds % s == 0 or s == 1
    )
    return f"{seconds / size:.15g}{unit}"
