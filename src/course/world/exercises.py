"""Exercises: a few problems of one kind with their answers, set as in a school book.

The form of an exercise gives its task away, unlike that of a list; the two choices of grammar
differ in one word. Word problems, routes and rows of letters come in three styles: the answer
alone, worked steps, or worked steps behind the trigger phrase. The steps of a word problem are one
of several derivations. One document keeps to one style, so a model can pick the style up from the
demonstrations (few-shot chain of thought) or from the trigger (zero-shot, Kojima et al. 2022).
"""

from collections.abc import Callable
from dataclasses import dataclass

from course.foundation.rng import Rng, Weighted
from course.world import (
    grammar,
    inference,
    judgements,
    lexicon,
    maps,
    phrases,
    problems,
    questions,
    stories,
)
from course.world.example import Example
from course.world.held_out import LONGEST_TRAINING_CHAIN
from course.world.lists import list_tasks
from course.world.relations import relations
from course.world.split import TEST, TRAIN, VALIDATION, split_of

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
        solve: draws one of several worked solutions of an example that the corpus may contain; None
            if it has one, or none.
    """

    name: str
    cluster: str
    frame: str
    write: Callable[..., Example]
    split: Callable[[Example], str]
    labels: tuple[str, ...] = ()
    most: int = 4
    solve: Callable[[Rng, Example], str] | None = None


def problem(rng: Rng, train: bool = True, steps: int | None = None) -> Example:
    """A word problem with its plain worked solution."""
    made = problems.write_problem(rng, steps or 1 + rng.randrange(LONGEST_TRAINING_CHAIN), train)
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
        if train and maps.split_of_route(start, ways) != TRAIN:
            continue
        text = f"start at {start} . {' '.join(f'go {w} .' for w in ways)} where are you ?"
        places = maps.walk(start, ways)
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


def _split_of_route(example: Example) -> str:
    words = example.input.split(" ")
    return maps.split_of_route(words[2], [words[5]])


def _split_of_parts(example: Example) -> str:
    is_route = example.input.startswith("start at")
    return _split_of_route(example) if is_route else split_of(problems.SPLIT_KEY, example.input)


def _solve_problem(rng: Rng, example: Example) -> str:
    return problems.write_solution(rng, problems.read_problem(example.input))


def _by(key: str, read: Callable[[Example], str] = lambda e: e.input) -> Callable[[Example], str]:
    return lambda example: split_of(key, read(example))


def _story(example: Example) -> str:
    return example.input.split(" \n ")[0]


def _source(example: Example) -> str:
    return example.input.removeprefix("english : ")


def _pair(example: Example) -> str:
    return example.input.replace(" \n claim :", "")


def _sentence(example: Example) -> str:
    return example.input.split(" ( a )")[0]


_PLAIN = "question : {x} \n answer : {y} \n"
_STORY = "story : {x} \n answer : {y} \n"
EXERCISES = {
    made.name: made
    for made in (
        Exercise("closed_book", "closed-book questions", _PLAIN, questions.ask, questions.split_of_question, most=6),
        Exercise("fact_check", "fact checking", "fact : {x} \n check : {y} \n", judgements.check_fact, judgements.split_of_fact,
                 judgements.FACT_LABELS, most=6),
        Exercise("alike", "comparison", "pair : {x} \n kinds : {y} \n", judgements.compare,
                 lambda e: judgements.split_of_nouns(judgements.ALIKE_KEY, e.input), judgements.ALIKE_LABELS, most=8),
        Exercise("odd_one_out", "comparison", "four : {x} \n odd : {y} \n", judgements.odd_one_out,
                 lambda e: judgements.split_of_nouns(judgements.ODD_KEY, e.input), most=6),
        Exercise("where", "reading comprehension", _STORY, stories.where, _by(stories.SPLIT_KEY, _story), most=3),
        Exercise("who", "reading comprehension", _STORY, stories.who, _by(stories.SPLIT_KEY, _story), most=3),
        Exercise("story_check", "story checking", "story : {x} \n check : {y} \n", stories.check, _by(stories.SPLIT_KEY, _story),
                 stories.CHECK_LABELS, most=3),
        Exercise("summary", "summaries", "story : {x} \n summary : {y} \n", stories.summarise, _by(stories.SPLIT_KEY, _story), most=3),
        Exercise("inference", "inference", "premise : {x} \n verdict : {y} \n", inference.judge,
                 _by(inference.SPLIT_KEY, _pair), inference.LABELS, most=6),
        Exercise("consistency", "consistency", "first : {x} \n together : {y} \n", inference.compare,
                 _by(inference.PAIR_KEY), inference.CONSISTENCY_LABELS, most=6),
        Exercise("paraphrase", "paraphrase", "first : {x} \n meaning : {y} \n", inference.paraphrase,
                 _by(inference.PAIR_KEY), inference.PARAPHRASE_LABELS, most=6),
        Exercise("to_velan", "translation", "{x} \n velan : {y} \n", phrases.to_velan, _by(phrases.SPLIT_KEY, _source), most=6),
        Exercise("from_velan", "translation", "{x} \n english : {y} \n", phrases.from_velan,
                 _by(phrases.SPLIT_KEY, lambda e: e.output), most=6),
        Exercise("to_torvish", "translation", "{x} \n torvish : {y} \n", phrases.to_torvish, _by(phrases.SPLIT_KEY, _source), most=6),
        Exercise("from_torvish", "translation", "{x} \n english : {y} \n", phrases.from_torvish,
                 _by(phrases.SPLIT_KEY, lambda e: e.output), most=6),
        Exercise("grammar", "grammar", "choose : {x} \n right : {y} \n", grammar.choose,
                 _by(grammar.SPLIT_KEY, _sentence), grammar.LABELS, most=6),
        Exercise("grammar_mistake", "grammar", "choose : {x} \n wrong : {y} \n", grammar.choose_mistake,
                 _by(grammar.SPLIT_KEY, _sentence), grammar.LABELS, most=6),
        Exercise("problem", "word problems", _PLAIN, problem, _by(problems.SPLIT_KEY), most=3, solve=_solve_problem),
        Exercise("route", "routes", "route : {x} \n answer : {y} \n", route, _split_of_route, most=4),
        Exercise("letters", "letters", "names : {x} \n answer : {y} \n", letters, lambda e: _split_of_names(e.input), most=4),
        Exercise("parts", "problem reduction", "problem : {x} \n parts : {y} \n", parts, _split_of_parts, most=3),
    )
}  # fmt: skip


#: The exercises whose answers are chains of steps.
CHAINS = ("problem", "route", "letters")


def worked(example: Example, style: str, rationale: str | None = None) -> str:
    """The answer text of a word problem, a route or letters in one of the three styles, with a
    rationale other than its own.
    """
    rationale = rationale or example.rationale
    steps = {"direct": "", "steps": f"{rationale} ", "trigger": f"{problems.TRIGGER} {rationale} "}[
        style
    ]
    return f"{steps}the answer is {example.output} ."


def write_exercise(rng: Rng, name: str) -> str:
    """A document with one to ``most`` items of one kind."""
    kind = EXERCISES[name]
    items = [kind.write(rng) for _ in range(1 + rng.randrange(kind.most))]
    if items[0].rationale is None:
        return " ".join([kind.frame.format(x=e.input, y=e.output) for e in items])
    style = STYLES.draw(rng)
    rationales = [kind.solve(rng, e) if kind.solve else e.rationale for e in items]
    return " ".join(
        [
            kind.frame.format(x=e.input, y=worked(e, style, r))
            for e, r in zip(items, rationales, strict=True)
        ]
    )
