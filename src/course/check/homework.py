"""Homework with a score file: write a prompt that beats a number, sign it, collect a class's.

A student measures a prompt on practice items and writes a score file. The lecturer's key verifies
the signature (HMAC-SHA256) and draws the hidden items on which the prompt is measured again, so
that what counts can neither be made up nor be looked up. The signature says whose token was used,
not who sat at the keyboard.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from course.foundation.atomic_write import write_text
from course.foundation.validation import check_fields, integer, number, one_of, text
from course.lm.language_model import LanguageModel, load
from course.models.text import text_ids
from course.prompting.evaluation import Question, fresh_questions, scores
from course.prompting.sweeps import TEMPLATES
from course.world.split import TEST, VALIDATION

#: Characters of the shortest key that a lecturer may choose.
SHORTEST_KEY = 16
_FIELDS = ("homework", "student", "prompt", "tokens", "practice")


@dataclass(frozen=True)
class Homework:
    """What is asked: the text before an item with which a model answers best.

    Attributes:
        name: of the homework; another name has other tokens and other hidden items.
        task: a list or an exercise of the micro-world, as for ``fresh_questions``.
        model: as for :func:`course.lm.load`.
        layout: how an item is written down, a key of ``course.prompting.sweeps.TEMPLATES``.
        max_tokens: the budget: most tokens of the text, demonstrations in it included.
        items: how many practice items there are, and as many hidden ones.
        target: the number to beat, in percent.
    """

    name: str
    task: str
    model: str = "gpt-middle"
    layout: str = "comma"
    max_tokens: int = 40
    items: int = 100
    target: float = 50.0

    def __post_init__(self) -> None:
        check_fields(
            self,
            name=text(),
            task=text(),
            model=text(),
            layout=one_of(TEMPLATES),
            max_tokens=integer(1),
            items=integer(1),
            target=number(0, 100),
        )

    def questions(self, prompt: str, split: str = VALIDATION, seed: int = 0) -> list[Question]:
        """The items behind a prompt: for practice the usual ones, of a split the lecturer's."""
        drawn = fresh_questions(self.task, 0, self.items, seed, split)
        layout = TEMPLATES[self.layout]
        return [
            replace(q, prompt=replace(q.prompt, instruction=prompt, template=layout)) for q in drawn
        ]

    def tokens(self, prompt: str, model: LanguageModel) -> int:
        """What a prompt costs of the budget."""
        return len(text_ids(model.tokenizer, [prompt], begin=False)[0])

    def accuracy(
        self, prompt: str, model: LanguageModel, split: str = VALIDATION, seed: int = 0
    ) -> float:
        """The score of a prompt, in percent."""
        return float(100 * scores(model, self.questions(prompt, split, seed)).mean())


def student_token(key: str, homework: Homework, student: str) -> str:
    """The token with which one student signs one homework; the lecturer hands it out.

    Raises:
        ValueError: for a key of fewer than :data:`SHORTEST_KEY` characters.
    """
    if len(key) < SHORTEST_KEY:
        raise ValueError(
            f"a key of {len(key)} characters: expected at least {SHORTEST_KEY}, such as "
            "secrets.token_hex(16) gives, and kept from the class"
        )
    return _hmac(key, json.dumps(["token", homework.name, student]))


def _hmac(key: str, message: str) -> str:
    return hmac.new(key.encode(), message.encode(), sha256).hexdigest()


def _signature(token: str, row: dict[str, Any]) -> str:
    return _hmac(token, json.dumps({name: row[name] for name in _FIELDS}, sort_keys=True))


def hand_in(
    homework: Homework,
    student: str,
    token: str,
    prompt: str,
    path: str | Path,
    model: LanguageModel | None = None,
) -> float:
    """Measure a prompt on the practice items and write the signed score file.

    Args:
        token: of :func:`student_token`.
        model: that of the homework, if it is loaded already.

    Returns:
        The accuracy on the practice items, in percent.

    Raises:
        ValueError: for a prompt over the budget, or with words that the model does not know.
    """
    model = model or load(homework.model)
    tokens = homework.tokens(prompt, model)
    if tokens > homework.max_tokens:
        raise ValueError(
            f"the prompt has {tokens} tokens and the budget is {homework.max_tokens}: "
            f"leave out {tokens - homework.max_tokens} of them"
        )
    practice = homework.accuracy(prompt, model)
    row = {
        "homework": asdict(homework),
        "student": student,
        "prompt": prompt,
        "tokens": tokens,
        "practice": round(practice, 4),
    }
    signed = row | {"signature": _signature(token, row)}
    write_text(path, json.dumps(signed, ensure_ascii=False, indent=1) + "\n")
    return practice


def collect(
    homework: Homework, key: str, paths: Iterable[str | Path], model: LanguageModel | None = None
) -> pd.DataFrame:
    """The score files of a class, each measured on the hidden items.

    Args:
        key: the lecturer's, from which tokens and hidden items are derived.
        model: that of the homework, if it is loaded already.

    Returns:
        A row for each file, the best first. Columns: file, student, practice and hidden accuracy
        (percent), tokens, whether the hidden one beats the target, and what is wrong with a file,
        which then has no accuracy.
    """
    model = model or load(homework.model)
    rows = [_row(homework, key, Path(path), model) for path in paths]
    columns = ["file", "student", "practice", "hidden", "tokens", "beats", "wrong"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("hidden", ascending=False, na_position="last", ignore_index=True)


def _row(homework: Homework, key: str, path: Path, model: LanguageModel) -> dict[str, Any]:
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if wrong := _fault(homework, key, row, model):
            return {"file": path.name, "student": str(row.get("student", "")), "wrong": wrong}
        hidden = homework.accuracy(row["prompt"], model, TEST, _hidden_seed(homework, key))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return {"file": path.name, "wrong": f"cannot be read: {error}"}
    return {
        "file": path.name,
        "student": row["student"],
        "practice": row["practice"],
        "hidden": hidden,
        "tokens": row["tokens"],
        "beats": hidden > homework.target,
        "wrong": "",
    }


def _fault(homework: Homework, key: str, row: dict[str, Any], model: LanguageModel) -> str:
    """Why a score file does not count; empty if it does."""
    if missing := [name for name in (*_FIELDS, "signature") if name not in row]:
        return f"lacks {', '.join(missing)}"
    if row["homework"] != asdict(homework):
        return "another homework, or one that was changed"
    signature = _signature(student_token(key, homework, row["student"]), row)
    if not hmac.compare_digest(signature, str(row["signature"])):
        return "the signature is not that of this student's token and this content"
    if homework.tokens(row["prompt"], model) > homework.max_tokens:
        return f"over the budget of {homework.max_tokens} tokens"
    return ""


def _hidden_seed(homework: Homework, key: str) -> int:
    """Where the hidden items are drawn from: only who has the key knows it."""
    return int(_hmac(key, json.dumps(["items", homework.name]))[:12], 16)
