"""Exercises: a few problems of one kind with their answers, set as in a school book.

The form of an exercise gives its task away, unlike that of a list. Word problems, routes and rows
of letters come in three styles: the answer alone, worked steps, or worked steps behind the trigger
phrase. One document keeps to one style, so a model can pick the style up from the demonstrations
(few-shot chain of thought) or from the trigger (zero-shot, Kojima et al. 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass

from course.foundation.rng import Rng, Weighted
from course.world import grammar, inference, lexicon, phrases, questions, stories, sums
from course.world.example import Example
from course.world.held_out import LONGEST_TRAINING_CHAIN
from course.world.lists import list_tasks
from course.world.maps import walk
from course.world.relations import relations
from course.world.split import TEST, TRAIN, VALIDATION, is_train, split_of

ROUTE_SPLIT_KEY = "route"
LETTERS_SPLIT_KEY = "letters"
STYLES = Weighted({"direct": 3, "steps": 4, "trigger": 3})


@dataclass(frozen=True)
class Exercise:
    """A kind of exercise.

    Attributes:
        name, cluster: what it is called, and its group as in FLAN.
        frame: the layout of one item, with ``{x}`` and ``{y}``.
        write: draws an example; ``train=True`` keeps to what the corpus may contain.
        labels: the label words if the output is one of a few.
        split: the split that an example belongs to.
        most: the largest number of items in one document.
    """

    name: str
    cluster: str
    frame: str
    write: Callable[..., Example]
    split: Callable[[Example], str]
    labels: tuple[str, ...] = ()
    most: int = 4


def problem(rng: Rng, train: bool = True, steps: int | None = None) -> Example:
    """A word problem with its worked solution."""
    made = sums.write_problem(rng, steps or 1 + rng.randrange(LONGEST_TRAINING_CHAIN), train)
    return Example(made.question, made.answer, made.rationale)


def route(rng: Rng, train: bool = True, steps: int | None = None) -> Example:
    """A route over the map with its worked solution.

    Raises:
        ValueError: if ``train`` and ``steps`` is more than the corpus holds.
    """
    count = _count(rng, train, steps)
    while True:
        start, ways = (
            rng.choice(lexicon.PLACES),
            [rng.choice(lexicon.DIRECTIONS) for _ in range(count)],
        )
        text = f"start at {start} . {' '.join(f'go {w} .' for w in ways)} where are you ?"
        if train and not is_train(ROUTE_SPLIT_KEY, text):
            continue
        places = walk(start, ways)
        hops = [
            f"{w} of {a} is {b} ." for w, a, b in zip(ways, [start, *places], places, strict=False)
        ]
        return Example(text, places[-1], " ".join(hops))


def letters(rng: Rng, train: bool = True, steps: int | None = None) -> Example:
    """The last letters of several names in a row, with their worked solution (the task of Wei et
    al. 2022).

    Raises:
        ValueError: if ``train`` and ``steps`` is more than the corpus holds.
    """
    count = _count(rng, train, steps)
    while True:
        names = [rng.choice(lexicon.FIRST_NAMES) for _ in range(count)]
        text = " ".join(names)
        if not train or _split_of_names(text) == TRAIN:
            break
    last = relations()["last_letter"].table
    return Example(
        text,
        " ".join(last[n] for n in names),
        " ".join(f"{n} ends with {last[n]} ." for n in names),
    )


def parts(rng: Rng, train: bool = True, steps: int | None = None) -> Example:
    """A word problem or a route taken apart into its single steps (the first half of least-to-most,
    Zhou et al. 2023).
    """
    made = rng.choice((problem, route))(rng, train, steps)
    sentences = made.input.split(" . ")
    return Example(made.input, " ; ".join(sentences[1:-1]))


def _count(rng: Rng, train: bool, steps: int | None) -> int:
    count = steps or 1 + rng.randrange(LONGEST_TRAINING_CHAIN)
    if train and count > LONGEST_TRAINING_CHAIN:
        raise ValueError(
            f"{count} steps: the corpus holds at most {LONGEST_TRAINING_CHAIN}; pass train=False for longer ones"
        )
    return count


def _split_of_names(text: str) -> str:
    """Names that the list of last letters holds out are held out here too."""
    splits = {list_tasks()["last_letter"].split(name) for name in text.split()} | {
        split_of(LETTERS_SPLIT_KEY, text)
    }
    return next(split for split in (TEST, VALIDATION, TRAIN) if split in splits)


def _split_of_parts(example: Example) -> str:
    return split_of(
        ROUTE_SPLIT_KEY if example.input.startswith("start at") else sums.PROBLEM_SPLIT_KEY,
        example.input,
    )


def _by(key: str, read: Callable[[Example], str] = lambda e: e.input) -> Callable[[Example], str]:
    return lambda example: split_of(key, read(example))


def _story(example: Example) -> str:
    return example.input.split(" \n question")[0]


_PLAIN = "question : {x} \n answer : {y} \n"
_STORY = "story : {x} \n answer : {y} \n"
EXERCISES = {
    made.name: made
    for made in (
        Exercise("closed_book", "closed-book questions", _PLAIN, questions.ask, questions.split_of_question, most=6),
        Exercise("where", "reading comprehension", _STORY, stories.where, _by(stories.SPLIT_KEY, _story), most=3),
        Exercise("who", "reading comprehension", _STORY, stories.who, _by(stories.SPLIT_KEY, _story), most=3),
        Exercise("inference", "inference", "premise : {x} \n verdict : {y} \n", inference.judge,
                 _by(inference.SPLIT_KEY, lambda e: e.input.replace(" \n claim :", "")), inference.LABELS, most=6),
        Exercise("to_velan", "translation", "{x} \n velan : {y} \n", phrases.to_velan,
                 _by(phrases.SPLIT_KEY, lambda e: e.input.removeprefix("english : ")), most=6),
        Exercise("from_velan", "translation", "{x} \n english : {y} \n", phrases.from_velan,
                 _by(phrases.SPLIT_KEY, lambda e: e.output), most=6),
        Exercise("grammar", "grammar", "choose : {x} \n answer : {y} \n", grammar.choose,
                 _by(grammar.SPLIT_KEY, lambda e: e.input.split(" ( a )")[0]), grammar.LABELS, most=6),
        Exercise("problem", "word problems", _PLAIN, problem, _by(sums.PROBLEM_SPLIT_KEY), most=3),
        Exercise("route", "routes", "route : {x} \n answer : {y} \n", route, _by(ROUTE_SPLIT_KEY), most=4),
        Exercise("letters", "letters", "names : {x} \n answer : {y} \n", letters, lambda e: _split_of_names(e.input), most=4),
        Exercise("parts", "problem reduction", "problem : {x} \n parts : {y} \n", parts, _split_of_parts, most=3),
    )
}  # fmt: skip


#: The exercises whose answers are chains of steps.
CHAINS = ("problem", "route", "letters")


def worked(example: Example, style: str) -> str:
    """The answer text of a word problem or a route in one of the three styles."""
    steps = {
        "direct": "",
        "steps": f"{example.rationale} ",
        "trigger": f"{sums.TRIGGER} {example.rationale} ",
    }[style]
    return f"{steps}the answer is {example.output} ."


def write_exercise(rng: Rng, name: str) -> str:
    """A document with one to ``most`` items of one kind."""
    kind = EXERCISES[name]
    items = [kind.write(rng) for _ in range(1 + rng.randrange(kind.most))]
    if items[0].rationale is None:
        return " ".join([kind.frame.format(x=e.input, y=e.output) for e in items])
    style = STYLES.draw(rng)
    return " ".join([kind.frame.format(x=e.input, y=worked(e, style)) for e in items])
