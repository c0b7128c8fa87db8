"""Train and fine-tune models: ``fit``, batches, packing, learning-rate schedule, checkpoints,
progress.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "fitting": ["FitSettings", "History", "TrainingDiverged", "fit", "mean_loss"],
    "batches": ["completions", "encoded"],
}
__all__ = [
    "FitSettings",
    "History",
    "TrainingDiverged",
    "completions",
    "encoded",
    "fit",
    "mean_loss",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
