"""Studies of chapter 6, a model writes the prompts: ways to spend calls on candidates, and what a
search among written prompts finds.

Costs as measured on one core of a busy machine, seeds x seconds: races 3 x 124, written 3 x 104.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from math import exp, isfinite, log

import numpy as np
import pandas as pd

from course.lm.language_model import LanguageModel, load
from course.reasoning import wording
from course.search.base import SearchResult, search
from course.search.baselines import Exhaustive
from course.search.best_arm import BestArmSearch, SuccessiveHalving, Uniform, UpperConfidence
from course.search.objective import answers
from course.search.tabulated import candidates, repeated, tabulate
from course.search.triggers import OpeningWriter, triggers
from course.search.writers import BlankFiller, Writer, tune_writer
from course.search.writing import WrittenPrompts
from course.studies.claims import Claim, MoreThan, NoWorse, Varies, undecided
from course.studies.records import Row, Study
from course.studies.tables import by_seed, means, rows_of, where
from course.tasks.registry import clusters
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks
from course.world.profiles import PROFILED

#: Tasks of the races: so many inputs that held-out items tell candidates apart, and a prompt that
#: matters.
RACED = {"find_city": "find city", "find_person": "find person", "recommend": "recommend"}
#: Runs of each race, and training and test items of its task.
RUNS, ITEMS = 30, 100
#: The settings of each schedule, from few calls to many. Uniform with 50 items is APE's default.
SCHEDULES: dict[str, list[tuple[Callable[..., BestArmSearch], dict[str, float]]]] = {
    "uniform": [(Uniform, {"items_each": items}) for items in (1, 2, 5, 10, 25, 50)],
    "UCB": [(UpperConfidence, {"batches": batches}) for batches in (3, 5, 10, 20)],
    "halving": [
        (SuccessiveHalving, {"first": first, "keep": keep})
        for first, keep in ((1, 0.25), (1, 0.5), (2, 0.5), (4, 0.5))
    ],
}
#: Clusters that a tuned writer is not tuned on, together.
HELD_OUT = (("geography", "letters", "tagging"), ("morphology", "things", "word lists"))
#: All tasks that a prompt without demonstrations can describe.
TASKS = tuple(name for name in list_tasks() if name not in PROFILED)
TEXTS, BUDGET = 24, 5000
#: What people's instructions, the best of them by the same items, are called in the record, and in
#: figures and tables.
BY_HAND, PEOPLES = "by hand", "people's words"
#: How they are raced: from four items on, since a few candidates make items cheap.
BEST_ARM = partial(SuccessiveHalving, first=4)


def races(seed: int) -> list[Row]:
    """By task, schedule and setting: the calls, the regret and the optimism; each seed has
    candidates and items of its own.
    """
    model, rows = load("gpt-middle"), []
    for task in RACED:
        prompts = candidates(task, seed)
        known = tabulate(answers(task, ITEMS, ITEMS, seed), model, prompts)
        for way, settings in SCHEDULES.items():
            for kind, how in settings:
                outcome = repeated(kind(prompts, **how), known, RUNS)
                rows += rows_of(asdict(outcome), task=task, way=way, setting=setting_name(how))
    return rows


def setting_name(how: Mapping[str, float]) -> str:
    """The settings of a schedule as text: ``"first=1, keep=0.5"``."""
    return ", ".join(f"{name}={value}" for name, value in how.items())


def written(seed: int) -> list[Row]:
    """In three parts: the test accuracy of what is searched, written by people, and the title, by
    task, with the number of test items; how often writers name a task; and the trigger phrase that
    is found.
    """
    model, filler = load("gpt-middle"), BlankFiller(load("bert-middle"))
    rows = [row for task in TASKS for row in _searched(model, filler, task, seed)]
    return [*rows, *_named(model, filler, seed), *_trigger(load("gpt-large"), seed)]


def _searched(model: LanguageModel, writer: Writer, task: str, seed: int) -> Iterator[Row]:
    """Test accuracy (percent) of the prompt found, of the best of people's and of the title."""
    objective = answers(task, 32, 100, seed, measure="likelihood")
    found = search(WrittenPrompts(writer, TEXTS, best_arm=BEST_ARM), objective, model, BUDGET, seed)
    by_hand = search(Exhaustive(INSTRUCTIONS[task]), objective, model, BUDGET)
    title = objective.held_out(model, list_tasks()[task].title)
    part: dict[str, str] = {"part": "tasks", "task": task}
    yield from _outcome(found, **part)
    yield from rows_of({"accuracy": by_hand.held_out}, way=BY_HAND, **part)
    yield from rows_of({"accuracy": title}, way="title", **part)
    yield from rows_of({"items": len(objective.test)}, **part)


