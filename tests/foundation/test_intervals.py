"""Intervals against scipy, hand-made cases and simulated coverage; p-values agree with them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from course.foundation.holm import holm
from course.foundation.intervals import (
    Crossed,
    Independent,
    Nested,
    RatioOfMeans,
    Share,
    interval,
)
from course.foundation.resampling import Resampled

VALUES = [3.0, 5.0, 4.0, 6.0]
#: Designs with what they take the log of where ``ratio`` is set.
SAMPLES = [
    Independent([1.5, 2.0, 1.1, 1.9, 2.4]),
    Nested([[1.1, 1.4], [2.0, 1.9, 2.2], [1.5, 1.2]]),
    Crossed(np.array([[1.0, 1.2, 1.1], [1.6, 1.9, 1.4], [1.3, 1.2, 1.5]])),
    RatioOfMeans([4.0, 5.0, 4.5], [2.0, 2.2, 2.1]),
    Resampled([[1.1, 1.4], [2.0, 1.9], [1.5, 1.2]], lambda groups: float(np.mean(groups))),
]


def ends(found) -> tuple[float, float, float]:
    return found.low, found.mean, found.high


def test_the_interval_is_that_of_students_t():
    found = interval(VALUES)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(VALUES), scale=stats.sem(VALUES))
    assert ends(found) == pytest.approx((low, 4.5, high)) and found.count == 4
    assert str(found) == f"+4.5 [{low:+.1f}, {high:+.1f}]"


@pytest.mark.parametrize("threshold", [2.0, 4.5, 4.6, 9.0])
def test_the_p_value_is_that_of_the_t_test(threshold):
    expected = stats.ttest_1samp(VALUES, threshold).pvalue
    assert interval(VALUES).p_value(threshold) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (Independent([1.0]), "1 seeds: an interval needs at least 2"),
        (Nested([[1.0, 2.0, 3.0]]), "1 bodies: an interval needs at least 2"),
        (Crossed(np.ones((3, 1))), r"shape \(3, 1\): expected \(bodies, seeds\), at least 2"),
        (Crossed(np.ones(5)), r"shape \(5,\): expected \(bodies, seeds\)"),
        (Resampled([1], len), "1 groups: an interval needs at least 2"),
        (Resampled([1, 2, 3], lambda _: math.nan), "the statistic is nan for the groups"),
        (Independent([1.0, math.nan, 2.0]), r"values \[1.0, nan, 2.0\]: expected finite numbers"),
        (RatioOfMeans([1.0] * 3, [1.0] * 3), "set ratio=True"),
        (Share(4, 3), r"Share\(right=4, asked=3\).*: expected a share"),
    ],
)
def test_what_no_interval_can_be_made_of_is_refused(sample, message):
    with pytest.raises(ValueError, match=message):
        sample.interval(ratio=False)


@pytest.mark.parametrize("values", [[0.0, 1.0, 2.0], [-1.0, 1.0, 2.0]])
def test_a_ratio_is_above_zero(values):
    with pytest.raises(ValueError, match="expected finite ratios above 0"):
        Independent(values).interval(ratio=True)
    with pytest.raises(ValueError, match="with means above 0"):
        RatioOfMeans([1.0] * 3, [-1.0, 0.0, 0.5]).interval(ratio=True)


def test_ratios_are_measured_on_the_log_scale():
    ratios = [2.0, 8.0, 4.0]
    found, logs = Independent(ratios).interval(ratio=True), interval(np.log(ratios))
    assert ends(found) == pytest.approx(tuple(np.exp(ends(logs))))
    assert found.mean == pytest.approx(4.0)
    upside_down = Independent([1 / r for r in ratios]).interval(ratio=True)
    assert upside_down.low == pytest.approx(1 / found.high)
    assert found.p_value(3.0) == pytest.approx(logs.p_value(math.log(3.0)))


def test_the_delta_method_is_right_where_it_is_exact():
    """All units have one ratio: no error. One denominator: the relative error of the mean."""
    assert ends(RatioOfMeans([2.0, 4.0, 8.0], [1.0, 2.0, 4.0]).interval()) == pytest.approx(
        (2, 2, 2)
    )
    above = np.array([4.0, 5.0, 4.5, 5.5])
    half = stats.t.ppf(0.975, 3) * stats.sem(above) / above.mean()
    found = RatioOfMeans(above, [2.0] * 4).interval()
    assert ends(found) == pytest.approx(tuple(above.mean() / 2 * np.exp([-half, 0, half])))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("ratio", [False, True])
def test_a_p_value_is_below_005_just_where_the_interval_excludes(sample, ratio):
    if isinstance(sample, RatioOfMeans) and not ratio:
        return
    found = sample.interval(ratio)
    assert found.low < found.mean < found.high
    assert [found.p_value(end) for end in (found.low, found.high)] == pytest.approx([0.05] * 2)
    assert found.p_value(found.low * 0.99) < 0.05 < found.p_value(found.low * 1.01)
    assert found.p_value(found.mean) == pytest.approx(1)
    assert any(word in sample.units() for word in ("seeds", "bodies", "groups"))


def test_equal_values_leave_no_doubt_but_at_the_threshold():
    found = interval([3.0] * 4)
    assert ends(found) == (3, 3, 3)
    assert [found.p_value(t) for t in (2.0, 3.0, 4.0)] == [0, 1, 0]


def test_bounds_are_kept_and_cost_no_coverage():
    found = interval([99.0, 60.0, 100.0], (0, 100))
    free = interval([99.0, 60.0, 100.0])
    assert found.high == 100 and free.high > 100 and found.low == free.low
    assert found.p_value(90.0) == free.p_value(90.0)


def test_a_share_has_the_exact_interval_of_a_binomial():
    found = Share(9, 10).interval()
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 9, 2))
    assert found.high == pytest.approx(stats.beta.ppf(0.975, 10, 1)) and found.count == 10
    assert found.p_value(found.low) == pytest.approx(0.05)
    assert Share(10, 10).interval().high == 1 and Share(0, 10).interval().low == 0


def test_nested_values_are_the_means_of_their_groups():
    groups = [[1.0, 3.0], [5.0, 5.0, 5.0], [8.0]]
    assert ends(Nested(groups).interval()) == ends(interval([2.0, 5.0, 8.0]))
    assert Nested(groups).units() == "3 bodies with 1 to 3 seeds each"


def test_nested_agrees_with_a_mixed_model():
    """``MixedLM`` of statsmodels 0.14.5 (REML, random intercept) on this table: intercept and its
    standard error, which for groups of one size are also those of the analysis of variance.
    """
    table = np.array([[4.1, 5.0, 3.8, 4.6], [6.2, 7.1, 6.6, 5.9], [5.0, 5.5, 4.4, 5.3]])
    found = Nested(table).interval()
    between = 4 * table.mean(1).var(ddof=1)
    half = stats.t.ppf(0.975, 2) * math.sqrt(between / table.size)
    assert ends(found) == pytest.approx((table.mean() - half, table.mean(), table.mean() + half))
    assert half / stats.t.ppf(0.975, 2) == pytest.approx(0.611059, abs=1e-5)


def test_crossed_is_the_wider_of_its_two_margins():
    """Where only bodies differ it is the interval over bodies, where only seeds do that over
    seeds.
    """
    column = np.array([1.0, 4.0, 2.0, 7.0])
    table = np.repeat(column[:, None], 5, axis=1)
    assert ends(Crossed(table).interval()) == pytest.approx(ends(interval(column)))
    assert ends(Crossed(table.T).interval()) == pytest.approx(ends(interval(column)))
    assert Crossed(table).units() == "4 bodies x 5 seeds"


def test_resampled_means_are_those_of_nested():
    rng = np.random.default_rng(3)
    groups = [rng.normal(m, 1.0, 6) for m in (1.0, 4.0, 2.0, 3.0, 6.0)]
    mean = Resampled(groups, lambda drawn: float(np.mean([g.mean() for g in drawn])), 8000)
    found, exact = mean.interval(), Nested(groups).interval()
    assert found.mean == pytest.approx(exact.mean)
    assert found.high - found.low == pytest.approx(exact.high - exact.low, rel=0.05)
    assert ends(mean.interval()) == ends(mean.interval()), "the draws are seeded"


# how often intervals contain the true value: simulated, seeded, so the counts are always the same


def coverage(sample_of, draws, true: float = 0.0) -> float:
    """Share of the draws whose interval contains the true value."""
    found = [sample_of(draw).interval() for draw in draws]
    return float(np.mean([one.low <= true <= one.high for one in found]))


def bodies_and_seeds(count, bodies, seeds, of_body, of_seed=0.0):
    """Draws of a random effect of the body, one of the seed, and noise: (count, bodies, seeds)."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, (count, bodies, seeds))
    effects = rng.normal(0, 1, (count, bodies, 1)) * of_body
    return noise + effects + rng.normal(0, 1, (count, 1, seeds)) * of_seed


