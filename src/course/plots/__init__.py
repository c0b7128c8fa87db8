"""The figures of the book: one message each, labelled directly, in colours that mean the same everywhere."""

from course.plots.demonstrations import by_condition, head_scores, orders_and_calibration, right_and_flipped, where_it_looks
from course.plots.expectations import by_clue, same_text_two_models, top_words
from course.plots.in_context import accuracy_by_shots, shots_and_ceiling
from course.plots.reasoning import accuracy_by_steps, by_samples, cost_front
from course.plots.specialists import cost_of_a_new_task, heat_map
from course.plots.style import CEILING, OPENED, PROMPTED, use_style
from course.plots.training import learning_curve, training_curves

__all__ = [
    "CEILING", "OPENED", "PROMPTED", "accuracy_by_shots", "accuracy_by_steps", "by_clue", "by_condition", "by_samples", "cost_front",
    "cost_of_a_new_task", "head_scores", "heat_map", "learning_curve", "orders_and_calibration", "right_and_flipped",
    "same_text_two_models", "shots_and_ceiling", "top_words", "training_curves", "use_style", "where_it_looks",
]  # fmt: skip
