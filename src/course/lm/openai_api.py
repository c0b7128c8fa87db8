"""Client of an OpenAI-compatible endpoint (vLLM, ``transformers serve``, a commercial API).

The same contract as a model that runs here (:class:`course.lm.TextModel`). Many endpoints give no
log-probabilities and say so; then :func:`course.prompting.choose` lets the model write and compares
the texts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAI

from course.lm.contract import Sample, TextModel, check_pairs, equal_before
from course.lm.generation_config import GenerationConfig
from course.lm.kept_answers import KeptAnswers
from course.lm.openai_responses import (
    EndpointError,
    NoLogProbabilities,
    checked_answer,
    echoed_tokens,
    is_complete,
    text_of,
)
from course.models.text import checked_texts

#: Environment variable with the key of the endpoint; one that wants no key takes any.
KEY_VARIABLE = "OPENAI_API_KEY"
#: A shorter key is a placeholder ("EMPTY", "none") for a server that wants none. It is no secret,
#: and it may stand in any text.
_SHORTEST_SECRET = 8


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
        self._sent, self._counting = (0, 0), Lock()
        self._answers = KeptAnswers(Path(answers) if answers else None)

    @property
    def sent(self) -> tuple[int, int]:
        """Texts and characters that were sent so far, those included whose answers were kept from
        an earlier process.
        """
        return self._sent

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
        places = equal_before(prompts) if config.temperature > 0 else [0] * len(prompts)
        return self._all(samples, list(zip(prompts, places, strict=True)))

    def _sample(self, prompt: str, place: int, number: int, config: GenerationConfig) -> Sample:
        answer = self._ask(self._kind, self._request(prompt, place, number, config))
        text = text_of(self._kind, answer)
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
        tokens = echoed_tokens(answer["choices"][0], whole)
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
            raise EndpointError(
                f"{failed[0]}. {len(running) - len(failed)} of {len(running)} questions are "
                f"answered and kept {self._answers.place}; nothing is lost: ask the same again to "
                "go on"
            ) from failed[0]
        raise failed[0]

    def _ask(self, kind: str, request: dict) -> dict:
        """The answer to a request, from those that are kept or from the endpoint."""
        text = request["messages"][0]["content"] if kind == "chat" else request["prompt"]
        with self._counting:
            self._sent = self._sent[0] + 1, self._sent[1] + len(text)
        key = json.dumps(self._hide([self.base_url, self.name, kind, request]), sort_keys=True)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answer(kind, request)
            self._answers.add(key, answer, lasting=is_complete(request, answer))
        return answer

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
            return checked_answer(kind, self._hide(json.loads(body)))
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
        endpoint = client.chat.completions if kind == "chat" else client.completions
        return endpoint.with_raw_response.create(**request).http_response.text

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


def _is_enough(made: list[Sample], config: GenerationConfig) -> bool:
    """Whether the stopping rule, if there is one, wants no more samples."""
    return bool(config.until and made and config.until([sample.text for sample in made]))


_INSTEAD = "let it write instead, with course.prompting.choose"
