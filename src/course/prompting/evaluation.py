"""Questions in context, asked of any model that is spoken to: prompts with their right answers, and
how many are answered right.

A question is held out, its demonstrations are training examples. The same seed asks the same
questions whatever is shown before them, and of demonstrations at random a longer prompt repeats
those of a shorter one, so that two ways to prompt can be compared pair by pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from course.foundation.rng import Rng
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.models.hub import tier
from course.prompting.ablations import apply_ablation
from course.prompting.classify import choose
from course.prompting.prompts import Prompt, Template, Verbalizer
from course.prompting.selection import Random, Selection
from course.tasks.metrics import best_score
from course.tasks.registry import Task, load_task
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.split import TEST, TRAIN

#: The most tokens that a written answer may have.
MOST_TOKENS = 24


@dataclass(frozen=True)
class Question:
    """A prompt with its right answers.

    Attributes:
        prompt: with the words for the labels, if the answer is a label.
        answers: all that are right, the usual one first; labels, not their words.
        metric: how a written answer is compared with them.
        outputs: the outputs that demonstrations of the task may have, e.g. its labels.
    """

    prompt: Prompt
    answers: tuple[str, ...]
    metric: str
    outputs: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The right answers as they should be written."""
        return tuple(self.prompt.verbalizer(answer) for answer in self.answers)


def all_profiles(name: str, wanted_tier: str | None = None) -> tuple[Task, ...]:
    """A task once for each of its profiles (the dialects, the critics); most tasks have one.

    Arguments and errors: :func:`course.tasks.load_task`. What was loaded is kept.
    """
    return _all_profiles(name, tier(wanted_tier))


@lru_cache(maxsize=64)
def _all_profiles(name: str, wanted_tier: str) -> tuple[Task, ...]:
    profiles = (
        list_tasks()[name].profiles if name in list_tasks() and wanted_tier == "tiny" else ("",)
    )
    return tuple(
        load_task(name, profile=profile or None, wanted_tier=wanted_tier) for profile in profiles
    )


def questions(
    tasks: Task | Sequence[Task],
    shots: int,
    count: int,
    seed: int = 0,
    selection: Selection | None = None,
    template: Template | None = None,
    instruction: str = "",
    split: str = TEST,
) -> list[Question]:
    """``count`` questions of a task, each with ``shots`` demonstrations of its own.

    Args:
        tasks: a task, or one for each profile (:func:`all_profiles`); each question draws one of
            them.
        selection: how demonstrations are chosen from the training examples (default: at random).
        template: how prompts are written down (default: as a list with colons).
        split: of the inputs that are asked.

    Raises:
        ValueError: for an unknown split, or if there are fewer training examples than ``shots``.
    """
    tasks = (tasks,) if isinstance(tasks, Task) else tuple(tasks)
    examples = cache(lambda number, part: tasks[number].examples(part))
    made = []
    for number in range(count):
        rng = Rng(f"question/{tasks[0].name}/{split}/{seed}/{number}")
        which = rng.randrange(len(tasks))
        task, asked, pool = tasks[which], rng.choice(examples(which, split)), examples(which, TRAIN)
        shown = (selection or Random()).choose(pool, asked.input, shots, rng)
        verbalizer = Verbalizer.of(task.labels) if task.labels else Verbalizer()
        prompt = Prompt(asked.input, shown, instruction, template or Template(), verbalizer)
        outputs = task.labels or tuple(sorted({example.output for example in pool}))
        made.append(Question(prompt, (asked.output, *asked.others), task.metric, outputs))
    return made


def changed(
    asked: Sequence[Question], condition: str, seed: int = 0, foreign: Sequence[str] = ()
) -> list[Question]:
    """The questions with their demonstrations under a condition; see
    :func:`course.prompting.apply_ablation`.
    """
    return [
        replace(
            question,
            prompt=apply_ablation(
                condition,
                question.prompt,
                Rng(f"{condition}/{seed}/{number}"),
                question.outputs,
                foreign,
            ),
        )
        for number, question in enumerate(asked)
    ]


def scores(model: TextModel, asked: Sequence[Question], written: bool = False) -> np.ndarray:
    """How well each question is answered, (questions,), 0 to 1.

    Where the answer is a label the model chooses among the words for the labels, so that it cannot
    say anything else; the others it writes.

    Args:
        written: let it write everywhere; then a model must find out by itself what kind of answer
            is wanted.

    Raises:
        DemonstrationsDoNotFit: if a prompt leaves no room for an answer in the model's window,
            saying how many fit.
    """
    found = np.zeros(len(asked))
    groups: dict[tuple, list[int]] = {}
    for i, question in enumerate(asked):
        choices = () if written else question.prompt.candidates
        groups.setdefault((choices, question.prompt.template.stop), []).append(i)
    for (choices, stop), rows in groups.items():
        prompts = [asked[i].prompt for i in rows]
        _check_fit(model, prompts, 1 if choices else MOST_TOKENS)
        texts = [prompt.text for prompt in prompts]
        if choices:
            found[rows] = [answer == asked[i].prompt.template.continuation(asked[i].words[0])
                           for i, answer in zip(rows, choose(model, texts, choices), strict=True)]  # fmt: skip
        else:
            samples = model.generate(texts, stop=stop, max_tokens=MOST_TOKENS)
            found[rows] = [
                best_score(asked[i].metric, s[0].text, asked[i].words)
                for i, s in zip(rows, samples, strict=True)
            ]
    return found


def _check_fit(model: TextModel, prompts: Sequence[Prompt], room: int) -> None:
    """Before anything is read, refuse what is too long. A served model checks for itself."""
    if isinstance(model, LanguageModel):
        for prompt, ids in zip(
            prompts, model.encoder.prompts([prompt.text for prompt in prompts]), strict=True
        ):
            if len(ids) + room > model.window:
                prompt.check_fits(model.tokenizer, model.window, room, model.encoder.chat)


def best_possible(asked: Sequence[Question], posterior: Posterior) -> np.ndarray:
    """1 for every question that the exact posterior answers right, 0 for the others; for lists of
    the micro-world only.

    Raises:
        ValueError: if no list of the corpus holds the items of a question.
    """
    found = []
    for question in asked:
        shown = [
            (e.input, question.prompt.verbalizer(e.output)) for e in question.prompt.demonstrations
        ]
        answers = posterior.predict(shown, question.prompt.query)
        found.append(float(max(answers, key=answers.get) in question.words))
    return np.array(found)
