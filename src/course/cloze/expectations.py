"""Cloze tests and continuations: the same text for a causal and a masked language model.

A :class:`Blank` is a word taken out of a sentence whose clue stands to the left or to the right of
it. GPT predicts the next word after the text before the blank, BERT the word in the blank.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel
from course.lm.predictor import MaskedLM, Predictor
from course.world import lexicon, phrases, sums
from course.world.relations import relations
from course.world.split import TEST, split_of

#: Relations in which object and subject determine each other, so that either can be the blank.
ONE_TO_ONE = ("capital", "opposite", "plural", "past", "gerund", "comparative", "home")


@dataclass(frozen=True)
class Blank:
    """A sentence with one word taken out.

    Attributes:
        before, after: the text on both sides of the blank.
        word: the word that was there.
        clue: ``"left"`` or ``"right"``: the side on which the words stand that settle it.
        candidates: the words that may stand in the blank, where they are few; for those who choose
            among them.
    """

    before: str
    after: str
    word: str
    clue: str
    candidates: tuple[str, ...] = ()

    def for_bert(self, mask: str = "[MASK]") -> str:
        """The sentence with the mask token in the blank."""
        return f"{self.before} {mask} {self.after}"

    def filled(self, word: str) -> str:
        """The sentence with a word in the blank."""
        return f"{self.before} {word} {self.after}".strip(" ")


#: The words that may stand in the first and in the second blank of a sentence.
Candidates = tuple[Sequence[str], Sequence[str]]


def two_blanks(
    before: str,
    first: str,
    between: str,
    second: str,
    after: str,
    candidates: Candidates = ((), ()),
) -> tuple[Blank, Blank]:
    """Two blanks of one sentence: its second word (clue on the left), then its first (clue on the
    right).
    """
    firsts, seconds = map(tuple, candidates)
    left = Blank(f"{before} {first} {between}".strip(" "), after, second, "left", seconds)
    return left, Blank(before, f"{between} {second} {after}".strip(" "), first, "right", firsts)


def fact_blanks() -> list[Blank]:
    """Facts as the corpus words them most often: ``the capital of _ is rosken .``"""
    blanks: list[Blank] = []
    for name in ONE_TO_ONE:
        relation = relations()[name]
        parts = relation.sentences[0].replace("{o}", "{s}").split("{s}")
        before, between, after = (part.strip() for part in parts)
        candidates = (tuple(relation.table), tuple(dict.fromkeys(relation.table.values())))
        for subject, answer in relation.table.items():
            if subject != answer:
                blanks += two_blanks(before, subject, between, answer, after, candidates)
    return blanks


def translation_blanks(count: int, seed: int = 0) -> list[Blank]:
    """Held-out translations: the noun that opens the Velan phrase, or that of the English one."""
    blanks: list[Blank] = []
    rng = Rng(f"blanks/translation/{seed}")
    candidates = (lexicon.NOUNS, [lexicon.VELAN_NOUNS[noun][0] for noun in lexicon.NOUNS])
    while len(blanks) < 2 * count:
        english, velan = phrases.write_phrase(rng, train=False)
        if split_of(phrases.SPLIT_KEY, english) != TEST:
            continue
        words, (form, *rest) = english.split(), velan.split()
        at = 2 if words[1] in phrases.COLOURS else 1
        between = " ".join([*words[at + 1 :], "\n velan :"])
        blanks += two_blanks(
            " ".join(["english :", *words[:at]]),
            words[at],
            between,
            form,
            " ".join(rest),
            candidates,
        )
    return blanks


def sum_blanks(count: int, seed: int = 0) -> list[Blank]:
    """Held-out sums: ``17 + 5 = _ .`` and ``_ + 5 = 22 .``"""
    held = [s for s in sums.all_steps() if split_of(sums.SPLIT_KEY, s) == TEST]
    blanks: list[Blank] = []
    for step in Rng(f"blanks/sums/{seed}").sample(held, count):
        first, rest = step.split(" ", 1)
        result, numbers = str(sums.result(step)), lexicon.NUMBERS
        blanks += two_blanks("", first, f"{rest} =", result, ".", (numbers, numbers))
    return blanks


def fill(model: Predictor, blanks: Sequence[Blank]) -> list[str]:
    """The word that the model puts into each blank: by what stands before it (GPT), or by both
    sides (BERT).
    """
    return model.likeliest(expected(model, blanks))


def fill_among(model: Predictor, blanks: Sequence[Blank]) -> list[str]:
    """As :func:`fill`, but each blank gets one of its candidates.

    Raises:
        ValueError: for a blank without candidates.
    """
    words = [""] * len(blanks)
    for i, row in enumerate(expected(model, blanks)):
        (words[i],) = model.likeliest(row[None], _candidates(blanks[i]))
    return words


def fill_all(model: MaskedLM, text: str) -> list[str]:
    """BERT's likeliest word for every blank of a text, each given the text with the other blanks
    open.
    """
    return model.likeliest(model.blanks(text))


def expected(model: Predictor, blanks: Sequence[Blank]) -> torch.Tensor:
    """Log-probabilities (blanks, vocabulary) of the word in each blank."""
    return model.word_between([b.before for b in blanks], [b.after for b in blanks])


def likeliest_words(
    model: Predictor, blanks: Sequence[Blank], count: int = 5
) -> list[list[tuple[str, float]]]:
    """The ``count`` likeliest words of each blank with their probabilities, the likeliest first."""
    probabilities, ids = expected(model, blanks).exp().topk(count)
    return [
        [(model.tokenizer.decode([i]).strip(), p) for i, p in zip(*row, strict=True)]
        for row in zip(ids.tolist(), probabilities.tolist(), strict=True)
    ]


def filled_right(model: Predictor, blanks: Sequence[Blank]) -> float:
    """Share of the blanks that the model fills with the word that was there; see
    :func:`share_right`.
    """
    return share_right(blanks, fill(model, blanks) if blanks else [])


def share_right(blanks: Sequence[Blank], words: Sequence[str]) -> float:
    """Share of the blanks that got the word that was there; capitals do not count, some BERTs have
    none.

    Raises:
        ValueError: if there are no blanks.
    """
    if not blanks:
        raise ValueError(
            "no blanks: expected at least one, and a share of none means nothing;"
            " choose texts whose words the model knows"
        )
    right = sum(w.casefold() == b.word.casefold() for w, b in zip(words, blanks, strict=True))
    return right / len(blanks)


def fill_by_reading(model: LanguageModel, blanks: Sequence[Blank]) -> list[str]:
    """Of each blank's candidates the one that makes the whole sentence likeliest: how a causal
    model can use the text on the right, in as many passes as there are candidates.

    Raises:
        ValueError: for a blank without candidates.
    """
    sentences = [blank.filled(word) for blank in blanks for word in _candidates(blank)]
    totals = iter(model.score([""] * len(sentences), sentences))
    return [max((next(totals), word) for word in blank.candidates)[1] for blank in blanks]


def _candidates(blank: Blank) -> tuple[str, ...]:
    if not blank.candidates:
        raise ValueError(
            f"no candidates for the blank in {blank.for_bert('____')!r}: expected the words that"
            " may stand in it; give the Blank candidates=(...)"
        )
    return blank.candidates


@dataclass(frozen=True)
class Beginning:
    """A held-out text that has one right continuation."""

    prompt: str
    continuation: str


def beginnings(count: int, seed: int = 0) -> list[Beginning]:
    """Held-out phrases to be translated, half into Velan and half into English; the continuation
    has three words or more.
    """
    drawn: list[Beginning] = []
    rng = Rng(f"beginnings/{seed}")
    while len(drawn) < count:
        english, velan = phrases.write_phrase(rng, train=False)
        if split_of(phrases.SPLIT_KEY, english) == TEST and len(velan.split()) > 2:
            drawn.append(Beginning(f"english : {english} \n velan :", velan))
            drawn.append(Beginning(f"velan : {velan} \n english :", english))
    return drawn[:count]


def continued_right(model: Predictor, begun: Sequence[Beginning]) -> float:
    """Share of the beginnings that the model continues exactly right, word by word; capitals do not
    count.

    Raises:
        ValueError: if there are no beginnings.
    """
    if not begun:
        raise ValueError(
            "no beginnings: expected at least one; choose texts whose words the model knows"
        )
    right = 0
    for beginning in begun:
        wanted = beginning.continuation.split()
        words = model.continue_text(beginning.prompt, len(wanted))
        right += [word.casefold() for word in words] == [word.casefold() for word in wanted]
    return right / len(begun)
