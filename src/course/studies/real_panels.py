"""What figures draw of a shipped model and of a real one side by side: the same quantity from two
records, a panel for each model.

Every function takes the table of a study of the shipped models and that of a real one. The panels
say which model is which, and what was asked of it: the tasks are alike, not the same.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from course.finetuning.instruction_tuning import TUNED
from course.prompting.calibration import KINDS
from course.studies import (
    adapters_tables,
    chain_of_thought,
    hard_prompts,
    in_context_tables,
    real_reward,
    real_tables,
    reward,
    reward_tables,
    self_consistency,
    soft_prompts,
    soft_prompts_tables,
    written_prompts,
)
from course.studies import heads as studied_heads
from course.studies.bodies import GPTS
from course.studies.on_real_models.chains import SAMPLES, VOTED_ALONE
from course.studies.on_real_models.requests import IN_IT
from course.studies.real_claim import MINILM, SMOL
from course.studies.real_tables import SCHOOL
from course.studies.tables import by_body, by_seed, curve, means, where

#: The panel of film snippets, and what guessing gives in it, in percent.
FILMS = f"{SMOL}, film snippets"
GUESSED = {FILMS: 50.0}
#: Task of the study ``heads`` -> what it is of the shipped models and of a real one.
HEADS = {
    "sentiment": ("reviews (accuracy)", "film snippets (accuracy)"),
    "inference": ("pairs (accuracy)", "SNLI (accuracy)"),
    "entities": ("names (F1)", "WNUT-17 (F1)"),
    "extraction": ("questions (F1)", "XQuAD (F1)"),
}
#: Real task of that study -> a rule that learns nothing, and what it reaches, in percent.
_BASELINES = {"sentiment": ("guessing", 50.0), "inference": ("guessing", 100 / 3)}
#: Way -> what a bar is called.
ASKED = {way: way for way in chain_of_thought.WAYS}
CHOSEN = {"greedy": "greedy chain", "vote": "vote"}
SEARCHED = {
    real_tables.PEOPLES: real_tables.CALLED_PEOPLES,
    real_tables.SWAPS: real_tables.SWAPS,
    real_tables.AUTO: "AutoPrompt",
}
LEARNED = {
    real_tables.PEOPLES: real_tables.CALLED_PEOPLES,
    real_tables.AUTO: "AutoPrompt's words",
    real_tables.SOFT_PROMPT: "eight vectors",
}

#: Title -> curve -> numbers, and accuracies (percent) at each, (seeds, numbers).
CurvePanels = dict[str, dict[str, tuple[list[int], np.ndarray]]]
#: Title -> way -> accuracies (percent), (seeds,).
BarPanels = dict[str, dict[str, np.ndarray]]
#: Title -> percent right, a row a task, a column a way.
TaskPanels = dict[str, pd.DataFrame]


def specialists(costs: pd.DataFrame, real: pd.DataFrame) -> CurvePanels:
    """Sentiment by the prompted model, by its demonstrations, and by a tuned one, by its labels.

    Args:
        costs: of the study ``cost-of-a-task``.
        real: of ``specialist``.
    """
    rows = where(costs, task="sentiment")
    shipped = {
        way: (
            sorted(where(rows, way=way)["k"].unique().tolist()),
            curve(rows, "k", way=way),
        )
        for way in ("prompted", "fine-tuned")
    }
    measured = real_tables.by_number(real)
    named = {
        "prompted": measured[real_tables.PROMPTED_WAY],
        "fine-tuned": measured[real_tables.TUNED_WAY],
    }
    return {"shipped model, reviews": shipped, FILMS: named}


def heads(
    shipped: pd.DataFrame, real: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, str], dict[str, tuple[str, float]]]:
    """What :func:`course.plots.by_number_of_labels` takes, for the tasks of each model, those of
    one kind beside each other: rows, titles, and the rules that learn nothing.

    Args:
        shipped: of the study ``heads``, of the shipped models.
        real: of the study of that name, of a real one.
    """
    models = {
        "shipped BERTs": (shipped, studied_heads.best_cheats(shipped)),
        MINILM: (real_tables.as_heads(real), _BASELINES),
    }
    rows, baselines = list[pd.DataFrame](), dict[str, tuple[str, float]]()
    for model, (table, rules) in models.items():
        rows.append(table.assign(task=f"{model}: " + table["task"]))
        baselines |= {f"{model}: {task}": rule for task, rule in rules.items()}
    titles = {
        f"{model}: {task}": f"{model}, {title}"
        for task, both in HEADS.items()
        for model, title in zip(models, both, strict=True)
    }
    return pd.concat(rows, ignore_index=True), titles, baselines


def sizes_and_scores(
    adapters: pd.DataFrame, real: pd.DataFrame
) -> dict[str, dict[str, tuple[float, np.ndarray]]]:
    """Title -> method -> kilobytes stored for one more task, and accuracies in percent, one a seed,
    under a head on an encoder.

    Args:
        adapters: of the study of that name, of the shipped models.
        real: of the study of that name, of a real one.
    """
    return {
        "shipped BERT, sentence pairs (accuracy)": adapters_tables.size_and_score(
            adapters, "inference"
        ),
        f"{MINILM}, film snippets (accuracy)": real_tables.sizes_and_scores(real),
    }


def conditions(demonstrations: pd.DataFrame, real: pd.DataFrame) -> CurvePanels:
    """Sentiment by the number of demonstrations, with right labels and with what changes them; the
    shipped middle models at none and at eight.

    Args:
        demonstrations: of the study of that name, of the shipped models.
        real: of the study of that name, of a real one.
    """
    rows = where(demonstrations, task="sentiment")

    def accuracy(condition: str) -> np.ndarray:
        return by_body(rows, GPTS, condition=condition).mean(0)

    ends = {name: np.stack([accuracy("none"), accuracy(name)], 1) for name in ("gold", "random")}
    ends["foreign"] = np.stack([accuracy("none"), accuracy("foreign")], 1)
    numbers, curves = real_tables.condition_curves(real)
    names = {"gold": "right", "random": "random", "flipped": "flipped", "foreign": "foreign"}
    return {
        "shipped middle models, reviews": _renamed(ends, [0, 8], names),
        FILMS: _renamed(curves, numbers, names),
    }


def _renamed(
    curves: dict[str, np.ndarray], numbers: list[int], names: dict[str, str]
) -> dict[str, tuple[list[int], np.ndarray]]:
    return {names[name]: (numbers, curves[name]) for name in names if name in curves}


def calibrations(calibration: pd.DataFrame, real: pd.DataFrame) -> dict[str, dict]:
    """Title -> kind of calibration -> ``"mean"`` and ``"worst"`` over orders (percent), (seeds,).

    Args:
        calibration: of the study of that name.
        real: of ``demonstrations``.
    """
    measured = {
        kind: {m: real_tables.over_orders(real, kind, m) for m in ("mean", "worst")}
        for kind in KINDS
    }
    shipped = in_context_tables.by_size_and_kind(calibration)["middle"]
    return {"shipped middle models, eight shown": shipped, f"{SMOL}, four shown": measured}


def request_forms(tuned: pd.DataFrame, real: pd.DataFrame) -> TaskPanels:
    """Requests to a tuned model in two forms: with the instruction below the input, which only
    tuning has shown, and above it; and in the chat template of tuning and as plain text.

    Args:
        tuned: of the study of that name, of the shipped model.
        real: of ``requests``; an answer counts if it stands in the reply.
    """
    forms = {"after": "below the input", "before": "above it"}
    ways = (real_tables.TEMPLATE, real_tables.NO_TEMPLATE)
    rows = tuned[tuned["request"].isin(forms)]
    shipped = means(rows, "task", "request", forms, model=TUNED).rename(columns=forms)
    measured = real_tables.by_task(real, *(way + IN_IT for way in ways)).set_axis(ways, axis=1)
    return {
        "shipped tuned model,\ninstruction": _readable(shipped),
        f"{SMOL}-Instruct,\nrequest": measured,
    }


def written(shipped: pd.DataFrame, real: pd.DataFrame) -> TaskPanels:
    """Instructions that a search among written ones finds, and the best of people's.

    Args:
        shipped: of the study ``written``.
        real: of ``prompts``.
    """
    names = ["found", real_tables.CALLED_PEOPLES]
    of_shipped = written_prompts.by_task(shipped)[names]
    of_real = real_tables.by_task(real, real_tables.WRITTEN, real_tables.PEOPLES)
    return {
        "shipped models,\nlist tasks": _readable(of_shipped),
        f"{SMOL},\ninstruction induction": of_real.set_axis(names, axis=1),
    }


def _readable(tasks: pd.DataFrame) -> pd.DataFrame:
    return tasks.rename(index=lambda name: name.replace("_", " "))


def asked(chains: pd.DataFrame, real: pd.DataFrame) -> BarPanels:
    """Word problems by the way of asking: of three steps, and those of GSM8K.

    Args:
        chains: of the study of that name, of the shipped models.
        real: of the study of that name, of a real one.
    """
    shipped = chain_of_thought.at_three_steps(chains, {"problem": "shipped"})["shipped"]
    return {
        "shipped large model,\nthree steps": _only(shipped, ASKED),
        f"{SMOL},\nGSM8K": _only(real_tables.solved(real, SCHOOL), ASKED),
    }


def voted(votes: pd.DataFrame, real: pd.DataFrame) -> BarPanels:
    """Word problems by the greedy chain and by a vote over sampled ones: of two steps, and those of
    GSM8K.

    Args:
        votes: of the study of that name, of the shipped models.
        real: of ``chains``, of a real one.
    """
    way = f"temperature {self_consistency.VOTE_AT}"
    of = ("several ways", way, chain_of_thought.LARGE)
    greedy = self_consistency.accuracies(
        votes, "several ways", self_consistency.GREEDY, chain_of_thought.LARGE
    )
    shipped = {
        "greedy": by_seed(greedy),
        "vote": self_consistency.curves(votes, *of)["vote"][:, -1],
    }
    school = real_tables.solved(real, SCHOOL)
    measured = {"greedy": school[VOTED_ALONE], "vote": school[f"vote of {SAMPLES}"]}
    return {"shipped large model,\ntwo steps": shipped, f"{SMOL},\nGSM8K": measured}


def searched(prompts: pd.DataFrame, real: pd.DataFrame) -> BarPanels:
    """Words that people wrote and words that were searched for.

    Args:
        prompts: of the study ``hard-prompts``.
        real: of ``prompts``.
    """
    ways = {
        real_tables.PEOPLES: hard_prompts.BY_HAND,
        real_tables.SWAPS: real_tables.SWAPS,
        real_tables.AUTO: real_tables.AUTO,
    }
    return _prompts("layouts unseen", partial(hard_prompts.held_out, prompts), ways, real)


def learned(prompts: pd.DataFrame, real: pd.DataFrame) -> BarPanels:
    """Words and vectors on the same labels, for tasks that words name.

    Args:
        prompts: of the study ``soft-prompts``.
        real: of ``prompts``.
    """
    ways = {
        real_tables.PEOPLES: soft_prompts.PERSON,
        real_tables.AUTO: soft_prompts.AUTO,
        real_tables.SOFT_PROMPT: "prompt",
    }
    named = partial(soft_prompts_tables.accuracies, prompts, tasks=soft_prompts.NAMED)
    return _prompts("two tasks", named, ways, real)


def judged(shipped: pd.DataFrame, films: pd.DataFrame) -> dict[str, dict[str, np.ndarray]]:
    """Title -> whose reward of the best of n by a reward model, that model's own first -> (seeds,
    sizes of :mod:`course.studies.real_reward`), in standard deviations of all replies.

    Args:
        shipped: of the study ``overoptimisation``, whose judge is the gold reward.
        films: of ``reward``, whose judges saw other comparisons.
    """
    sizes = [reward.SIZES.index(n) for n in real_reward.SIZES]
    panels = {}
    for count, curves in zip(real_reward.STEPS, real_reward.panels(films).values(), strict=True):
        own = reward_tables.curve_of(shipped, "proxy", reward.EVERY_KIND, count)
        gold = reward_tables.gold_in_deviations(shipped, count)
        panels[f"shipped model, {count:,} comparisons"] = {
            real_reward.PROXY: own[:, sizes],
            "gold": gold[:, sizes],
        }
        panels[f"{SMOL}, {count:,} comparisons"] = curves
    return panels


def _prompts(
    tasks: str,
    shipped: Callable[[str], np.ndarray],
    ways: Mapping[str, str],
    real: pd.DataFrame,
) -> BarPanels:
    """Ways to a prompt, on the shipped model's tasks and on the real one's.

    Args:
        tasks: what the shipped model was asked.
        shipped: accuracies of the shipped model, by its study's name for a way.
        ways: that name by the one of the study ``prompts``.
        real: of ``prompts``.
    """
    return {
        f"shipped model, {tasks}": {name: shipped(way) for name, way in ways.items()},
        FILMS: _only(real_tables.of_labelled(real), ways),
    }


def _only(runs: dict[str, np.ndarray], ways: Iterable[str]) -> dict[str, np.ndarray]:
    return {way: runs[way] for way in ways if way in runs}
