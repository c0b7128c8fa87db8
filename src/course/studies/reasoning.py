"""Studies of chapter 5: steps written down, votes over samples, problems taken apart, and a verifier.

Word problems are drawn so that the corpus states every single sum, except where slips are wanted: there about a quarter of the sums are
held out, which is what the models get wrong.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from course import reasoning
from course.lm import load
from course.reasoning import accuracy, asked_in, problems, solve, tokens
from course.records import Study
from course.world.held_out import LONGEST_TEST_CHAIN
from course.world.split import TRAIN

TASKS = ("problem", "route", "letters")
STEPS = tuple(range(1, LONGEST_TEST_CHAIN + 1))
WAYS = ("standard", "chain", "zero-shot", "trigger")
CONTROLS = ("shuffled", "filler", "answer first")
#: The corpus has the first trigger phrase alone. The others are made of its words; the last two are no invitations at all.
TRIGGERS = ("let us think step by step .", "let us think .", "step by step .", "let us count .", "north of bridge is inn .", "well .")
LADDER = ("gpt-small", "gpt-middle", "gpt-large")


def _of(model, task: str, style: str, steps: int, seed: int, count: int, trigger: str | None = None) -> dict[str, float]:
    """Accuracy (percent) and tokens generated a problem of greedy answers."""
    found = solve(model, asked_in(style, problems(task, steps, count, seed, stated=True), seed, trigger))
    return {"accuracy": accuracy(found), "tokens": tokens(found)}


def chains(seed: int, count: int = 24) -> dict:
    """The large model by task, number of steps and way to ask; controls and triggers at three steps; the ladder at one and at three."""
    large = load("gpt-large")
    return {
        "ways": {task: {str(n): {way: _of(large, task, way, n, seed, count) for way in WAYS} for n in STEPS} for task in TASKS},
        "controls": {task: {style: _of(large, task, style, 3, seed, count) for style in CONTROLS} for task in TASKS},
        "triggers": {task: {phrase: _of(large, task, "trigger", 3, seed, count, phrase) for phrase in TRIGGERS} for task in TASKS},
        "ladder": {
            name: {task: {str(n): {way: _of(load(name), task, way, n, seed, count) for way in WAYS} for n in (1, 3)} for task in TASKS}
            for name in LADDER[:-1]
        },
    }


#: Samples of a vote, and at which numbers of them it is looked at.
SAMPLES, LOOKS = 32, (1, 2, 4, 8, 16, 32)
TEMPERATURES = (0.4, 0.7, 1.0, 1.3)


def votes(seed: int, count: int = 60) -> dict:
    """Votes on word problems by model, number of steps and temperature; at four steps all chains stop too early, so their errors agree."""
    found: dict = {}
    for name, steps in (("gpt-small", 2), ("gpt-middle", 3), ("gpt-middle", 4)):
        model, asked = load(name), asked_in("chain", problems("problem", steps, count, seed), seed)
        greedy = solve(model, asked)
        part = {"greedy": accuracy(greedy), "greedy tokens": tokens(greedy), "by_temperature": {}}
        for temperature in TEMPERATURES:
            sampled = solve(model, asked, n=SAMPLES, temperature=temperature, seed=seed)
            table = reasoning.reliability(sampled)
            part["by_temperature"][str(temperature)] = {
                "vote": {str(n): reasoning.vote_accuracy(sampled, n) for n in LOOKS},
                "any": {str(n): reasoning.any_right(sampled, n) for n in LOOKS},
                "tokens": {str(n): tokens([s[:n] for s in sampled]) for n in LOOKS},
                "stopped tokens": tokens(reasoning.stopped([s[:16] for s in sampled])),
                "calibration": {column: table[column].tolist() for column in table},
                "calibration error": reasoning.calibration_error(table),
            }
        found.setdefault(name, {})[str(steps)] = part
    return found


def reduction(seed: int, count: int = 20) -> dict:
    """A chain, least-to-most, and least-to-most with the parts given, by number of steps; accuracy and tokens a problem."""
    model, found = load("gpt-large"), {}
    for task in ("problem", "route"):
        found[task] = {}
        for steps in STEPS[1:]:
            chosen = problems(task, steps, count, seed, stated=True)
            chain = solve(model, asked_in("chain", chosen, seed))
            found[task][str(steps)] = {"chain": {"accuracy": accuracy(chain), "tokens": tokens(chain)}}
            for name, given in (("least to most", False), ("parts given", True)):
                made = reasoning.least_to_most(model, chosen, seed, given)
                found[task][str(steps)][name] = {
                    "accuracy": reasoning.reduced_accuracy(made),
                    "tokens": sum(one.tokens for one in made) / len(made),
                }
    return found


def verifier(seed: int, count: int = 60) -> dict:
    """Greedy, vote, best of n and weighted vote on chains of the small model; verifiers of two sizes learn from stated problems."""
    model = load("gpt-small")
    train = [p for steps in (2, 3) for p in problems("problem", steps, 150, seed, TRAIN, stated=True)]
    learned = solve(model, asked_in("trigger", train, seed), n=6, temperature=0.8, seed=seed)
    asked = asked_in("trigger", problems("problem", 3, count, seed), seed)
    tried = solve(model, asked, n=16, temperature=0.8, seed=seed)
    found: dict = {"greedy": accuracy(solve(model, asked)), "learned from": accuracy(learned)}
    for name, choose in (("vote", reasoning.vote_accuracy), ("any right", reasoning.any_right)):
        found[name] = {str(n): choose(tried, n) for n in LOOKS[:-1]}
    for name in ("gpt-small", "gpt-middle"):
        scores = reasoning.train_verifier(load(name), learned, steps=300, seed=seed).scores(tried)
        for way, choose in (("best of n", reasoning.best_accuracy), ("weighted vote", reasoning.weighted_accuracy)):
            found.setdefault(name, {})[way] = {str(n): choose(tried, scores, n) for n in LOOKS[:-1]}
    return found


def gains(values: Sequence[dict], better: str, than: str, steps: int, tasks: Sequence[str] = TASKS) -> np.ndarray:
    """Accuracy of one way minus that of another (points), mean over the tasks, one value a seed.

    Args:
        values: task -> steps (as text) -> way -> ``"accuracy"``, one a seed.
    """
    at = str(steps)
    return np.array([np.mean([v[task][at][better]["accuracy"] - v[task][at][than]["accuracy"] for task in tasks]) for v in values])


def with_controls(values: Sequence[dict]) -> list[dict]:
    """task -> way or control -> accuracy (percent) at three steps, one a seed of the study of chains."""
    return [{task: {name: cell["accuracy"] for name, cell in (v["ways"][task]["3"] | v["controls"][task]).items()} for task in TASKS}
            for v in values]  # fmt: skip


def by_size(values: Sequence[dict], way: str, steps: int) -> pd.DataFrame:
    """Mean accuracy (percent) of one way: a row a task, a column a size of the model."""
    found = [v["ladder"] | {LADDER[-1]: v["ways"]} for v in values]
    return pd.DataFrame({name.removeprefix("gpt-"): {task: np.mean([v[name][task][str(steps)][way]["accuracy"] for v in found])
                                                      for task in TASKS} for name in LADDER})  # fmt: skip


def by_trigger(values: Sequence[dict]) -> pd.DataFrame:
    """Mean accuracy (percent) at three steps: a row a trigger phrase, a column a task."""
    return pd.DataFrame({task: {phrase: np.mean([v["triggers"][task][phrase]["accuracy"] for v in values]) for phrase in TRIGGERS}
                         for task in TASKS})  # fmt: skip


def samples_of(values: Sequence[dict], model: str, steps: int, temperature: float) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`) of the vote and of the best chooser."""
    runs = [v[model][str(steps)]["by_temperature"][str(temperature)] for v in values]
    return {name: np.array([[run[key][str(n)] for n in LOOKS] for run in runs]) for name, key in (("vote", "vote"), ("any right", "any"))}


