"""RLPrompt: the reward and its normalisation by hand, and what a policy learns from planted
prompts.
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pytest

from course.search import Objective, PolicySettings, RLPrompt, search
from course.search.reinforce import comparable, piecewise


@dataclass(frozen=True)
class Letter(Objective):
    """A prompt is the better the more of its words begin with a letter. One item rewards at random,
    ``loud`` times as much.
    """

    letter: str = "s"
    loud: float = 0.0
    size = 4

    def values(self, model, pairs):
        return np.array(
            [
                self.loud * self._noise(prompt) if item == 0 else self._share(prompt)
                for prompt, item in pairs
            ]
        )

    def held_out(self, model, prompt):
        return 100 * self._share(prompt)

    def _share(self, prompt):
        return float(np.mean([word.startswith(self.letter) for word in prompt.split()]))

    def _noise(self, prompt):
        return crc32(prompt.encode()) / 2**31 - 1


def test_the_reward_is_steeper_where_the_answer_is_right():
    assert piecewise(np.array([0.5, 0.0, -0.5])).tolist() == [100.0, 0.0, -90.0]


def test_rewards_become_comparable():
    rewards = np.array(
        [[1.0, 100.0, 7.0], [2.0, -100.0, 7.0], [3.0, 0.0, 7.0]]
    )  # three prompts on three items
    by_item = comparable(rewards, "item")
    up = np.sqrt(1.5)
    assert by_item == pytest.approx([(-up + up) / 3, (0 - up) / 3, (up + 0) / 3])
    means = rewards.mean(1)
    assert comparable(rewards, "none") == pytest.approx(means)
    assert comparable(rewards, "prompt") == pytest.approx((means - means.mean()) / means.std())
    assert (comparable(np.ones((3, 2)), "item") == 0).all()


def test_the_policy_learns_to_write_what_is_rewarded(model):
    learned = search(RLPrompt(), Letter(), model, 20_000)
    assert learned.held_out == 100 and learned.steps[0].held_out < 60
    assert learned == search(RLPrompt(), Letter(), model, 20_000)
    with pytest.raises(ValueError, match="too little"):
        search(RLPrompt(), Letter(), model, 10)


def test_one_loud_item_drowns_the_others_unless_items_are_normalised(model):
    def shares(normalisation):
        method = RLPrompt(
            normalisation=normalisation, settings=PolicySettings(start="even", learning_rate=1e-2)
        )
        return [search(method, Letter(loud=30.0), model, 12_000, seed).held_out for seed in (0, 2)]

    assert np.mean(shares("item")) > np.mean(shares("prompt")) + 20


@pytest.mark.parametrize(
    ("settings", "match"),
    [({"samples": 1}, "samples=1"), ({"normalisation": "max"}, "normalisation='max'")],
)
def test_impossible_settings_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        RLPrompt(**settings)
