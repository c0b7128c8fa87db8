"""The heads of BERT, each written out in a few lines that give the logits of ``transformers``' own
classes.

``inputs`` are what the tokenizer gives: ``input_ids`` and ``attention_mask``, each (B, T). The body
turns them into one vector of width H at every position, and a head is what is done with those
vectors. ModernBERT (Warner et al. 2024) has a small layer of its own in between, which pretraining
put before the words' scores: :func:`prepared`.
"""

from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear
from transformers import (
    ModernBertForQuestionAnswering,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
    PreTrainedModel,
)


def prepared(model: PreTrainedModel, vectors: Tensor) -> Tensor:
    dense, norm = model.head.dense, model.head.norm
    inner = gelu(linear(vectors, dense.weight, dense.bias))
    return layer_norm(inner, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def sequence_logits(
    model: ModernBertForSequenceClassification, inputs: dict[str, Tensor]
) -> Tensor:
    vectors = model.model(**inputs).last_hidden_state  # (B, T, H)
    first, head = prepared(model, vectors[:, 0]), model.classifier  # (B, H), from [CLS]
    return linear(first, head.weight, head.bias)  # (B, labels)


def token_logits(model: ModernBertForTokenClassification, inputs: dict[str, Tensor]) -> Tensor:
    vectors = prepared(model, model.model(**inputs).last_hidden_state)  # (B, T, H)
    return linear(vectors, model.classifier.weight, model.classifier.bias)  # (B, T, tags)


def span_logits(
    model: ModernBertForQuestionAnswering, inputs: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    vectors = prepared(model, model.model(**inputs).last_hidden_state)  # (B, T, H)
    two = linear(vectors, model.classifier.weight, model.classifier.bias)  # (B, T, 2)
    return two[..., 0], two[..., 1]  # start and end, (B, T) each
