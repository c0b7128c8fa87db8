"""Claims about choosing a method for real models (chapter 8)."""

import numpy as np
import pandas as pd

from course.studies import advice_tables, choosing_tables
from course.studies.claims import Claim, undecided
from course.studies.on_real_models.advice import TABLES
from course.studies.real_claim import (
    MINILM,
    SMOL,
    TUNED,
    real_claim,
)
from course.studies.verdicts import Kind, MoreThan


def _advice() -> tuple[Claim, ...]:
    return (
        real_claim(
            "8",
            "On small tables of film snippets and of pairs of sentences the advice of course"
            " compare is within two points of the best method on more than nine in ten.",
            MoreThan(0.9),
            "agresti2005simple",
            "advice",
            advice_tables.right_tables,
            TUNED,
            unit="of the tables",
            bounds=(0.0, 1.0),
            **undecided(
                "were it right on all ten tables, it might still be on seven of ten others"
            ),
        ),
    )


def _curves() -> tuple[Claim, ...]:
    def claim(
        statement: str,
        kind: Kind,
        source: str,
        one: str,
        other: str,
        labels: int,
        because: str = "",
    ) -> Claim:
        def values(table: pd.DataFrame) -> np.ndarray:
            return choosing_tables.gap(table, one, other, labels, tuple(TABLES))

        whole = f"On film snippets and pairs of sentences, {statement}."
        expected = undecided(because) if because else {}
        return real_claim("8", whole, kind, source, "choosing", values, TUNED, **expected)

    return (
        claim(
            f"asking {SMOL} without a label is ahead of LoRA on 8 labels",
            MoreThan(0),
            "hu2022lora",
            "zero-shot",
            "lora-generator",
            8,
            "with every seed LoRA is ahead, by a few points and by less than they differ",
        ),
        claim(
            f"with 128 labels LoRA on {SMOL} is ahead of asking without: the advice to fine-tune",
            MoreThan(0),
            "lorica",
            "lora-generator",
            "zero-shot",
            128,
        ),
        claim(
            f"with 512 labels {MINILM}, tuned whole, is ahead of TF-IDF",
            MoreThan(5),
            "devlin2019bert",
            "head-full",
            "tfidf",
            512,
        ),
        claim(
            f"with 512 labels {MINILM}, tuned whole, is ahead of a head on the frozen one",
            MoreThan(0),
            "devlin2019bert",
            "head-full",
            "head",
            512,
        ),
    )


CLAIMS = (
    *_advice(),
    *_curves(),
)
