"""Reward models from comparisons some of which are labelled the wrong way round: how often they are
right, and how sure they are (chapter 7).

Seeds x seconds of a busy core: 5 x 180.
"""

import numpy as np
import pandas as pd

from course.lm.language_model import load
from course.reward.guides import rated_replies
from course.reward.preferences import draw_comparisons
from course.reward.reward_model import share_right
from course.search.dialogue_reward import dialogue, visitor_questions
from course.studies.records import Row, Study
from course.studies.reward import BODY, COMPARED, HELD_OUT, ON_POLICY, TESTED, reward_model_of
from course.studies.tables import rows_of

#: Comparisons of a reward model, which is trained as those of :mod:`course.studies.reward` are.
COMPARISONS = (50, 200, 1000)
#: Share of comparisons whose label is wrong.
ERROR_RATES = (0.0, 0.1, 0.25)
#: What is measured on held-out comparisons without errors, in percent: how often a reward model is
#: right, how probable it finds what it prefers, and how much more probable than it is often right.
RIGHT, SURE, TOO_SURE = "right", "sure", "too sure"


def label_noise(seed: int) -> list[Row]:
    """Reward models by number of comparisons and share of wrong labels.

    Returns:
        Columns comparisons, wrong (the share), measure (:data:`RIGHT`, :data:`SURE`) and value, in
        percent.
    """
    model = load(BODY)
    train, test = visitor_questions(seed, COMPARED, TESTED)
    rated = rated_replies(model, [dialogue(question) for question in train], ON_POLICY, seed)
    fresh = rated_replies(model, [dialogue(question) for question in test], ON_POLICY, seed + 1)
    held_out = draw_comparisons(fresh, HELD_OUT, seed=seed)
    rows: list[Row] = []
    for count in COMPARISONS:
        for wrong in ERROR_RATES:
            learned = reward_model_of(draw_comparisons(rated, count, wrong, seed), seed)
            probable = learned.probability(held_out)
            measures = {
                RIGHT: 100 * share_right(probable),
                SURE: float(100 * np.maximum(probable, 1 - probable).mean()),
            }
            rows += rows_of(measures, comparisons=count, wrong=wrong)
    return rows


def by_noise(table: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds in percent: a row for each number of comparisons and share of wrong labels;
    columns :data:`RIGHT`, :data:`SURE` and :data:`TOO_SURE`, their difference.
    """
    rows = table.assign(**{"wrong labels (%)": (100 * table["wrong"]).round().astype(int)})
    wide = rows.pivot_table("value", ["comparisons", "wrong labels (%)"], "measure")
    wide = wide[[RIGHT, SURE]].rename_axis(None, axis=1)
    return wide.assign(**{TOO_SURE: wide[SURE] - wide[RIGHT]})


STUDY = Study("label-noise", 1, (BODY,), (0, 1, 2, 3, 4), label_noise)
STUDIES = (STUDY,)
