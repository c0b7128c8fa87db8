"""Studies of chapter 5: steps written down, votes over samples, problems taken apart, and a
verifier.

Word problems are drawn so that the corpus states every single sum, except where slips are wanted:
there about a quarter of the sums are held out, which is what the models get wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd

from course import reasoning
from course.foundation.validation import check_fields, integer, text
from course.lm.language_model import load
from course.reasoning import accuracy, asked_in, problems, solve, tokens
from course.studies.records import Study
from course.world.held_out import LONGEST_TEST_CHAIN
from course.world.split import TRAIN

TASKS = ("problem", "route", "letters")
STEPS = tuple(range(1, LONGEST_TEST_CHAIN + 1))
WAYS = ("standard", "chain", "zero-shot", "trigger")
CONTROLS = ("shuffled", "filler", "answer first")
#: The corpus has the first trigger phrase alone. The others are made of its words; the last two are
#: no invitations at all.
TRIGGERS = (
    "let us think step by step .",
    "let us think .",
    "step by step .",
    "let us count .",
    "north of bridge is inn .",
    "well .",
)
LADDER = ("gpt-small", "gpt-middle", "gpt-large")


def _of(
    model, task: str, style: str, steps: int, seed: int, count: int, trigger: str | None = None
) -> dict[str, float]:
    """Accuracy (percent) and tokens generated a problem of greedy answers."""
    found = solve(
        model, asked_in(style, problems(task, steps, count, seed, stated=True), seed, trigger)
    )
    return {"accuracy": accuracy(found), "tokens": tokens(found)}


def chains(seed: int, count: int = 24) -> dict:
    """The large model by task, number of steps and way to ask; controls and triggers at three
    steps; the ladder at one and at three.
    """
    large = load("gpt-large")
    return {
        "ways": {
            task: {
                str(n): {way: _of(large, task, way, n, seed, count) for way in WAYS} for n in STEPS
            }
            for task in TASKS
        },
        "controls": {
            task: {style: _of(large, task, style, 3, seed, count) for style in CONTROLS}
            for task in TASKS
        },
        "triggers": {
            task: {
                phrase: _of(large, task, "trigger", 3, seed, count, phrase) for phrase in TRIGGERS
            }
            for task in TASKS
        },
        "ladder": {
            name: {
                task: {
                    str(n): {way: _of(load(name), task, way, n, seed, count) for way in WAYS}
                    for n in (1, 3)
                }
                for task in TASKS
            }
            for name in LADDER[:-1]
        },
    }


def single(seed: int, count: int = 40) -> dict:
    """The large model on single steps alone: all held-out ones of routes and letters; the seed
    draws demonstrations and word problems.
    """
    large = load("gpt-large")
    return {
        task: {"1": {way: _of(large, task, way, 1, seed, count) for way in ("standard", "chain")}}
        for task in TASKS
    }


#: Samples of a vote, and at which numbers of them it is looked at.
SAMPLES, LOOKS = 16, (1, 2, 4, 8, 16)
TEMPERATURES = (0.5, 1.0)


@dataclass(frozen=True)
class Setting:
    """What is voted on: chains of a model for problems of a task with so many steps."""

    model: str
    task: str
    steps: int

    def __post_init__(self):
        check_fields(self, model=text(), task=text(), steps=integer(1))


#: Validation problems chose the temperature (1.0) and the routes, on which the large model wavers
#: between a right chain and a short one. The middle model slips in held-out sums; at four steps all
#: its chains are too short, so their errors agree.
SETTINGS = {
    "slips": Setting("gpt-middle", "problem", 3),
    "wavers": Setting("gpt-large", "route", 4),
    "agrees": Setting("gpt-middle", "problem", 4),
}
VOTE_AT = 1.0


def _vote(sampled: Sequence[Sequence[reasoning.Attempt]]) -> dict:
    """A vote by number of samples, what a perfect chooser would get out of them, tokens, and
    calibration.
    """
    table = reasoning.reliability(sampled)
    return {
        "vote": {str(n): reasoning.vote_accuracy(sampled, n) for n in LOOKS},
        "any": {str(n): reasoning.any_right(sampled, n) for n in LOOKS},
        "tokens": {str(n): tokens([s[:n] for s in sampled]) for n in LOOKS},
        "stopped tokens": tokens(reasoning.stopped(sampled)),
        "calibration": {column: table[column].tolist() for column in table},
        "calibration error": reasoning.calibration_error(table),
    }


def votes(seed: int, count: int = 120) -> dict:
    """Votes in each of :data:`SETTINGS`: samples of one prompt by temperature, and samples with
    demonstrations of their own.
    """
    found: dict = {}
    for name, setting in SETTINGS.items():
        model, chosen = load(setting.model), problems(setting.task, setting.steps, count, seed)
        asked = asked_in("chain", chosen, seed)
        greedy = solve(model, asked)
        by = {
            str(t): _vote(solve(model, asked, n=SAMPLES, temperature=t, seed=seed))
            for t in TEMPERATURES
        }
        varied = _vote(reasoning.solve_varied(model, chosen, SAMPLES, VOTE_AT, seed))
        found[name] = {
            "greedy": accuracy(greedy),
            "greedy tokens": tokens(greedy),
            "by_temperature": by,
            "varied": varied,
        }
    return found


def reduction(seed: int, count: int = 20) -> dict:
    """A chain, least-to-most, and least-to-most with the parts given, by number of steps; accuracy
    and tokens a problem.
    """
    model, found = load("gpt-large"), {}
    for task in ("problem", "route"):
        found[task] = {}
        for steps in STEPS[1:]:
            chosen = problems(task, steps, count, seed, stated=True)
            chain = solve(model, asked_in("chain", chosen, seed))
            found[task][str(steps)] = {
                "chain": {"accuracy": accuracy(chain), "tokens": tokens(chain)}
            }
            for name, given in (("least to most", False), ("parts given", True)):
                made = reasoning.least_to_most(model, chosen, seed, given)
                found[task][str(steps)][name] = {
                    "accuracy": reasoning.reduced_accuracy(made),
                    "tokens": sum(one.tokens for one in made) / len(made),
                }
    return found


#: Who verifies the middle model's chains: itself, a model of its size from another seed, and the
#: large one.
READERS = ("gpt-middle", "gpt-middle-seed1", "gpt-large")
#: Hot enough that a third of the chains on training problems are wrong; those whose best is chosen
#: are sampled at :data:`VOTE_AT`.
LEARN_AT = 1.5


def verifier(seed: int, count: int = 100) -> dict:
    """Greedy, vote, best of n and weighted vote on chains of the middle model, whose slips are in
    held-out sums.

    The verifiers learn from problems all of whose sums the corpus states: heads over what a model
    of :data:`READERS` reads, and the large model with all its parameters trained
    (``"fine-tuned"``). ``"told"``: where in the large model it stands whether a sum is right.
    """
    model, large = load("gpt-middle"), load("gpt-large")
    train = [
        p for steps in (1, 2, 3) for p in problems("problem", steps, 80, seed, TRAIN, stated=True)
    ]
    learned = solve(model, asked_in("trigger", train, seed), n=6, temperature=LEARN_AT, seed=seed)
    asked = asked_in("trigger", problems("problem", 3, count, seed), seed)
    tried = solve(model, asked, n=SAMPLES, temperature=VOTE_AT, seed=seed)
    greedy = solve(model, asked)
    found: dict = {
        "greedy": accuracy(greedy),
        "greedy tokens": tokens(greedy),
        "tokens": {str(n): tokens([s[:n] for s in tried]) for n in LOOKS},
        "large greedy": accuracy(solve(large, asked)),
        "learned from": accuracy(learned),
        "told": reasoning.slips_told(large, seed),
    }
    for name, choose in (("vote", reasoning.vote_accuracy), ("any right", reasoning.any_right)):
        found[name] = {str(n): choose(tried, n) for n in LOOKS}
    verifiers = {name: reasoning.train_logprob_verifier(load(name), learned) for name in READERS}
    verifiers["fine-tuned"] = reasoning.train_verifier(
        large, learned, steps=100, learning_rate=3e-4, seed=seed
    )
    for name, trained in verifiers.items():
        scores = trained.scores(tried)
        for way, choose in (
            ("best of n", reasoning.best_accuracy),
            ("weighted vote", reasoning.weighted_accuracy),
        ):
            found.setdefault(name, {})[way] = {str(n): choose(tried, scores, n) for n in LOOKS}
    return found


def gains(
    values: Sequence[dict], better: str, than: str, steps: int, tasks: Sequence[str] = TASKS
) -> np.ndarray:
    """Accuracy of one way minus that of another (points), mean over the tasks, one value a seed.

    Args:
        values: task -> steps (as text) -> way -> ``"accuracy"``, one a seed.
    """
    at = str(steps)
    return np.array(
        [
            np.mean(
                [v[task][at][better]["accuracy"] - v[task][at][than]["accuracy"] for task in tasks]
            )
            for v in values
        ]
    )


def with_controls(values: Sequence[dict]) -> list[dict]:
    """task -> way or control -> accuracy (percent) at three steps, one a seed of the study of
    chains.
    """
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


def samples_of(values: Sequence[dict], setting: str, way: str) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`) of the vote and of the best chooser.

    Args:
        setting: one of :data:`SETTINGS`.
        way: ``"varied"``, or a temperature (as text) for samples of one prompt.
    """
    runs = [_votes_of(v[setting], way) for v in values]
    return {
        name: np.array([[run[key][str(n)] for n in LOOKS] for run in runs])
        for name, key in (("vote", "vote"), ("any right", "any"))
    }


