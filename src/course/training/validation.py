"""Validation: the mean loss on held-out data, or a function of the model."""

from collections.abc import Callable

import torch
from transformers import PreTrainedModel

from course.training.batches import Data, batching_plan
from course.training.fit_settings import FitSettings
from course.training.precision import autocast, best_precision

#: What tells how good a model is: held-out data, whose mean loss should fall, or a function whose
#: value (accuracy, F1) should rise.
Validation = Data | Callable[[PreTrainedModel], float]


def mean_loss(model: PreTrainedModel, data: Data, settings: FitSettings | None = None) -> float:
    """The mean loss of a model on data, in nats a predicted token (or a label); the model is put in
    evaluation mode.
    """
    settings = settings or FitSettings()
    precision = settings.precision or best_precision(model)
    plan, device, total = batching_plan(model, settings.max_tokens_per_batch), model.device, 0.0
    model.eval()
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, len(data.tokens), 256):
            chosen = range(start, min(start + 256, len(data.tokens)))
            for batch in data.micro_batches(chosen, plan):
                total += data.summed_loss(model, batch.to(device), plan).item()
    return total / sum(data.num_targets)
