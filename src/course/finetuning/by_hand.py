"""The loss of fine-tuning on answers by hand: what :func:`course.training.completions` and
:func:`course.training.fit` compute for many examples at once.
"""

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

#: The label of a token that does not count, as everywhere in ``transformers``.
IGNORED = -100


def answer_loss(model: PreTrainedModel, prompt: list[int], answer: list[int]) -> torch.Tensor:
    """Mean loss (nats a token) of an answer after its prompt, both as token ids."""
    ids = torch.tensor([prompt + answer], device=model.device)  # (1, T)
    labels = torch.tensor([IGNORED] * len(prompt) + answer, device=model.device)  # the mask
    logits = model(ids).logits[0]  # (T, vocabulary)
    # position t predicts token t + 1
    return cross_entropy(logits[:-1], labels[1:], ignore_index=IGNORED)
