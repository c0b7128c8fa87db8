"""A real LLM that is tuned on film snippets, by LoRA or another adapter."""

import copy

import torch

from course.adapters import tuning
from course.adapters.methods import adapt
from course.adapters.prefix import start_prefix_from
from course.lm.language_model import LanguageModel
from course.models.devices import DTYPES
from course.models.hub import tier
from course.models.text import text_ids
from course.studies.on_real_models.questions import PRECISION, with_instruction
from course.tasks.registry import load_task
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.world.split import TRAIN


def tuned_on_snippets(
    base: LanguageModel, method: str, labels: int, steps: int, seed: int
) -> LanguageModel:
    """A copy of the model with an adapter that was tuned on so many film snippets, each behind an
    instruction.

    Args:
        method: a key of :data:`course.adapters.METHODS`. A prefix begins as the instruction's keys
            and values.
        steps: of 16 snippets.
    """
    task = load_task("sentiment", seed=seed)
    model = adapt(copy.deepcopy(base.model).float(), method)
    if method == "prefix":
        start = text_ids(base.tokenizer, [task.instructions[0]])[0]
        start_prefix_from(model, torch.tensor(start))
    asked = with_instruction(task, 0, labels, seed, split=TRAIN)
    data = completions(base.tokenizer, [question.pair for question in asked])
    settings = FitSettings(
        steps=steps,
        batch_size=16,
        learning_rate=tuning.RATES[tier()][method],
        seed=seed,
        precision=PRECISION,
    )
    fit(model, data, settings)
    return LanguageModel(model.to(DTYPES[PRECISION]), base.tokenizer, base.batch_tokens)
