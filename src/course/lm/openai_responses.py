"""Checks of what an OpenAI-compatible endpoint says: only what is used is kept, and only if it is
what the protocol promises.
"""

from __future__ import annotations

import math
from typing import Any

#: Columns of the log-probabilities of a text: its tokens, where each begins, its log-probability.
_COLUMNS = ("tokens", "text_offset", "token_logprobs")
#: Log-probabilities are at most 0, but for rounding.
_ROUNDING = 1e-3


class EndpointError(RuntimeError):
    """An endpoint did not answer, or not as its protocol says. What was answered before is kept."""


class NoLogProbabilities(EndpointError):
    """An endpoint does not tell the probabilities of a text."""


def checked_answer(kind: str, answer: Any) -> dict:
    """What is used of an answer, and nothing else that a server may send along.

    Raises:
        ValueError: if it has no text, or parts that are not what the protocol says.
    """
    answer = _typed("answer", answer, dict)
    if answer.get("error"):
        raise ValueError(f"it says error: {answer['error']}")
    choices = _typed("choices", answer.get("choices"), list)
    if not choices:
        raise ValueError("expected one or more choices, found none")
    text = text_of(kind, answer)
    reason = _typed("finish_reason", choices[0].get("finish_reason"), str, optional=True)
    usage = _typed("usage", answer.get("usage"), dict, optional=True) or {}
    tokens = _typed("completion_tokens", usage.get("completion_tokens"), int, optional=True)
    logprobs = choices[0].get("logprobs")
    if isinstance(logprobs, dict):
        logprobs = {name: logprobs.get(name) for name in _COLUMNS}
    else:
        logprobs = None
    written = {"message": {"content": text}} if kind == "chat" else {"text": text}
    return {
        "choices": [written | {"finish_reason": reason, "logprobs": logprobs}],
        "usage": {"completion_tokens": tokens},
    }


def text_of(kind: str, answer: dict) -> str:
    """The text of an answer's first choice."""
    choice = _typed("choice", answer["choices"][0], dict)
    text = (
        _typed("message", choice.get("message"), dict).get("content")
        if kind == "chat"
        else choice.get("text")
    )
    if text is None:
        reason = choice.get("finish_reason")
        more = "; give it more with max_tokens=" if reason == "length" else ""
        raise ValueError(f"expected a text, found none, with finish_reason {reason!r}{more}")
    _typed("text", text, str).encode()  # half of a surrogate pair is no text
    return text


def _typed(name: str, value: Any, kind: type, optional: bool = False) -> Any:
    """A value from outside, if it is of the type that it should be of."""
    if (optional and value is None) or type(value) is kind:
        return value
    raise ValueError(f"expected {kind.__name__} for {name}, found {str(value)[:100]!r}")


def is_complete(request: dict, answer: dict) -> bool:
    """Whether an answer says all that the request asks for, the log-probabilities of a text too if
    it does.
    """
    if not request.get("echo"):
        return True
    tokens = echoed_tokens(answer["choices"][0], request["prompt"])
    return tokens is not None and all(
        value is not None for _, at, value in tokens[1:] if at < len(request["prompt"])
    )


def echoed_tokens(choice: dict, whole: str) -> list[tuple[str, int, float | None]] | None:
    """(token, where it begins, log-probability) of a text that was repeated; None if it was not, or
    the three do not fit together.
    """
    logprobs = choice.get("logprobs") or {}
    columns: list[Any] = [logprobs.get(name) for name in _COLUMNS]
    if not all(isinstance(column, list) for column in columns) or not choice["text"].startswith(
        whole
    ):
        return None
    # some servers give one offset more than there are tokens
    tokens = list(zip(*columns, strict=False))
    if (
        len(columns[0]) != len(tokens)
        or len(columns[2]) != len(tokens)
        or not all(_is_token(*token) for token in tokens)
    ):
        return None
    starts = [start for _, start, _ in tokens]
    ends = [start + len(token) for token, start, _ in tokens]
    # they cover the text in their order; parts of a character may have the same place
    covered = starts == sorted(starts) and all(
        start <= end for start, end in zip(starts, [0, *ends], strict=False)
    )
    return tokens if tokens and covered and max(ends) >= len(whole) else None


def _is_token(token: Any, start: Any, value: Any) -> bool:
    known = value is None or (
        type(value) in (int, float) and not math.isnan(value) and value <= _ROUNDING
    )
    return isinstance(token, str) and type(start) is int and known
