"""Personal data in texts, before they leave the machine; what licences allow; what hosting
takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: What looks like personal data: kind -> pattern. A name or an address it does not see.
_PATTERNS = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"),
    "a telephone number": re.compile(r"(?<!\w)\+?\d[\d ()/-]{7,}\d(?!\w)"),
    "a bank account (IBAN)": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
}

#: Licence -> what it allows, in a sentence.
LICENCES = {
    "mit": "use, change and pass on, also commercially; keep the notice",
    "apache-2.0": "use, change and pass on, also commercially; keep the notice, state changes",
    "bsd-3-clause": "use, change and pass on, also commercially; keep the notice",
    "cc-by-4.0": "use, change and pass on, also commercially; name the authors",
    "cc-by-sa-4.0": "use, change and pass on, also commercially; name the authors, same licence",
    "cc-by-nc-4.0": "no commercial use; name the authors",
}


@dataclass(frozen=True)
class Warned:
    """What texts hold that looks like personal data.

    Attributes:
        count: texts with any of it.
        kinds: kind -> how many texts.
    """

    count: int
    kinds: tuple[tuple[str, int], ...]

    @property
    def words(self) -> str:
        if not self.count:
            return "nothing in them looks like an e-mail address, a telephone number or an account"
        listed = ", ".join(f"{kind} ({number})" for kind, number in self.kinds)
        return f"{self.count} texts look as if they had personal data in them: {listed}"


def personal_data(texts: Sequence[str]) -> Warned:
    """What looks like personal data in some texts. It sees forms, not meaning: names, places and
    stories of people are not found.
    """
    kinds = {kind: sum(bool(p.search(text)) for text in texts) for kind, p in _PATTERNS.items()}
    some = sum(any(p.search(text) for p in _PATTERNS.values()) for text in texts)
    return Warned(some, tuple((kind, number) for kind, number in kinds.items() if number))


def allows(licence: str | None) -> str:
    """What a licence allows, in a sentence."""
    if licence is None:
        return "the publisher states none here: ask before you use it"
    return LICENCES.get(licence.casefold(), "read its text before you use it")
