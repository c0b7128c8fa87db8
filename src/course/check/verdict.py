"""The verdict on an answer to an exercise: right, or one sentence that says what is wrong.

An answer is called on each case of a checker. A crash is reported with the input that led to it and
never becomes a traceback; an answer that changes its input, or from whose result no gradient flows
where one should, is wrong, too.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from course.check.comparison import difference, shown


@dataclass(frozen=True)
class Verdict:
    """What a checker says of an answer. It is true if the answer is right.

    Attributes:
        exercise: its name.
        right: whether the answer holds on every input.
        sentence: what is printed.
    """

    exercise: str
    right: bool
    sentence: str

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        return self.sentence

    def _ipython_display_(self) -> None:
        """A notebook shows nothing more: the sentence was printed."""


@dataclass(frozen=True)
class Case:
    """One call that an answer is tried with.

    Attributes:
        arguments: name -> value, handed over by position.
        expected: the result of the naive computation.
        hint: what is probably wrong with an answer that fails here.
        gradient: (name of an argument, gradient of the summed result with respect to it), where one
            should flow.
    """

    arguments: dict[str, Any]
    expected: Any
    hint: str
    gradient: tuple[str, Any] | None = None


def cases(
    naive: Callable, hint: str, *inputs: dict[str, Any], gradient: str | None = None
) -> list[Case]:
    """Cases with one hint, whose results the naive computation gives.

    Args:
        gradient: the argument through which a gradient must flow, a tensor.
    """
    return [_case(naive, hint, arguments, gradient) for arguments in inputs]


def _case(naive: Callable, hint: str, arguments: dict[str, Any], gradient: str | None) -> Case:
    if gradient is None:
        return Case(arguments, naive(*copy.deepcopy(arguments).values()), hint)
    arguments = arguments | {gradient: arguments[gradient].clone().requires_grad_()}
    result = naive(*arguments.values())
    slope = _gradient(result, arguments[gradient])
    expected = (
        tuple(part.detach() for part in result) if isinstance(result, tuple) else result.detach()
    )
    return Case(arguments, expected, hint, (gradient, slope))


def _gradient(result: Any, argument: Any) -> Any:
    """Of the sum of a result, or of the first of several, with respect to an argument."""
    import torch

    value = result[0] if isinstance(result, tuple | list) else result
    return torch.autograd.grad(value.sum(), argument)[0]


def judge(exercise: str, answer: Callable, tried: Sequence[Case]) -> Verdict:
    """Try an answer on each case until one fails, print the sentence, and return the verdict."""
    wrong = _not_a_function(exercise, answer) or next(
        (fault for case in tried if (fault := _fault(exercise, answer, case))), ""
    )
    sentence = f"Not yet: {wrong}" if wrong else f"Right: {exercise} holds on {len(tried)} inputs."
    print(sentence)
    return Verdict(exercise, not wrong, sentence)


def _not_a_function(exercise: str, answer: object) -> str:
    if callable(answer):
        return ""
    return (
        f"expected a function, got {shown(answer)}, of type {type(answer).__name__}; hand over "
        f"the function itself, without calling it: check.{exercise}(my_function)."
    )


def _fault(exercise: str, answer: Callable, case: Case) -> str:
    """What is wrong with an answer on one input, as a sentence; empty if nothing is."""
    arguments = copy.deepcopy(case.arguments)
    call = ", ".join(f"{name}={shown(value)}" for name, value in case.arguments.items())
    place = f"{exercise}({call})"
    try:
        result = answer(*arguments.values())
    except (Exception, SystemExit) as error:
        return f"{place} raised {_named(error)}. Hint: {case.hint}"
    if result is None and case.expected is not None:
        expected = shown(case.expected)
        return f"{place}: expected {expected}, got None (a return missing?). Hint: {case.hint}"
    if found := difference(result, case.expected):
        return f"{place}: {found}. Hint: {case.hint}"
    for name, value in case.arguments.items():
        if not callable(value) and difference(arguments[name], value):
            return f"{place} changed its input {name}. Hint: work on a copy of it."
    return _gradient_fault(place, result, arguments, case)


def _gradient_fault(place: str, result: Any, arguments: dict[str, Any], case: Case) -> str:
    if case.gradient is None:
        return ""
    name, expected = case.gradient
    try:
        slope = _gradient(result, arguments[name])
    except (Exception, SystemExit):
        return (
            f"{place} has the right value, and no gradient flows from it to {name}. Hint: stay "
            "with operations of torch; .item(), .detach(), .tolist() and torch.tensor() cut it off."
        )
    if found := difference(slope, expected):
        return f"{place}: in the gradient with respect to {name} {found}. Hint: {case.hint}"
    return ""


def _named(error: BaseException) -> str:
    """The kind of an exception and the first line of what it says."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # an exception of the answer's own may fail at this, too
        lines = []
    kind = type(error).__name__
    return f"{kind} ({lines[0][:120]})" if lines else kind
