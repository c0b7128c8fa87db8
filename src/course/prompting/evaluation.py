"""Few-shot evaluation: prompts with their right answers, the scores of a model, and the best
possible scores.

A question is held out, its demonstrations are training examples. The same seed asks the same
questions whatever is shown before them, and of demonstrations at random a longer prompt repeats
those of a shorter one, so that two ways to prompt can be compared pair by pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import prod

import numpy as np

from course.foundation.rng import Rng
from course.lm.contract import TextModel
from course.lm.language_model import LanguageModel
from course.models.hub import is_real, tier
from course.prompting.ablations import apply_ablation
from course.prompting.classify import choose, match
from course.prompting.prompts import LIST_TEMPLATES, PLAIN, Prompt, Template, Verbalizer
from course.prompting.selection import Random, Selection
from course.tasks.metrics import best_score
from course.tasks.registry import Task, load_task
from course.world.example import Example
from course.world.exercises import CHAINS, EXERCISES, Exercise
from course.world.list_documents import HASTY_ERROR, HASTY_SHARE
from course.world.lists import ListTask, list_tasks
from course.world.posterior import Posterior
from course.world.relations import dialect_forms, draw_dialect
from course.world.split import SPLITS, TEST, TRAIN

#: The most tokens that a written answer may have.
MOST_TOKENS = 24
#: Numbers of demonstrations that the course's curves have.
SHOTS = (0, 1, 2, 4, 8, 16)


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
    def pair(self) -> tuple[str, str]:
        """The text of the prompt and its usual answer, as a training example."""
        return self.prompt.text, self.words[0]

    @property
    def zero_shot(self) -> "Question":
        """The same question without demonstrations."""
        return replace(self, prompt=self.prompt.zero_shot)

    @property
    def words(self) -> tuple[str, ...]:
        """The right answers as they should be written."""
        return tuple(self.prompt.verbalizer(answer) for answer in self.answers)

    @property
    def continuation(self) -> str:
        """The usual answer as it goes on after the prompt."""
        return self.prompt.template.continuation(self.words[0])


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


def usual_template(task: str, wanted_tier: str | None = None) -> Template:
    """The layout in which a model knows a task: that of the corpus for the small models, plain
    English for the others.
    """
    if is_real(wanted_tier):
        return PLAIN
    return Template(EXERCISES[task].frame) if task in EXERCISES else LIST_TEMPLATES["colon"]


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
    drawn = []
    for number in range(count):
        rng = Rng(f"question/{tasks[0].name}/{split}/{seed}/{number}")
        which = rng.randrange(len(tasks))
        task, query, pool = tasks[which], rng.choice(examples(which, split)), examples(which, TRAIN)
        shown = (selection or Random()).choose(pool, query.input, shots, rng)
        verbalizer = Verbalizer.of(task.labels) if task.labels else Verbalizer()
        prompt = Prompt(query.input, shown, instruction, template or Template(), verbalizer)
        outputs = task.labels or tuple(sorted({example.output for example in pool}))
        drawn.append(Question(prompt, (query.output, *query.others), task.metric, outputs))
    return drawn


def stranger_questions(
    shots: int, count: int, seed: int = 0, instruction: str = "", split: str = TEST
) -> list[Question]:
    """``count`` questions about words of dialects that no model has read, each in a dialect of its
    own that is drawn by the recipe of the world's dialects.

    The dialects of the world can be *recognised* from a few words; here a model has to learn the
    dialect from the demonstrations. Items and demonstrations are split as those of ``"dialect"``.

    Raises:
        ValueError: for an unknown split, or more demonstrations than there are training inputs.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    task, template = list_tasks()["dialect"], usual_template("dialect", "tiny")
    queries, known = (task.inputs(part, task.profiles[0]) for part in (split, TRAIN))
    drawn = []
    for number in range(count):
        rng = Rng(f"question/stranger/{split}/{seed}/{number}")
        table, query = draw_dialect(rng), rng.choice(queries)
        pool = [Example(x, table[x]) for x in known]
        prompt = Prompt(query, Random().choose(pool, query, shots, rng), instruction, template)
        outputs = tuple(sorted({example.output for example in pool}))
        drawn.append(Question(prompt, (table[query],), "exact", outputs))
    return drawn