def _outcome(found: SearchResult, **columns: str) -> list[Row]:
    """The prompt that a search found, its test accuracy (percent), and the calls it took."""
    measured: dict[str, float | str] = {"prompt": found.prompt, "calls": found.calls}
    measured["accuracy"] = found.held_out
    return rows_of(measured, way="found", **columns)


def _named(model: LanguageModel, filler: Writer, seed: int) -> Iterator[Row]:
    """By writer and task: the share (percent) of its texts that are the title of the task or an
    instruction that people wrote.
    """
    for held_out in HELD_OUT:
        writers = {"blanks": filler, "tuned": tune_writer(model, held_out, steps=60, seed=seed)}
        for task in (name for name in TASKS if clusters()[name] in held_out):
            examples = answers(task, 32, 1, seed).examples
            for way, writer in writers.items():
                share = _share_named(writer.write(examples, TEXTS, seed), task)
                yield from rows_of({"named": share}, part="naming", task=task, way=way)


def _share_named(texts: Sequence[str], task: str) -> float:
    """The share (percent) of texts that are a task's title or an instruction that people wrote."""
    names = (list_tasks()[task].title, *INSTRUCTIONS[task])
    spaced = [" ".join(text.replace(".", " .").split()) for text in texts]
    return 100 * sum(text in names for text in spaced) / TEXTS


def _trigger(model: LanguageModel, seed: int) -> Iterator[Row]:
    """The phrase found beside the usual one, the announced answer, and nothing: test accuracy
    (percent) at three steps.
    """
    objective, worded = triggers(seed=seed), wording("problem")
    method = WrittenPrompts(OpeningWriter(model), TEXTS, best_arm=BEST_ARM)
    yield from _outcome(search(method, objective, model, BUDGET, seed), part="trigger")
    phrases = {"given": worded.trigger, "answer at once": worded.announce, "nothing": ""}
    for way, phrase in phrases.items():
        right = {"accuracy": objective.held_out(model, phrase)}
        yield from rows_of(right, part="trigger", way=way)


def mean_curves(table: pd.DataFrame) -> list[dict[str, tuple[list[float], list[float]]]]:
    """Schedule -> (calls, regret in points) of its settings, means over tasks; one map a seed."""
    return [
        {
            way: (_over_tasks(rows, way, "calls"), _over_tasks(rows, way, "regret"))
            for way in SCHEDULES
        }
        for _, rows in table.groupby("seed")
    ]


def _over_tasks(table: pd.DataFrame, way: str, measure: str) -> list[float]:
    """The mean over the tasks of each setting of a schedule, in their order."""
    rows = where(table, way=way, measure=measure)
    return rows.groupby("setting", sort=False)["value"].mean().tolist()


def calls_to_reach(calls: Sequence[float], regret: Sequence[float], target: float) -> float:
    """The calls at which a schedule is first as good as ``target``, between two settings on a line
    over the logarithm of the calls.

    Infinite if no setting is. Below the cheapest setting nothing is known, so its calls are the
    least that can come out.
    """
    for i, (spent, points) in enumerate(zip(calls, regret, strict=True)):
        if points <= target:
            if i == 0:
                return spent
            share = (regret[i - 1] - target) / (regret[i - 1] - points)
            return exp(log(calls[i - 1]) + share * (log(spent) - log(calls[i - 1])))
    return float("inf")


def times_fewer(
    table: pd.DataFrame, than: str = "uniform", tasks: Sequence[str] = tuple(RACED)
) -> np.ndarray:
    """How many times fewer calls halving takes to the regret of another schedule in its most
    expensive setting, (seeds,): a ratio.

    The regrets are means over the tasks. Where halving never gets there it saves nothing: 1.
    """
    ratios = []
    for curves in mean_curves(table[table["task"].isin(tasks)]):
        calls, regret = curves[than]
        needed = calls_to_reach(*curves["halving"], regret[-1])
        ratios.append(calls[-1] / needed if isfinite(needed) else 1.0)
    return np.array(ratios)


