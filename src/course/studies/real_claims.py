"""Claims about real models, judged among themselves: a family of their own, apart from the claims
about the shipped models.

Their thresholds were set before the studies of :mod:`course.studies.on_real_models` were measured.
Each statement is about one model alone, SmolLM2-135M-Instruct or all-MiniLM-L6-v2 as the tier
``index`` has them; nothing varies pretraining, and the seeds are few.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import Sample
from course.heads.learning import TASKS
from course.studies import on_real_models as real
from course.studies import real_tables as tables
from course.studies.claims import Claim, Demonstration, Varies
from course.studies.on_real_models import REAL_STUDIES
from course.studies.table_of_claims import ClaimsTable, table_of
from course.studies.verdicts import Kind, MoreThan, NoWorse

#: The models as statements name them.
SMOL, MINI = "SmolLM2-135M", "MiniLM"
_TUNED, _PROMPTED = (Varies.ITEMS, Varies.TRAINING), (Varies.ITEMS,)
#: Task of a head -> what it reads.
_DATA = {
    "sentiment": "film snippets",
    "inference": "pairs of sentences (SNLI)",
    "entities": "names (WNUT-17)",
    "extraction": "questions about a text (XQuAD)",
}


def _claim(
    number: str,
    statement: str,
    kind: Kind,
    source: str,
    study: str,
    values: Callable[[pd.DataFrame], Sample | np.ndarray],
    varies: Sequence[Varies] = _PROMPTED,
    **more: Any,
) -> Claim:
    studies = (REAL_STUDIES[study],)
    return Claim(number, statement, kind, source, tuple(varies), studies, values, **more)


def _specialist() -> tuple[Claim, ...]:
    labels = real.SPECIALIST_LABELS[-1]
    return (
        _claim(
            "1b",
            f"Tuned by LoRA on {labels} film snippets, {SMOL} judges more of them right than with"
            " the best of its prompts.",
            MoreThan(0),
            "jiao2023chatgpt",
            "specialist",
            tables.lead_of_specialist,
            _TUNED,
        ),
        _claim(
            "1c",
            f"Tuned so, {SMOL} loses more than 10 points on pairs of sentences.",
            MoreThan(10),
            "mccloskey1989catastrophic",
            "specialist",
            lambda table: -tables.changed_by_tuning(table, "inference"),
            _TUNED,
        ),
        _claim(
            "1c",
            f"Tuned so, {SMOL} finds plain text less likely than before.",
            MoreThan(0),
            "mccloskey1989catastrophic",
            "specialist",
            lambda table: tables.changed_by_tuning(table, tables.PLAIN_TEXT),
            _TUNED,
            unit="nats a token",
        ),
    )


def _heads() -> tuple[Claim, ...]:
    return tuple(
        _claim(
            "2",
            f"On {_DATA[task]} {MINI} is ahead of its own architecture from scratch, over all"
            " numbers of labels.",
            MoreThan(0),
            "devlin2019bert",
            "heads",
            partial(tables.lead_of_pretrained, task=task),
            _TUNED,
        )
        for task in TASKS
    )


def _adapters() -> tuple[Claim | Demonstration, ...]:
    def minus(
        better: str, worse: str, tasks: Sequence[str] = tables.ADAPTED
    ) -> Callable[[pd.DataFrame], np.ndarray]:
        return lambda table: tables.score(table, better, tasks) - tables.score(table, worse, tasks)

    return (
        *(
            _claim(
                "3a",
                f"Under {MINI}, Houlsby adapters are no worse than full tuning on {_DATA[task]}.",
                NoWorse(2),
                "houlsby2019adapters",
                "adapters",
                minus("bottleneck", "full", (task,)),
                _TUNED,
            )
            for task in tables.ADAPTED
        ),
        *(
            _claim(
                "3b",
                f"Under {MINI}, {better_title} is better than {worse_title}.",
                MoreThan(0),
                source,
                "adapters",
                minus(better, worse),
                _TUNED,
            )
            for better, better_title, worse, worse_title, source in (
                ("lora", "LoRA", "bitfit", "BitFit", "hu2022lora"),
                ("bitfit", "BitFit", "head", "the head alone", "benzaken2022bitfit"),
            )
        ),
        _claim(
            "3c",
            f"Under {MINI}, LoRA has more than half of what full tuning gains over the head alone.",
            MoreThan(0),
            "hu2022lora",
            "adapters",
            tables.more_than_half_of_the_gain,
            _TUNED,
            baselines=lambda table: {"percent of the bytes": tables.share_of_the_bytes(table)},
            unit="points above half",
        ),
        Demonstration(
            "3d",
            f"A hundred tasks as whole {MINI}s take more disk than as one with a hundred adapters.",
            "hu2022lora",
            "an adapter stores fewer numbers than the model",
            (REAL_STUDIES["adapters"],),
            tables.hundred_on_disk,
        ),
    )


def _demonstrations() -> tuple[Claim, ...]:
    shots = real.SHOTS[-1]
    condition = tables.under_condition

    def lost_to(other: str) -> Callable[[pd.DataFrame], np.ndarray]:
        return lambda table: condition(table, "gold") - condition(table, other)

    def lifted(kind: str) -> Callable[[pd.DataFrame], np.ndarray]:
        return lambda table: (
            tables.over_orders(table, kind, "worst") - tables.over_orders(table, "none", "worst")
        )

    return (
        _claim(
            "4a",
            f"Of {shots} demonstrations, random labels cost {SMOL} at most 5 points against right"
            " ones.",
            NoWorse(5),
            "min2022rethinking",
            "demonstrations",
            lambda table: -lost_to("random")(table),
        ),
        _claim(
            "4a",
            f"Of {shots} demonstrations, foreign inputs cost {SMOL} more than 5 points against"
            " right ones.",
            MoreThan(5),
            "min2022rethinking",
            "demonstrations",
            lost_to("foreign"),
        ),
        _claim(
            "4a",
            f"Without any demonstration {SMOL} is right more often than with {shots} right ones.",
            MoreThan(0),
            "min2022rethinking",
            "demonstrations",
            lambda table: -lost_to("none")(table),
        ),
        _claim(
            "4c",
            f"After {shots} flipped labels {SMOL} stays above chance.",
            MoreThan(5),
            "wei2023larger",
            "demonstrations",
            lambda table: condition(table, "flipped") - 50,
            reported="small models ignore flipped labels",
        ),
        *(
            _claim(
                "4d",
                f"{kind.capitalize()} calibration lifts the worst order of {SMOL} by more than 10"
                " points.",
                MoreThan(10),
                source,
                "demonstrations",
                lifted(kind),
            )
            for kind, source in (
                ("contextual", "zhao2021calibrate"),
                ("batch", "zhou2024batch"),
            )
        ),
    )


def _asking() -> tuple[Claim, ...]:
    """What comes of a template, of steps and of a vote."""
    gain = tables.gained
    return (
        _claim(
            "4e",
            f"Spoken to in its chat template, {SMOL} follows more requests than without.",
            MoreThan(0),
            "wei2022finetuned",
            "requests",
            lambda table: tables.gained_by_task(table, tables.TEMPLATE, tables.NO_TEMPLATE),
        ),
        *(
            _claim(
                "5a",
                f"On {title} steps gain {SMOL} at most 5 points.",
                NoWorse(5),
                "wei2022chain",
                "chains",
                lambda table, task=task: gain(table, task, "standard", "chain"),
                reported="an effect of scale",
            )
            for task, title in ((tables.SCHOOL, "GSM8K"), (tables.ONE_STEP, "one-step problems"))
        ),
        _claim(
            "5b",
            f"On GSM8K a vote of {real.SAMPLES} gains {SMOL} more than 3 points over one chain.",
            MoreThan(3),
            "wang2023selfconsistency",
            "chains",
            lambda table: gain(table, tables.SCHOOL, f"vote of {real.SAMPLES}", "chain"),
        ),
    )


def _prompts() -> tuple[Claim, ...]:
    return (
        _claim(
            "6b",
            f"The instructions that {SMOL} writes for itself are no worse than the best of"
            " people's.",
            NoWorse(2),
            "zhou2023large",
            "prompts",
            lambda table: tables.gained_by_task(table, tables.WRITTEN, tables.PEOPLES),
        ),
        _claim(
            "6d",
            f"On film snippets a soft prompt of {SMOL} is better than the best of people's words.",
            MoreThan(0),
            "lester2021power",
            "prompts",
            lambda table: tables.gained(table, tables.LABELLED, tables.SOFT_PROMPT, tables.PEOPLES),
            _TUNED,
        ),
    )


#: What the chapters state of real models.
REAL_CLAIMS: tuple[Claim | Demonstration, ...] = (
    *_specialist(),
    *_heads(),
    *_adapters(),
    *_demonstrations(),
    *_asking(),
    *_prompts(),
)


def real_claims_table(*numbers: str) -> ClaimsTable:
    """The claims about real models with these numbers (default: all), each with its figure, its
    verdict, and its verdict after Holm's correction for all claims about real models.

    Raises:
        ValueError: for a number that none of them has.
        RecordError: if the record of one of them is missing, or of another version.
    """
    return table_of(REAL_CLAIMS, numbers)
