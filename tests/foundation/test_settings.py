"""Every field of every settings class is checked where it is set: type, range, finite."""

import dataclasses
import importlib
import math
import pkgutil

import numpy as np
import pytest

import course
from course.check.homework import Homework
from course.compare.base import Method as ComparedMethod
from course.compare.bodies import Served
from course.compare.job import RunSettings
from course.finetuning.instruction_tuning import Tuning
from course.foundation.resampling import Resampled
from course.heads.answers import SpanHead
from course.heads.learning import Effort
from course.lm.generation_config import GenerationConfig
from course.lm.predictor import MaskedLM
from course.pretraining.recipes import Recipe
from course.prompting.selection import Nearest
from course.prompting.sweeps import Cell
from course.reward.online import OnlineSettings
from course.reward.policy_gradient import PolicyLoss
from course.search.baselines import Exhaustive, RandomSearch
from course.search.best_arm import SuccessiveHalving, Uniform, UpperConfidence
from course.search.budget import BudgetedEvaluator
from course.search.dialogue_reward import Brevity, GuideScorer, Manner, Scorer
from course.search.fluency import Fluent
from course.search.gradient import AutoPrompt, Pez
from course.search.policy import PolicySettings
from course.search.reinforce import RLPrompt
from course.search.soft import SoftPromptSettings
from course.search.steering import LearnedPrefix, PolicyTraining
from course.search.triggers import OpeningWriter
from course.search.writers import AskedWriter, BlankFiller, TunedWriter
from course.search.writing import WrittenPrompts
from course.studies.advice import BlindCheck
from course.studies.claims import Claim, Demonstration, Varies
from course.studies.self_consistency import Setting
from course.studies.verdicts import MoreThan, NoWorse, Within
from course.tasks.task import Selection
from course.training.batches import BatchingPlan
from course.training.fit_settings import FitSettings
from course.world.conduct import Guide
from course.world.corpus import Corpus

MANNER = Manner(("why ?",), ("who ?",), Brevity())
SETTINGS = [
    FitSettings(patience=2),
    Recipe("tiny", "gpt", layers=1, width=16, heads=2, steps=6),
    BatchingPlan(True, True),
    Homework("week 4", "sentiment"),
    Effort(10, 60, 8, 3e-4),
    SpanHead(),
    Corpus(),
    Claim("1a", "it is so", MoreThan(1.0), "lee2023", (Varies.ITEMS,)),
    Demonstration("1a", "it is so", "lee2023", "it must"),
    Resampled([1, 2, 3], len),
    MoreThan(1.0),
    NoWorse(2.0),
    Within(2.0),
    GenerationConfig(),
    OnlineSettings(),
    BlindCheck(),
    RunSettings(),
    Served("gpt", "http://localhost"),
    PolicyLoss(),
    Selection({"train": 5}),
    Tuning(("topic",), rank=2),
    Cell("gpt-small", "topic", "gold", 1, 0),
    Nearest(),
    PolicySettings(),
    PolicyTraining(),
    LearnedPrefix(object(), allowed=(1, 2)),
    SoftPromptSettings(learning_rate=0.1),
    WrittenPrompts(AskedWriter(object())),
    Fluent(MANNER, 0.5),
    AskedWriter(object()),
    TunedWriter(object()),
    BlankFiller(object.__new__(MaskedLM)),
    OpeningWriter(object()),
    Scorer("polite"),
    GuideScorer(Guide("polite", True)),
    MANNER,
    RLPrompt(),
    Exhaustive(("a",)),
    RandomSearch(("a", "b")),
    AutoPrompt(),
    Pez(),
    Uniform(("a", "b")),
    UpperConfidence(("a", "b")),
    SuccessiveHalving(("a", "b")),
    Setting(("gpt-middle",), "problem", 3),
]
#: Values of another type, or empty ones, that a field takes by its meaning.
TAKEN = {"GenerationConfig.stop": ["words"], "Claim.because": [""], "Claim.reported": [""]}
#: Classes with numbers that a reader does not set: definitions of the world and of methods, and
#: what a parser or a look-up finds. They have tests of their own.
DEFINITIONS = {
    "Answer", "Exercise", "Generator", "Item", "Linked", "ListTask", "Method", "Numeral", "Source",
}  # fmt: skip
#: Of :mod:`course.compare`: its methods, and what a measurement counts and keeps.
MEASURED = {"Cell", "PromptState", "Seeds", "Work"}
FIELDS = [(settings, field.name) for settings in SETTINGS for field in dataclasses.fields(settings)]
NAMES = [f"{type(settings).__name__}.{name}" for settings, name in FIELDS]


