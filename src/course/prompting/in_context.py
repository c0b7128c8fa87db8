"""In-context learning: prompts with demonstrations, accuracy by their number, and the exact ceiling
for lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from course.foundation.rng import Rng
from course.lm.predictor import CausalLM
from course.world.exercises import CHAINS, EXERCISES, Exercise
from course.world.lists import FORMATS, ListTask, list_tasks
from course.world.posterior import Posterior
from course.world.split import SPLITS, TEST, TRAIN

#: Numbers of demonstrations that the course's curves have.
SHOTS = (0, 1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Query:
    """Demonstrations, one input to answer, and the right output.

    The demonstrations are training examples, the query is of the split that was asked for.
    ``frame`` is the layout of one item, with ``{x}`` and ``{y}``. ``title`` is the line above them,
    or empty.
    """

    demonstrations: tuple[tuple[str, str], ...]
    input: str
    output: str
    frame: str
    title: str = ""

    @property
    def prompt(self) -> str:
        """The text up to where the output should stand."""
        shown = [self.frame.format(x=x, y=y) for x, y in self.demonstrations]
        head = [f"{self.title} \n"] if self.title else []
        return " ".join([*head, *shown, self.frame.format(x=self.input, y="{y}").split(" {y}")[0]])

    @property
    def bare(self) -> "Query":
        """The same query without its demonstrations."""
        return replace(self, demonstrations=())


def queries(
    name: str,
    shots: int,
    count: int,
    seed: int = 0,
    split: str = TEST,
    form: str = "colon",
    titled: bool = False,
) -> list[Query]:
    """``count`` queries of a list task or an exercise, each with ``shots`` demonstrations of its
    own.

    For a task with profiles every query draws a profile, and its demonstrations are of that
    profile.

    Args:
        titled: whether a list says in its first line what is asked, as some do in the corpus (those
            that keep their usual labels).
        form: the format of a list, one of :data:`course.world.lists.FORMATS`; exercises have their
            own.

    Raises:
        ValueError: for an unknown task, format or split, for a task whose answers are chains, or if
            the task has fewer inputs than ``shots`` + 1.
    """
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}; choose from {', '.join(SPLITS)}")
    if name in CHAINS:
        raise ValueError(
            f"the answers of {name!r} are worked out in several words: ask for them by generating"
        )
    rng = Rng(f"queries/{name}/{shots}/{split}/{seed}")
    if name in EXERCISES:
        return [_exercise_query(EXERCISES[name], rng, shots, split) for _ in range(count)]
    if name not in list_tasks():
        raise ValueError(f"no task {name!r}; choose from {', '.join([*list_tasks(), *EXERCISES])}")
    if form not in FORMATS:
        raise ValueError(f"no list format {form!r}; choose from {', '.join(FORMATS)}")
    made = [_list_query(list_tasks()[name], rng, shots, split, FORMATS[form]) for _ in range(count)]
    return [replace(query, title=list_tasks()[name].title) for query in made] if titled else made


def _list_query(task: ListTask, rng: Rng, shots: int, split: str, frame: str) -> Query:
    profile = rng.choice(task.profiles)
    if task.draw is None:
        asked = rng.choice(task.inputs(split, profile))
        shown = rng.sample([x for x in task.inputs(TRAIN, profile) if x != asked], shots)
    else:
        asked = task.draw_input(rng, split)
        shown = [task.draw_input(rng, TRAIN) for _ in range(shots)]
    pairs = tuple((x, task.output(x, profile)) for x in shown)
    return Query(pairs, asked, task.output(asked, profile), frame)


def _exercise_query(kind: Exercise, rng: Rng, shots: int, split: str) -> Query:
    asked = kind.write(rng, train=split == TRAIN)
    while kind.split(asked) != split:
        asked = kind.write(rng, train=split == TRAIN)
    shown = [kind.write(rng) for _ in range(shots)]
    return Query(tuple((e.input, e.output) for e in shown), asked.input, asked.output, kind.frame)


def accuracy(model: CausalLM, asked: Sequence[Query]) -> float:
    """Share of the queries whose right output is the likeliest next word, among all words.

    Raises:
        ValueError: if an output has several words, or is more than one token for this model.
    """
    if long := next((q.output for q in asked if " " in q.output), None):
        raise ValueError(
            f"the output {long!r} has several words: generate it and compare the texts"
        )
    model.token_ids(
        sorted({q.output for q in asked})
    )  # refuses words that could never be the next token
    answers = model.likeliest(model.next_word([q.prompt for q in asked]))
    return sum(a == q.output for a, q in zip(answers, asked, strict=True)) / len(asked)


def ceiling(asked: Sequence[Query], posterior: Posterior) -> float:
    """The accuracy that the best possible reader of the demonstrations expects of itself, on the
    same queries.
    """
    return sum(max(posterior.predict(q.demonstrations, q.input).values()) for q in asked) / len(
        asked
    )
