"""Classification with a prompted model: the label with the highest probability or, where a served
model does not tell probabilities, the label that it writes.
"""

import re
import unicodedata
from collections.abc import Sequence

from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.lm.openai_api import NoLogProbabilities
from course.tasks.metrics import NORMALISERS

#: What a writer puts before a label: "A) yes", "Label: positive", "the answer is yes",
#: "這篇評論是正面".
_NAMED = (
    r"(?:answer|label|sentiment|class|category|classification|output|response|prediction|result"
    r"|verdict|choice|option [a-z0-9])"
    r"(?: (?:of|for|to|in) [^.:!?]{1,60}?)?"
)
_PREFIX = re.compile(
    r"\(?(?:[a-z]|\d{1,2}|[ivx]{2,4})[).:](?= )"
    r"|(?:(?:so|therefore|thus|hence),?"
    rf" )?(?:(?:the|my|final|correct|right|best|predicted|overall) ){{0,3}}{_NAMED}"
    r"[\"'*_`]{0,3}(?: ?[:=>]| (?:is|was|would be|should be|must be)\b(?! not\b))"
    r"|(?:it|this|that)(?:'s| is)\b(?! not\b)|\\(?:boxed|text)(?=\{)"
    r"|(?:正確|正确|最終|最终)?(?:答案|標籤|标签|情感|情緒|情绪|類別|类别|分類|分类|回答|結果|结果)(?:應該|应该)?(?:是(?!不是)|為|为|:)"
)
_SENTENCE = re.compile(r"[.!?](?=\W|$)|[。！？\n]")
_NOT = (
    r"\b(?:not|never|no|nor|than|isn't|wasn't|without)|instead of|不是|並非|并非|而非|不|非|沒|没"
)
_DENIED = re.compile(rf"(?:{_NOT})(?: (?:a|an|the|very|really|at all|be))?[ \"'“「]*$")
_TAKEN_BACK = re.compile(
    r"[\W_]{0,3} ?(?:(?:is|are|would be|seems) (?:not|never|wrong|incorrect|false)|isn't|is"
    r" n't)\b|[\W_]{0,3}(?:是錯|是错|不對|不对)"
)
#: Labels that are words of every sentence ("there is no doubt") are named only where nothing
#: follows that they could belong to.
_ALONE = re.compile(r"[\W_]*(?:$|[,;:/.!?)\]}\"']| (?:and|or)\b)")
_EVERYDAY = {"no", "not", "a", "i", "it", "is"}


