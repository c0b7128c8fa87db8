"""The heads of BERT, each written out in a few lines that give the logits of ``transformers``' own
classes.

``inputs`` are what the tokenizer gives: ``input_ids``, ``attention_mask`` and ``token_type_ids``,
each (B, T). The body turns them into one vector of width H at every position, and a head is what is
done with those vectors.
"""

import torch
from torch import Tensor
from torch.nn.functional import linear
from transformers import (
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
)


def sequence_logits(model: BertForSequenceClassification, inputs: dict[str, Tensor]) -> Tensor:
    vectors = model.bert(**inputs).last_hidden_state  # (B, T, H)
    pooler, head = model.bert.pooler.dense, model.classifier
    pooled = torch.tanh(linear(vectors[:, 0], pooler.weight, pooler.bias))  # (B, H), from [CLS]
    return linear(pooled, head.weight, head.bias)  # (B, labels)


def token_logits(model: BertForTokenClassification, inputs: dict[str, Tensor]) -> Tensor:
    vectors = model.bert(**inputs).last_hidden_state  # (B, T, H)
    return linear(vectors, model.classifier.weight, model.classifier.bias)  # (B, T, tags)


def span_logits(
    model: BertForQuestionAnswering, inputs: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    vectors = model.bert(**inputs).last_hidden_state  # (B, T, H)
    two = linear(vectors, model.qa_outputs.weight, model.qa_outputs.bias)  # (B, T, 2)
    return two[..., 0], two[..., 1]  # start and end, (B, T) each