def fresh_questions(
    name: str, shots: int, count: int, seed: int = 0, split: str = TEST
) -> list[Question]:
    """Questions of the micro-world whose items are drawn by its generator instead of from the
    stored examples of a task: as many different training items as one wants.

    Each question of a task with profiles draws a profile; its demonstrations are of that profile.

    Args:
        name: a list or an exercise of the micro-world, written as in the corpus.
        split: of the inputs that are asked; demonstrations are training items.

    Raises:
        ValueError: for an unknown task or split, for a task whose answers are worked out in steps,
            or if the task has fewer inputs than ``shots`` + 1.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    if name in CHAINS:
        raise ValueError(
            f"the answers of {name!r} are worked out in several steps: see course.reasoning"
        )
    if name not in list_tasks() and name not in EXERCISES:
        raise ValueError(f"no task {name!r}; choose from {', '.join([*list_tasks(), *EXERCISES])}")
    rng, template = Rng(f"queries/{name}/{shots}/{split}/{seed}"), usual_template(name, "tiny")
    kind: ListTask | Exercise = list_tasks()[name] if name in list_tasks() else EXERCISES[name]
    verbalizer = Verbalizer.of(kind.labels) if kind.labels else Verbalizer()
    drawn = []
    for _ in range(count):
        if isinstance(kind, ListTask):
            query, shown = _from_list(kind, rng, shots, split)
        else:
            query, shown = _from_exercise(kind, rng, shots, split)
        prompt = Prompt(query.input, shown, "", template, verbalizer)
        drawn.append(Question(prompt, (query.output,), "exact", kind.labels))
    return drawn


def _from_list(
    task: ListTask, rng: Rng, shots: int, split: str
) -> tuple[Example, tuple[Example, ...]]:
    """A query and its demonstrations."""
    profile = rng.choice(task.profiles)
    if task.draw is None:
        query = rng.choice(task.inputs(split, profile))
        shown = rng.sample([x for x in task.inputs(TRAIN, profile) if x != query], shots)
    else:
        query = task.draw_input(rng, split)
        shown = [task.draw_input(rng, TRAIN) for _ in range(shots)]
    first, *others = (Example(x, task.output(x, profile) or "") for x in [query, *shown])
    return first, tuple(others)


def _from_exercise(
    kind: Exercise, rng: Rng, shots: int, split: str
) -> tuple[Example, tuple[Example, ...]]:
    """A query and its demonstrations."""
    query = kind.write(rng, train=split == TRAIN)
    while kind.split(query) != split:
        query = kind.write(rng, train=split == TRAIN)
    return query, tuple(kind.write(rng) for _ in range(shots))


def changed(
    questions: Sequence[Question], condition: str, seed: int = 0, foreign: Sequence[str] = ()
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
        for number, question in enumerate(questions)
    ]


def scores(
    model: TextModel,
    questions: Sequence[Question],
    written: bool = False,
    max_tokens: int = MOST_TOKENS,
) -> np.ndarray:
    """The score of each answer, (questions,), 0 to 1.

    Where the answer is a label the model chooses among the words for the labels, so that it cannot
    say anything else; the others it writes.

    Args:
        written: let it write everywhere; then a model must find out by itself what kind of answer
            is wanted. A written label counts in any case, and with what one writes around it.
        max_tokens: the most tokens of a written answer; 1 compares the most probable next token.

    Raises:
        DemonstrationsDoNotFit: if a prompt leaves no room for an answer in the model's window,
            saying how many fit.
        ValueError: for ``max_tokens=1``, if a right answer is not one token of the model.
    """
    values = np.zeros(len(questions))
    groups: dict[tuple, list[int]] = {}
    for i, question in enumerate(questions):
        candidates = () if written else question.prompt.candidates
        groups.setdefault((candidates, question.prompt.template.stop), []).append(i)
    for (candidates, stop), rows in groups.items():
        group = [questions[i] for i in rows]
        _check_fit(model, group, 1 if candidates else max_tokens)
        if candidates:
            values[rows] = _chosen(model, group, candidates)
        else:
            if max_tokens == 1:
                _check_single_tokens(model, group)
            values[rows] = _written(model, group, stop, max_tokens)
    return values


def _chosen(
    model: TextModel, questions: Sequence[Question], candidates: Sequence[str]
) -> list[float]:
    labels = choose(model, [question.prompt.text for question in questions], candidates)
    pairs = zip(labels, questions, strict=True)
    return [float(label == question.continuation) for label, question in pairs]


def _written(
    model: TextModel, questions: Sequence[Question], stop: str, max_tokens: int
) -> list[float]:
    texts = [question.prompt.text for question in questions]
    samples = model.generate(texts, stop=stop, max_tokens=max_tokens)
    return [
        graded(question, sample.text)
        for question, (sample,) in zip(questions, samples, strict=True)
    ]


def graded(question: Question, text: str) -> float:
    """The score of a written answer: a label is read as :func:`course.prompting.classify.match`
    reads it, any other answer compared by the metric of the task.
    """
    prompt = question.prompt
    if not prompt.candidates:
        return best_score(question.metric, text, question.words)
    return float(match(text, prompt.candidates) == question.continuation)


def _check_fit(model: TextModel, questions: Sequence[Question], room: int) -> None:
    """Before anything is read, refuse what is too long. A served model checks for itself."""
    if isinstance(model, LanguageModel):
        prompts = [question.prompt for question in questions]
        for prompt, ids in zip(
            prompts, model.encoder.prompts([prompt.text for prompt in prompts]), strict=True
        ):
            if len(ids) + room > model.window:
                prompt.check_fits(model.tokenizer, model.window, room, model.encoder.chat)


def _check_single_tokens(model: TextModel, questions: Sequence[Question]) -> None:
    """Refuse answers that could never be the next token."""
    if isinstance(model, LanguageModel):
        model.token_ids(sorted({question.words[0] for question in questions}))


def best_possible(
    questions: Sequence[Question], posterior: Posterior, written: bool = True
) -> np.ndarray:
    """The score of the best possible answer to each question, (questions,): 1 where the most
    probable answer under the exact posterior is right, else 0. For lists of the micro-world only.

    Args:
        written: whether any answer counts; else the choice is among the words for the labels, if
            the answer is a label.

    Raises:
        ValueError: if no list of the corpus holds the items of a question.
    """
    values = []
    for question in questions:
        prompt = question.prompt
        shown = [(e.input, prompt.verbalizer(e.output)) for e in prompt.demonstrations]
        answers = posterior.predict(shown, prompt.query)
        if prompt.verbalizer.words and not written:
            answers = {word: answers.get(word, 0.0) for word in prompt.verbalizer.words}
        values.append(float(max(answers, key=answers.__getitem__) in question.words))
    return np.array(values)


def recognised(questions: Sequence[Question]) -> np.ndarray:
    """The score of a reader who takes every list of a dialect for one of the world's dialects,
    (questions,): the most probable word if there were no others.

    Where a dialect is none of them, this is what recognition alone reaches.
    """
    tables, outputs = dialect_forms().values(), len(list_tasks()["dialect"].outputs)
    wrong = HASTY_ERROR / (outputs - 1)
    values = []
    for question in questions:
        weights: dict[str, float] = {}
        for table in tables:
            right = [table[e.input] == e.output for e in question.prompt.demonstrations]
            hasty = prod(1 - HASTY_ERROR if same else wrong for same in right)
            weight = HASTY_SHARE * hasty + (1 - HASTY_SHARE) * all(right)
            word = table[question.prompt.query]
            weights[word] = weights.get(word, 0.0) + weight
        values.append(float(max(weights, key=weights.__getitem__) in question.words))
    return np.array(values)
