r"""Numbers in running text: digits with signs, separators, currencies, exponents, fractions and
scales, and numbers spelled out.

:func:`plain` first brings a text to one alphabet (ASCII digits, one minus, ``\frac12`` as ``1/2``),
then :func:`numerals` finds the numbers. What only looks like a number, because it is part of a
larger expression (``2\sqrt{3}``, ``1/0``), is a :class:`Numeral` without a value, so that nobody
takes it for one.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import prod

#: The most digits of a number. Python converts that many whatever
#: :func:`sys.set_int_max_str_digits` says; longer ones nobody means.
MOST_DIGITS = 640

# --- to one alphabet

_SAME = {
    "-": "‐‑‒–−﹣˗",
    "—": "―⸺﹘",
    "'": "’ʼ′‘",
    "×": "✕✖⨯",
    "*": "⋅·∙",
    "/": "⁄∕",
    "=": "≈≃≅",
    " ": "\u00a0\u2007\u2009\u202f\u3000\t\v\f",
}
_ONE_ALPHABET = {ord(other): sign for sign, others in _SAME.items() for other in others}
_ONE_ALPHABET |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    0xFF08: " (",
    0xFF09: ") ",
    0xFFE5: "¥",
    0xFFE1: "£",
}
_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞↉])")
_SUPERSCRIPT = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+")
#: LaTeX that changes nothing about a number.
_TEXT = re.compile(r"\\(?:text|math)(?:rm|bf|it|sf|normal)?\s?\{([^{}]*)\}|\\mbox\s?\{([^{}]*)\}")
_INVISIBLE = re.compile(
    r"\\(?:left|right|[bB]ig+[lr]?|displaystyle|quad|qquad|(?:text|math)(?:rm|bf|it|sf|normal)?"
    r"|mbox|operatorname|(?:dollar|degree)s?)(?![A-Za-z])"
    r"|\\[,!;:()\[\] ]|\\(?=[$%&#_])|\^\s?\{?\s?\\circ\s?\}?"
)
_MACROS = {
    "times": "×",
    "cdot": "*",
    "div": "/",
    "approx": "=",
    "pm": "±",
    "le": "≤",
    "leq": "≤",
    "ge": "≥",
    "geq": "≥",
    "ne": "≠",
    "neq": "≠",
}
_FRACTION = re.compile(
    r"\\[dtc]?frac\s?(?:\{\s?([-+]?)\s?(\d[\d,]*(?:\.\d+)?)\s?\}"
    r"|()(\d))\s?(?:\{\s?(\d[\d,]*(?:\.\d+)?)\s?\}|(\d)(?!\d))"
)
#: What LaTeX says of roots, of fractions that are not of numbers, and in any other macro: part of
#: an expression.
_ALGEBRA = re.compile(
    r"\\(?:[dtc]?frac|binom)\s?\{[^{}]*\}\s?\{[^{}]*\}|\\sqrt\s?(?:\[[^\[\]]*\]\s?)?\{[^{}]*\}"
    r"|\\[A-Za-z]+|√\s?\d*|π|∞"
)


def plain(text: str) -> str:
    """A text in one alphabet, without the marks of Markdown, HTML and LaTeX that may stand in or
    around a number.
    """
    text = _one_alphabet(text.replace("\r\n", "\n"))
    text = re.sub(
        r"<<[^<>]*>>|</?[A-Za-z][^<>]{0,60}>", "", text
    )  # GSM8K's notes for a calculator; HTML
    text = re.sub(r"\.{2,}|…", " … ", text.replace("{,}", ","))
    text = re.sub(r"(?<=\d) ?\*\* ?(?=[-\d])", "^", text)  # Python's power; other stars are bold
    text = re.sub(r"\*\*|(?<!\w)_+|_+(?!\w)", "", text)
    return re.sub(r" {2,}", " ", _without_latex(text) if "\\" in text or "^" in text else text)


def _one_alphabet(text: str) -> str:
    if text.isascii():
        return text.translate({9: " ", 11: " ", 12: " "})
    text = _VULGAR.sub(
        " ", _SUPERSCRIPT.sub(lambda found: "^" + unicodedata.normalize("NFKC", found[0]), text)
    )
    table = dict(_ONE_ALPHABET)
    for sign in set(text):
        if sign.isdecimal():
            table[ord(sign)] = str(unicodedata.decimal(sign))
        elif "⁄" in (whole := unicodedata.normalize("NFKC", sign)) and len(whole) > 1:
            table[ord(sign)] = whole.replace("⁄", "/")
    return text.translate(table)


def _without_latex(text: str) -> str:
    text = _TEXT.sub(lambda found: found[1] or found[2] or "", text)
    text = re.sub(r"(?<=\d) ?(?=\\[dtc]?frac)", " ", _INVISIBLE.sub("", text))
    text = _FRACTION.sub(
        lambda f: (
            f"{f[1] or ''}{(f[2] or f[4]).replace(',', '')}/{(f[5] or f[6]).replace(',', '')}"
        ),
        text,
    )
    text = re.sub(r"\\([a-z]+)(?![A-Za-z])", lambda macro: _MACROS.get(macro[1], macro[0]), text)
    text = re.sub(r"\^\s?\{\s?([-+]?\d+)\s?\}", r"^\1", text)
    return _ALGEBRA.sub(lambda found: found[0] if found[0] in ("\\boxed", "\\fbox") else "√", text)


# --- digits

#: Letters of scripts that put spaces between words; after any other letter (漢字) a number may
#: begin.
LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f"
_SCALES = {
    **{"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9},
    **{"trillion": 10**12, "lakh": 10**5, "crore": 10**7, "mn": 10**6, "bn": 10**9},
    **{"百": 10**2, "千": 10**3, "萬": 10**4, "万": 10**4, "億": 10**8, "亿": 10**8},
}
_SHORT = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9}
#: Alone these are metres, bytes and tonnes; of money they are not.
_SHORT_OF_MONEY = _SHORT | {"m": 10**6, "b": 10**9, "T": 10**12, "t": 10**12}
#: "7 dozen" is counted in dozens as 7 km is in kilometres (so it is in GSM8K); "a dozen" is 12.
_SCALE_WORD = r"(?:hundred|thousand|million|billion|trillion|lakh|crore|mn|bn)s?"
_SCALE = re.compile(r"hundred|thousand|million|billion|trillion|lakh|crore|mn|bn|\w")
_CURRENCY = r"(?:(?:NT|US|HK|[CARS])?\$|[€£¥₹₩₽]|(?:USD|EUR|GBP|TWD|NTD|CNY|RMB|JPY|INR|CHF)|Rs\.?)"
_GROUPS = (
    r"\d{1,3}(?P<sep>[,'_ ])\d{3}(?:(?P=sep)\d{3}){0,11}(?!(?P=sep)?\d)"
    r"|\d{1,2}(?:,\d{2}){1,8},\d{3}(?!,?\d)"
)
_DIGITS = re.compile(
    rf"(?:(?<![{LETTER}\d_)%.^])(?P<sign>[-+—]|(?i:minus|negative) )"
    rf"|(?<![{LETTER}\d_.^])(?<![{LETTER}]-))"
    rf"(?P<money>{_CURRENCY} ?)?(?P<inner>-?)"
    rf"(?:10\^(?P<ten>[-+]?\d{{1,9}})(?![\w.]\d)"
    rf"|(?:(?P<whole>\d++) (?:and )?(?=\d+/\d))?(?P<digits>(?:{_GROUPS}|\d++)(?:\.\d++)?"
    r"|\.\d++)(?!\.?\d)"
    rf"(?:[eE](?P<exp>[-+]?\d{{1,9}})(?![\w]|\.\d)| ?[×*x] ?10 ?\^ ?(?P<pow>[-+]?\d{{1,9}})(?!\d))?"
    rf"(?: ?/ ?(?P<below>\d++(?:\.\d++)?)(?!\.?\d))?)"
    rf"(?P<rest> (?:and )?(?i:an?|one) (?i:half|third|quarter)(?![{LETTER}]))?"
    rf"(?P<scale>(?: ?(?:(?i:{_SCALE_WORD})(?![{LETTER}])"
    rf"|[萬万億亿]|千(?![克米瓦卡赫字焦帕伏])|百(?!分))){{1,2}}"
    rf"|[kKMBTmbt](?![{LETTER}\d]))?"
)
_PARTS = {"half": Fraction(1, 2), "third": Fraction(1, 3), "quarter": Fraction(1, 4)}
#: Signs before and behind a number that make it a part of something else: a power, a root, a bound,
#: a variable's factor, a call.
_BOUND_BEFORE = re.compile(
    rf"(?:[√±≠≤≥^_]|(?<![-=<>])[<>]|(?<![{LETTER}])[b-hj-z](?:\^\d)? ?[-+*/]) ?$"
)
_BOUND_BEHIND = re.compile(rf" ?[√^±]|[xyzi](?![{LETTER}])|\(\d| ?[-+*] ?[b-hj-z](?![{LETTER}])")


@dataclass(frozen=True)
class Numeral:
    """A number where it stands, ``text[start:end]``.

    Attributes:
        value: exactly; None if it is no number of its own.
        spelled: whether it is written in words.
        weak: a word that often is no number at all: "one", "half", "a third".
        joined: whether a minus or plus before it subtracts from or adds to the number before, and
            is no sign.
    """

    start: int
    end: int
    value: Fraction | None
    spelled: bool = False
    weak: bool = False
    joined: bool = False


def numerals(text: str, decimal_comma: bool = False) -> list[Numeral]:
    """The numbers of a :func:`plain` text in order.

    Args:
        decimal_comma: read ``1.234,5`` as 1234.5.
    """
    if decimal_comma:
        text = re.sub(r"(?<=\d)[.,](?=\d)", lambda sign: "." if sign[0] == "," else ",", text)
    return sorted([*_in_digits(text), *_in_words(text)], key=lambda numeral: numeral.start)


def _in_digits(text: str) -> Iterator[Numeral]:
    end = None
    for match in _DIGITS.finditer(text):
        start = match.start()
        signed = bool(match["sign"]) and match["sign"].lower() != "negative "
        joined = signed and end is not None and not text[end:start].strip(" )%°")
        negative = {(match["sign"] or "").strip().lower(), match["inner"]} & {
            "-",
            "—",
            "minus",
            "negative",
        }
        free = not _BOUND_BEFORE.search(
            text[max(0, start - 7) : start]
        ) and not _BOUND_BEHIND.match(text, match.end())
        value = _value(match) if free else None
        end = match.end()
        if value is not None and negative and not joined:
            value = -value
        yield Numeral(start + joined * len(match["sign"] or ""), end, value, joined=joined)


def _value(match: re.Match) -> Fraction | None:
    power = int(match["ten"] or match["exp"] or match["pow"] or 0)
    written = [part for part in (match["digits"], match["whole"], match["below"]) if part]
    if abs(power) > MOST_DIGITS or max(map(len, written), default=0) > MOST_DIGITS:
        return None
    value = Fraction(re.sub(r"[,'_ ]", "", match["digits"] or "1")) * Fraction(10) ** power
    if match["below"]:
        if not (below := Fraction(match["below"])):
            return None
        value /= below
    value += int(match["whole"] or 0) + (
        _PARTS[match["rest"].split()[-1].lower()] if match["rest"] else 0
    )
    return value * _scale(match["scale"] or "", bool(match["money"]))


def _scale(written: str, money: bool) -> int:
    short = _SHORT_OF_MONEY if money else _SHORT
    if len(written) == 1 and written.isascii():
        return short.get(written, 1)
    return prod(_SCALES[word] for word in _SCALE.findall(written.lower()) if word in _SCALES)


# --- words

_UNITS = dict(
    zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True)
)
_TEENS = dict(
    zip(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        range(10, 20),
        strict=True,
    )
)
_TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),
        range(20, 100, 10),
        strict=True,
    )
)
_SMALL = {"zero": 0} | _UNITS | _TEENS | _TENS
_BIG = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NTH = dict(
    zip(
        "half third quarter fourth fifth sixth seventh eighth ninth tenth".split(),
        (2, 3, 4, 4, 5, 6, 7, 8, 9, 10),
        strict=True,
    )
)
_UNIT, _TEEN, _TEN, _LARGE = ("|".join(words) for words in (_UNITS, _TEENS, _TENS, _BIG))
_BELOW_100 = rf"(?:(?:{_TEN})(?:[- ](?:{_UNIT}))?|{_TEEN}|{_UNIT})"
_BELOW_1000 = (
    rf"(?:(?:{_TEEN}|{_UNIT}|a) hundred(?: (?:and )?{_BELOW_100})?"
    rf"|{_BELOW_100}|an?(?= (?:{_LARGE})))"
)
_WHOLE = (
    rf"(?:zero|(?:{_BELOW_100}|a|half a) dozen|half an? (?:{_LARGE})"
    rf"|{_BELOW_1000}(?: (?:{_LARGE})(?:,? (?:and )?{_BELOW_1000})?){{0,4}})"
)
_ONE_NTH = rf"(?:an?|one)[- ](?:{'|'.join(_NTH)})"
_SOME_NTHS = rf"{_BELOW_100}[- ](?:halves|(?:{'|'.join(list(_NTH)[1:])})s)"
_WORDS = re.compile(
    # the letters with which it can begin, for speed
    rf"(?=[aefhmnostz])(?<![{LETTER}\d-])(?P<sign>(?:minus|negative) )?"
    rf"(?:(?P<nths>{_ONE_NTH}|{_SOME_NTHS})|(?P<words>{_WHOLE})(?: and (?P<rest>{_ONE_NTH}"
    rf"|{_SOME_NTHS}))?|(?P<half>half))"
    rf"(?![{LETTER}]|-[{LETTER}])",
    re.IGNORECASE,
)
_HAN = {sign: i for i, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "兩": 2, "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_HAN_LARGE = {"萬": 10**4, "万": 10**4, "億": 10**8, "亿": 10**8}
_IN_HAN = re.compile(
    r"(負|负)?([零〇一二兩两三四五六七八九十][零〇一二兩两三四五六七八九十百千萬万億亿]{0,30})"
)


def _in_words(text: str) -> Iterator[Numeral]:
    for match in _WORDS.finditer(text):
        value = (
            Fraction(1, 2)
            if match["half"]
            else _nths(match["nths"])
            if match["nths"]
            else _whole(match["words"])
        )
        value += _nths(match["rest"]) if match["rest"] else 0
        weak = not match["sign"] and (
            bool(match["half"])
            or match[0].lower() == "one"
            or match[0].lower().startswith("a")
            and value < 1
        )
        yield Numeral(match.start(), match.end(), -value if match["sign"] else value, True, weak)
    for match in _IN_HAN.finditer(text):
        yield Numeral(
            match.start(),
            match.end(),
            _han(match[2]) * (-1 if match[1] else 1),
            True,
            match[0] == "一",
        )


def _nths(words: str) -> Fraction:
    *count, part = re.split(r"[- ]", words.lower())
    return (
        _whole(" ".join(count))
        / _NTH["half" if part == "halves" else part if part in _NTH else part[:-1]]
    )


def _whole(words: str) -> Fraction:
    total = Fraction(0)
    current: Fraction | int = 0
    for word in re.findall(r"[a-z]+", words.lower()):
        if word in _BIG:
            total, current = total + (current or 1) * _BIG[word], 0
        elif word in ("hundred", "dozen"):
            current = (current or 1) * (12 if word == "dozen" else 100)
        elif word == "half":
            current = Fraction(1, 2)
        elif word != "and":
            current += 1 if word in ("a", "an") and not current else _SMALL.get(word, 0)
    return total + current


def _han(signs: str) -> Fraction:
    if not set(signs) & (_HAN_UNITS.keys() | _HAN_LARGE.keys()):  # 二〇二三: digit by digit
        return Fraction(int("".join(str(_HAN[sign]) for sign in signs)))
    total: int | Fraction = 0
    section = digit = 0
    for sign in signs:
        if sign in _HAN:
            digit = _HAN[sign]
        elif sign in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[sign], 0
        else:
            total, section, digit = (total + section + digit) * _HAN_LARGE[sign], 0, 0
    return Fraction(total + section + digit)
