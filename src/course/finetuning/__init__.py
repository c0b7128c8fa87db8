"""Fine-tuning for tasks: instruction tuning, specialists against a generalist, catastrophic
forgetting.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "instruction_tuning": ["Control", "Tuning", "tune"],
    "specialists": ["specialise"],
    "by_hand": ["answer_loss"],
    "chapter": ["ChapterData", "chapter_data"],
}
__all__ = [
    "ChapterData",
    "Control",
    "Tuning",
    "answer_loss",
    "chapter_data",
    "specialise",
    "tune",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
