"""Claims about prompted real models: demonstrations, requests, chains, searched prompts and reward
(chapters 4 to 7).
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from course.studies import real_tables as tables
from course.studies.claims import Claim, undecided
from course.studies.on_real_models.chains import SAMPLES, VOTED_ALONE
from course.studies.on_real_models.in_context import SHOTS
from course.studies.on_real_models.requests import IN_IT
from course.studies.real_claim import (
    SMOL,
    TUNED,
    Values,
    real_claim,
)
from course.studies.verdicts import MoreThan, NoWorse


def _demonstrations() -> tuple[Claim, ...]:
    shots = SHOTS[-1]
    condition = tables.under_condition

    def lifted(kind: str) -> Values:
        return lambda table: (
            tables.over_orders(table, kind, "worst") - tables.over_orders(table, "none", "worst")
        )

    return (
        real_claim(
            "4a",
            f"Of {shots} demonstrations, random labels cost {SMOL} at most 5 points against right"
            " ones.",
            NoWorse(5),
            "min2022rethinking",
            "demonstrations",
            lambda table: condition(table, "random") - condition(table, "gold"),
            **undecided("within the margin on the mean, beyond it with two of five seeds"),
        ),
        real_claim(
            "4a",
            f"Of {shots} demonstrations, foreign inputs cost {SMOL} more than 5 points against"
            " right ones.",
            MoreThan(5),
            "min2022rethinking",
            "demonstrations",
            lambda table: condition(table, "gold") - condition(table, "foreign"),
        ),
        real_claim(
            "4a",
            f"Without any demonstration {SMOL} is right more often than with {shots} right ones.",
            MoreThan(0),
            "min2022rethinking",
            "demonstrations",
            lambda table: condition(table, "none") - condition(table, "gold"),
            **undecided("far ahead with three seeds, level with two"),
        ),
        real_claim(
            "4c",
            f"After {shots} flipped labels {SMOL} stays above chance.",
            MoreThan(5),
            "wei2023larger",
            "demonstrations",
            lambda table: condition(table, "flipped") - 50,
            reported="small models ignore flipped labels",
            **undecided("above chance with every seed, with most by little more than the margin"),
        ),
        *(
            real_claim(
                "4d",
                f"{kind.capitalize()} calibration lifts the worst order of {SMOL} by more than 10"
                " points.",
                MoreThan(10),
                source,
                "demonstrations",
                lifted(kind),
                **expected,
            )
            for kind, source, expected in (
                (
                    "contextual",
                    "zhao2021calibrate",
                    undecided("lifted with every seed, with two by no more than the margin"),
                ),
                ("batch", "zhou2024batch", {}),
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
        real_claim(
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
        real_claim(
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
            real_claim(
                "5a",
                f"On {title} steps gain {SMOL} at most 5 points.",
                NoWorse(5),
                "wei2022chain",
                "chains",
                partial(_lost_by_steps, task),
                reported="an effect of scale",
                **expected,
            )
            for task, title, expected in (
                (tables.SCHOOL, "GSM8K", {}),
                (
                    tables.ONE_STEP,
                    "one-step problems",
                    undecided("steps gain more than the margin with two of three seeds"),
                ),
            )
        ),
        real_claim(
            "5b",
            f"On GSM8K a vote of {SAMPLES} gains {SMOL} more than 3 points over one chain.",
            MoreThan(3),
            "wang2023selfconsistency",
            "chains",
            lambda table: gain(table, tables.SCHOOL, f"vote of {SAMPLES}", VOTED_ALONE),
            **undecided(
                "next to nothing is right in any way; a vote gains something with one of three"
                " seeds"
            ),
        ),
    )


def _prompts() -> tuple[Claim, ...]:
    def over_people(way: str) -> Callable[[pd.DataFrame], np.ndarray]:
        def gain(table: pd.DataFrame) -> np.ndarray:
            accuracies = tables.of_labelled(table)
            return accuracies[way] - accuracies[tables.PEOPLES]

        return gain

    return (
        real_claim(
            "6a",
            f"On film snippets AutoPrompt's words for {SMOL} are more than 3 points better than"
            " the best of people's.",
            MoreThan(3),
            "shin2020autoprompt",
            "prompts",
            over_people(tables.AUTO),
            TUNED,
            baselines=lambda table: {
                "random swaps": float(over_people(tables.SWAPS)(table).mean())
            },
            **undecided("behind with two seeds, some points ahead with the third"),
        ),
        real_claim(
            "6b",
            f"The instructions that {SMOL} writes for itself are no worse than the best of"
            " people's.",
            NoWorse(2),
            "zhou2023large",
            "prompts",
            lambda table: tables.gained_by_task(table, tables.WRITTEN, tables.PEOPLES),
            **undecided("far behind on two tasks, and equal where neither gets an answer"),
        ),
        real_claim(
            "6d",
            f"On film snippets a soft prompt of {SMOL} is better than the best of people's words.",
            MoreThan(0),
            "lester2021power",
            "prompts",
            over_people(tables.SOFT_PROMPT),
            TUNED,
            **undecided("behind with every seed, by amounts that differ by dozens of points"),
        ),
    )


CLAIMS = (
    *_demonstrations(),
    *_asking(),
    *_prompts(),
)
