"""Train and fine-tune models: ``fit``, batches, packing, learning-rate schedule, checkpoints,
progress.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "fitting": ["fit"],
        "fit_settings": ["FitSettings"],
        "history": ["History"],
        "training_run": ["TrainingDiverged"],
        "validation": ["mean_loss"],
        "completion_data": ["completions"],
        "encoded_data": ["encoded"],
    },
)
