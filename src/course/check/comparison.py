"""Comparing an answer with what was expected, and putting values into a sentence."""

from collections.abc import Mapping
from typing import Any

import numpy as np

#: Relative and absolute difference up to which two numbers count as equal.
RELATIVE, ABSOLUTE = 1e-3, 1e-4
#: Arrays with more numbers than this are compared in the sentence at one position.
_WHOLE = 24
_LONGEST = 200


def difference(got: Any, expected: Any) -> str:
    """What distinguishes a result from the one that was expected, as "expected ..., got ..."; empty
    for none.

    Arrays may come as tensors, numpy arrays or lists, numbers as any kind of number.
    """
    if expected is None or isinstance(expected, str | Mapping):
        return "" if type(got) is type(expected) and got == expected else _said(got, expected)
    if got is None:
        return f"expected {shown(expected)}, got None"
    if isinstance(expected, tuple):
        return _parts(got, expected)
    if isinstance(expected, list) and not _is_numeric(expected):
        same = isinstance(got, list | tuple) and [*map(_as_tuple, got)] == expected
        return "" if same else _said(got, expected)
    return _numbers(got, expected)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_numeric(values: list) -> bool:
    return bool(values) and all(
        _is_numeric(v) if isinstance(v, list) else isinstance(v, int | float) for v in values
    )


def _said(got: Any, expected: Any) -> str:
    if isinstance(got, str) and isinstance(expected, str):
        pairs = enumerate(zip(got, expected, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(got), len(expected)))
        if at > 40:
            before = at - 20
            return (
                f"expected {expected[before : at + 40]!r} from character {before} on, "
                f"got {got[before : at + 40]!r}"
            )
    return f"expected {shown(expected)}, got {shown(got)}"


def _parts(got: Any, expected: tuple) -> str:
    """The difference of a result of several values."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return f"expected {len(expected)} values, {shown(expected)}, got {shown(got)}"
    for number, (part, wanted) in enumerate(zip(got, expected, strict=True), start=1):
        if found := difference(part, wanted):
            return f"in value {number} of the result {found}"
    return ""


def as_array(value: Any) -> np.ndarray | None:
    """A tensor, an array, a number or nested lists of them as an array; None for anything else."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().double() if value.is_floating_point() else value.cpu()
        elif isinstance(value, list | tuple):
            value = [_listed(part) for part in value]
        array = np.asarray(value)
    except Exception:  # whatever an answer returns, the checker itself must not fail
        return None
    return array if array.dtype.kind in "biuf" else None


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _numbers(got: Any, expected: Any) -> str:
    found, wanted = as_array(got), as_array(expected)
    assert wanted is not None
    if found is None:
        return f"expected {shown(expected)}, got {shown(got)}, of type {type(got).__name__}"
    if found.shape != wanted.shape:
        return (
            f"expected {_shape(wanted)}, got {_shape(found)}: {shown(expected)} against "
            f"{shown(got)}"
        )
    wrong = ~np.isclose(
        found.astype(float), wanted.astype(float), RELATIVE, ABSOLUTE, equal_nan=True
    )
    if not wrong.any():
        return ""
    if wanted.size <= _WHOLE:
        return f"expected {shown(expected)}, got {shown(got)}"
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"expected {shown(wanted[at])} at position {list(at)}, got {shown(found[at])}"


def _shape(array: np.ndarray) -> str:
    return f"the shape {array.shape}" if array.ndim else "a single number"


def shown(value: Any) -> str:
    """A value as it stands in a sentence: numbers to four digits, truth values of arrays as 0 and
    1, long ones cut.
    """
    try:
        text = _plain(value)
    except Exception:  # the repr of an answer's result may fail
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 4] + " ..."


def _plain(value: Any) -> str:
    if hasattr(value, "tolist"):
        array = as_array(value)
        assert array is not None
        return _plain((array.astype(int) if array.dtype == bool else array).tolist())
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_plain, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_plain(k)}: {_plain(v)}" for k, v in value.items()) + "}"
    return getattr(value, "__name__", None) or repr(value)
