"""Learning-rate schedule: linear warm-up, then linear decay to zero.

The same, to the bit, as ``get_linear_schedule_with_warmup`` of ``transformers`` from its second
step on, over one step more; so no step has a rate of zero. It is a function of the step alone, so a
run that goes on from a checkpoint needs no state of a scheduler.
"""

#: Share of the steps over which the learning rate rises; then it falls to zero in a straight line.
WARMUP_RATIO = 0.02


def rate_at(step: int, steps: int, warmup_ratio: float = WARMUP_RATIO) -> float:
    """The learning rate of a step as a share of its peak: a rise over ``warmup_ratio`` of the
    steps, then a straight fall to zero.
    """
    warm = max(1, round(warmup_ratio * steps))
    return min((step + 1) / warm, (steps - step) / (steps - warm + 1))