def _votes_of(part: dict, way: str) -> dict:
    return part["varied"] if way == "varied" else part["by_temperature"][way]


def vote_gains(values: Sequence[dict], setting: str, way: str, n: int = SAMPLES) -> np.ndarray:
    """The vote of ``n`` samples minus the greedy chain, in points, one value a seed; arguments as
    for :func:`samples_of`.
    """
    return np.array(
        [_votes_of(v[setting], way)["vote"][str(n)] - v[setting]["greedy"] for v in values]
    )


def by_way(values: Sequence[dict]) -> pd.DataFrame:
    """Mean accuracy (percent) of the greedy chain and of votes of all samples: a row a way to
    sample, a column a setting.
    """
    greedy = pd.DataFrame(
        {name: {"greedy chain": np.mean([v[name]["greedy"] for v in values])} for name in SETTINGS}
    )
    return pd.concat([greedy, _by_sampling(values, lambda run: run["vote"][str(SAMPLES)])])


def calibration_errors(values: Sequence[dict]) -> pd.DataFrame:
    """Mean gap (points) between a vote's share and how often such votes are right: a row a way to
    sample, a column a setting.
    """
    return _by_sampling(values, lambda run: run["calibration error"])


def _by_sampling(values: Sequence[dict], figure: Callable[[dict], float]) -> pd.DataFrame:
    ways = {f"temperature {t}": str(t) for t in TEMPERATURES} | {"own demonstrations": "varied"}
    return pd.DataFrame({name: {title: np.mean([figure(_votes_of(v[name], way)) for v in values]) for title, way in ways.items()}
                         for name in SETTINGS})  # fmt: skip


