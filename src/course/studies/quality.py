"""The study of the shipped models themselves: what the model card states."""

from course import quality
from course.in_context import SHOTS
from course.lm import load
from course.models import shipped_models
from course.records import Study
from course.world.lists import list_tasks
from course.world.profiles import PROFILED
from course.world.split import TEST, TRAIN


def model_quality(seed: int) -> dict:
    """The quality gate of every shipped model."""
    found = {}
    for name in shipped_models():
        model = load(name)
        found[name] = {"unseen_loss": quality.unseen_loss(model, seed)}
        if model.masked:
            found[name]["masked_accuracy"] = quality.masked_accuracy(model, seed)
            continue
        found[name] |= {
            "facts": quality.facts(model),
            "sums": {split: quality.arithmetic(model, split) for split in (TRAIN, TEST)},
        }
        if name in ("gpt-small", "gpt-middle", "gpt-large"):
            found[name]["lists"] = quality.list_losses(model, seed)
            found[name]["in_context"] = quality.in_context(model, PROFILED, SHOTS, 150, seed, titled=True)
        if name == "gpt-large":
            others = tuple(task for task in list_tasks() if task not in PROFILED)
            found[name]["in_context"] |= quality.in_context(model, others, SHOTS, 40, seed)
    return found


STUDIES = (Study("quality", 2, shipped_models(), (0, 1, 2), model_quality),)
