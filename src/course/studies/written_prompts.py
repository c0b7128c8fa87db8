"""Studies of chapter 6, a model writes the prompts: ways to spend calls on candidates, and what a
search among written prompts finds.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from math import exp, log

import numpy as np
import pandas as pd

from course.lm.language_model import load
from course.reasoning import wording
from course.search import Exhaustive, answers, search
from course.search.best_arm import SuccessiveHalving, Uniform, UpperConfidence
from course.search.tabulated import candidates, repeated, tabulate
from course.search.triggers import OpeningWriter, triggers
from course.search.writers import BlankFiller, tune_writer
from course.search.writing import WrittenPrompts
from course.studies.records import Study
from course.tasks.registry import clusters
from course.world.instructions import INSTRUCTIONS
from course.world.lists import list_tasks
from course.world.profiles import PROFILED

#: Tasks of the races: so many inputs that held-out items tell candidates apart, and a prompt that
#: matters.
RACED = {"find_city": "find city", "first_word": "first word", "third_word": "third word"}
#: Runs of each race, and training and test items of its task.
RUNS, ITEMS = 30, 100
#: The settings of each schedule, from few calls to many. Uniform with 50 items is APE's default.
SCHEDULES = {
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
#: How they are raced: from four items on, since a few candidates make items cheap.
RACE = partial(SuccessiveHalving, first=4)


def races(seed: int) -> dict:
    """By task and schedule, the calls, the regret and the optimism of each setting; each seed has
    candidates and items of its own.
    """
    model, found = load("gpt-middle"), {}
    for task in RACED:
        prompts = candidates(task, seed)
        known = tabulate(answers(task, ITEMS, ITEMS, seed), model, prompts)
        found[task] = {name: [asdict(repeated(kind(prompts, **how), known, RUNS)) for kind, how in settings]
                       for name, settings in SCHEDULES.items()}  # fmt: skip
    return found


def written(seed: int) -> dict:
    """By task, the test accuracy of the prompt found, of the best of people's and of the title;
    what was found, and at how many calls.

    Beside it: how often writers name a task, and the trigger phrase that is found.
    """
    model, filler = load("gpt-middle"), BlankFiller(load("bert-middle"))
    return {
        "tasks": {task: _searched(model, filler, task, seed) for task in TASKS},
        "named": _named(model, filler, seed),
        "trigger": _trigger(load("gpt-large"), seed),
    }


def _searched(model, writer, task: str, seed: int) -> dict:
    objective = answers(task, 32, 100, seed, measure="likelihood")
    found = search(WrittenPrompts(writer, TEXTS, race=RACE), objective, model, BUDGET, seed)
    by_hand = search(Exhaustive(INSTRUCTIONS[task]), objective, model, BUDGET)
    return {
        "prompt": found.prompt,
        "calls": found.calls,
        "found": found.held_out,
        "by hand": by_hand.held_out,
        "title": objective.held_out(model, list_tasks()[task].title),
    }


def _named(model, filler, seed: int) -> dict[str, dict[str, float]]:
    """Writer -> task -> share (percent) of its texts that are the title of the task or an
    instruction that people wrote.
    """
    found: dict = {"blanks": {}, "tuned": {}}
    for held_out in HELD_OUT:
        writers = {"blanks": filler, "tuned": tune_writer(model, held_out, steps=60, seed=seed)}
        for task in (name for name in TASKS if clusters()[name] in held_out):
            names, shown = (
                (list_tasks()[task].title, *INSTRUCTIONS[task]),
                answers(task, 32, 1, seed).examples,
            )
            for name, writer in writers.items():
                texts = [
                    " ".join(text.replace(".", " .").split())
                    for text in writer.write(shown, TEXTS, seed)
                ]
                found[name][task] = 100 * sum(text in names for text in texts) / TEXTS
    return found


def _trigger(model, seed: int) -> dict:
    """The phrase found beside the usual one, the announced answer, and nothing: test accuracy at
    three steps.
    """
    objective, worded = triggers(seed=seed), wording("problem")
    found = search(
        WrittenPrompts(OpeningWriter(model), TEXTS, race=RACE), objective, model, BUDGET, seed
    )
    phrases = {"given": worded.trigger, "answer at once": worded.announce, "nothing": ""}
    return {"prompt": found.prompt, "calls": found.calls, "found": found.held_out} | {
        name: objective.held_out(model, phrase) for name, phrase in phrases.items()
    }


def mean_curves(value: dict) -> dict[str, tuple[list[float], list[float]]]:
    """Schedule -> (calls, regret in points) of its settings, means over the tasks, of one seed."""
    means = {name: [[np.mean([value[task][name][i][key] for task in value]) for i in range(len(settings))] for key in ("calls", "regret")]
             for name, settings in SCHEDULES.items()}  # fmt: skip
    return {
        name: ([float(c) for c in calls], [float(r) for r in regret])
        for name, (calls, regret) in means.items()
    }


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
    values: Sequence[dict], than: str = "uniform", tasks: Sequence[str] = tuple(RACED)
) -> np.ndarray:
    """How many times fewer calls halving takes to the regret of another schedule in its dearest
    setting, one value a seed.

    The regrets are means over the tasks. 0 if halving never gets there.
    """
    found = []
    for value in values:
        curves = mean_curves({task: value[task] for task in tasks})
        calls, regret = curves[than]
        found.append(calls[-1] / calls_to_reach(*curves["halving"], regret[-1]))
    return np.array(found)


def gains(values: Sequence[dict], than: str = "by hand") -> np.ndarray:
    """Test accuracy of the prompts found minus that of others (points), mean over the tasks, one
    value a seed.
    """
    return np.array(
        [
            np.mean([task["found"] - task[than] for task in value["tasks"].values()])
            for value in values
        ]
    )


def by_task(values: Sequence[dict]) -> pd.DataFrame:
    """Mean test accuracy in percent: a row a task, columns ``found``, ``by hand`` and ``title``."""
    return pd.DataFrame({task: {column: np.mean([v["tasks"][task][column] for v in values]) for column in ("found", "by hand", "title")}
                         for task in TASKS}).T  # fmt: skip


def naming(values: Sequence[dict]) -> pd.DataFrame:
    """Mean share in percent of a writer's texts that name the task: a row a task, a column a
    writer.
    """
    return pd.DataFrame({title: pd.DataFrame([value["named"][name] for value in values]).mean()
                         for title, name in (("BERT", "blanks"), ("tuned GPT", "tuned"))})  # fmt: skip


def optimism(values: Sequence[dict]) -> pd.DataFrame:
    """By how many points a winner's score in a uniform race is above its score on test items, by
    the items of a candidate.
    """
    means = {how["items_each"]: np.mean([v[task]["uniform"][i]["optimism"] for v in values for task in v])
             for i, (_, how) in enumerate(SCHEDULES["uniform"])}  # fmt: skip
    return pd.DataFrame({"too good by": {f"{items} items": mean for items, mean in means.items()}})


_SEEDS = (0, 1, 2, 3)
STUDIES = (
    Study("races", 1, ("gpt-middle",), _SEEDS, races),
    Study("written", 2, ("bert-middle", "gpt-large", "gpt-middle"), _SEEDS, written),
)
