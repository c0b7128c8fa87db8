"""Study of soft prompts: the same labels for words by a person, words by search, demonstrations,
vectors and LoRA.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from course.lm.language_model import LanguageModel, load
from course.lm.tokenization import text_ids
from course.prompting.prompts import DemonstrationsDoNotFit
from course.search import Answers, Exhaustive, RandomSearch, answers, search
from course.search.gradient import AutoPrompt
from course.search.objective import demonstrated, exchanged
from course.search.soft import Lesson, as_words, learn, nearest, some_words
from course.search.words import words_of
from course.studies.records import Study
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks

#: Tasks that wordings name, the last of them beyond the model; and tasks that none does: each
#: label's word stands for another label.
NAMED, UNNAMED = ("second_word", "grammar", "inference"), ("sentiment exchanged", "topic exchanged")
TASKS = NAMED + UNNAMED
#: Tasks with short items, for what takes many runs.
SHORT = ("second_word", *UNNAMED)
MODEL, OTHERS = "gpt-middle", ("gpt-small", "gpt-large")
STEPS, LENGTHS = 60, (1, 2, 4, 8, 16, 32)
#: What is learned, in the order of figures.
LEARNED = ("prompt", "p_tuning", "prefix", "lora")
#: The other ways, by what they are called in figures.
PERSON, TITLE, RANDOM, AUTO, SHOWN = (
    "a person's words",
    "the corpus's title",
    "random words",
    "AutoPrompt",
    "demonstrations",
)
#: Task -> another one, whose wording a prompt may begin as.
ASTRAY = {
    "second_word": "first_word",
    "sentiment exchanged": "topic",
    "topic exchanged": "sentiment",
}

#: Task -> another one of the same inputs, whose wording its prompt begins as, and the peak rate at
#: which it leaves it by little.
WAYWARD = {
    "first_word": "third_word", "second_word": "first_word", "third_word": "second_word",
    "find_city": "find_person", "find_person": "find_city",
}  # fmt: skip
SMALL = 0.02


def usual(task: str) -> str:
    """The task whose items and wordings it has."""
    return task.removesuffix(" exchanged")


def objective(task: str, seed: int, train: int = 64, test: int = 100) -> Answers:
    """The items of one of :data:`TASKS`, searched by likelihood."""
    made = answers(usual(task), train, test, seed, measure="likelihood")
    return exchanged(made) if task in UNNAMED else made


def words(
    task: str, items: Answers, model: LanguageModel, budget: int, seed: int
) -> dict[str, dict]:
    """Prompts in words by a person and by search, each the best by training items."""
    methods = {
        PERSON: Exhaustive(INSTRUCTIONS[usual(task)]),
        RANDOM: RandomSearch(words_of(model).texts),
        AUTO: AutoPrompt(),
    }
    if usual(task) in list_tasks():
        methods[TITLE] = Exhaustive((list_tasks()[usual(task)].title,))
    found = {name: search(method, items, model, budget, seed) for name, method in methods.items()}
    return {
        n: {
            "accuracy": f.held_out,
            "score": f.steps[-1].score,
            "prompt": f.prompt,
            "calls": f.calls,
        }
        for n, f in found.items()
    }


def shown(items: Answers, model: LanguageModel, counts: Sequence[int] = (4, 8, 16)) -> dict:
    """Training items as demonstrations; how many of them is chosen by the training items that are
    left.
    """
    tried, right = {}, replace(items, measure="accuracy")
    for count in counts:
        asked = demonstrated(right, count)
        try:
            tried[count] = float(
                asked.values(model, [("", item) for item in range(asked.size)]).mean()
            )
        except DemonstrationsDoNotFit:
            break
    best = max(tried, key=tried.get)
    return {
        "accuracy": demonstrated(items, best).held_out(model, ""),
        "shown": best,
        "calls": sum(items.size - k for k in tried),
    }


def lesson(task: str, method: str, length: int = 8, looks: int = 1) -> Lesson:
    """How a task is learned: prompt tuning begins as its first wording."""
    return Lesson(
        method,
        length,
        INSTRUCTIONS[usual(task)][0] if method == "prompt" else None,
        STEPS,
        looks=looks,
    )


def by_method(seed: int) -> dict:
    """Task -> way -> accuracy (percent) and calls, on the middle model; searches may make as many
    calls as prompt tuning.
    """
    model, found = load(MODEL), {}
    for task in TASKS:
        items, found[task] = objective(task, seed), {}
        for method in LEARNED:
            made = learn(lesson(task, method, looks=3), items, model, seed)
            trace = [(step.calls, step.held_out) for step in made.steps]
            found[task][method] = {
                "accuracy": made.held_out,
                "score": made.steps[-1].score,
                "calls": made.calls,
                "trace": trace,
            }
        found[task] |= words(task, items, model, made.calls, seed) | {SHOWN: shown(items, model)}
    return found


def by_length(seed: int) -> dict:
    """Task -> number of vectors -> accuracy (percent) of prompt tuning."""
    model, found = load(MODEL), {}
    for task in SHORT:
        items = objective(task, seed)
        found[task] = {
            str(n): learn(lesson(task, "prompt", n), items, model, seed).held_out for n in LENGTHS
        }
    return found


def by_start(seed: int) -> dict:
    """Task -> start of a prompt -> accuracy (percent) of the learned vectors, of the words nearest
    to them, and of the start itself.

    Also the share of nearest words that are those of the start (percent), and how the nearest words
    read.
    """
    model, found = load(MODEL), {}
    for task in SHORT:
        items = objective(task, seed)
        starts = {
            "random vectors": None,
            "random words": some_words(model, 8, seed),
            "answers": " ".join(question.words[0] for question in items.train[:8]),
            "its wording": INSTRUCTIONS[usual(task)][0],
            "another's wording": INSTRUCTIONS[ASTRAY[task]][0],
        }
        found[task] = {
            name: _read(replace(lesson(task, "prompt"), start=start), items, model, seed)
            for name, start in starts.items()
        }
    return found


def wayward(seed: int) -> dict:
    """Task -> what its vectors and the words nearest to them do, as in :func:`by_start`, for a
    start that asks for something else.
    """
    model = load(MODEL)
    lessons = {
        task: Lesson(start=INSTRUCTIONS[other][0], steps=STEPS, learning_rate=SMALL, looks=1)
        for task, other in WAYWARD.items()
    }
    return {
        task: _read(lesson, objective(task, seed), model, seed) for task, lesson in lessons.items()
    }


def _read(lesson: Lesson, items: Answers, model: LanguageModel, seed: int) -> dict:
    """What a lesson's vectors do and what the words nearest to them say."""
    learned = learn(lesson, items, model, seed)
    read, begun = [ids[0] for ids in nearest(learned.model)], _begun(model, lesson.start)
    found = {
        "vectors": learned.held_out, "words": items.held_out(as_words(learned.model, read), ""), "read": model.tokenizer.decode(read),
    }  # fmt: skip
    if begun:
        kept = 100 * float(np.mean([a == b for a, b in zip(read, begun, strict=True)]))
        found |= {"kept": kept, "start": items.held_out(as_words(learned.model, begun), "")}
    return found