def choose(model: TextModel, prompts: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """The label that the model gives after each prompt; None if it wrote something else.

    Args:
        labels: as they follow the prompt, with the space before them: ``(" yes", " no")``.

    Raises:
        ValueError: for fewer than two labels, or such as the model cannot tell apart: equal ones,
            or ones with the same tokens.
    """
    if (
        isinstance(labels, str)
        or len(labels) < 2
        or len({label.strip() for label in labels}) < len(labels)
    ):
        raise ValueError(
            f"labels {labels if isinstance(labels, str) else list(labels)}: expected two or more"
            " different ones"
        )
    if not prompts:
        return []
    if isinstance(model, LanguageModel):
        _check_apart(
            labels,
            [tuple(ids) for _, ids in model.encoder.pairs([prompts[0]] * len(labels), labels)],
            "the same tokens",
        )
    try:
        return [labels[int(best)] for best in model.score_labels(prompts, labels).argmax(1)]
    except NoLogProbabilities:
        _check_apart(
            labels,
            [NORMALISERS["label"](label) for label in labels],
            "the same text, upper and lower case aside",
        )
        longest = max(max(len(label.split()), len(label.strip()) // 4) for label in labels)
        # a word may take several tokens
        written = model.generate(prompts, max_tokens=8 * longest)
        return [match(samples[0].text, labels) for samples in written]


def _check_apart(labels: Sequence[str], forms: list, what: str) -> None:
    """Of labels that look the same to a model the first would always win."""
    for i, form in enumerate(forms):
        if (first := forms.index(form)) < i:
            raise ValueError(
                f"labels {labels[first]!r} and {labels[i]!r} have {what}, so this model cannot"
                " tell them apart; choose other words for them"
            )


def match(text: str, labels: Sequence[str]) -> str | None:
    """The label with which a text begins; None if there is none, and if the sentence names another
    one too.

    Any script and case; quotes, brackets, bullets and announcements ("A)", "Label:", "the answer
    is") may stand before it. A label ends where its word ends, but where a script has no spaces
    ("正面評價" begins with "正面"). The longest counts, if one begins another. "Not positive" is
    not "positive", and "positive or negative" is neither.
    """
    forms = {NORMALISERS["label"](label): label for label in sorted(labels, key=len)}
    rest, *later = [
        NORMALISERS["label"](line.replace("’", "'")) for line in text.splitlines() if line.strip()
    ][:2] or [""]
    for _ in range(6):
        if begun := [
            form for form in forms if form and rest.startswith(form) and _ends(rest, len(form))
        ]:
            best = max(begun, key=len)
            return None if _is_disputed(rest[len(best) :], forms, best) else forms[best]
        shorter = _without_prefix(rest)
        if shorter == rest:
            break
        rest = shorter or "".join(later)  # "Label:" may have a line of its own
    return None


def _without_prefix(text: str) -> str:
    """Without one announcement, else without the marks at the beginning."""
    if prefix := _PREFIX.match(text):
        return text[prefix.end() :].lstrip()
    end = 0
    while end < len(text) and _is_wrapping(text, end):
        end += 1
    return text[end:]


def _is_wrapping(text: str, at: int) -> bool:
    """Whether a sign is a quote, a bracket, a bullet or a space; a minus before a number, ``!`` and
    ``~`` change what is said.
    """
    sign = text[at]
    if sign in "-–—−+" and text[at + 1 : at + 2] != " ":
        return False
    return sign in " <>*_`#=|:.,•-–—→¡¿\"'" or unicodedata.category(sign) in (
        "Ps",
        "Pe",
        "Pi",
        "Pf",
        "So",
        "Mn",
        "Cf",
    )


def _spaced(sign: str) -> bool:
    """Whether a sign is a letter of a script that puts spaces between words, or a digit."""
    return sign.isalnum() and not re.match(
        r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]",
        sign,
    )


def _ends(text: str, at: int) -> bool:
    """Whether a label that ends before ``at`` is a whole word there: not "yesterday", "no-one",
    "C++".
    """
    before, after, further = text[at - 1], text[at : at + 1], text[at + 1 : at + 2]
    if after and _spaced(before) and _spaced(after) or after in ("+", "#"):
        return False
    return not (after and after in "-'_." and _spaced(before) and further and _spaced(further))


def _is_disputed(rest: str, forms: dict[str, str], chosen: str) -> bool:
    """Whether what follows a label takes it back or names another one."""
    if _TAKEN_BACK.match(rest):
        return True
    end = _SENTENCE.search(rest)
    said = rest[: end.start()] if end else rest
    return any(_is_named(said, form, chosen) for form in forms if form and form != chosen)


def _is_named(said: str, form: str, chosen: str) -> bool:
    for place in re.finditer(re.escape(form), said):
        begins = not (place.start() and _spaced(said[place.start() - 1]) and _spaced(form[0]))
        whole = (
            begins and _ends(said, place.end()) and not _part_of(said, place.start(), form, chosen)
        )
        alone = form not in _EVERYDAY or _ALONE.match(said, place.end())
        if whole and alone and not _DENIED.search(said[max(0, place.start() - 30) : place.start()]):
            return True
    return False


def _part_of(said: str, at: int, form: str, chosen: str) -> bool:
    """Whether a label is named only as a part of the chosen one, which is said again."""
    place = chosen.find(form)
    return place >= 0 and said.startswith(chosen, max(0, at - place))
