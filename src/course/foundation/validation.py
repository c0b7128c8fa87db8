"""Validation of settings, field by field: type, range, finite.

A rule takes a name and a value and gives the value back, a number of numpy as one of Python, or
raises an error that names the value and what was expected. :func:`check_fields` holds a dataclass
to one rule for each of its fields.
"""

import math
import numbers
import operator
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

#: Checks a value: ``rule(name, value)`` is the value, or an error.
Rule = Callable[[str, Any], Any]
#: An error shows no more than this many characters of a value.
_SHOWN = 60


def integer(minimum: int | None = None, maximum: int | None = None) -> Rule:
    """A whole number of this range, both ends included; no bool, no float, not even 2.0."""

    def rule(name: str, value: Any) -> int:
        expected = f"a whole number{_range(minimum, maximum)}"
        if isinstance(value, bool):
            raise _wrong(TypeError, name, value, expected)
        try:
            found = operator.index(value)
        except TypeError:
            raise _wrong(TypeError, name, value, expected) from None
        if not _within(found, minimum, maximum):
            raise _wrong(ValueError, name, value, expected)
        return found

    return rule


def number(
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Rule:
    """A finite number of this range; ``minimum`` and ``maximum`` are included, ``above`` and
    ``below`` are not. No bool.
    """

    def rule(name: str, value: Any) -> float:
        expected = f"a finite number{_range(minimum, maximum, above, below)}"
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise _wrong(TypeError, name, value, expected)
        found: Any = value.item() if hasattr(value, "item") else value
        if not _finite(found) or not _within(found, minimum, maximum, above, below):
            raise _wrong(ValueError, name, value, expected)
        return found

    return rule


def boolean() -> Rule:
    """True or False, and not what merely counts as one."""

    def rule(name: str, value: Any) -> bool:
        # numpy's own truth values are no bool
        if type(value).__name__ not in ("bool", "bool_"):
            raise _wrong(TypeError, name, value, "True or False")
        return bool(value)

    return rule


def text(empty: bool = False) -> Rule:
    """A string; an empty one only if ``empty``."""

    def rule(name: str, value: Any) -> str:
        expected = "a string" if empty else "a string that is not empty"
        if not isinstance(value, str):
            raise _wrong(TypeError, name, value, expected)
        if not value and not empty:
            raise _wrong(ValueError, name, value, expected)
        return value

    return rule


def one_of(options: Iterable) -> Rule:
    """One of these values, of the same type: True is not 1."""
    allowed = list(options)

    def rule(name: str, value: Any) -> Any:
        if not any(type(value) is type(option) and value == option for option in allowed):
            raise _wrong(ValueError, name, value, f"one of {', '.join(map(repr, allowed))}")
        return value

    return rule


def instance(*types: type) -> Rule:
    """An object of one of these types."""

    def rule(name: str, value: Any) -> Any:
        if not isinstance(value, types):
            raise _wrong(TypeError, name, value, " or ".join(kind.__name__ for kind in types))
        return value

    return rule


def anything() -> Rule:
    """Whatever it is: for a part that is checked where it is used."""
    return lambda name, value: value


def function() -> Rule:
    """Something that can be called."""

    def rule(name: str, value: Any) -> Any:
        if not callable(value):
            raise _wrong(TypeError, name, value, "a function")
        return value

    return rule


def optional(rule: Rule) -> Rule:
    """What ``rule`` accepts, or None."""

    def accepts_none(name: str, value: Any) -> Any:
        return None if value is None else rule(name, value)

    return accepts_none


def each(rule: Rule, minimum: int = 0) -> Rule:
    """A list or tuple of at least ``minimum`` parts, each of which ``rule`` accepts; a string is no
    list of letters.
    """

    def accepts_all(name: str, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong(TypeError, name, value, "a list or tuple")
        if len(value) < minimum:
            raise _wrong(ValueError, name, value, f"at least {minimum} parts")
        return type(value)(rule(f"{name}[{i}]", part) for i, part in enumerate(value))

    return accepts_all


def seed() -> Rule:
    """What seeds a stream of draws: a whole number, also below 0."""
    return integer()


def share(above: float | None = None, below: float | None = None) -> Rule:
    """A number from 0 to 1, both included unless ``above`` or ``below`` says otherwise."""
    return number(None if above is not None else 0, None if below is not None else 1, above, below)


def check_fields(settings: Any, /, **rules: Rule) -> None:
    """Hold every field of a dataclass to its rule; meant for ``__post_init__``, of frozen
    dataclasses too.

    Raises:
        TypeError: if a value has the wrong type, or if the rules and the fields are not the same
            ones.
        ValueError: if a value is out of range or not finite.
    """
    names = {field.name for field in fields(settings)}
    if names != rules.keys():
        unruled = ", ".join(sorted(names ^ rules.keys()))
        raise TypeError(
            f"{type(settings).__name__}: expected one rule for each field, which these are not: "
            f"{unruled}"
        )
    for name, rule in rules.items():
        object.__setattr__(settings, name, rule(name, getattr(settings, name)))


def _range(
    minimum: float | None,
    maximum: float | None,
    above: float | None = None,
    below: float | None = None,
) -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}"
    limits = (("of at least", minimum), ("above", above), ("of at most", maximum), ("below", below))
    found = " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)
    return f" {found}" if found else ""


def _within(
    value: float,
    minimum: float | None,
    maximum: float | None,
    above: float | None = None,
    below: float | None = None,
) -> bool:
    return (
        (minimum is None or value >= minimum)
        and (maximum is None or value <= maximum)
        and (above is None or value > above)
        and (below is None or value < below)
    )


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


def _wrong(kind: type[Exception], name: str, value: Any, expected: str) -> Exception:
    return kind(f"{name}={shown(value)}: expected {expected}")


def shown(value: Any) -> str:
    """A value as an error shows it: short, whatever it is."""
    try:
        written = repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return f"a whole number of {value.bit_length()} bits"
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
