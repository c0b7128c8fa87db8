"""How much of some texts a model's tokenizer knows, and which words it does not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from course.compare.preparation import Finding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: Share of a text that a model's tokenizer must know before the model is used, and the share below
#: which the report says so above everything else.
COVERAGE, LOUD = 0.9, 0.98
#: The kind of the finding about a model that knows less than that.
MANY_UNKNOWN = "many unknown words"
#: Texts that are looked at, and unknown words that are named.
TEXTS, _NAMED = 200, 5


@dataclass(frozen=True)
class Coverage:
    """What a tokenizer knows of some texts.

    Attributes:
        known: the share of their tokens that it knows, from 0 to 1.
        unknown: how many it does not know.
        missing: the most common of those, as they stand in the texts.
    """

    known: float
    unknown: int
    missing: tuple[str, ...]

    def finding(self, model: str) -> Finding | None:
        """What the report says about a model; None if it knows everything."""
        if not self.unknown:
            return None
        kind = MANY_UNKNOWN if self.known < LOUD else "unknown words"
        what = (
            f"words ({100 * (1 - self.known):.1f} % of those looked at) that {model} does not "
            "know; it reads all of them as one and the same word"
        )
        return Finding(kind, self.unknown, what, tuple(map(repr, self.missing)))


def coverage_of(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]) -> Coverage:
    """What a tokenizer knows of some texts; everything if it has no token for unknown ones."""
    unknown = tokenizer.unk_token_id
    if unknown in (None, tokenizer.eos_token_id, tokenizer.bos_token_id) or not texts:
        return Coverage(1.0, 0, ())
    read = tokenizer(list(texts), add_special_tokens=False, verbose=False)
    ids = [i for row in read.input_ids for i in row]
    missing: Counter[str] = Counter()
    for number, text in enumerate(texts):
        for place, token in enumerate(read.input_ids[number]):
            if token == unknown and tokenizer.is_fast:
                start, end = read.token_to_chars(number, place)
                missing[text[start:end]] += 1
    named = tuple(word for word, _ in missing.most_common(_NAMED))
    return Coverage(1 - ids.count(unknown) / max(len(ids), 1), ids.count(unknown), named)
