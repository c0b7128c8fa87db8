"""Answers of an endpoint by request, kept in memory and, if wanted, in a file of one line each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Lock

from course.lm.openai_responses import EndpointError, checked_answer, is_complete


class KeptAnswers:
    """Answers that were checked, by what was asked; safe for several threads of one process.

    Args:
        file: keeps them from one process to the next (default: in memory only).

    Raises:
        ValueError: for a file that is damaged elsewhere than at its end, where a stopped run may
            have cut a line off, that is of another kind, or whose folder does not exist.
    """

    def __init__(self, file: Path | None):
        self._file = file
        self._answers = _read(file) if file else {}
        self._writing = Lock()

    @property
    def place(self) -> str:
        """Where they are, for a message."""
        return f"in {self._file}" if self._file else "in memory"

    def get(self, key: str) -> dict | None:
        """The answer to a request, if there is one."""
        return self._answers.get(key)

    def add(self, key: str, answer: dict, lasting: bool) -> None:
        """Keep an answer; in the file only if it is ``lasting``.

        Raises:
            EndpointError: if it cannot be written; the file is as it was.
        """
        if self._file and lasting:
            line = json.dumps({key: answer}) + "\n"
            # a long line is written in several pieces, between which another thread's must not get
            with self._writing:
                _append(self._file, line.encode())
        self._answers[key] = answer


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


def _read(path: Path) -> dict[str, dict]:
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


def _is_answer(key: str, answer: object) -> bool:
    try:
        _, _, kind, request = json.loads(key)
        return is_complete(request, checked_answer(kind, answer))
    except (ValueError, TypeError, AttributeError):  # a key or an answer of another form
        return False
