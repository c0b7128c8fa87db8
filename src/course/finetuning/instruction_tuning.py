"""Instruction tuning (FLAN): fine-tuning on many tasks described in words, evaluation on clusters
of tasks that were held out.

The design is that of FLAN (Wei et al. 2022): tasks form clusters, whole clusters are held out, and
the controls take the instruction away. A request has one of four forms
(:data:`course.world.held_out.REQUEST_FORMS`), of which no document of the corpus has any. Three of
them are new in their structure: the description stands *below* its input, in the same line, or the
input asks by itself. In the fourth the description stands above its input, as the title of a list
does, so there the mark and the wording alone are new.

A share of the examples is plain text of the corpus, so that a tuned model still writes what the
base writes (dialogues, lists): rehearsal against forgetting.

``python -m course.finetuning.release`` makes the tuned model that the package ships: an adapter of
the largest one, tuned on all clusters.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import torch
from transformers import PreTrainedModel

from course.adapters import adapt
from course.foundation.rng import Rng
from course.foundation.validation import (
    check_fields,
    each,
    instance,
    integer,
    number,
    optional,
    share,
    text,
)
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.models.peft_wrapper import get_base_model
from course.tasks import registry as tasks
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History
from course.world.corpus import Corpus
from course.world.example import Example
from course.world.exercises import CHAINS
from course.world.held_out import REQUEST_FORMS
from course.world.instructions import INSTRUCTIONS
from course.world.phrases import LANGUAGES
from course.world.profiles import PROFILED
from course.world.split import SPLITS, TEST, TRAIN, VALIDATION

#: Where the description ``{w}`` of a task stands beside its input ``{x}``; alone, the input is the
#: request, for the tasks of :data:`REQUESTS`.
AFTER, BEFORE, INLINE, ALONE = (
    REQUEST_FORMS[form] for form in ("after", "before", "inline", "alone")
)
_UNDESCRIBED = "input : {x} \n output :"
#: An answer ends where its line ends.
STOP = "\n"

#: Tasks whose input asks for something by itself.
REQUESTS = ("closed_book", "where", "who")
#: Tasks that are left out: whose words or whose taste is meant, only demonstrations can tell;
#: chains of steps, which such a small model cannot take at once, so that tuning on them would teach
#: it to make something up; and translations, whose answers are phrases.
LEFT_OUT = (
    *PROFILED,
    *CHAINS,
    "parts",
    *(f"{way}_{language}" for way in ("to", "from") for language in LANGUAGES),
)
#: The clusters that are held out, two at a time, so that no model is tuned on what it is asked; the
#: two of a turn are no siblings of each other, and what is a sibling of either stays in
#: (:data:`course.world.held_out.SIBLINGS`).
TURNS = (
    ("inference", "geography"),
    ("reading comprehension", "morphology"),
    ("judgement", "closed-book questions"),
)
HELD_OUT = tuple(cluster for turn in TURNS for cluster in turn)
#: Those of them whose inputs are questions, which ask for something by themselves.
QUESTIONS = ("reading comprehension", "closed-book questions")
#: The clusters by whose validation items steps and rate were chosen, so that what is tested chose
#: nothing.
CHOSEN_BY = ("things", "words", "tagging", "topic")
#: Most training examples of a task, and of the items that a task is asked about in a test.
CAP, ASKED = 400, 20
#: Streams of the corpus from this one on are read in tuning; no pretraining comes so far.
TUNING_STREAMS = 500_000

#: The shipped model: its name, and the one that it is tuned from.
TUNED, BASE = "gpt-tuned", "gpt-large"


class Control(StrEnum):
    """What stands in the place of the instruction."""

    INSTRUCTION = "instruction"
    NONE = "no instruction"
    NAME = "task name only"
    SHUFFLED = "shuffled instruction"
    OTHER = "another task's instruction"


@dataclass(frozen=True)
class Tuning:
    """How to tune on instructions.

    Attributes:
        clusters: the clusters of tasks, keys of :func:`clusters`; each has the same share of the
            examples.
        wordings: how many wordings of each task are used, from the first on.
        forms: templates of a request, equally often.
        control: what stands in the place of the instruction.
        corpus_share: share of the examples that are documents of the corpus, read as in
            pretraining.
        steps: optimiser steps of 32 examples.
        learning_rate: their peak learning rate.
        rank: of an adapter (LoRA, Hu et al. 2022) on every matrix of the layers; None to tune all
            parameters.
        seed: of the examples, their order and the adapter.
    """

    clusters: tuple[str, ...]
    wordings: int = 3
    forms: tuple[str, ...] = (AFTER, BEFORE, INLINE, ALONE)
    control: Control = Control.INSTRUCTION
    corpus_share: float = 0.2
    steps: int = 120
    learning_rate: float = 1e-3
    rank: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(
            self,
            clusters=each(text()),
            wordings=integer(1, 3),
            forms=each(text(), 1),
            control=instance(Control),
            corpus_share=share(),
            steps=integer(1),
            learning_rate=number(above=0),
            rank=optional(integer(1)),
            seed=integer(),
        )
        _check_clusters(self.clusters)
        if not self.clusters:
            raise ValueError("no clusters to tune on: expected at least one")


@dataclass(frozen=True)
class Tuned:
    """A tuned copy of a model, and how the tuning went."""

    model: LanguageModel
    history: History


@cache
def clusters() -> dict[str, tuple[str, ...]]:
    """Cluster -> its tasks, of all tasks that are described in words and can be answered from the
    description.
    """
    by_name: dict[str, list[str]] = {}
    for name in INSTRUCTIONS:
        if name not in LEFT_OUT:
            by_name.setdefault(tasks.clusters()[name], []).append(name)
    return {cluster: tuple(names) for cluster, names in sorted(by_name.items())}


def others(*held_out: str) -> tuple[str, ...]:
    """All clusters but these.

    Raises:
        ValueError: for an unknown cluster.
    """
    _check_clusters(held_out)
    return tuple(name for name in clusters() if name not in held_out)


def _check_clusters(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in clusters()]:
        raise ValueError(f"no cluster {unknown[0]!r}; choose from {', '.join(clusters())}")


@cache
def items(name: str, split: str, seed: int) -> tuple[Example, ...]:
    """At most :data:`CAP` training examples or :data:`ASKED` others of a task; one with a table has
    the same for every seed.
    """
    count = CAP if split == TRAIN else ASKED
    return tuple(
        tasks.load_task(
            name, seed=seed, sizes=dict.fromkeys(SPLITS, count), wanted_tier="tiny"
        ).examples(split)[:count]
    )


def request(wording: str, text: str = "", form: str = AFTER) -> str:
    """A prompt that asks for something in words, about ``text`` or about nothing; without a wording
    the text alone.

    Raises:
        ValueError: if both are empty.
    """
    if not wording and not text:
        raise ValueError("neither a wording nor a text: expected at least one of them")
    if not text:
        return ALONE.format(x=wording)
    return form.format(w=wording, x=text) if wording else _UNDESCRIBED.format(x=text)


def worded(name: str, wording: int, control: Control, rng: Rng) -> str:
    """What stands in the place of the instruction of a task, in its wording of that number (from
    0).
    """
    text = INSTRUCTIONS[name][wording]
    if control is Control.NONE:
        return ""
    if control is Control.NAME:
        return name.replace("_", " ")
    if control is Control.SHUFFLED:
        return " ".join(rng.sample(text.split(), len(text.split())))
    if control is Control.OTHER:
        strangers = [n for names in clusters().values() for n in names if name not in names]
        return INSTRUCTIONS[rng.choice(strangers)][wording]
    return text


def mixture(tuning: Tuning, count: int) -> list[tuple[str, str]]:
    """``count`` (prompt, completion) texts to tune on: training items, the clusters equally often,
    then their tasks, then the wordings; a document of the corpus has no prompt.
    """
    rng, pairs = Rng(f"instructions/{tuning.seed}"), []
    documents = Corpus().stream(TUNING_STREAMS + tuning.seed)
    for _ in range(count):
        if rng.bernoulli(tuning.corpus_share):
            pairs.append(("", next(documents)))
            continue
        name = rng.choice(clusters()[rng.choice(tuning.clusters)])
        example = rng.choice(items(name, TRAIN, tuning.seed))
        form = rng.choice([form for form in tuning.forms if form is not ALONE or name in REQUESTS])
        words = worded(name, rng.randrange(tuning.wordings), tuning.control, rng)
        pairs.append((request(words, example.input, form), f"{example.output} {STOP}"))
    return pairs


def tune(
    base: LanguageModel, tuning: Tuning, validate_on: Sequence[str] = (), validate_every: int = 20
) -> Tuned:
    """Tune a copy of a model on instructions; the base stays as it was.

    Args:
        validate_on: clusters whose validation items say how good the model is, neither tuned on nor
            to be tested; it ends with the weights that answered most of them right. Without any it
            trains to the end.

    Raises:
        ValueError: if a cluster to validate on is one to tune on.
    """
    model, history = train_copy(base, tuning, validate_on, validate_every)
    return Tuned(
        LanguageModel(
            model if tuning.rank is None else model.merge_and_unload(),
            base.tokenizer,
            base.batch_tokens,
        ),
        history,
    )


def train_copy(
    base: LanguageModel, tuning: Tuning, validate_on: Sequence[str] = (), every: int = 20
) -> tuple[PreTrainedModel, History]:
    """A tuned copy with its adapter unmerged, and how the tuning went; see :func:`tune`."""
    if both := set(validate_on) & set(tuning.clusters):
        raise ValueError(
            f"{', '.join(sorted(both))}: to tune on and to validate on; expected different clusters"
        )
    model = copy.deepcopy(base.model).float()
    if tuning.rank is not None:
        with torch.random.fork_rng():
            torch.manual_seed(tuning.seed)
            model = adapt(model, "lora", r=tuning.rank)
    # in single precision everywhere: a study's figures should not depend on what the processor
    # computes fast
    settings = FitSettings(
        steps=tuning.steps,
        learning_rate=tuning.learning_rate,
        seed=tuning.seed,
        validate_every=every,
        precision="fp32",
    )
    data = completions(
        base.tokenizer, mixture(tuning, tuning.steps * settings.batch_size), end=True
    )

    def right(candidate: PreTrainedModel) -> float:
        spoken = LanguageModel(get_base_model(candidate), base.tokenizer, base.batch_tokens)
        return validation_accuracy(spoken, tuning, validate_on)

    return model, fit(model, data, settings, validate=right if validate_on else None)


def validation_accuracy(model: TextModel, tuning: Tuning, validate_on: Sequence[str]) -> float:
    """Accuracy (percent) on the validation items of some clusters, mean over clusters and over the
    forms of a request that any input can have, each in another wording.
    """
    forms = [form for form in tuning.forms if form is not ALONE] or [AFTER]
    values = [
        mean_by_cluster(
            evaluate(
                model,
                validate_on,
                tuning.control,
                form,
                (number % tuning.wordings,),
                VALIDATION,
                tuning.seed,
            )
        )
        for number, form in enumerate(forms)
    ]
    return sum(values) / len(values)


def samples(names: Sequence[str], seed: int = 0) -> list[tuple[str, Example]]:
    """The first wording and a test item of each task, with the data of the tier: in the hub tier
    real ones.
    """
    drawn = {
        name: tasks.load_task(name, seed=seed, sizes=dict.fromkeys(SPLITS, ASKED)) for name in names
    }
    return [(task.instructions[0], task.examples(TEST)[0]) for task in drawn.values()]


def answers(model: TextModel, prompts: Sequence[str], max_tokens: int = 12) -> list[str]:
    """What the model writes after each prompt, up to the end of the line."""
    return [
        samples[0].text.strip()
        for samples in model.generate(prompts, max_tokens=max_tokens, stop=STOP)
    ]


def evaluate(
    model: TextModel,
    held_out: Sequence[str],
    control: Control = Control.INSTRUCTION,
    form: str = AFTER,
    wordings: Sequence[int] = (0, 1, 2),
    split: str = TEST,
    seed: int = 0,
) -> dict[str, float]:
    """Accuracy (percent) on every task of some clusters: the share of answers that are the right
    text, in every wording.

    Args:
        held_out: the clusters; nothing here knows whether they were held out.
        control: what stands in the place of the instruction.
        wordings: which wordings, numbered from 0.
        seed: of the items of open tasks, and of what a control draws.
    """
    rng, prompts, wanted = Rng(f"evaluate/{seed}"), [], []
    for name in (name for cluster in held_out for name in clusters()[cluster]):
        for wording in wordings:
            for example in items(name, split, seed):
                prompts.append(request(worded(name, wording, control, rng), example.input, form))
                wanted.append((name, example.output))
    right: dict[str, list[bool]] = {}
    for (name, output), answer in zip(wanted, answers(model, prompts), strict=True):
        right.setdefault(name, []).append(answer == output)
    return {name: 100 * sum(values) / len(values) for name, values in right.items()}


def by_cluster(by_task: dict[str, float]) -> dict[str, float]:
    """Cluster -> the mean over its tasks."""
    values_of = {
        cluster: [by_task[name] for name in names if name in by_task]
        for cluster, names in clusters().items()
    }
    return {cluster: sum(values) / len(values) for cluster, values in values_of.items() if values}


def mean_by_cluster(by_task: dict[str, float]) -> float:
    """The mean over clusters, whatever their number of tasks."""
    means = by_cluster(by_task).values()
    return sum(means) / len(means)
