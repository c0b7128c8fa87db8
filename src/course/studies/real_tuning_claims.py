"""Claims about tuned real models: a specialist and what it forgets, heads, adapters (chapters 1 to
3).
"""

from functools import partial
from typing import Any

from course.studies import real_tables as tables
from course.studies.claims import Claim, Demonstration, fails, undecided
from course.studies.on_real_models.adapters import LLM_LABELS
from course.studies.on_real_models.catalogue import REAL_STUDIES
from course.studies.on_real_models.heads import ANSWER_LABELS, HEAD_LABELS, MORE_LABELS
from course.studies.on_real_models.specialist import SPECIALIST_LABELS
from course.studies.real_claim import MINILM, SMOL, TUNED, Values, real_claim
from course.studies.verdicts import Kind, MoreThan, NoWorse

#: Task of a head -> what it reads.
_DATA = {
    "sentiment": "film snippets",
    "inference": "pairs of sentences (SNLI)",
    "entities": "names (WNUT-17)",
}

#: Why claims that compare with full tuning are undecided.
_FULL_TUNING = (
    "after so few steps full tuning is behind the head alone with two seeds, and level with the"
    " best adapter with the third"
)


def _specialist() -> tuple[Claim, ...]:
    labels = SPECIALIST_LABELS[-1]
    return (
        real_claim(
            "1b",
            f"Tuned by LoRA on {labels} film snippets, {SMOL} judges more of them right than with"
            " the best of its prompts.",
            MoreThan(0),
            "jiao2023chatgpt",
            "specialist",
            tables.lead_of_specialist,
            TUNED,
        ),
        real_claim(
            "1c",
            f"Tuned so, {SMOL} loses more than 10 points on pairs of sentences.",
            MoreThan(10),
            "mccloskey1989catastrophic",
            "specialist",
            lambda table: -tables.changed_by_tuning(table, "inference"),
            TUNED,
            **fails("before tuning, too, it judges them no better than by guessing"),
        ),
        real_claim(
            "1c",
            f"Tuned so, {SMOL} has a higher perplexity on plain text than before.",
            MoreThan(0),
            "mccloskey1989catastrophic",
            "specialist",
            tables.rise_of_perplexity,
            TUNED,
            unit="percent",
        ),
        real_claim(
            "1c",
            f"Tuned so, {SMOL} loses more than 10 points on requests of which it could answer a"
            " third or more before.",
            MoreThan(10),
            "mccloskey1989catastrophic",
            "forgetting",
            tables.forgotten,
            TUNED,
            **undecided(
                "two of the tasks are lost with every seed; on the others seeds differ by dozens of"
                " points"
            ),
        ),
    )


def _heads() -> tuple[Claim, ...]:
    def where_(task: str) -> str:
        numbers = HEAD_LABELS[task]
        return "over all numbers of labels" if len(numbers) > 1 else f"with {numbers[0]:,} labels"

    return tuple(
        real_claim(
            "2",
            f"On {_DATA[task]} {MINILM} is ahead of its own architecture from scratch,"
            f" {where_(task)}.",
            MoreThan(0),
            "devlin2019bert",
            "heads",
            partial(tables.lead_of_pretrained, task=task),
            TUNED,
        )
        for task in HEAD_LABELS
    )


def _more_heads() -> tuple[Claim, ...]:
    def claim(statement: str, study: str, task: str) -> Claim:
        return real_claim(
            "2",
            statement,
            MoreThan(0),
            "devlin2019bert",
            study,
            partial(tables.lead_of_pretrained, task=task),
            TUNED,
        )

    most = MORE_LABELS["sentiment"][-1]
    few = " and ".join(map(str, MORE_LABELS["inference"]))
    answers = " and ".join(map(str, ANSWER_LABELS))
    return (
        claim(
            f"With {most:,} labels, too, {MINILM} is ahead of its own architecture from scratch on"
            " film snippets.",
            "more-heads",
            "sentiment",
        ),
        claim(
            f"With {few} labels, too, {MINILM} is ahead of its own architecture from scratch on"
            " pairs of sentences (SNLI).",
            "more-heads",
            "inference",
        ),
        claim(
            f"On questions about a text (XQuAD) {MINILM} is ahead of its own architecture from"
            f" scratch, over {answers} labels.",
            "answers",
            "extraction",
        ),
    )


