"""Fill in the blank and complete the text: masked and causal language models on facts,
translations, sums, and English.
"""

from course.foundation.lazy import lazy_names

_NAMES = {"expectations": ["Blank", "fill", "fill_all"]}
__all__ = ["Blank", "fill", "fill_all"]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
