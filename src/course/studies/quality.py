"""The study of the pretrained models themselves: what the model card states."""

from course import quality
from course.in_context import SHOTS
from course.lm import load
from course.recipes import RECIPES
from course.records import Study
from course.world.lists import list_tasks
from course.world.profiles import PROFILED
from course.world.split import TEST, TRAIN


def model_quality(seed: int) -> dict:
    """The quality gate of every pretrained model."""
    found = {}
    for name in sorted(RECIPES):
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


STUDIES = (Study("quality", 2, tuple(sorted(RECIPES)), (0, 1, 2), model_quality),)
