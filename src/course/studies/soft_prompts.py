"""Study of soft prompts: the same labels for words by a person, words by every kind of search,
demonstrations, vectors and LoRA; and soft prompts beside LoRA on models of three sizes, each
trained to its plateau.

Costs as measured on one core of a busy machine, seeds x seconds: soft-prompts 5 x 695,
wayward-prompts 3 x 28.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from course.lm.language_model import LanguageModel, load
from course.models.text import text_ids
from course.prompting.prompts import DemonstrationsDoNotFit
from course.search.base import Method, SearchResult, search
from course.search.baselines import Exhaustive, RandomSearch
from course.search.best_arm import SuccessiveHalving
from course.search.fluency import is_gibberish, least_fluent
from course.search.gradient import AutoPrompt, Pez
from course.search.objective import Answers, answers, demonstrated, exchanged
from course.search.reinforce import RLPrompt
from course.search.soft import SoftPromptSettings, TunedPrompt, as_words, learn, nearest, some_words
from course.search.words import words_of
from course.search.writers import BlankFiller
from course.search.writing import WrittenPrompts
from course.studies.bodies import GPTS
from course.studies.records import Row, Study
from course.studies.tables import rows_of
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks

#: Tasks that wordings name, and tasks that none does: each label's word stands for another label.
NAMED, UNNAMED = ("first_word", "grammar"), ("sentiment exchanged", "topic exchanged")
TASKS = NAMED + UNNAMED
#: Tasks for what takes many runs.
SHORT = ("first_word", "topic exchanged")
#: The model of most parts, and the bodies of its size that differ in the seed of their pretraining.
MODEL, BODIES = GPTS[0], GPTS
SMALL_MODEL, LARGE_MODEL = "gpt-small", "gpt-large"
#: The model that writes prompts.
WRITER: Final = "bert-middle"
STEPS, LENGTHS = 60, (1, 4, 16)
#: Where sizes are compared: the task on which a soft prompt has something to catch up on, and the
#: optimiser steps after which no size learns more; how much it still does is recorded.
PLATEAU_TASK, PLATEAU = "topic exchanged", 240
PLATEAU_STEPS = dict.fromkeys((SMALL_MODEL, *BODIES), PLATEAU) | {LARGE_MODEL: 2 * PLATEAU}
#: What is learned, in the order of figures.
LEARNED = ("prompt", "p_tuning", "prefix", "lora")
#: The other ways, by what they are called in figures.
PERSON, TITLE, RANDOM, AUTO, PEZ, RL, WRITTEN, SHOWN = (
    "a person's words",
    "the corpus's title",
    "random words",
    "AutoPrompt",
    "PEZ",
    "RLPrompt",
    "a model's words",
    "demonstrations",
)
#: What ways are called in figures and tables, where the records have other names.
CALLED = {
    PERSON: "people's words",
    "prompt": "prompt tuning",
    "p_tuning": "P-tuning",
    "prefix": "prefix tuning",
    "lora": "LoRA",
}
#: The ways whose prompt is made of words that a search or a person found without the corpus.
WORDS = (PERSON, RANDOM, AUTO, PEZ, RL, WRITTEN)
#: Task -> another one, whose wording a prompt may begin as.
ASTRAY = {"first_word": "third_word", "topic exchanged": "sentiment"}

#: Task -> another one of the same inputs, whose wording its prompt begins as, and the peak rate at
#: which it leaves it by little.
WAYWARD = {
    "find_city": "find_person", "find_person": "find_city",
    "grammar": "grammar_mistake", "grammar_mistake": "grammar", "first_word": "third_word",
}  # fmt: skip
SMALL = 0.02


def usual(task: str) -> str:
    """The task whose items and wordings it has."""
    return task.removesuffix(" exchanged")


def objective(task: str, seed: int, train: int = 64, test: int = 100) -> Answers:
    """The items of one of :data:`TASKS`, searched by likelihood."""
    items = answers(usual(task), train, test, seed, measure="likelihood")
    return exchanged(items) if task in UNNAMED else items


def words(
    task: str, items: Answers, model: LanguageModel, budget: int, seed: int
) -> dict[str, dict[str, float | str]]:
    """Prompts in words by a person and by search, each the best by training items: accuracy
    (percent), mean log-probability on training items (nats), calls, the prompt, and 1 if it is
    gibberish.
    """
    vocabulary, bound = words_of(model).texts, least_fluent(model)
    best_arm = partial(SuccessiveHalving, first=4)
    methods: dict[str, Method] = {
        PERSON: Exhaustive(INSTRUCTIONS[usual(task)]),
        RANDOM: RandomSearch(vocabulary),
        AUTO: AutoPrompt(),
        PEZ: Pez(),
        RL: RLPrompt(),
        WRITTEN: WrittenPrompts(BlankFiller(load(WRITER)), count=24, best_arm=best_arm),
    }
    if usual(task) in list_tasks():
        methods[TITLE] = Exhaustive((list_tasks()[usual(task)].title,))
    results = {
        way: search(method, _seen_by(method, items), model, budget, seed)
        for way, method in methods.items()
    }
    return {way: _of_words(result, items, model, bound) for way, result in results.items()}


def _seen_by(method: Method, items: Answers) -> Answers:
    """The items as a search counts them: RLPrompt by the gap between labels, where there are
    labels, as its authors do.
    """
    labelled = all(question.prompt.candidates for question in items.train)
    return replace(items, measure="gap") if labelled and isinstance(method, RLPrompt) else items


def _of_words(
    result: SearchResult, items: Answers, model: LanguageModel, bound: float
) -> dict[str, float | str]:
    """What a search of words ends with, and what it cost."""
    pairs = [(result.prompt, item) for item in range(items.size)]
    return {
        "accuracy": result.held_out,
        "score": float(items.values(model, pairs).mean()),
        "calls": result.calls,
        "prompt": result.prompt,
        "gibberish": int(is_gibberish(model, [result.prompt], bound)[0]),
    }


def _of_vectors(result: TunedPrompt) -> dict[str, float | str]:
    """What a training of vectors ends with, and what it cost."""
    score = result.steps[-1].score
    return {"accuracy": result.held_out, "score": score, "calls": result.calls}


def shown(
    items: Answers, model: LanguageModel, counts: Sequence[int] = (4, 8, 16)
) -> dict[str, float | str]:
    """Training items as demonstrations; how many of them is chosen by the training items that are
    left.
    """
    tried: dict[int, float] = {}
    right = replace(items, measure="accuracy")
    for count in counts:
        rest = demonstrated(right, count)
        try:
            tried[count] = float(
                rest.values(model, [("", item) for item in range(rest.size)]).mean()
            )
        except DemonstrationsDoNotFit:
            break
    best = max(tried, key=lambda count: tried[count])
    return {
        "accuracy": demonstrated(items, best).held_out(model, ""),
        "shown": best,
        "calls": sum(items.size - k for k in tried),
    }


def settings_for(task: str, method: str, length: int = 8, looks: int = 1) -> SoftPromptSettings:
    """How a task is learned: prompt tuning begins as its first wording."""
    start = INSTRUCTIONS[usual(task)][0] if method == "prompt" else None
    return SoftPromptSettings(method, length, start, STEPS, looks=looks)


def by_method(seed: int) -> Iterator[Row]:
    """By task and way, on the middle model: accuracy (percent) and calls; searches may make as many
    calls as the last of the learned ways.
    """
    model = load(MODEL)
    for task in TASKS:
        items, part = objective(task, seed), {"part": "methods", "task": task}
        for way in LEARNED:
            learned = learn(settings_for(task, way, looks=3), items, model, seed)
            yield from rows_of(_of_vectors(learned), way=way, **part)
            for step in learned.steps:
                right = {"accuracy after": float(step.held_out or 0.0)}
                yield from rows_of(right, way=way, calls=step.calls, **part)
        ways = words(task, items, model, learned.calls, seed) | {SHOWN: shown(items, model)}
        for way, measured in ways.items():
            yield from rows_of(measured, way=way, **part)


def by_length(seed: int) -> Iterator[Row]:
    """By task and number of vectors: accuracy (percent) of prompt tuning."""
    model = load(MODEL)
    for task in SHORT:
        items = objective(task, seed)
        for length in LENGTHS:
            learned = learn(settings_for(task, "prompt", length), items, model, seed)
            right = {"accuracy": learned.held_out}
            yield from rows_of(right, part="lengths", task=task, way="prompt", length=length)


def by_start(seed: int) -> Iterator[Row]:
    """By task and start of a prompt: accuracy (percent) of the learned vectors, of the words
    nearest to them, and of the start itself.

    Also the share of nearest words that are those of the start (percent), and how the nearest words
    read.
    """
    model = load(MODEL)
    for task in SHORT:
        items = objective(task, seed)
        starts = {
            "random vectors": None,
            "random words": some_words(model, 8, seed),
            "its wording": INSTRUCTIONS[usual(task)][0],
            "another's wording": INSTRUCTIONS[ASTRAY[task]][0],
        }
        for name, start in starts.items():
            settings = replace(settings_for(task, "prompt"), start=start)
            measured = _as_vectors_and_words(settings, items, model, seed)
            yield from rows_of(measured, part="starts", task=task, start=name)


def wayward(seed: int) -> list[Row]:
    """By task: what its vectors and the words nearest to them do, as in :func:`by_start`, for a
    start that asks for something else.
    """
    model = load(MODEL)
    rows: list[Row] = []
    for task, other in WAYWARD.items():
        start = INSTRUCTIONS[other][0]
        settings = SoftPromptSettings(start=start, steps=STEPS, learning_rate=SMALL, looks=1)
        items = objective(task, seed)
        rows += rows_of(_as_vectors_and_words(settings, items, model, seed), task=task)
    return rows


def _as_vectors_and_words(
    settings: SoftPromptSettings, items: Answers, model: LanguageModel, seed: int
) -> dict[str, float | str]:
    """What learned vectors do, and what the words nearest to them say and do."""
    learned = learn(settings, items, model, seed)
    read, begun = [ids[0] for ids in nearest(learned.model)], _begun(model, settings.start)
    measured: dict[str, float | str] = {
        "vectors": learned.held_out,
        "words": items.held_out(as_words(learned.model, read), ""),
        "read": model.tokenizer.decode(read),
    }
    if begun:
        kept = 100 * float(np.mean([a == b for a, b in zip(read, begun, strict=True)]))
        measured |= {"kept": kept, "start": items.held_out(as_words(learned.model, begun), "")}
    return measured


def _begun(model: LanguageModel, start: str | tuple[int, ...] | None, length: int = 8) -> list[int]:
    """The tokens that a prompt begins as; none for vectors at random."""
    ids = text_ids(model.tokenizer, [start])[0] if isinstance(start, str) else start or ()
    return [ids[i % len(ids)] for i in range(length)] if ids else []


def by_size(seed: int) -> Iterator[Row]:
    """By model and way on :data:`PLATEAU_TASK`: accuracy (percent) of what is trained to its
    plateau, and by how many nats the score on training items still rose in the last quarter.
    """
    items = objective(PLATEAU_TASK, seed)
    for name, steps in PLATEAU_STEPS.items():
        model, columns = load(name), {"part": "sizes", "task": PLATEAU_TASK, "model": name}
        for way in ("prompt", "prefix", "lora"):
            settings = replace(settings_for(PLATEAU_TASK, way, looks=8), steps=steps)
            learned = learn(settings, items, model, seed)
            measured = {"accuracy": learned.held_out, "late rise": late_rise(learned)}
            yield from rows_of(measured, way=way, **columns)
        person = search(Exhaustive(INSTRUCTIONS[usual(PLATEAU_TASK)]), items, model, 1000, seed)
        yield from rows_of({"accuracy": person.held_out}, way=PERSON, **columns)


def late_rise(learned: SearchResult, share: float = 0.75) -> float:
    """By how much the best score on training items rose after a share of the calls."""
    before = [step.score for step in learned.steps if step.calls <= share * learned.calls]
    return learned.steps[-1].score - before[-1]


def soft_prompts(seed: int) -> list[Row]:
    """All parts: ways to use the same labels, numbers of vectors, starts, and model sizes."""
    return [*by_method(seed), *by_length(seed), *by_start(seed), *by_size(seed)]


SOFT = Study("soft-prompts", 2, (*PLATEAU_STEPS, WRITER), (0, 1, 2, 3, 4), soft_prompts)
STRAYS = Study("wayward-prompts", 2, (MODEL,), (0, 1, 2, 3, 4), wayward)
STUDIES = (SOFT, STRAYS)
