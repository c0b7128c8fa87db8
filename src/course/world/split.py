"""Which split an example belongs to: a pure function of its input, the same on every machine.

The corpus never *asks* a test or validation item. Facts about it may be *stated* in prose (a model
can only know the capital of a country if somebody told it), but a list, a question or an exercise
on it occurs in no document. A glossary, which names the dialect or the critic that it is about,
states.
"""

from functools import lru_cache
from hashlib import blake2b

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
#: Shares of the two held-out splits, in percent; the rest is for training.
VALIDATION_PERCENT, TEST_PERCENT = 8, 16


def _hash(key: str, text: str) -> int:
    return int.from_bytes(blake2b(f"{key}|{text}".encode(), digest_size=4).digest(), "big")


@lru_cache(maxsize=200_000)
def split_of(key: str, text: str) -> str:
    """``"train"``, ``"validation"`` or ``"test"`` for the input ``text`` under ``key`` (a task or a
    shared input domain).
    """
    bucket = _hash(key, text) % 100
    if bucket < TEST_PERCENT:
        return TEST
    return VALIDATION if bucket < TEST_PERCENT + VALIDATION_PERCENT else TRAIN


def split_table(
    key: str,
    inputs: tuple[str, ...],
    test_percent: int = TEST_PERCENT,
    validation_percent: int = VALIDATION_PERCENT,
) -> dict[str, str]:
    """input -> split for a short list of inputs: those with the smallest hashes are held out.

    The shares are exact up to rounding, and no split is empty; for a few dozen inputs
    :func:`split_of` could not promise that.

    Raises:
        ValueError: for fewer than three inputs.
    """
    if len(inputs) < 3:
        raise ValueError(f"{len(inputs)} inputs under {key!r}: three splits need at least three")
    test = max(1, round(test_percent / 100 * len(inputs)))
    validation = max(1, round(validation_percent / 100 * len(inputs)))
    ranked = sorted(inputs, key=lambda text: (_hash(key, text), text))
    splits = [TEST] * test + [VALIDATION] * validation + [TRAIN] * (len(inputs) - test - validation)
    return dict(zip(ranked, splits, strict=True))


def is_train(key: str, text: str) -> bool:
    """Whether the corpus may ask ``text`` under ``key``."""
    return split_of(key, text) == TRAIN
