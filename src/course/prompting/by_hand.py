"""The score of a label by hand: what :meth:`course.lm.LanguageModel.score_labels` computes for many
at once.
"""

import torch

from course.lm.language_model import LanguageModel


def score_by_hand(model: LanguageModel, prompt: str, label: str) -> float:
    """log p(label | prompt) in nats: the log-probabilities of the label's tokens, added up."""
    ((before, after),) = model.encoder.pairs([prompt], [label])  # token ids
    ids = torch.tensor([before + after], device=model.model.device)  # (1, T)
    with torch.inference_mode():
        log_p = model.model(ids).logits[0].float().log_softmax(-1)  # (T, vocabulary)
    rows = log_p[len(before) - 1 : -1]  # each position predicts the token after it
    return sum(row[token].item() for row, token in zip(rows, after, strict=True))
