"""Studies of chapter 4: what demonstrations are good for, whether their order matters, and how well the models learn from them."""

from course import sweeps
from course.calibration import KINDS, order_effect
from course.evaluation import all_profiles, questions
from course.lm import load
from course.records import Study
from course.selection import Balanced
from course.sweeps import TEMPLATES, Cell
from course.world.chance import Chance
from course.world.exercises import CHAINS, EXERCISES
from course.world.lists import list_tasks

#: Facts with few possible answers. The answers of each belong to it alone, or nearly so: who reads one knows what is asked.
FACTS = ("region", "language", "flag", "category", "colour", "job", "instrument", "home")
#: Tasks with two labels. Most share their inputs, their labels or both with others, so only the pairs tell what is asked.
JUDGEMENTS = ("is_animal", "is_large", "is_eaten", "is_wild", "is_wooden", "is_carried", "is_even", "is_above_fifty", "sentiment",
              "recommend", "verdict")  # fmt: skip
#: The lists of the world whose inputs are sentences; they stand in for inputs from elsewhere, as sentences of the news did in
#: Min et al. 2022.
SENTENCES = ("find_city", "sentiment")
SHOWN = ("gold", "random", "foreign", "labels", "none")
#: By the share of relabelled lists in pretraining, and by size.
KNOB = ("gpt-small-p00", "gpt-small-p05", "gpt-small", "gpt-small-p50")
LADDER = ("gpt-small", "gpt-middle", "gpt-large")
ORDERED = ("is_animal", "is_large", "is_carried", "is_even", "is_above_fifty", "sentiment", "recommend", "verdict")
LAYOUTS = ("colon", "comma", "question")
SHOTS = (0, 1, 2, 4, 8, 16)


def _measured(cells: list[Cell], *keys: str) -> dict:
    """Accuracy (percent) of cells in nested dictionaries by some of their fields, as text."""
    found: dict = {}
    for row in sweeps.run(cells, bar=False).to_dict("records"):
        *outer, last = (str(row[key]) for key in keys)
        place = found
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = row["accuracy"]
    return found


def foreign_to(task: str) -> tuple[str, ...]:
    """The lists of sentences that have other inputs than a task."""
    return tuple(name for name in SENTENCES if list_tasks()[name].domain != list_tasks()[task].domain)


def demonstrations(seed: int, count: int = 60) -> dict:
    """What each part of the demonstrations is good for, and whose labels are followed when they are wrong.

    Without a title, with eight demonstrations; in ``"conditions"`` the model writes its answers, in ``"flipped"`` it chooses a label.
    """
    cells = []
    for task in (*FACTS, *JUDGEMENTS):
        more = {"count": count, "written": True, "foreign": foreign_to(task)}
        cells += sweeps.grid([task], (8,), (seed,), conditions=SHOWN, **more)
    models = tuple(dict.fromkeys((*KNOB, *LADDER)))
    wrong = sweeps.grid(JUDGEMENTS, (8,), (seed,), models, ("gold", "flipped"), count=count)
    return {"conditions": _measured(cells, "task", "condition"), "flipped": _measured(wrong, "model", "task", "condition")}


def calibration(seed: int) -> dict:
    """Eight orders of four balanced demonstrations in three layouts, two of them never seen, with and without calibration."""
    found: dict = {}
    for name in ("gpt-middle", "gpt-large"):
        model, found[name] = load(name), {}
        for layout in LAYOUTS:
            found[name][layout] = {kind: {"mean": [], "worst": [], "spread": []} for kind in KINDS}
            for task in ORDERED:
                profile = Chance(f"order/{task}/{seed}").pick(all_profiles(task))
                asked = questions(profile, 4, 60, seed, Balanced(profile.labels), TEMPLATES[layout])
                distinct = list({question.prompt.query: question for question in asked}.values())
                effect = order_effect(model, distinct, 8, seed)
                for kind, values in found[name][layout].items():
                    for measure in values:
                        values[measure].append(getattr(effect, measure)(kind))
    return found


def learner(seed: int, count: int = 60) -> dict:
    """Accuracy by number of demonstrations, beside the best possible: the ladder on two tasks, the large model on every task."""
    titled = {"titled": True, "written": True, "count": 2 * count}
    ladder = sweeps.grid(("dialect", "verdict"), SHOTS, (seed,), LADDER, **titled)
    titles = sweeps.grid(("dialect", "verdict"), SHOTS, (seed,), **titled)
    others = [*list_tasks(), *(name for name in EXERCISES if name not in CHAINS)]
    cells = sweeps.grid(others, (0, 1, 2, 4, 8), (seed,), written=True, count=count)
    return {
        "ladder": _measured(ladder, "model", "task", "shots"),
        "ceiling": _ceilings(titles),
        "tasks": _measured(cells, "task", "shots"),
        "possible": _ceilings([cell for cell in cells if cell.task in list_tasks()]),
    }


def _ceilings(cells: list[Cell]) -> dict:
    found: dict = {}
    for cell in cells:
        found.setdefault(cell.task, {})[str(cell.shots)] = sweeps.ceiling(cell)
    return found


_SEEDS = (0, 1, 2, 3, 4)
STUDIES = (
    Study("demonstrations", 1, tuple(dict.fromkeys((*KNOB, *LADDER))), _SEEDS, demonstrations),
    Study("calibration", 1, ("gpt-middle", "gpt-large"), _SEEDS, calibration),
    Study("learner", 1, LADDER, (0, 1, 2), learner),
)
