"""The models that the benchmarks time: the shipped ones, and one of GPT-2's shape whose weights are
random and only take time.
"""

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from course.lm.language_model import LanguageModel, load

GPT2_SHAPE = "gpt2-shape"


def subject(name: str) -> LanguageModel:
    """A shipped model, or for ``"gpt2-shape"`` 124 million random parameters in the layers of GPT-2
    with the shipped tokenizer.
    """
    if name != GPT2_SHAPE:
        return load(name)
    torch.manual_seed(0)
    tokenizer = load("gpt-small").tokenizer
    return LanguageModel(
        GPT2LMHeadModel(GPT2Config(bos_token_id=None, eos_token_id=None)).eval(), tokenizer
    )