def vote_gains(values: Sequence[dict], model: str, steps: int, temperature: float, n: int = 16) -> np.ndarray:
    """The vote of ``n`` samples minus the greedy chain, in points, one value a seed."""
    found = [v[model][str(steps)] for v in values]
    return np.array([part["by_temperature"][str(temperature)]["vote"][str(n)] - part["greedy"] for part in found])


def choosers(values: Sequence[dict], name: str) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples) of the ways to choose among samples, with the verifier of one size."""
    looks = [str(n) for n in LOOKS[:-1]]
    runs = {"best of n": [v[name]["best of n"] for v in values], "any right": [v["any right"] for v in values],
            "weighted vote": [v[name]["weighted vote"] for v in values], "vote": [v["vote"] for v in values]}  # fmt: skip
    return {way: np.array([[run[n] for n in looks] for run in found]) for way, found in runs.items()}


def verifier_gains(values: Sequence[dict], better: str, than: str, name: str = "gpt-middle", n: int = 16) -> np.ndarray:
    """One way to choose among ``n`` samples minus another, in points, one value a seed; ``"greedy"`` is the one likeliest chain."""

    def of(value: dict, way: str) -> float:
        return value["greedy"] if way == "greedy" else (value[name] | value)[way][str(n)]

    return np.array([of(v, better) - of(v, than) for v in values])


def costs(chained: Sequence[dict], reduced: Sequence[dict]) -> dict[str, tuple[float, float]]:
    """Way -> (tokens generated a problem, accuracy in percent) on word problems and routes of two to six steps, each as often."""
    found: dict = {}
    for values in ([v["ways"] for v in chained], reduced):
        for v in values:
            for task in ("problem", "route"):
                for steps in STEPS[1:]:
                    for way, cell in v[task][str(steps)].items():
                        found.setdefault(way, []).append((cell["tokens"], cell["accuracy"]))
    return {way: tuple(float(x) for x in np.mean(cells, 0)) for way, cells in found.items()}


_SEEDS = (0, 1, 2)
STUDIES = (
    Study("chains", 1, LADDER, _SEEDS, chains),
    Study("votes", 1, ("gpt-small", "gpt-middle"), (0, 1, 2, 3, 4), votes),
    Study("reduction", 1, ("gpt-large",), _SEEDS, reduction),
    Study("verifier", 1, ("gpt-small", "gpt-middle"), _SEEDS, verifier),
)
