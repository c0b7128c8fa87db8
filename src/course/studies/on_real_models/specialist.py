"""A LoRA specialist against the prompted generalist, on a real model (chapter 1)."""

from collections.abc import Sequence

import numpy as np

from course.lm.language_model import LanguageModel, load
from course.studies.on_real_models.questions import ASKED, PRECISION, right, with_instruction
from course.studies.on_real_models.tuned import tuned_on_snippets
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.studies.tables import rows_of
from course.tasks.registry import load_task
from course.world.split import TEST

#: Labels that a LoRA specialist is trained on.
SPECIALIST_LABELS = (50, 150, 500)


def lora_specialist(base: LanguageModel, labels: int, seed: int) -> LanguageModel:
    """A copy of the model that LoRA tuned on so many snippets."""
    return tuned_on_snippets(base, "lora", labels, max(20, labels // 5), seed)


def nats_of_plain_text(model: LanguageModel, texts: Sequence[str]) -> float:
    """Mean negative log-probability of a token of some texts."""
    values = model.score_tokens([""] * len(texts), list(texts))
    return -float(np.concatenate(values).mean())


def plain_texts(seed: int) -> list[str]:
    """Texts that no model here is tuned on: problems of GSM8K."""
    return [example.input for example in load_task("problem", seed=seed).examples(TEST)[:50]]


def specialist_or_prompt(seed: int) -> list[Row]:
    """Sentiment by a LoRA specialist, by labels, and by the prompted generalist, by demonstrations;
    and what tuning lost: another task, and plain text.

    Returns:
        Rows with ``way``, ``number`` (labels or demonstrations), ``measure`` and ``value``
        (accuracies in percent, plain text in nats a token; the latter and the other task once for
        the model before, which demonstrations do not change).
    """
    base = load("gpt-middle", precision=PRECISION)
    reviews, pairs = (load_task(name, seed=seed) for name in ("sentiment", "inference"))
    plain = plain_texts(seed)
    other = with_instruction(pairs, 0, ASKED, seed)

    def sentiment(model: LanguageModel, shots: int) -> dict[str, float]:
        return {"sentiment": right(model, with_instruction(reviews, shots, ASKED, seed))}

    def others(model: LanguageModel) -> dict[str, float]:
        lost = nats_of_plain_text(model, plain)
        return {"inference": right(model, other), "plain text": lost}

    rows = rows_of(sentiment(base, 0) | others(base), way="prompted", number=0)
    for shots in (4, 8):
        rows += rows_of(sentiment(base, shots), way="prompted", number=shots)
    for labels in SPECIALIST_LABELS:
        tuned = lora_specialist(base, labels, seed)
        rows += rows_of(sentiment(tuned, 0) | others(tuned), way="LoRA", number=labels)
    return rows


STUDIES = (
    RealStudy(
        "specialist",
        1,
        ("gpt-middle",),
        SEEDS,
        specialist_or_prompt,
        ("sentiment", "inference", "problem"),
    ),
)
