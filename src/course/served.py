"""Talking to a model that somebody else runs: any OpenAI-compatible endpoint (vLLM, ``transformers serve``, a commercial API).

The same two questions as in :mod:`course.lm`. What an endpoint cannot answer it says: many give no log-probabilities, and then
:func:`course.choosing.choose` lets the model write and compares the texts.
"""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import numpy as np
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAI

from course.decoding import Settings
from course.lm import Sample, TextModel, check_pairs

#: Environment variable with the key of the endpoint; one that wants no key takes any.
KEY_VARIABLE = "OPENAI_API_KEY"


class EndpointError(RuntimeError):
    """An endpoint did not answer. What was answered before is kept."""


class NoLogProbabilities(EndpointError):
    """An endpoint does not tell the probabilities of a text."""


class ServedModel(TextModel):
    """A model behind an OpenAI-compatible endpoint.

    Answers are kept by request, so asking again after an error costs only what is missing.

    Args:
        name: the model's name at the endpoint.
        base_url: the endpoint, such as ``http://localhost:8000/v1``.
        chat: ask for chat completions, each prompt a user's message; otherwise for plain completions.
        answers: a file in which the answers are kept from one process to the next, not for two at once (default: in memory only).
        timeout: seconds that one request may take.
        retries: how often a request is tried again after a rate limit, an error of the server or a time-out, waiting longer each time.
        workers: requests under way at once.

    Raises:
        ValueError: for a file of answers that is damaged elsewhere than at its end, where a stopped run may have cut a line off.
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
        self.name, self.base_url, self.chat, self.workers = name, base_url, chat, workers
        self._key = os.environ.get(KEY_VARIABLE)
        self._client = OpenAI(api_key=self._key or "none", base_url=base_url, timeout=timeout, max_retries=retries)
        self._file = answers
        self._answers: dict[str, dict] = _kept(answers) if answers and answers.exists() else {}
        self._writing = Lock()

    def generate(
        self,
        prompts: Sequence[str],
        n: int = 1,
        temperature: float = 0.0,
        stop: str | Sequence[str] = (),
        seed: int = 0,
        max_tokens: int = 64,
        until: Callable[[list[str]], bool] | None = None,
    ) -> list[list[Sample]]:
        """Continuations of each prompt; arguments and errors as in :meth:`course.lm.LanguageModel.generate`.

        Every sample is a request of its own with a seed of its own; whether the same seed gives the same sample is up to the server.
        ``tokens`` is what the server counted (0 if it does not), ``log_probability`` is not a number.

        Raises:
            EndpointError: if a request fails after all retries.
        """
        settings = Settings(n, temperature, (stop,) if isinstance(stop, str) else tuple(stop), seed, max_tokens, until)

        def samples(prompt: str) -> list[Sample]:
            made: list[Sample] = []
            while len(made) < n and not (until and made and until([s.text for s in made])):
                made.append(self._sample(prompt, len(made), settings))
            return made

        return self._all(samples, prompts)

    def _sample(self, prompt: str, number: int, settings: Settings) -> Sample:
        own_seed = blake2b(f"{settings.seed}|{number}|{prompt}".encode(), digest_size=4).digest()
        request = {
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "seed": int.from_bytes(own_seed, "big") >> 1,
        }
        if settings.stop:
            request["stop"] = list(settings.stop)
        if self.chat:
            answer = self._ask("chat", request | {"messages": [{"role": "user", "content": prompt}]})
            text = answer["choices"][0]["message"].get("content") or ""
        else:
            answer = self._ask("completions", request | {"prompt": prompt})
            text = answer["choices"][0].get("text") or ""
        # some servers leave the stop in the text
        cut = min([text.find(s) for s in settings.stop if s in text], default=len(text))
        reason = answer["choices"][0].get("finish_reason")
        finish = "length" if reason == "length" and cut == len(text) else "stop" if settings.stop else "end"
        tokens = (answer.get("usage") or {}).get("completion_tokens") or 0
        return Sample(text[:cut], tokens, float("nan"), finish)

    def score(self, prompts: Sequence[str], continuations: Sequence[str]) -> np.ndarray:
        """Log-probability of each continuation after its prompt, (pairs,), in nats; see :meth:`course.lm.LanguageModel.score`.

        The endpoint is asked to repeat the whole text with the log-probability of each of its tokens.

        Raises:
            NoLogProbabilities: if it does not, as is so of every chat endpoint.
            EndpointError: if a request fails after all retries.
            ValueError: if there are not as many prompts as continuations.
        """
        check_pairs(prompts, continuations)
        if self.chat:
            raise NoLogProbabilities(f"{self._place} is asked by chat, which tells no probability of a given text; {_INSTEAD}")
        return np.array(self._all(lambda pair: self._score(*pair), list(zip(prompts, continuations, strict=True))))

    def _score(self, prompt: str, continuation: str) -> float:
        whole = prompt + continuation
        # one token is generated because some servers refuse none; it lies behind the text and is not counted
        answer = self._ask("completions", {"prompt": whole, "max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1})
        told = answer["choices"][0].get("logprobs") or {}
        values, offsets, tokens = told.get("token_logprobs"), told.get("text_offset"), told.get("tokens")
        if not values or not offsets or not answer["choices"][0]["text"].startswith(whole):
            raise NoLogProbabilities(f"{self._place} does not repeat a text with its log-probabilities; {_INSTEAD}")
        # a token that spans the boundary belongs to the continuation
        counted = [
            v for v, at, t in zip(values, offsets, tokens, strict=True) if at + len(t) > len(prompt) and at < len(whole) and v is not None
        ]
        return float(sum(counted))

    @property
    def _place(self) -> str:
        return f"{self.name} at {self.base_url}"

    def _all(self, work: Callable, items: Sequence) -> list:
        """``work`` on every item, in parallel; the first error counts, after the others were let to finish."""
        with ThreadPoolExecutor(self.workers) as pool:
            running = [pool.submit(work, item) for item in items]
        failed = [f.exception() for f in running if f.exception()]
        if not failed:
            return [f.result() for f in running]
        if isinstance(failed[0], EndpointError) and not isinstance(failed[0], NoLogProbabilities):
            kept = f"in {self._file}" if self._file else "in memory"
            raise EndpointError(
                f"{failed[0]}. {len(running) - len(failed)} of {len(running)} questions are answered and kept {kept}; nothing is lost: "
                "ask the same again to go on"
            ) from failed[0]
        raise failed[0]

    def _ask(self, kind: str, request: dict) -> dict:
        """The answer to a request, from those that are kept or from the endpoint."""
        key = json.dumps([self.base_url, self.name, kind, request], sort_keys=True)
        if key not in self._answers:
            ask = self._client.chat.completions.create if kind == "chat" else self._client.completions.create
            try:
                self._keep(key, ask(model=self.name, **request).model_dump())
            except APITimeoutError as error:
                raise EndpointError(f"{self._place} did not answer in {self._client.timeout} s; give it more with timeout=") from error
            except APIConnectionError as error:
                raise EndpointError(f"{self._place} cannot be reached; is the server running, and is base_url right?") from error
            except APIStatusError as error:
                raise EndpointError(f"{self._place} refused with status {error.status_code}: {self._without_key(error)}") from None
            except APIError as error:
                raise EndpointError(f"{self._place} gave an answer that cannot be read: {self._without_key(error)}") from None
        return self._answers[key]

    def _without_key(self, error: APIError) -> str:
        message = str(error)[:300]
        if getattr(error, "status_code", None) == 401:
            return f"the key in {KEY_VARIABLE} is {'wrong' if self._key else 'missing'}"
        return message.replace(self._key, "…") if self._key else message

    def _keep(self, key: str, answer: dict) -> None:
        self._answers[key] = answer
        if self._file:
            # a long line is written in several pieces, between which another thread's must not get
            with self._writing, self._file.open("a") as out:
                out.write(json.dumps({key: answer}) + "\n")


def _check_begun(path: Path, last: bytes) -> None:
    """Refuse to cut off a last line that does not begin as a kept answer does: it was written by somebody else."""
    begin = b'{"['
    if last[: len(begin)] != begin[: len(last)]:
        raise ValueError(f"{path} is no file of answers (it ends in {last[-40:]!r}): expected one, or a new name; it was left as it is")


def _kept(path: Path) -> dict[str, dict]:
    """The answers in a file. A last line that was cut off when its run was stopped is taken out, so that it is asked for again."""
    stored = path.read_bytes()
    whole = stored[: stored.rfind(b"\n") + 1]
    if len(whole) < len(stored):
        _check_begun(path, stored[len(whole) :])
        os.truncate(path, len(whole))
    answers: dict[str, dict] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            answers |= json.loads(line)
        except (ValueError, TypeError) as error:
            raise ValueError(f"line {number} of {path} is damaged ({error}): expected a kept answer; delete it to ask again") from error
    return answers


_INSTEAD = "let it write instead, with course.choosing.choose"
