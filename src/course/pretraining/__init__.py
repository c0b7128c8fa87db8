"""Pretrain the small GPT and BERT models: recipes, training loop, tokenizer, release of the
weights.
"""

from course.foundation.lazy import lazy_names

_NAMES = {"recipes": ["RECIPES", "Recipe"], "tokenizer": ["build_tokenizer"]}
__all__ = ["RECIPES", "Recipe", "build_tokenizer"]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