def _adapters() -> tuple[Claim | Demonstration, ...]:
    def claim(
        number: str, statement: str, kind: Kind, source: str, values: Values, **more: Any
    ) -> Claim:
        whole = f"On film snippets, under {MINILM}, {statement}."
        return real_claim(number, whole, kind, source, "adapters", values, TUNED, **more)

    minus = tables.minus
    return (
        claim(
            "3a",
            "Houlsby adapters are no worse than full tuning",
            NoWorse(2),
            "houlsby2019adapters",
            partial(minus, "bottleneck", "full"),
            **undecided(_FULL_TUNING),
        ),
        claim(
            "3b",
            "LoRA is better than BitFit",
            MoreThan(0),
            "hu2022lora",
            partial(minus, "lora", "bitfit"),
            **undecided("they are within three points of each other, on either side"),
        ),
        claim(
            "3b",
            "BitFit is better than the head alone",
            MoreThan(0),
            "benzaken2022bitfit",
            partial(minus, "bitfit", "head"),
            **undecided("ahead with every seed, with one by far more than with the others"),
        ),
        claim(
            "3c",
            "LoRA has more than half of what full tuning gains over the head alone",
            MoreThan(0),
            "hu2022lora",
            tables.more_than_half_of_the_gain,
            **undecided(_FULL_TUNING),
        ),
        Demonstration(
            "3d",
            f"A hundred tasks as whole {MINILM}s take more disk than as one with a hundred"
            " adapters.",
            "hu2022lora",
            "an adapter stores fewer numbers than the model",
            (REAL_STUDIES["adapters"],),
            tables.hundred_on_disk,
        ),
    )


def _more_adapters() -> tuple[Claim | Demonstration, ...]:
    claim = partial(real_claim, varies=TUNED)
    minus, pairs = tables.minus, f"On pairs of sentences, under {MINILM},"
    return (
        claim(
            "3b",
            f"{pairs} LoRA is better than BitFit.",
            MoreThan(0),
            "hu2022lora",
            "adapters-on-pairs",
            partial(minus, "lora", "bitfit"),
            **undecided("level with two seeds, and LoRA some points ahead with the third"),
        ),
        claim(
            "3c",
            f"{pairs} LoRA has more than half of what full tuning gains over the head alone.",
            MoreThan(0),
            "hu2022lora",
            "adapters-on-pairs",
            tables.more_than_half_of_the_gain,
        ),
        claim(
            "3e",
            f"With {LLM_LABELS} film snippets, each seen once, LoRA gains {SMOL} more than 5 points"
            " over its prompt.",
            MoreThan(5),
            "hu2022lora",
            "adapters-of-llm",
            partial(minus, "lora", "none"),
        ),
        claim(
            "3e",
            f"With as many, a prefix under {SMOL} is no worse than LoRA.",
            NoWorse(2),
            "li2021prefix",
            "adapters-of-llm",
            partial(minus, "prefix", "lora"),
            **undecided("level on the mean; with one seed LoRA is ahead by more than the margin"),
        ),
        Demonstration(
            "3d",
            f"A hundred tasks as whole {SMOL}s take more disk than as one with a hundred adapters.",
            "hu2022lora",
            "an adapter stores fewer numbers than the model",
            (REAL_STUDIES["hundred-adapters"],),
            tables.hundred_llms,
        ),
    )


CLAIMS = (
    *_specialist(),
    *_heads(),
    *_more_heads(),
    *_adapters(),
    *_more_adapters(),
)
