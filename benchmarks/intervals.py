"""How often 95 % intervals of a mean contain it, and how wide they are: Student's t beside the
percentile bootstrap, BCa and bootstrap-t for few seeds; and nested, crossed and naive intervals
where seeds are measured on several bodies.

``python benchmarks/intervals.py`` prints both tables (half a minute on one core). A width is
the median one in times of Student's (or of the nested one).
"""

import warnings
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy import stats

from course.foundation.intervals import Crossed, Independent, Interval, Nested
from course.foundation.resampling import Resampled

Ends = tuple[float, float]
RUNS, RESAMPLES = 1000, 999
#: Distribution of a seed's value -> (draw of so many, its mean).
DISTRIBUTIONS: dict[str, tuple[Callable[[np.random.Generator, tuple], np.ndarray], float]] = {
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
    "skewed (exponential)": (lambda rng, shape: rng.exponential(1, shape), 1.0),
    "near a bound (beta 9, 1)": (lambda rng, shape: rng.beta(9, 1, shape), 0.9),
    "few items (18 of 20)": (lambda rng, shape: rng.binomial(20, 0.9, shape) / 20, 0.9),
}


def ends(found: Interval) -> Ends:
    return found.low, found.high


def percentile(values: np.ndarray) -> Ends:
    return tuple(np.quantile(_means(values), [0.025, 0.975]))


def bca(values: np.ndarray) -> Ends:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are all the same
        found = stats.bootstrap((values,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=0)
    low, high = found.confidence_interval
    return (low, high) if np.isfinite(low) else (values.mean(), values.mean())


def bootstrap_t(values: np.ndarray) -> Ends:
    """Infinitely long where a resample has no spread."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    drawn = _resampled(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (drawn.mean(1) - values.mean()) / (drawn.std(1, ddof=1) / np.sqrt(len(values)))
    low, high = np.quantile(
        np.nan_to_num(t, nan=0.0, posinf=np.inf, neginf=-np.inf), [0.025, 0.975], method="higher"
    )
    return values.mean() - high * error, values.mean() - low * error


def _resampled(values: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))


def _means(values: np.ndarray) -> np.ndarray:
    return _resampled(values).mean(1)


def coverage(
    methods: dict[str, Callable[[np.ndarray], Ends]], draws: Iterable[np.ndarray], true: float
) -> pd.DataFrame:
    """Per method how many of the intervals contain the true value (percent), and the median width
    in times of that of the first method.
    """
    draws = list(draws)
    found = {name: np.array([method(draw) for draw in draws]) for name, method in methods.items()}
    widths = {name: float(np.median(np.diff(spans))) for name, spans in found.items()}
    first = next(iter(widths.values()))
    rows = {
        name: {
            "covers": 100 * np.mean((spans[:, 0] <= true) & (true <= spans[:, 1])),
            "width": widths[name] / first,
        }
        for name, spans in found.items()
    }
    return pd.DataFrame(rows).T


def few_seeds() -> pd.DataFrame:
    """By distribution and number of seeds."""
    methods = {
        "Student's t": lambda values: ends(Independent(values).interval()),
        "percentile": percentile,
        "BCa": bca,
        "bootstrap-t": bootstrap_t,
    }
    tables = {}
    for name, (draw, mean) in DISTRIBUTIONS.items():
        for seeds in (3, 5, 10):
            draws = draw(np.random.default_rng(0), (RUNS, seeds))
            tables[name, f"{seeds} seeds"] = coverage(methods, draws, mean).stack()
    return pd.DataFrame(tables).T


def several_bodies() -> pd.DataFrame:
    """By the standard deviations of the effects of bodies and of seeds (that of the rest is 1);
    three bodies, five seeds.
    """
    methods = {
        "nested": lambda table: ends(Nested(table).interval()),
        "crossed": lambda table: ends(Crossed(table).interval()),
        "groups resampled": lambda table: ends(
            Resampled(list(table), lambda groups: float(np.mean(groups)), 200).interval()
        ),
        "percentile of bodies": lambda table: percentile(table.mean(1)),
        "all values independent": lambda table: ends(Independent(table.ravel()).interval()),
    }
    tables = {}
    for of_body, of_seed in ((0, 0), (1, 0), (0, 1), (1, 1)):
        rng = np.random.default_rng(0)
        draws = rng.normal(0, 1, (RUNS, 3, 5)) + of_body * rng.normal(0, 1, (RUNS, 3, 1))
        draws += of_seed * rng.normal(0, 1, (RUNS, 1, 5))
        tables[f"bodies {of_body}, seeds {of_seed}"] = coverage(methods, draws, 0.0).stack()
    return pd.DataFrame(tables).T


if __name__ == "__main__":
    for table in (few_seeds(), several_bodies()):
        print(table.round(2).to_string(), end="\n\n")
