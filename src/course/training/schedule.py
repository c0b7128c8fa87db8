"""The learning-rate schedule: a linear warm-up, then a linear decay to zero."""

#: Share of the steps over which the learning rate rises; then it falls to zero in a straight line.
WARMUP_RATIO = 0.02


def rate_at(step: int, steps: int, warmup_ratio: float = WARMUP_RATIO) -> float:
    """The learning rate of a step as a share of its peak: a rise over ``warmup_ratio`` of the
    steps, then a straight fall to zero.
    """
    warm = max(1, round(warmup_ratio * steps))
    return min((step + 1) / warm, (steps - step) / (steps - warm + 1))
