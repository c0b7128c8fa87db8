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
from course.studies import advice
from course.studies import real_tables as tables
from course.studies.claims import Claim, Demonstration, Varies, undecided
from course.studies.on_real_models.catalogue import REAL_STUDIES
from course.studies.on_real_models.chains import SAMPLES, VOTED_ALONE
from course.studies.on_real_models.heads import HEAD_LABELS
from course.studies.on_real_models.in_context import SHOTS
from course.studies.on_real_models.requests import IN_IT
from course.studies.on_real_models.specialist import SPECIALIST_LABELS
from course.studies.table_of_claims import ClaimsTable, table_of
from course.studies.verdicts import Kind, MoreThan, NoWorse

#: The models as statements name them.
SMOL, MINI = "SmolLM2-135M", "MiniLM"
_TUNED, _PROMPTED = (Varies.ITEMS, Varies.TRAINING), (Varies.ITEMS,)
_Values = Callable[[pd.DataFrame], Sample | np.ndarray]
_TWO_SEEDS = "both seeds are far ahead, but two are too few for an interval"
_SEEDS_DIFFER = "the two seeds differ by more than the margin"
_NOTHING_RIGHT = "next to nothing is right in any way, and the two seeds differ"
#: Task of a head -> what it reads.
_DATA = {
    "sentiment": "film snippets",
    "inference": "pairs of sentences (SNLI)",
    "entities": "names (WNUT-17)",
}


def _claim(
    number: str,
    statement: str,
    kind: Kind,
    source: str,
    study: str,
    values: _Values,
    varies: Sequence[Varies] = _PROMPTED,
    **more: Any,
) -> Claim:
    studies = (REAL_STUDIES[study],)
    return Claim(number, statement, kind, source, tuple(varies), studies, values, **more)


def _specialist() -> tuple[Claim, ...]:
    labels = SPECIALIST_LABELS[-1]
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
            **undecided("before tuning, too, it judges them no better than by guessing"),
        ),
        _claim(
            "1c",
            f"Tuned so, {SMOL} has a higher perplexity on plain text than before.",
            MoreThan(0),
            "mccloskey1989catastrophic",
            "specialist",
            tables.rise_of_perplexity,
            _TUNED,
            unit="percent",
        ),
    )


def _heads() -> tuple[Claim, ...]:
    def where_(task: str) -> str:
        numbers = HEAD_LABELS[task]
        return "over all numbers of labels" if len(numbers) > 1 else f"with {numbers[0]:,} labels"

    return tuple(
        _claim(
            "2",
            f"On {_DATA[task]} {MINI} is ahead of its own architecture from scratch,"
            f" {where_(task)}.",
            MoreThan(0),
            "devlin2019bert",
            "heads",
            partial(tables.lead_of_pretrained, task=task),
            _TUNED,
            **({} if task == "inference" else undecided(_TWO_SEEDS)),
        )
        for task in HEAD_LABELS
    )


def _adapters() -> tuple[Claim | Demonstration, ...]:
    def claim(
        number: str, statement: str, kind: Kind, source: str, values: _Values, **more: Any
    ) -> Claim:
        whole = f"On film snippets, under {MINI}, {statement}."
        return _claim(number, whole, kind, source, "adapters", values, _TUNED, **more)

    minus = tables.minus
    return (
        claim(
            "3a",
            "Houlsby adapters are no worse than full tuning",
            NoWorse(2),
            "houlsby2019adapters",
            partial(minus, "bottleneck", "full"),
        ),
        claim(
            "3b",
            "LoRA is better than BitFit",
            MoreThan(0),
            "hu2022lora",
            partial(minus, "lora", "bitfit"),
            **undecided("each is ahead with one of the two seeds"),
        ),
        claim(
            "3b",
            "BitFit is better than the head alone",
            MoreThan(0),
            "benzaken2022bitfit",
            partial(minus, "bitfit", "head"),
            **undecided(_TWO_SEEDS),
        ),
        claim(
            "3c",
            "LoRA has more than half of what full tuning gains over the head alone",
            MoreThan(0),
            "hu2022lora",
            tables.more_than_half_of_the_gain,
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
    shots = SHOTS[-1]
    condition = tables.under_condition

    def lifted(kind: str) -> _Values:
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
            lambda table: condition(table, "random") - condition(table, "gold"),
            **undecided(_SEEDS_DIFFER),
        ),
        _claim(
            "4a",
            f"Of {shots} demonstrations, foreign inputs cost {SMOL} more than 5 points against"
            " right ones.",
            MoreThan(5),
            "min2022rethinking",
            "demonstrations",
            lambda table: condition(table, "gold") - condition(table, "foreign"),
            **undecided(_SEEDS_DIFFER),
        ),
        _claim(
            "4a",
            f"Without any demonstration {SMOL} is right more often than with {shots} right ones.",
            MoreThan(0),
            "min2022rethinking",
            "demonstrations",
            lambda table: condition(table, "none") - condition(table, "gold"),
            **undecided(_TWO_SEEDS),
        ),
        _claim(
            "4c",
            f"After {shots} flipped labels {SMOL} stays above chance.",
            MoreThan(5),
            "wei2023larger",
            "demonstrations",
            lambda table: condition(table, "flipped") - 50,
            reported="small models ignore flipped labels",
            **undecided("a few points above chance with both seeds, which are equal by chance"),
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
                **undecided(_TWO_SEEDS),
            )
            for kind, source in (
                ("contextual", "zhao2021calibrate"),
                ("batch", "zhou2024batch"),
            )
        ),
    )


