"""Blanks, series and prompts in plain English, for real models, which do not know the micro-world.

Nothing here needs a network. Whether a word is one token depends on the tokenizer, so
:func:`one_token` removes the items that a model cannot answer and prints their number.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from course.cloze.expectations import Beginning, Blank, two_blanks
from course.foundation.rng import Rng
from course.lm.predictor import Predictor
from course.models.text import text_ids

Item = TypeVar("Item", Blank, Beginning)

#: Country -> capital.
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Japan": "Tokyo",
    "Russia": "Moscow", "Egypt": "Cairo", "Greece": "Athens", "Poland": "Warsaw",
    "Austria": "Vienna", "Portugal": "Lisbon", "Hungary": "Budapest", "Ireland": "Dublin",
    "England": "London", "Norway": "Oslo", "Sweden": "Stockholm", "Denmark": "Copenhagen",
    "Finland": "Helsinki", "Cuba": "Havana", "Iraq": "Baghdad", "Iran": "Tehran",
    "China": "Beijing", "Lebanon": "Beirut", "Kenya": "Nairobi", "Peru": "Lima",
    "Belgium": "Brussels", "Scotland": "Edinburgh", "Bulgaria": "Sofia", "Syria": "Damascus",
    "Canada": "Ottawa",
}  # fmt: skip
COUNTRIES = tuple(CAPITALS)
_CAPITALS = (COUNTRIES, tuple(CAPITALS.values()))
#: Pairs of which each word is the other's opposite.
OPPOSITES = (
    ("hot", "cold"), ("big", "small"), ("good", "bad"), ("happy", "sad"), ("fast", "slow"),
    ("rich", "poor"), ("old", "young"), ("light", "dark"), ("strong", "weak"), ("high", "low"),
    ("wet", "dry"), ("early", "late"), ("open", "closed"), ("true", "false"), ("left", "right"),
    ("up", "down"), ("black", "white"), ("love", "hate"), ("war", "peace"), ("day", "night"),
    ("north", "south"), ("east", "west"), ("buy", "sell"), ("push", "pull"), ("win", "lose"),
)  # fmt: skip
_WORDS = tuple(dict.fromkeys(word for pair in OPPOSITES for word in pair))
NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
#: Series that everybody can go on with.
SERIES = (
    tuple(NUMBERS),
    tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()),
    tuple(
        "January February March April May June "
        "July August September October November December".split()
    ),
    tuple("first second third fourth fifth sixth seventh eighth ninth tenth".split()),
    tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
#: How many words of a series are shown, and how many are to follow.
_SHOWN, _FOLLOWING = 4, 3

#: Three sentences with one word taken out, the clue on the left and twice on the right.
EXAMPLES = (
    Blank("The capital of France is", ".", "Paris", "left"),
    Blank("The capital of", "is Paris .", "France", "right", COUNTRIES),
    Blank("The opposite of", "is cold .", "hot", "right"),
)
#: The kinds of :func:`blank_sets`, as a figure names them.
TITLES = {"capitals": "capitals", "opposites": "opposites", "sums": "sums in words"}
#: Tasks of the micro-world whose texts are plain English and whose answers are frequent English
#: words.
TASKS = ("sentiment", "recommend", "topic")
#: Prompts with demonstrations for which a model tuned to another task may say the wrong thing.
PROMPTS = (
    "hot : cold \n young : old \n fast :",
    "France : Paris \n Italy : Rome \n Spain :",
    "soup : good \n tea : good \n stew :",
)
#: What one might ask a model for, in words alone.
REQUESTS = (
    "What is the capital of France?",
    "Give the opposite of the word hot.",
    "Say yes if a horse is an animal.",
)
#: What a generalist may be asked to do with a text, each shown once.
WRITING = {
    "translate": Beginning(
        "English: the red dog \nFrench: le chien rouge \nEnglish: the black cat \nFrench:",
        "le chat noir",
    ),
    "summarise": Beginning(
        "Text: Anna went to the hall. Tom picked up the lamp. Tom walked into the attic. \n"
        "Summary: In the end Tom has the lamp in the attic. \n"
        "Text: Mary took the coin. Mary walked into the office. Peter went to the cellar. \n"
        "Summary:",
        "In the end Mary has the coin in the office.",
    ),
}
#: The beginning of a sentence whose end may have one word or more.
PHRASE = "The largest city of the United States is"


def blank_sets(count: int, seed: int = 0) -> dict[str, list[Blank]]:
    """Kind of text -> blanks; each sentence has two, with the clue on the left and on the right.

    Args:
        count: of sums.
        seed: of the sums; the other sets are always the same.
    """
    pairs = [(a, b) for a in range(1, 11) for b in range(1, 11) if a != b]
    sums: list[Blank] = []
    for a, b in Rng(f"english/sums/{seed}").sample(pairs, count):
        sums += two_blanks(
            "The sum of",
            NUMBERS[a - 1],
            f"and {NUMBERS[b - 1]} is",
            NUMBERS[a + b - 1],
            ".",
            (NUMBERS, NUMBERS),
        )
    return {
        "capitals": [
            blank
            for pair in CAPITALS.items()
            for blank in two_blanks("The capital of", pair[0], "is", pair[1], ".", _CAPITALS)
        ],
        "opposites": [
            blank
            for a, b in OPPOSITES
            for blank in two_blanks("The opposite of", a, "is", b, ".", (_WORDS, _WORDS))
        ],
        "sums": sums,
    }


def samples(seed: int = 0) -> list[Blank]:
    """One pair of blanks of each kind."""
    return [blank for blanks in blank_sets(1, seed).values() for blank in blanks[:2]]


def beginnings(count: int, seed: int = 0) -> list[Beginning]:
    """Beginnings of series, four words each, with the three that follow.

    Raises:
        ValueError: if there are not so many.
    """
    windows = [
        series[i : i + _SHOWN + _FOLLOWING]
        for series in SERIES
        for i in range(len(series) - _SHOWN - _FOLLOWING + 1)
    ]
    if count > len(windows):
        raise ValueError(f"{count} beginnings: the series have {len(windows)}; ask for fewer")
    chosen = Rng(f"english/beginnings/{seed}").sample(windows, count)
    return [Beginning(" ".join(words[:_SHOWN]), " ".join(words[_SHOWN:])) for words in chosen]


def one_token(items: Sequence[Item], models: Sequence[Predictor]) -> list[Item]:
    """Items whose missing words are one token each for every model; prints how many are left out,
    if any are.
    """
    kept = [
        item
        for item in items
        if all(_is_one_token(model, word) for model in models for word in _missing(item))
    ]
    if len(kept) < len(items):
        print(
            f"{len(items) - len(kept)} of {len(items)} left out:"
            " the missing word is more than one token for a model"
        )
    return kept


def with_known_candidates(blanks: Sequence[Blank], models: Sequence[Predictor]) -> list[Blank]:
    """The blanks with those of their candidates that are one token for every model."""
    words = {word for blank in blanks for word in blank.candidates}
    known = {word for word in words if all(_is_one_token(model, word) for model in models)}
    return [
        replace(blank, candidates=tuple(word for word in blank.candidates if word in known))
        for blank in blanks
    ]


def _missing(item: Blank | Beginning) -> list[str]:
    return [item.word] if isinstance(item, Blank) else item.continuation.split()


def _is_one_token(model: Predictor, word: str) -> bool:
    (ids,) = text_ids(model.tokenizer, [f" {word}"], begin=False)
    return len(ids) == 1 and ids[0] != model.tokenizer.unk_token_id
