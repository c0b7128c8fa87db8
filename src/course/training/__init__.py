"""Train and fine-tune models: ``fit``, batches, packing, learning-rate schedule, checkpoints,
progress.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "fitting": ["FitSettings", "History", "TrainingDiverged", "fit", "mean_loss"],
        "batches": ["completions", "encoded"],
    },
)