def _lost_by_steps(task: str, table: pd.DataFrame) -> np.ndarray:
    """Answers alone minus answers after steps, in points, (seeds,)."""
    return tables.gained(table, task, "standard", "chain")


def _asking() -> tuple[Claim, ...]:
    """What comes of a template, of steps and of a vote."""
    gain = tables.gained
    return (
        _claim(
            "4e",
            f"Spoken to in its chat template, {SMOL} gives exactly the wanted answer to more"
            " requests than without.",
            MoreThan(0),
            "wei2022finetuned",
            "requests",
            partial(tables.gained_by_task, better=tables.TEMPLATE, than=tables.NO_TEMPLATE),
            **undecided(
                "most tasks are answered exactly next to never either way, and rhymes far more"
                " often without the template"
            ),
        ),
        _claim(
            "4e",
            f"Spoken to in its chat template, {SMOL} has the wanted answer in its reply to more"
            " requests than without.",
            MoreThan(0),
            "wei2022finetuned",
            "requests",
            partial(
                tables.gained_by_task,
                better=f"{tables.TEMPLATE}{IN_IT}",
                than=f"{tables.NO_TEMPLATE}{IN_IT}",
            ),
            exploratory=True,
            **undecided("the template helps on some tasks and hurts on others"),
        ),
        *(
            _claim(
                "5a",
                f"On {title} steps gain {SMOL} at most 5 points.",
                NoWorse(5),
                "wei2022chain",
                "chains",
                partial(_lost_by_steps, task),
                reported="an effect of scale",
                **undecided(because),
            )
            for task, title, because in (
                (tables.SCHOOL, "GSM8K", _NOTHING_RIGHT),
                (
                    tables.ONE_STEP,
                    "one-step problems",
                    "steps gain more than the margin with either seed, but two are too few for an"
                    " interval",
                ),
            )
        ),
        _claim(
            "5b",
            f"On GSM8K a vote of {SAMPLES} gains {SMOL} more than 3 points over one chain.",
            MoreThan(3),
            "wang2023selfconsistency",
            "chains",
            lambda table: gain(table, tables.SCHOOL, f"vote of {SAMPLES}", VOTED_ALONE),
            **undecided(_NOTHING_RIGHT),
        ),
    )


def _prompts() -> tuple[Claim, ...]:
    def over_people(way: str) -> Callable[[pd.DataFrame], np.ndarray]:
        def gain(table: pd.DataFrame) -> np.ndarray:
            accuracies = tables.of_labelled(table)
            return accuracies[way] - accuracies[tables.PEOPLES]

        return gain

    return (
        _claim(
            "6a",
            f"On film snippets AutoPrompt's words for {SMOL} are more than 3 points better than"
            " the best of people's.",
            MoreThan(3),
            "shin2020autoprompt",
            "prompts",
            over_people(tables.AUTO),
            _TUNED,
            baselines=lambda table: {
                "the same swaps without a gradient": float(over_people(tables.SWAPS)(table).mean())
            },
            **undecided("a point behind with one seed, some points ahead with the other"),
        ),
        _claim(
            "6b",
            f"The instructions that {SMOL} writes for itself are no worse than the best of"
            " people's.",
            NoWorse(2),
            "zhou2023large",
            "prompts",
            lambda table: tables.gained_by_task(table, tables.WRITTEN, tables.PEOPLES),
            **undecided("far behind on two tasks, and equal where neither gets an answer"),
        ),
        _claim(
            "6d",
            f"On film snippets a soft prompt of {SMOL} is better than the best of people's words.",
            MoreThan(0),
            "lester2021power",
            "prompts",
            over_people(tables.SOFT_PROMPT),
            _TUNED,
            **undecided("behind with both seeds, which are too few for an interval"),
        ),
    )


def _advice() -> tuple[Claim, ...]:
    return (
        _claim(
            "8",
            "On small tables of film snippets and of pairs of sentences the advice of course"
            " compare is within two points of the best method on more than nine in ten.",
            MoreThan(0.9),
            "agresti2005simple",
            "advice",
            advice.right_tables,
            _TUNED,
            unit="of the tables",
            bounds=(0.0, 1.0),
            **undecided(
                "were it right on all ten tables, it might still be on seven of ten others"
            ),
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
    *_advice(),
)


def is_measured(claim: Claim | Demonstration) -> bool:
    """Whether the studies of a claim have whole records."""
    return all(tables.is_recorded(study) for study in claim.studies)


def real_claims_table(*numbers: str) -> ClaimsTable:
    """The claims about real models with these numbers (default: all that were measured), each with
    its figure, its verdict, and its verdict after Holm's correction for all claims about real
    models.

    Raises:
        ValueError: for a number that none of them has.
        RecordError: if the record of one of them is missing, or of another version.
    """
    measured = dict.fromkeys(claim.number for claim in REAL_CLAIMS if is_measured(claim))
    return table_of(REAL_CLAIMS, numbers or tuple(measured))
