"""The figures of the book: one message each, labelled directly, in colours that mean the same everywhere."""

from course.plots.expectations import by_clue, same_text_two_models, top_words
from course.plots.in_context import accuracy_by_shots, shots_and_ceiling
from course.plots.instruct import held_out_clusters, instruction_controls, instruction_curves
from course.plots.specialists import cost_of_a_new_task, heat_map
from course.plots.style import CEILING, OPENED, PROMPTED, use_style
from course.plots.training import learning_curve, training_curves

__all__ = [
    "CEILING", "OPENED", "PROMPTED", "accuracy_by_shots", "by_clue", "cost_of_a_new_task",
    "heat_map", "held_out_clusters", "instruction_controls", "instruction_curves", "learning_curve",
    "same_text_two_models", "shots_and_ceiling", "top_words", "training_curves", "use_style",
]  # fmt: skip
