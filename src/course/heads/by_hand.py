"""The heads of BERT, each written out in a few lines that give the logits of ``transformers``' own
classes.

``inputs`` are what the tokenizer gives: ``input_ids``, ``attention_mask`` and, for the original
BERT, ``token_type_ids``, each (B, T). The body turns them into one vector of width H at every
position, and a head is what is done with those vectors. ModernBERT (Warner et al. 2024) has a small
layer of its own in between, which pretraining put before the words' scores; the original BERT has
one for whole texts only, the pooler: :func:`prepared`.
"""

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear
from transformers import (
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    ModernBertForQuestionAnswering,
    ModernBertForSequenceClassification,
    ModernBertForTokenClassification,
    PreTrainedModel,
)


def prepared(model: PreTrainedModel, vectors: Tensor) -> Tensor:
    if pooler := getattr(model.base_model, "pooler", None):  # the original BERT, for whole texts
        return torch.tanh(linear(vectors, pooler.dense.weight, pooler.dense.bias))
    if not hasattr(model, "head"):  # the original BERT, for words: nothing in between
        return vectors
    dense, norm = model.head.dense, model.head.norm
    inner = gelu(linear(vectors, dense.weight, dense.bias))
    return layer_norm(inner, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def sequence_logits(
    model: ModernBertForSequenceClassification | BertForSequenceClassification,
    inputs: dict[str, Tensor],
) -> Tensor:
    vectors = model.base_model(**inputs).last_hidden_state  # (B, T, H)
    first, head = prepared(model, vectors[:, 0]), model.classifier  # (B, H), from [CLS]
    return linear(first, head.weight, head.bias)  # (B, labels)


def token_logits(
    model: ModernBertForTokenClassification | BertForTokenClassification, inputs: dict[str, Tensor]
) -> Tensor:
    vectors = prepared(model, model.base_model(**inputs).last_hidden_state)  # (B, T, H)
    return linear(vectors, model.classifier.weight, model.classifier.bias)  # (B, T, tags)


def span_logits(
    model: ModernBertForQuestionAnswering | BertForQuestionAnswering, inputs: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    vectors = prepared(model, model.base_model(**inputs).last_hidden_state)  # (B, T, H)
    head = getattr(model, "qa_outputs", None) or model.classifier  # BERT's, ModernBERT's
    two = linear(vectors, head.weight, head.bias)  # (B, T, 2)
    return two[..., 0], two[..., 1]  # start and end, (B, T) each
