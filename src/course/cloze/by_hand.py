"""The next word and the word in a blank in a few lines each: a probability for every word of the
vocabulary, straight from a model of ``transformers``.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@torch.inference_mode()
def next_word(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> Tensor:
    ids = tokenizer(text, return_tensors="pt").input_ids.to(model.device)  # (1, T)
    return model(ids).logits[0, -1].float().softmax(-1)  # (V,), at the last token


@torch.inference_mode()
def word_in_blank(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> Tensor:
    ids = tokenizer(text, return_tensors="pt").input_ids.to(model.device)  # (1, T)
    blank = ids[0].tolist().index(tokenizer.mask_token_id)
    return model(ids).logits[0, blank].float().softmax(-1)  # (V,), at the mask