def choosers(
    values: Sequence[dict], curves: Mapping[str, tuple[str, ...]]
) -> dict[str, np.ndarray]:
    """Accuracies (seeds, numbers of samples in :data:`LOOKS`) of ways to choose among the same
    samples.

    Args:
        curves: what a curve is called -> where its figures stand, e.g. ``("gpt-large", "best of
            n")`` or ``("vote",)``.
    """
    found = {}
    for name, keys in curves.items():
        runs = [reduce(lambda part, key: part[key], keys, v) for v in values]
        found[name] = np.array([[run[str(n)] for n in LOOKS] for run in runs])
    return found


def verifier_gains(
    values: Sequence[dict], better: str, than: str, name: str = "gpt-large", n: int = SAMPLES
) -> np.ndarray:
    """One way to choose among ``n`` samples minus another, in points, one value a seed;
    ``"greedy"`` is the one likeliest chain.

    Args:
        name: the verifier, one of :data:`READERS` or ``"fine-tuned"``.
    """

    def of(value: dict, way: str) -> float:
        return value["greedy"] if way == "greedy" else (value[name] | value)[way][str(n)]

    return np.array([of(v, better) - of(v, than) for v in values])


def choice_costs(values: Sequence[dict], name: str = "gpt-large") -> dict[str, tuple[float, float]]:
    """Way -> (tokens generated a problem, accuracy in percent): the greedy chain, and votes and
    best of 4 and 16 by one verifier.
    """
    found = {"greedy": [(v["greedy tokens"], v["greedy"]) for v in values]}
    for n in (4, 16):
        at = str(n)
        found[f"vote of {n}"] = [(v["tokens"][at], v["vote"][at]) for v in values]
        found[f"best of {n}"] = [(v["tokens"][at], v[name]["best of n"][at]) for v in values]
    return {way: tuple(float(x) for x in np.mean(cells, 0)) for way, cells in found.items()}


def costs(chained: Sequence[dict], reduced: Sequence[dict]) -> dict[str, tuple[float, float]]:
    """Way -> (tokens generated a problem, accuracy in percent) on word problems and routes of two
    to six steps, each as often.
    """
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
    Study("single-steps", 1, ("gpt-large",), tuple(range(11, 27)), single),
    Study("votes", 1, ("gpt-middle", "gpt-large"), (11, 12, 13, 14, 15), votes),
    Study("reduction", 1, ("gpt-large",), _SEEDS, reduction),
    Study("verifier", 1, READERS, (11, 12, 13, 14, 15, 16, 17), verifier),
)
