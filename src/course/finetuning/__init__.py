"""Fine-tuning for tasks: instruction tuning, specialists against a generalist, catastrophic
forgetting.
"""

from course.foundation.lazy import lazy_names

_NAMES = {"instruction_tuning": ["Control", "Tuning", "tune"], "specialists": ["specialise"]}
__all__ = ["Control", "Tuning", "specialise", "tune"]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