def _begun(model: LanguageModel, start: str | tuple[int, ...] | None, length: int = 8) -> list[int]:
    """The tokens that a prompt begins as; none for vectors at random."""
    ids = text_ids(model.tokenizer, [start])[0] if isinstance(start, str) else start or ()
    return [ids[i % len(ids)] for i in range(length)] if ids else []


def by_size(seed: int) -> dict:
    """Model -> task -> way -> accuracy (percent), for the other sizes."""
    found: dict = {}
    for name in OTHERS:
        model, found[name] = load(name), {}
        for task in SHORT:
            items = objective(task, seed)
            ways = {
                method: learn(lesson(task, method), items, model, seed).held_out
                for method in ("prompt", "prefix", "lora")
            }
            person = Exhaustive(INSTRUCTIONS[usual(task)])
            found[name][task] = ways | {PERSON: search(person, items, model, 1000, seed).held_out}
    return found


def soft_prompts(seed: int) -> dict:
    return {
        "methods": by_method(seed),
        "lengths": by_length(seed),
        "starts": by_start(seed),
        "sizes": by_size(seed),
    }


def accuracies(values: Sequence[dict], way: str, tasks: Sequence[str]) -> np.ndarray:
    """Accuracy (percent) of one way on the middle model, mean over the tasks that have it, by seed."""
    return np.array(
        [
            np.mean(
                [v["methods"][task][way]["accuracy"] for task in tasks if way in v["methods"][task]]
            )
            for v in values
        ]
    )


def best_words(values: Sequence[dict], tasks: Sequence[str]) -> np.ndarray:
    """Accuracy (percent) of the words that do best on training items, a person's or found ones,
    mean over tasks, by seed.
    """
    found = []
    for value in values:
        ways = [
            max(
                (value["methods"][task][way] for way in (PERSON, RANDOM, AUTO)),
                key=lambda cell: cell["score"],
            )
            for task in tasks
        ]
        found.append(np.mean([way["accuracy"] for way in ways]))
    return np.array(found)


def along_length(values: Sequence[dict], task: str) -> np.ndarray:
    """Accuracy (percent) of prompt tuning, (seeds, lengths)."""
    return np.array([[v["lengths"][task][str(n)] for n in LENGTHS] for v in values])


def along_size(values: Sequence[dict], way: str, tasks: Sequence[str] = SHORT) -> np.ndarray:
    """Accuracy (percent) of one way, mean over the tasks, (seeds, sizes from the smallest)."""
    small, large = OTHERS
    middle = accuracies(values, way, tasks)
    sides = {
        name: [np.mean([v["sizes"][name][task][way] for task in tasks]) for v in values]
        for name in OTHERS
    }
    return np.stack([sides[small], middle, sides[large]], axis=1)


def from_start(
    values: Sequence[dict], start: str, what: str, tasks: Sequence[str] = SHORT
) -> np.ndarray:
    """What :func:`by_start` found for one start (in percent), mean over tasks, by seed."""
    return np.array([np.mean([v["starts"][task][start][what] for task in tasks]) for v in values])


STUDIES = (
    Study("soft-prompts", 1, (OTHERS[0], MODEL, OTHERS[1]), (0, 1, 2), soft_prompts),
    Study("wayward-prompts", 1, (MODEL,), (0, 1, 2), wayward),
)
