"""Studies of chapters 4 and 4a: what demonstrations are good for, whose labels are followed, and
whether their order matters.

Costs as measured on one core of a busy machine, seeds x seconds: demonstrations 3 x 154,
flipped-labels 3 x 46, calibration 3 x 44.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting import sweeps
from course.prompting.calibration import KINDS, order_effect
from course.prompting.evaluation import Question, all_profiles, questions
from course.prompting.sweeps import Cell
from course.studies.accuracy_by_shots import BEST
from course.studies.bodies import GPTS, LADDER, SMALL_GPTS
from course.studies.records import Row, Study
from course.studies.tables import rows_of
from course.tasks.task import Task
from course.world.example import Example
from course.world.lexicon import WEATHER
from course.world.split import TEST, TRAIN, VALIDATION

#: Tasks that can be *recognised*: under random labels the exact posterior is as right as under
#: right ones, since inputs and outputs beside each other give the task away; and without
#: demonstrations it is not right, so they are needed. (Both were computed on validation items,
#: before any model was trained; a test computes them again.)
RECOGNISED = (
    "region",
    "language",
    "flag",
    "home",
    "instrument",
    "category",
    "colour",
    "plural",
    "gerund",
    "comparative",
    "last_letter",
    "next_number",
)
#: Tasks with two labels. Under random labels the posterior loses: most share their inputs, their
#: labels or both with others, so only the pairs tell what is asked.
JUDGEMENTS = (
    "is_animal",
    "is_large",
    "is_eaten",
    "is_wild",
    "is_wooden",
    "is_carried",
    "is_even",
    "is_above_fifty",
    "sentiment",
    "recommend",
    "verdict",
)
#: Tasks with labels, of which the same is true.
PAIRED = (*JUDGEMENTS, "topic")
#: Grammar as a multiple choice: which of two words is right, and which is wrong. Both have the same
#: inputs and labels; in their own layout a word tells which is asked, in the neutral one nothing.
MULTIPLE_CHOICE = ("grammar", "grammar_mistake")
OWN_LAYOUT, NEUTRAL = "usual", "inout"
#: What is done to the demonstrations, and how answers are given: written, or chosen among labels.
SHOWN = ("gold", "random", "foreign", "labels", "none")
CHOICE_CONDITIONS = ("gold", "random", "foreign", "none")
#: Conditions that leave inputs and outputs of lists, so that the posterior can answer.
EXPLAINED = ("gold", "random", "none")
#: The large model and the three middle ones, of which all claims about demonstrations are made.
LARGE = LADDER[-1]
BODIES = (*GPTS, LARGE)
#: Bodies by the share of relabelled lists in their pretraining, three at each end of the knob.
UNTOUCHED = SMALL_GPTS
RELABELLED = ("gpt-small-p50", "gpt-small-p50-seed1", "gpt-small-p50-seed2")
KNOB = {
    0.0: UNTOUCHED,
    0.05: ("gpt-small-p05",),
    0.2: ("gpt-small",),
    0.5: RELABELLED,
}
FLIPPING = (*(body for bodies in KNOB.values() for body in bodies), *BODIES)
#: Three bodies of either size, and the large one, whose orders are tried. (The pilots, which are no
#: evidence, had much to repair at the small size and less at the others.)
ORDERED = (*UNTOUCHED, *BODIES)
#: Numbers of demonstrations of one label and of the other whose orders are tried.
SHARES = {"even": (4, 4), "mostly the first label": (6, 2), "mostly the second label": (2, 6)}
#: What is measured over the orders of the same demonstrations.
MEASURES = ("mean", "worst", "spread")


def demonstrations(seed: int, count: int = 60) -> list[Row]:
    """What each part of the demonstrations is good for.

    Lists without a title with eight demonstrations, the multiple choice with four. Answers are
    written. Foreign inputs are names of weather, which are inputs of no list, exercise or label:
    foreign means the same for every task.
    """
    lists = sweeps.grid(
        (*RECOGNISED, *PAIRED), (8,), (seed,), BODIES, SHOWN,
        count=count, written=True, foreign=tuple(WEATHER),
    )  # fmt: skip
    choices = [
        cell
        for layout in (OWN_LAYOUT, NEUTRAL)
        for cell in sweeps.grid(
            MULTIPLE_CHOICE, (4,), (seed,), BODIES, CHOICE_CONDITIONS,
            count=count, written=True, foreign=tuple(WEATHER), template=layout,
        )
    ]  # fmt: skip
    known = [cell for cell in lists if cell.model == LARGE and cell.condition in EXPLAINED]
    best = [_row(cell, BEST, sweeps.ceiling(cell)) for cell in known]
    return _measured([*lists, *choices]) + best


def flipped_labels(seed: int, count: int = 60) -> list[Row]:
    """Whose labels are followed when they are wrong: the answer is chosen among the two labels
    after eight demonstrations with right labels and after eight with flipped ones.

    Beside the models stands the best possible reader of a corpus with each share of relabelled
    lists (on fewer questions).
    """
    conditions = ("gold", "flipped")
    cells = sweeps.grid(JUDGEMENTS, (8,), (seed,), FLIPPING, conditions, count=count)
    asked = sweeps.grid(JUDGEMENTS, (8,), (seed,), (LARGE,), conditions, count=count // 2)
    best = [
        _row(cell, BEST, sweeps.ceiling(cell, knob)) | {"knob": knob}
        for knob, cell in product(KNOB, asked)
    ]
    return _measured(cells) + best


def _measured(cells: Sequence[Cell]) -> list[Row]:
    """Accuracy (percent) of cells, a row each."""
    values = sweeps.run(cells, bar=False).accuracy.tolist()
    return [_row(cell, cell.model, value) for cell, value in zip(cells, values, strict=True)]


def _row(cell: Cell, model: str, value: float) -> Row:
    return {
        "model": model,
        "task": cell.task,
        "layout": cell.template,
        "condition": cell.condition,
        "value": value,
    }


def calibration(seed: int) -> list[Row]:
    """Eight orders of eight demonstrations, with and without calibration; in a layout of the
    corpus, where the order of labels is informative in two lists of five (planted).

    Of the eight demonstrations four have either label, or six have one. The orders are the given
    one, those sorted by label both ways, and five at random.
    """
    rows: list[Row] = []
    for name, task, shares in product(ORDERED, JUDGEMENTS, SHARES):
        rng = Rng(f"order/{task}/{shares}/{seed}")
        asked = _asked(rng.choice(all_profiles(task, "tiny")), SHARES[shares], rng)
        effect = order_effect(_loaded(name), asked, 8, seed)
        place = {"model": name, "task": task, "shares": shares}
        for kind in KINDS:
            figures = {measure: getattr(effect, measure)(kind) for measure in MEASURES}
            rows += rows_of(figures, **place, calibration=kind)
    return rows


def _asked(task: Task, counts: Sequence[int], rng: Rng, most: int = 40) -> list[Question]:
    """Held-out items of a task (at most so many), all behind the same demonstrations, of which so
    many have each label.
    """
    shown: list[Example] = []
    for label, count in zip(task.labels, counts, strict=True):
        having = [example for example in task.examples(TRAIN) if example.output == label]
        shown += rng.sample(having, count)
    mixed = tuple(rng.sample(shown, len(shown)))
    held_out = [*task.examples(TEST), *task.examples(VALIDATION)]
    queries = rng.sample(held_out, min(most, len(held_out)))
    (blank,) = questions(task, 0, 1)
    return [
        replace(
            blank,
            prompt=replace(blank.prompt, query=query.input, demonstrations=mixed),
            answers=(query.output,),
        )
        for query in queries
    ]


@lru_cache(maxsize=2)
def _loaded(name: str) -> LanguageModel:
    return load(name, "tiny")


_SEEDS = (0, 1, 2, 3, 4)
DEMONSTRATIONS = Study("demonstrations", 2, BODIES, _SEEDS, demonstrations)
FLIPPED = Study("flipped-labels", 1, FLIPPING, _SEEDS, flipped_labels)
CALIBRATION = Study("calibration", 2, ORDERED, _SEEDS, calibration)
STUDIES = (DEMONSTRATIONS, FLIPPED, CALIBRATION)
