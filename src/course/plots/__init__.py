"""The figures of the book: one message each, labelled directly, in colours that mean the same
everywhere.
"""

from course.plots.adapters import (
    forgetting,
    hundred_tasks,
    pareto,
    prefix_starts,
    where_it_acts,
)
from course.plots.choosing import methods_by_labels
from course.plots.colours import CEILING, OPENED, PROMPTED
from course.plots.comparison import label_curves, score_by_cost
from course.plots.decision import Branch, decision
from course.plots.demonstrations import (
    by_condition,
    head_scores,
    orders_and_calibration,
    points_lost,
    right_and_flipped,
    where_it_looks,
)
from course.plots.expectations import by_clue, same_text_two_models, top_words
from course.plots.hard_prompts import best_of_many, elsewhere, found_by_calls, guessed_and_true
from course.plots.heads import by_number_of_labels, errors, four_heads
from course.plots.in_context import accuracy_by_shots, shots_and_ceiling
from course.plots.instruct import held_out_clusters, instruction_controls, instruction_curves
from course.plots.real import curves_side_by_side, two_ways_by_task, ways_side_by_side
from course.plots.reasoning import accuracy_by_steps, by_samples, cost_front
from course.plots.reward import (
    gold_by_distance,
    gold_by_divergence,
    overoptimisation,
    proxy_and_judges,
    requests,
)
from course.plots.soft_prompts import accuracy_along, same_labels
from course.plots.specialists import cost_of_a_new_task, heat_map
from course.plots.steering import gamed_reward, steering_searches
from course.plots.style import use_style
from course.plots.training import learning_curve, training_curves
from course.plots.world import map_of_countries, map_of_places
from course.plots.written_prompts import found_by_task, race, regret_by_calls

__all__ = [
    "CEILING",
    "OPENED",
    "PROMPTED",
    "Branch",
    "accuracy_along",
    "accuracy_by_shots",
    "accuracy_by_steps",
    "best_of_many",
    "by_clue",
    "by_condition",
    "by_number_of_labels",
    "by_samples",
    "cost_front",
    "cost_of_a_new_task",
    "curves_side_by_side",
    "decision",
    "elsewhere",
    "errors",
    "forgetting",
    "found_by_calls",
    "found_by_task",
    "four_heads",
    "gamed_reward",
    "gold_by_distance",
    "gold_by_divergence",
    "guessed_and_true",
    "head_scores",
    "heat_map",
    "held_out_clusters",
    "hundred_tasks",
    "instruction_controls",
    "instruction_curves",
    "label_curves",
    "learning_curve",
    "map_of_countries",
    "map_of_places",
    "methods_by_labels",
    "orders_and_calibration",
    "overoptimisation",
    "pareto",
    "points_lost",
    "prefix_starts",
    "proxy_and_judges",
    "race",
    "regret_by_calls",
    "requests",
    "right_and_flipped",
    "same_labels",
    "same_text_two_models",
    "score_by_cost",
    "shots_and_ceiling",
    "steering_searches",
    "top_words",
    "training_curves",
    "two_ways_by_task",
    "use_style",
    "ways_side_by_side",
    "where_it_acts",
    "where_it_looks",
]