def gains(table: pd.DataFrame, than: str = BY_HAND) -> np.ndarray:
    """Test accuracy of the prompts found minus that of others (points), (seeds,): mean over the
    tasks, each as often as it has test items, so that all items count alike.
    """
    part = where(table, part="tasks")
    right = where(part, measure="accuracy").pivot(
        index=["seed", "task"], columns="way", values="value"
    )
    items = where(part, measure="items").set_index(["seed", "task"])["value"]
    gained = (right["found"] - right[than]) * items
    return (gained.groupby("seed").sum() / items.groupby("seed").sum()).to_numpy()


def tasks_by_outcome(table: pd.DataFrame, margin: float = 2.0) -> pd.DataFrame:
    """Each task's mean gain over people's words (points), its test items, and whether it is better,
    level (within ``margin``) or worse; a row a task.
    """
    accuracy = by_task(table)
    gain = accuracy["found"] - accuracy[PEOPLES]
    items = where(table, part="tasks", measure="items").groupby("task")["value"].mean()
    outcome = np.select([gain > margin, gain < -margin], ["better", "worse"], "level")
    return pd.DataFrame({"gain": gain, "items": items[gain.index], "outcome": outcome})


def by_task(table: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy in percent: a row a task, columns ``found``, ``people's words`` and
    ``title``.
    """
    ways = ("found", BY_HAND, "title")
    wide = means(table, "task", "way", ways, part="tasks", measure="accuracy")
    return wide.rename(columns={BY_HAND: PEOPLES})


def naming(table: pd.DataFrame) -> pd.DataFrame:
    """Mean share in percent of a writer's texts that name the task: a row a task, a column a
    writer.
    """
    found = means(table, "task", "way", ("blanks", "tuned"), part="naming")
    return found.rename(columns={"blanks": "BERT (%)", "tuned": "tuned GPT (%)"})


def optimism(table: pd.DataFrame) -> pd.DataFrame:
    """By how many points a winner's score in a uniform race is above its score on test items, by
    the items of a candidate.
    """
    rows = where(table, way="uniform", measure="optimism")
    found = rows.groupby("setting", sort=False)["value"].mean()
    counts = [name.removeprefix("items_each=") for name in found.index]
    found.index = [f"{count} item{'s' * (count != '1')}" for count in counts]
    return found.to_frame("too good by (points)")


def over_an_answer_at_once(table: pd.DataFrame) -> np.ndarray:
    """Test accuracy of the trigger phrase found minus that of an answer at once, in points,
    (seeds,).
    """
    part = where(table, part="trigger", measure="accuracy")
    return by_seed(part, way="found") - by_seed(part, way="answer at once")


_SEEDS = (0, 1, 2, 3, 4)
RACES = Study("races", 2, ("gpt-middle",), _SEEDS, races)
WRITTEN = Study("written", 3, ("bert-middle", "gpt-large", "gpt-middle"), _SEEDS, written)
STUDIES = (RACES, WRITTEN)

_APE = "zhou2023large"
_ITEMS_AND_TRAINING = (Varies.ITEMS, Varies.TRAINING)
CLAIMS = (
    Claim(
        "6b",
        "Successive halving is as good as APE's default with eight times fewer calls and more.",
        MoreThan(8),
        _APE,
        varies=_ITEMS_AND_TRAINING,
        unit="times",
        ratio=True,
        studies=(RACES,),
        values=times_fewer,
        **undecided("ten times fewer on the mean, and seeds differ by a factor"),
    ),
    Claim(
        "6b",
        "What is found is no worse than people's words, all test items of all tasks alike.",
        NoWorse(2),
        _APE,
        varies=_ITEMS_AND_TRAINING,
        reported="on a par or better in 24 of 24 tasks",
        studies=(WRITTEN,),
        values=gains,
        baselines=lambda table: {
            "the corpus's own title": float((gains(table) - gains(table, "title")).mean())
        },
    ),
    Claim(
        "6b",
        "A trigger phrase that is found beats answering at once.",
        MoreThan(20),
        _APE,
        varies=_ITEMS_AND_TRAINING,
        studies=(WRITTEN,),
        values=over_an_answer_at_once,
    ),
)
