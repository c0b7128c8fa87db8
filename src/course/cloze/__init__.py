"""Fill in the blank and complete the text: masked and causal language models on facts,
translations, sums, and English.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "expectations": ["Blank", "fill", "fill_all"],
        "texts": ["ClozeData", "chapter_data"],
    },
)
