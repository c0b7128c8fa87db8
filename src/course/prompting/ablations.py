"""Ablations of demonstrations: which part of them does a model use?

The conditions are those of Min et al. 2022 (random labels, foreign inputs, inputs or labels alone,
none) and of Wei et al. 2023 (flipped labels, words without meaning). The query and its right answer
stay as they are.
"""

from collections.abc import Sequence
from dataclasses import replace

from course.foundation.rng import Rng
from course.prompting.prompts import Prompt, Verbalizer
from course.world.example import Example
from course.world.lexicon import NONCE_LABELS

#: Condition -> what it does to the demonstrations.
CONDITIONS = {
    "gold": "as they are",
    "random": "each label drawn anew, so that some are right by chance",
    "flipped": "each label replaced by the next one, so that none is right",
    "nonce": "each label called by a word without meaning, the same one throughout",
    "foreign": "each input replaced by one of another domain, the label kept",
    "inputs": "inputs alone, without labels",
    "labels": "labels alone, without inputs",
    "none": "no demonstrations",
}


def apply_ablation(
    condition: str,
    prompt: Prompt,
    rng: Rng,
    labels: Sequence[str],
    foreign: Sequence[str] = (),
    nonce: Sequence[str] = tuple(NONCE_LABELS),
) -> Prompt:
    """A prompt under one of :data:`CONDITIONS`.

    Args:
        rng: of the labels, words and inputs that are drawn.
        labels: all outputs that demonstrations may have, e.g. a task's labels.
        foreign: inputs of another domain.
        nonce: words without meaning.

    Raises:
        ValueError: for an unknown condition, for fewer than two labels where labels are changed,
            and for too few foreign inputs or words.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"no condition {condition!r}; choose from {', '.join(CONDITIONS)}")
    labels = tuple(dict.fromkeys(labels))
    if condition in ("random", "flipped", "nonce") and len(labels) < 2:
        raise ValueError(
            f"condition {condition!r} changes labels: expected two or more of them, not"
            f" {list(labels)}"
        )
    shown = prompt.demonstrations
    _check_enough(condition, len(shown), len(labels), len(foreign), len(nonce))
    if condition == "flipped" and (
        unknown := sorted({example.output for example in shown} - set(labels))
    ):
        raise ValueError(
            "condition 'flipped' replaces each label by the next one: expected one of"
            f" {list(labels)}, not {unknown}"
        )
    if condition == "nonce":
        return replace(
            prompt,
            verbalizer=Verbalizer(tuple(zip(labels, rng.sample(nonce, len(labels)), strict=True))),
        )
    if condition == "foreign":
        inputs = rng.sample(foreign, len(shown))
        return replace(
            prompt,
            demonstrations=tuple(Example(x, e.output) for x, e in zip(inputs, shown, strict=True)),
        )
    change = {
        "gold": lambda e: e,
        "random": lambda e: Example(e.input, rng.choice(labels)),
        "flipped": lambda e: Example(e.input, labels[(labels.index(e.output) + 1) % len(labels)]),
        "inputs": lambda e: Example(e.input, ""),
        "labels": lambda e: Example("", e.output),
    }
    return (
        prompt.zero_shot
        if condition == "none"
        else replace(prompt, demonstrations=tuple(change[condition](e) for e in shown))
    )


def _check_enough(condition: str, shown: int, labels: int, foreign: int, nonce: int) -> None:
    """Refuse a condition that draws more different things than there are."""
    if condition == "foreign" and foreign < shown:
        raise ValueError(
            f"condition 'foreign' needs a different input of another domain for each of {shown}"
            f" demonstrations and has {foreign}; "
            f"give more with foreign=, or show at most {foreign}"
        )
    if condition == "nonce" and nonce < labels:
        raise ValueError(
            f"condition 'nonce' needs a different word without meaning for each of {labels} labels"
            f" and has {nonce}; give more with nonce="
        )
