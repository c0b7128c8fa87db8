"""Client of an OpenAI-compatible endpoint (vLLM, ``transformers serve``, a commercial API).

The same contract as a model that runs here (:class:`course.lm.TextModel`). Many endpoints give no
log-probabilities and say so; then :func:`course.prompting.choose` lets the model write and compares
the texts.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAI

from course.lm.contract import Sample, TextModel, check_pairs
from course.lm.generation_config import GenerationConfig
from course.lm.tokenization import checked_texts

#: Environment variable with the key of the endpoint; one that wants no key takes any.
KEY_VARIABLE = "OPENAI_API_KEY"
#: A shorter key is a placeholder ("EMPTY", "none") for a server that wants none. It is no secret,
#: and it may stand in any text.
_SHORTEST_SECRET = 8
#: Columns of the log-probabilities of a text: its tokens, where each begins, its log-probability.
_COLUMNS = ("tokens", "text_offset", "token_logprobs")
#: Log-probabilities are at most 0, but for rounding.
_ROUNDING = 1e-3


class EndpointError(RuntimeError):
    """An endpoint did not answer, or not as its protocol says. What was answered before is kept."""


class NoLogProbabilities(EndpointError):
    """An endpoint does not tell the probabilities of a text."""


class OpenAIModel(TextModel):
    """A model behind an OpenAI-compatible endpoint.

    Answers are kept by request, so asking again after an error costs only what is missing. Only an
    answer that was checked is kept. The key is read from ``OPENAI_API_KEY`` here and stands in no
    attribute, message or file, also if the server sends it back.

    Args:
        name: the model's name at the endpoint.
        base_url: the endpoint, such as ``http://localhost:8000/v1``.
        chat: ask for chat completions, each prompt a user's message; otherwise for plain
            completions.
        answers: a file in which the answers are kept from one process to the next, not for two at
            once (default: in memory only).
        timeout: seconds that one request may take.
        retries: how often a request is tried again after a rate limit, an error of the server or a
            time-out, waiting longer each time.
        workers: requests under way at once.

    Raises:
        ValueError: for a file of answers that is damaged elsewhere than at its end, where a stopped
            run may have cut a line off, or whose folder does not exist; for an address that is none
            or that has a password in it, and a key that no header can carry.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        chat: bool = False,
        answers: Path | None = None,
        timeout: float = 60.0,
        retries: int = 4,
        workers: int = 8,
    ):
        _check_address(base_url)
        self.name, self.base_url, self.chat = name, base_url, chat
        self.timeout, self.workers = timeout, workers
        self._has_key = bool(os.environ.get(KEY_VARIABLE))
        self._send, self._hide = _connection(base_url, timeout, retries)
        self._file = Path(answers) if answers else None
        self._answers = _kept(self._file) if self._file else {}
        self._writing = Lock()

    def generate(
        self, prompts: Sequence[str], config: GenerationConfig | None = None, **changes: Any
    ) -> list[list[Sample]]:
        """Continuations of each prompt; arguments and returns: :meth:`TextModel.generate`.

        Every sample is a request of its own with a seed of its own, which follows from the same
        four things as there (``seed``, the prompt, its place among equal prompts, the number of the
        sample); whether the same seed gives the same sample is up to the server. ``tokens`` is what
        the server counted (0 if it does not), ``log_probability`` is not a number.

        Raises:
            TypeError, ValueError: as :meth:`TextModel.generate`.
            EndpointError: if a request fails after all retries, or is answered by anything but a
                text.
        """
        config = GenerationConfig.resolve(config, changes)
        prompts = checked_texts(prompts, "prompts")

        def samples(item: tuple[str, int]) -> list[Sample]:
            made: list[Sample] = []
            while len(made) < config.n and not _is_enough(made, config):
                made.append(self._sample(*item, len(made), config))
            return made

        # nothing is drawn at temperature 0, so there equal prompts are one question
        places = _places(prompts) if config.temperature > 0 else [0] * len(prompts)
        return self._all(samples, list(zip(prompts, places, strict=True)))

    def _sample(self, prompt: str, place: int, number: int, config: GenerationConfig) -> Sample:
        answer = self._ask(self._kind, self._request(prompt, place, number, config))
        text = _text(self._kind, answer)
        # some servers leave the stop in the text
        cut = min([text.find(s) for s in config.stop if s in text], default=len(text))
        reason = answer["choices"][0].get("finish_reason")
        finish = (
            "length"
            if reason == "length" and cut == len(text)
            else "stop"
            if config.stop
            else "end"
        )
        tokens = (answer.get("usage") or {}).get("completion_tokens") or 0
        return Sample(text[:cut], tokens, float("nan"), finish)

    def _request(self, prompt: str, place: int, number: int, config: GenerationConfig) -> dict:
        own_seed = blake2b(
            f"{config.seed}|{number}|{prompt}".encode(),
            digest_size=4,
            salt=place.to_bytes(8, "big"),
        ).digest()
        request: dict[str, Any] = {
            "temperature": config.temperature,
            "max_tokens": config.max_tokens,
            "seed": int.from_bytes(own_seed, "big") >> 1,
        }
        if config.stop:
            request["stop"] = list(config.stop)
        return request | (
            {"messages": [{"role": "user", "content": prompt}]} if self.chat else {"prompt": prompt}
        )

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats; see
        :meth:`course.lm.LanguageModel.score`.

        The endpoint is asked to repeat the whole text with the log-probability of each of its
        tokens.

        Raises:
            NoLogProbabilities: if it does not, as is so of every chat endpoint, or not for every
                token of a continuation: the first token of a text has none, so a prompt must not be
                empty.
            EndpointError: if a request fails after all retries.
            ValueError: if there are not as many prompts as continuations.
        """
        check_pairs(prompts, continuations)
        if self.chat:
            raise NoLogProbabilities(
                f"{self._place} is asked by chat, which tells no probability of a given text; "
                f"{_INSTEAD}"
            )
        return np.array(
            self._all(
                lambda pair: self._score(*pair), list(zip(prompts, continuations, strict=True))
            )
        )

    def _score(self, prompt: str, continuation: str) -> float:
        whole = prompt + continuation
        # one token is generated because some servers refuse none; it lies behind the text and is
        # not counted
        answer = self._ask(
            "completions",
            {"prompt": whole, "max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1},
        )
        tokens = _echoed_tokens(answer["choices"][0], whole)
        if tokens is None:
            raise NoLogProbabilities(
                f"{self._place} does not repeat a text with its log-probabilities; {_INSTEAD}"
            )
        # a token that spans the boundary belongs to the continuation
        counted = [
            (t, value)
            for t, start, value in tokens
            if start < len(whole) and max(start, start + len(t) - 1) >= len(prompt)
        ]
        unknown = [t for t, value in counted if value is None]
        if unknown or not counted:
            which = f"token {unknown[0]!r}" if unknown else "any token"
            begin = "" if prompt else "begin with a prompt that is not empty, or "
            raise NoLogProbabilities(
                f"{self._place} tells no log-probability for {which} of {continuation!r}; "
                f"{begin}{_INSTEAD}"
            )
        return float(sum(value for _, value in counted if value is not None))

    @property
    def _kind(self) -> str:
        return "chat" if self.chat else "completions"

    @property
    def _place(self) -> str:
        return f"{self.name} at {self.base_url}"

    def _all(self, work: Callable, items: Sequence) -> list:
        """``work`` once on every item, in parallel; the first error counts, after the others were
        let to finish.
        """
        with ThreadPoolExecutor(self.workers) as pool:
            running = {item: pool.submit(work, item) for item in dict.fromkeys(items)}
        failed = [error for f in running.values() if (error := f.exception()) is not None]
        if not failed:
            return [running[item].result() for item in items]
        if isinstance(failed[0], EndpointError) and not isinstance(failed[0], NoLogProbabilities):
            kept = f"in {self._file}" if self._file else "in memory"
            raise EndpointError(
                f"{failed[0]}. {len(running) - len(failed)} of {len(running)} questions are "
                f"answered and kept {kept}; nothing is lost: ask the same again to go on"
            ) from failed[0]
        raise failed[0]

    def _ask(self, kind: str, request: dict) -> dict:
        """The answer to a request, from those that are kept or from the endpoint."""
        key = json.dumps(self._hide([self.base_url, self.name, kind, request]), sort_keys=True)
        if key not in self._answers:
            answer = self._answer(kind, request)
            if self._file and _is_whole(request, answer):
                self._keep(self._file, key, answer)
            self._answers[key] = answer
        return self._answers[key]

    def _answer(self, kind: str, request: dict) -> dict:
        """What the endpoint says to a request, checked and without the key."""
        try:
            body, problem = self._send(kind, {"model": self.name, **request}), None
        except APIError as error:
            body, problem = "", self._problem(error)
        # raised out here, where the error of the client, which knows the key, is not attached to it
        if problem:
            raise EndpointError(f"{self._place} {problem}")
        try:
            return _needed(kind, self._hide(json.loads(body)))
        except (ValueError, RecursionError) as error:
            shown = self._hide(body).strip()[:200] or "nothing"
            problem = (
                f"gave an answer that cannot be read ({self._hide(str(error))[:200]}): {shown}"
            )
        raise EndpointError(f"{self._place} {problem}; is base_url right?")

    def _problem(self, error: APIError) -> str:
        if isinstance(error, APITimeoutError):
            return f"did not answer in {self.timeout} s; give it more with timeout="
        if isinstance(error, APIConnectionError):
            reason = self._hide(str(error.__cause__ or error))[:200]
            return f"cannot be reached; is the server running, and is base_url right? ({reason})"
        # hidden before it is cut off, so that no half of a key is left
        message = self._hide(str(error))[:300]
        if not isinstance(error, APIStatusError):
            return f"gave an answer that cannot be read: {message}"
        if error.status_code == 401:
            message = f"the key in {KEY_VARIABLE} is {'wrong' if self._has_key else 'missing'}"
        return f"refused with status {error.status_code}: {message}"

    def _keep(self, file: Path, key: str, answer: dict) -> None:
        line = json.dumps({key: answer}) + "\n"
        # a long line is written in several pieces, between which another thread's must not get
        with self._writing:
            _append(file, line.encode())


def _check_address(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"base_url {base_url!r}: expected the address of an endpoint, such as "
            "http://localhost:8000/v1"
        )
    if parts.username or parts.password:
        raise ValueError(
            f"base_url with a name or a password for {parts.hostname}: leave it out and set "
            f"{KEY_VARIABLE}"
        )


def _connection(
    base_url: str, timeout: float, retries: int
) -> tuple[Callable[[str, dict], str], Callable[[Any], Any]]:
    """(send, hide), which share the key with nobody: ``send(kind, request)`` is the body of the
    answer, ``hide`` strikes the key out.
    """
    secret = os.environ.get(KEY_VARIABLE, "").strip()
    if not (secret.isascii() and secret.isprintable()):
        raise ValueError(
            f"the key in {KEY_VARIABLE} has characters that no header can carry: expected "
            "printable ASCII; set it again"
        )
    client = OpenAI(
        api_key=secret or "none", base_url=base_url, timeout=timeout, max_retries=retries
    )

    def send(kind: str, request: dict) -> str:
        asked = client.chat.completions if kind == "chat" else client.completions
        return asked.with_raw_response.create(**request).http_response.text

    def hide(value: Any) -> Any:
        if isinstance(value, dict):
            return {hide(name): hide(part) for name, part in value.items()}
        if isinstance(value, list):
            return [hide(part) for part in value]
        return (
            value.replace(secret, "…")
            if isinstance(value, str) and len(secret) >= _SHORTEST_SECRET
            else value
        )

    return send, hide


def _needed(kind: str, answer: Any) -> dict:
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
    text = _text(kind, answer)
    reason = _typed("finish_reason", choices[0].get("finish_reason"), str, optional=True)
    usage = _typed("usage", answer.get("usage"), dict, optional=True) or {}
    tokens = _typed("completion_tokens", usage.get("completion_tokens"), int, optional=True)
    told = choices[0].get("logprobs")
    parts = {name: told.get(name) for name in _COLUMNS} if isinstance(told, dict) else None
    said = {"message": {"content": text}} if kind == "chat" else {"text": text}
    return {
        "choices": [said | {"finish_reason": reason, "logprobs": parts}],
        "usage": {"completion_tokens": tokens},
    }


def _text(kind: str, answer: dict) -> str:
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


def _is_whole(request: dict, answer: dict) -> bool:
    """Whether an answer says all that the request asks for, the log-probabilities of a text too if
    it does.
    """
    if not request.get("echo"):
        return True
    tokens = _echoed_tokens(answer["choices"][0], request["prompt"])
    return tokens is not None and all(
        value is not None for _, at, value in tokens[1:] if at < len(request["prompt"])
    )


def _echoed_tokens(choice: dict, whole: str) -> list[tuple[str, int, float | None]] | None:
    """(token, where it begins, log-probability) of a text that was repeated; None if it was not, or
    the three do not fit together.
    """
    told = choice.get("logprobs") or {}
    columns: list[Any] = [told.get(name) for name in _COLUMNS]
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


def _is_enough(made: list[Sample], config: GenerationConfig) -> bool:
    """Whether the stopping rule, if there is one, wants no more samples."""
    return bool(config.until and made and config.until([sample.text for sample in made]))


def _places(prompts: Sequence[str]) -> list[int]:
    """How many equal prompts stand before each."""
    seen: Counter[str] = Counter()
    places = []
    for prompt in prompts:
        places.append(seen[prompt])
        seen[prompt] += 1
    return places


def _append(path: Path, line: bytes) -> None:
    """Add a line to a file, or nothing."""
    try:
        with path.open("ab", buffering=0) as out:
            before = out.seek(0, os.SEEK_END)
            try:
                if out.write(line) < len(line):
                    raise OSError("only a part of it could be written; is the disk full?")
            except OSError:
                out.truncate(before)
                raise
    except OSError as error:
        raise EndpointError(
            f"an answer cannot be kept in {path} ({error}); make room there, or give another file "
            "as answers="
        ) from error


def _check_begun(path: Path, last: bytes) -> None:
    """Refuse to cut off a last line that does not begin as a kept answer does: it was written by
    somebody else.
    """
    begin = b'{"['
    if last[: len(begin)] != begin[: len(last)]:
        raise ValueError(
            f"{path} is no file of answers (it ends in {last[-40:]!r}): expected one, or a new "
            "name; it was left as it is"
        )


def _kept(path: Path) -> dict[str, dict]:
    """The answers in a file.

    A last line that was cut off when its run was stopped is taken out, so that it is asked for
    again. So is, without being taken out, an answer that would not be kept today.
    """
    if not path.parent.is_dir():
        raise ValueError(
            f"answers={str(path)!r}: the folder {path.parent} does not exist; make it first"
        )
    stored = path.read_bytes() if path.exists() else b""
    whole = stored[: stored.rfind(b"\n") + 1]
    if len(whole) < len(stored):
        _check_begun(path, stored[len(whole) :])
        os.truncate(path, len(whole))
    answers: dict[str, dict] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            answers |= {
                key: answer
                for key, answer in dict(json.loads(line)).items()
                if _is_answer(key, answer)
            }
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"line {number} of {path} is damaged ({error}): expected a kept answer; delete it "
                "to ask again"
            ) from error
    return answers


def _is_answer(key: str, answer: object) -> bool:
    try:
        _, _, kind, request = json.loads(key)
        return _is_whole(request, _needed(kind, answer))
    except (ValueError, TypeError, AttributeError):  # a key or an answer of another form
        return False


_INSTEAD = "let it write instead, with course.prompting.choose"
