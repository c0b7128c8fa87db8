"""Learning-rate schedule: that of ``transformers`` to the bit, but for its first step of zero."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import get_linear_schedule_with_warmup

from course.training.schedule import rate_at


@given(st.integers(1, 3000), st.floats(0, 1), st.data())
def test_the_rate_is_that_of_transformers_to_the_bit(steps, warmup_ratio, data):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    warm = max(1, round(warmup_ratio * steps))
    (theirs,) = get_linear_schedule_with_warmup(optimizer, warm, steps + 1).lr_lambdas
    step = data.draw(st.integers(0, steps - 1))
    assert rate_at(step, steps, warmup_ratio) == theirs(step + 1)


def test_the_rate_rises_then_falls_to_almost_zero():
    rates = [rate_at(step, 100) for step in range(100)]
    assert max(rates) == 1.0 and rates[0] == 0.5 and 0 < rates[-1] < 0.02
    assert rates[5:] == sorted(rates[5:], reverse=True)