def percentile(values) -> tuple[float, float]:
    """The naive bootstrap: quantiles of the means of resampled values."""
    draws = np.random.default_rng(0).choice(values, (400, len(values))).mean(1)
    return tuple(np.quantile(draws, [0.025, 0.975]))


def test_with_five_seeds_students_t_covers_and_a_percentile_bootstrap_does_not():
    draws = np.random.default_rng(0).normal(0, 1, (600, 5))
    assert coverage(Independent, draws) > 0.93
    naive = [low <= 0 <= high for low, high in map(percentile, draws)]
    assert np.mean(naive) < 0.88


def test_nested_covers_where_counting_every_value_does_not():
    draws = bodies_and_seeds(600, 3, 10, of_body=1.0)
    assert coverage(Nested, draws) > 0.93
    assert coverage(lambda draw: Independent(draw.ravel()), draws) < 0.75


@pytest.mark.parametrize(("of_body", "of_seed"), [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_crossed_covers_whichever_effect_is_there(of_body, of_seed):
    assert coverage(Crossed, bodies_and_seeds(600, 3, 5, of_body, of_seed)) > 0.93


def test_nested_misses_an_effect_that_all_bodies_share():
    draws = bodies_and_seeds(600, 5, 5, of_body=0.2, of_seed=1.5)
    assert coverage(Nested, draws) < 0.8 < 0.93 < coverage(Crossed, draws)


def test_resampled_groups_cover_where_resampled_values_do_not():
    draws = bodies_and_seeds(120, 4, 8, of_body=1.0)

    def means(draw):
        return Resampled(list(draw), lambda groups: float(np.mean(groups)), resamples=200)

    assert coverage(means, draws) > 0.9
    naive = [low <= 0 <= high for low, high in (percentile(draw.ravel()) for draw in draws)]
    assert np.mean(naive) < 0.75


# Holm


def test_holm_on_an_example_by_hand():
    """Of .01, .04, .03, .005: .005 x 4, .01 x 3, .03 x 2, and .04 x 1, which may not be smaller
    than the one before it. ``multipletests`` of statsmodels 0.14.5 gives the same.
    """
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.7, 0.6]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_no_correction_and_bonferronis(p_values):
    adjusted = holm(p_values)
    for p, corrected in zip(p_values, adjusted, strict=True):
        assert p <= corrected <= min(1, p * len(p_values)) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)
