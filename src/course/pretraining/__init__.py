"""Pretrain the small GPT and BERT models: recipes, training loop, tokenizer, release of the
weights.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {"recipes": ["RECIPES", "Recipe"], "tokenizer": ["build_tokenizer"]},
)