def refused(settings, name: str, value) -> bool:
    try:
        dataclasses.replace(settings, **{name: value})
    except (TypeError, ValueError) as error:
        assert name in str(error), f"the error does not name {name}: {error}"
        return True
    return False


@pytest.mark.parametrize(("settings", "name"), FIELDS, ids=NAMES)
def test_a_value_of_another_type_is_refused(settings, name):
    value = getattr(settings, name)
    if isinstance(value, bool):
        others = (1, "yes", None)
    elif isinstance(value, int | float):
        others = (
            math.nan,
            math.inf,
            -math.inf,
            "3",
            True,
            [1],
            2j,
            *((1.5, np.float64(2)) if isinstance(value, int) else ()),
        )
    elif isinstance(value, str):
        others = (3, "", ["gold"])
    elif isinstance(value, tuple):
        others = (3, "words", (None,))
    else:
        return
    taken = TAKEN.get(f"{type(settings).__name__}.{name}", [])
    assert all(refused(settings, name, other) for other in others if other not in taken)


@pytest.mark.parametrize(("settings", "name"), FIELDS, ids=NAMES)
def test_numbers_of_numpy_are_taken_for_what_they_are(settings, name):
    value = getattr(settings, name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        wrapped = np.int64(value) if isinstance(value, int) else np.float64(value)
        assert type(getattr(dataclasses.replace(settings, **{name: wrapped}), name)) is type(value)


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        (FitSettings(), {"warmup_ratio": 5}),
        (FitSettings(), {"warmup_ratio": 1.1}),
        (FitSettings(), {"warmup_ratio": -1}),
        (FitSettings(), {"weight_decay": -0.1}),
        (FitSettings(), {"max_grad_norm": 0}),
        (FitSettings(), {"steps": -1}),
        (Corpus(), {"relabel": 1.01}),
        (PolicySettings(), {"kl": -1}),
        (UpperConfidence(("a",)), {"share": 0}),
        (SuccessiveHalving(("a",)), {"keep": 1}),
        (Pez(), {"decay": -1}),
        (SETTINGS[1], {"seed": -1}),
        (SETTINGS[1], {"muon_rate": 0}),
    ],
)
def test_a_value_out_of_range_is_refused(settings, change):
    ((name, value),) = change.items()
    assert refused(settings, name, value)


def test_a_budget_is_a_whole_number_of_calls():
    for budget in (0, -5, 2.5, True, math.nan, "9"):
        with pytest.raises((TypeError, ValueError), match="budget="):
            BudgetedEvaluator(None, None, budget)


def test_no_settings_class_is_forgotten():
    """A frozen dataclass of the package with a number or a switch that has a default is what
    somebody may set.
    """
    known = {type(settings) for settings in SETTINGS}
    forgotten = set()
    for module in pkgutil.walk_packages(course.__path__, "course."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if not (
                isinstance(kind, type)
                and dataclasses.is_dataclass(kind)
                and kind.__module__.startswith("course.")
            ):
                continue
            adjustable = any(
                isinstance(field.default, int | float) for field in dataclasses.fields(kind)
            )
            exempt = kind in known or name in DEFINITIONS or name.startswith("_")
            exempt |= issubclass(kind, ComparedMethod) or name in MEASURED
            if kind.__dataclass_params__.frozen and adjustable and not exempt:
                forgotten.add(f"{kind.__module__}.{kind.__qualname__}")
    assert not forgotten
