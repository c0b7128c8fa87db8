"""Learning-rate schedule: linear warm-up, linear decay to zero, and a warm restart.

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


def rate_with_restart(step: int, steps: int, restart: int | None) -> float:
    """As :func:`rate_at`, but at step ``restart`` the rate rises once more, to half of its peak
    (warm restart, Loshchilov and Hutter 2017).
    """
    if restart is None:
        return rate_at(step, steps)
    if step < restart:
        return rate_at(step, restart)
    return 0.5 * rate_at(step - restart, steps - restart)
