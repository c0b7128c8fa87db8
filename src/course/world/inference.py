"""Sentence pairs: does the claim follow from the premise, is it ruled out, or can one not tell?
(schema of SNLI)

In well-known sets the claim alone gives the label away in two cases of three (Gururangan et al.
2018). Here it cannot: the claim is drawn first, then the label, then a premise that makes it so.
Hence every claim comes under every label alike, and the best rule that reads the claim alone is
right in a third of the cases. Two sibling tasks ask the same skill with labels of their own:
whether two sentences can both be true, and whether they say the same.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from course.foundation.rng import Rng, Weighted
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "inference"
#: The pairs of the siblings look alike, so one that is held out is held out of both.
PAIR_KEY = "pair"
#: The label words, in the order of SNLI's label numbers: entailment 0, neutral 1, contradiction 2.
LABELS = ("true", "unknown", "false")
CONSISTENCY_LABELS = ("agree", "clash")
PARAPHRASE_LABELS = ("same", "different")

_DOINGS = tuple(
    "singing running writing eating drinking swimming walking cooking painting washing helping speaking".split()
)
#: Comparatives and their opposites, both ways.
_OPPOSITE = {
    a: b
    for first, second in (
        ("older", "younger"),
        ("taller", "shorter"),
        ("faster", "slower"),
        ("richer", "poorer"),
        ("stronger", "weaker"),
    )
    for a, b in ((first, second), (second, first))
}

# who does what where; what nobody does; which room is empty; who is more of something
_AT, _NOBODY, _EMPTY = (
    "{p} is {d} in the {r} .",
    "nobody in the house is {d} .",
    "no one is in the {r} .",
)
#: Other ways to say a premise.
_REWORDED = {
    _AT: "in the {r} {p} is {d} .",
    _EMPTY: "in the {r} there is no one .",
    _NOBODY: "in the house nobody is {d} .",
}

#: Claim -> label -> the premises that give it that label. In a premise ``p``, ``d``, ``r`` and
#: ``c`` are the claim's person, doing, room and comparative, ``o``, ``f``, ``e`` others, and ``v``
#: the opposite comparative. Everybody does one thing, in one room.
_AT_OTHER, _ELSEWHERE, _OTHERWISE = (
    "{o} is {d} in the {r} .",
    "{p} is {d} in the {e} .",
    "{p} is {f} in the {r} .",
)
_NOBODY_OTHER, _EMPTY_OTHER = "nobody in the house is {f} .", "no one is in the {e} ."
CLAIMS: dict[str, dict[str, tuple[str, ...]]] = {
    "{p} is in the {r} .": {"true": (_AT,), "false": (_ELSEWHERE, _EMPTY), "unknown": (_AT_OTHER, _EMPTY_OTHER)},
    "{p} is not in the {r} .": {"true": (_ELSEWHERE, _EMPTY), "false": (_AT,), "unknown": (_AT_OTHER, _EMPTY_OTHER)},
    "{p} is {d} .": {"true": (_AT,), "false": (_OTHERWISE, _NOBODY), "unknown": (_AT_OTHER, _NOBODY_OTHER)},
    "{p} is not {d} .": {"true": (_OTHERWISE, _NOBODY), "false": (_AT,), "unknown": (_AT_OTHER, _NOBODY_OTHER)},
    "somebody is {d} .": {"true": (_AT,), "false": (_NOBODY,), "unknown": (_OTHERWISE, _NOBODY_OTHER)},
    "nobody is {d} .": {"true": (_NOBODY,), "false": (_AT,), "unknown": (_OTHERWISE, _NOBODY_OTHER)},
    "somebody is in the {r} .": {"true": (_AT,), "false": (_EMPTY,), "unknown": (_ELSEWHERE, _EMPTY_OTHER)},
    "the {r} is empty .": {"true": (_EMPTY,), "false": (_AT,), "unknown": (_ELSEWHERE, _EMPTY_OTHER)},
    "{p} is {c} than {o} .": {
        "true": ("{o} is {v} than {p} .",),
        "false": ("{o} is {c} than {p} .", "{p} is {v} than {o} ."),
        "unknown": ("{p} is {c} than {q} .", "{q} is {v} than {p} ."),
    },
}  # fmt: skip
#: How often each form of claim occurs: the plainest most often, so that the others have something
#: to build on.
_FORMS = Weighted(
    {form: 3 if form.startswith("{p} is") and " not " not in form else 1 for form in CLAIMS}
)
#: How often a sentence about somebody else, somewhere else, stands beside the premise, and how
#: often the premise is reworded.
_BESIDE, _OTHER_WORDS = 0.25, 0.3


def _draw_words(rng: Rng) -> dict[str, str]:
    """The words of a pair, by the letters of the frames; ``s``, ``g`` and ``w`` are for the
    sentence beside.
    """
    comparative = rng.choice(tuple(_OPPOSITE))
    drawn = [
        rng.sample(lex.FIRST_NAMES, 4),
        rng.sample(lex.ROOMS, 3),
        rng.sample(_DOINGS, 3),
        [comparative, _OPPOSITE[comparative]],
    ]
    return dict(zip("poqsrewdfgcv", sum(drawn, []), strict=True))


def _say(rng: Rng, premise: str, words: dict[str, str]) -> str:
    """A premise in one of its wordings, sometimes with a sentence beside it that changes nothing."""
    reworded = _REWORDED.get(premise, premise)
    text = (reworded if rng.bernoulli(_OTHER_WORDS) else premise).format(**words)
    if not rng.bernoulli(_BESIDE):
        return text
    beside = "{s} is {g} in the {w} .".format(**words)
    return rng.choice((f"{text} {beside}", f"{beside} {text}"))


def write_pair(rng: Rng, train: bool = True) -> tuple[str, str, str]:
    """(premise, claim, label word); with ``train`` a pair that the corpus may contain."""
    while True:
        form, label, words = _FORMS.draw(rng), rng.choice(LABELS), _draw_words(rng)
        premise, claim = _say(rng, rng.choice(CLAIMS[form][label]), words), form.format(**words)
        if not train or is_train(SPLIT_KEY, f"{premise} {claim}"):
            return premise, claim, label


def judge(rng: Rng, train: bool = True) -> Example:
    """The pair as one input: premise, then claim."""
    premise, claim, label = write_pair(rng, train)
    return Example(f"{premise} \n claim : {claim}", label)


def compare(rng: Rng, train: bool = True) -> Example:
    """Two sentences that can both be true, or cannot."""
    while True:
        form, label, words = _FORMS.draw(rng), rng.choice(CONSISTENCY_LABELS), _draw_words(rng)
        under = "false" if label == "clash" else rng.choice(("true", "unknown"))
        text = f"{_say(rng, rng.choice(CLAIMS[form][under]), words)} \n second : {form.format(**words)}"
        if not train or is_train(PAIR_KEY, text):
            return Example(text, label)


#: Two ways to say the same, and which words another sentence has in the place of which.
_SAME = (
    (("{p} is {d} in the {r} .", "in the {r} {p} is {d} ."), ({"r": "e"}, {"p": "o"}, {"d": "f"})),
    (
        ("{p} is {c} than {o} .", "{o} is {v} than {p} ."),
        ({"p": "o", "o": "p"}, {"p": "q"}, {"o": "q"}),
    ),
    (("no one is in the {r} .", "the {r} is empty ."), ({"r": "e"},)),
    (
        ("{p} has hired {o} .", "{o} works for {p} ."),
        ({"p": "o", "o": "p"}, {"p": "q"}, {"o": "q"}),
    ),
)


def paraphrase(rng: Rng, train: bool = True) -> Example:
    """Two sentences that say the same in two ways, or something else in nearly the same words.

    The second one is always worded in the other way, so that its wording says nothing about the
    label.
    """
    while True:
        (ways, changes), label, words = (
            rng.choice(_SAME),
            rng.choice(PARAPHRASE_LABELS),
            _draw_words(rng),
        )
        first, second = rng.sample(ways, 2)
        change = rng.choice(changes) if label == "different" else {}
        other = words | {name: words[instead] for name, instead in change.items()}
        text = f"{first.format(**words)} \n second : {second.format(**other)}"
        if not train or is_train(PAIR_KEY, text):
            return Example(text, label)


#: What prose says between a premise and a claim, by the label of the pair.
_THEREFORE = {"true": "so", "false": "so it can not be that", "unknown": "perhaps"}


def write_consequences(rng: Rng) -> str:
    """Two to five sentences in prose, each with what follows from it, what it rules out or leaves
    open, or in other words.

    A verdict is one word in thirty; here each word of a claim teaches what two sentences have to do
    with each other.
    """
    return " ".join(
        [
            _restated(rng) if rng.bernoulli(0.25) else _concluded(rng)
            for _ in range(2 + rng.randrange(4))
        ]
    )


def _concluded(rng: Rng) -> str:
    while True:
        premise, claim, label = write_pair(rng)
        if label == "true" or rng.bernoulli(0.5):
            return f"{premise} {_THEREFORE[label]} {claim}"


def _restated(rng: Rng) -> str:
    while True:
        pair = paraphrase(rng)
        if pair.output == "same":
            return pair.input.replace(" \n second :", " in other words ,")


def form_of(claim: str) -> str:
    """The form of a claim, a key of :data:`CLAIMS`: the claim with its names, rooms and doings
    taken out.

    Raises:
        ValueError: if it is no claim of this module.
    """
    kinds = {"r": lex.ROOMS, "d": _DOINGS, "c": tuple(_OPPOSITE)}
    words, people = claim.split(), iter("po")
    for i, word in enumerate(words):
        kind = next((k for k, known in kinds.items() if word in known), None)
        if word in lex.FIRST_NAMES:
            kind = next(people, None)
        words[i] = f"{{{kind}}}" if kind else word
    if (form := " ".join(words)) not in CLAIMS:
        raise ValueError(
            f"{claim!r} is no claim of the micro-world; expected one such as 'mira is in the attic .'"
        )
    return form


def best_rule(pairs: Iterable[tuple[str, str, str]], read: Callable[[str, str], object]) -> float:
    """How often the best rule that sees ``read(premise, claim)`` alone is right on these pairs.

    With as many values of ``read`` as there are pairs every rule is right: let it sum up.
    """
    counts: dict[object, Counter] = {}
    for premise, claim, label in pairs:
        counts.setdefault(read(premise, claim), Counter())[label] += 1
    return sum(max(part.values()) for part in counts.values()) / sum(
        part.total() for part in counts.values()
    )


def baselines(count: int = 30_000, seed: int = 0) -> dict[str, float]:
    """What a reader reaches who takes the commonest label, reads the claim alone, or the premise
    alone: shares of right answers.

    A claim and a premise are summed up by their forms. For the claim alone the exact value is 1/3,
    since its label is drawn apart from it; the best rule in a sample lies a little above.
    """
    rng = Rng(f"baselines/{seed}")
    pairs = [write_pair(rng, train=False) for _ in range(count)]
    return {
        "majority": best_rule(pairs, lambda premise, claim: None),
        "claim alone": best_rule(pairs, lambda premise, claim: form_of(claim)),
        "premise alone": best_rule(pairs, lambda premise, claim: _premise_form(premise)),
    }


def _premise_form(premise: str) -> str:
    """A premise with everything taken out that could be another word."""
    kinds = {"p": lex.FIRST_NAMES, "r": lex.ROOMS, "d": _DOINGS, "c": _OPPOSITE}
    known = {word: kind for kind, words in kinds.items() for word in words}
    return " ".join(known.get(word, word) for word in premise.split())
