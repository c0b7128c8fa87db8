"""Fine-tuning for tasks: instruction tuning, specialists against a generalist, catastrophic
forgetting.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "instruction_tuning": ["Control", "Tuning", "tune"],
        "specialists": ["specialise"],
        "by_hand": ["answer_loss"],
        "chapter": ["ChapterData", "chapter_data"],
    },
)
