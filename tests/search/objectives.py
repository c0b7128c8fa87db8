"""An objective whose best prompt is known, for tests of the searches."""

from dataclasses import dataclass

import numpy as np

from course.search import Objective


@dataclass(frozen=True)
class Planted(Objective):
    """The more of a prompt's words are the wanted one, the better it is; no model is asked."""

    wanted: str = "b"
    size = 5

    def values(self, model, pairs):
        return np.array([prompt.split().count(self.wanted) + 0.01 * item for prompt, item in pairs])

    def held_out(self, model, prompt):
        return 100.0 * prompt.split().count(self.wanted) / len(prompt.split())
