"""Statistics of results: intervals over seeds, paired tests over users, correction for many comparisons (no torch).

`scipy.stats`, which does the arithmetic, takes a second and 50 MB to load, and is loaded where a test is made: not in a
server (core/runs/paired.py). G groups of runs, U users, S seeds, R resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

Floats = NDArray[np.float64]

# Resamples of a bootstrap: fewer for many users, whose mean hardly deviates from the normal any more.
RESAMPLES, _FEWEST_RESAMPLES, _MOST_DRAWS = 5_000, 1_000, 200_000_000
# Means over seeds are sums of float32 values: a difference below this is rounding.
_ROUNDING = 1e-6
_FEW_VALUES = 256
_DRAWS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Spread:
    """A metric over S seeds: mean, standard deviation, 95 % interval of the mean. All but the mean are NaN for one seed."""

    size: int
    mean: float
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """One system minus another on the same users.

    low, high: 95 % bootstrap interval of the mean difference. t, t_p: paired t-test; wilcoxon, wilcoxon_p: signed-rank
    test over the users that differ. effect: Cohen's d of paired values, the mean difference over its standard deviation.
    rank_effect: matched-pairs rank-biserial correlation, the share of rank sums in favour minus that against (Kerby 2014).
    better, worse: shares of the users for whom the first is ahead, behind.
    """

    size: int
    mean_one: float
    mean_other: float
    difference: float
    low: float
    high: float
    t: float
    t_p: float
    wilcoxon: float
    wilcoxon_p: float
    effect: float
    rank_effect: float
    better: float
    worse: float


def spread(values_S: Sequence[float], level: float = 0.95) -> Spread:
    """Mean over seeds with Student's interval: mean ± t(S - 1) · deviation / sqrt(S). Raises DataError without values."""
    size = len(values_S)
    if size == 0:
        raise DataError("no values to average; pick runs that have a result")
    values = np.asarray(values_S, dtype=np.float64)
    mean = float(values.mean())
    if size == 1:
        return Spread(1, mean, np.nan, np.nan, np.nan)
    from scipy.special import stdtrit  # 14 MB: only where runs of several seeds are averaged

    deviation = float(values.std(ddof=1))
    half = float(stdtrit(size - 1, (1 + level) / 2)) * deviation / size**0.5
    return Spread(size, mean, deviation, mean - half, mean + half)


def paired_test(one_U: Floats, other_U: Floats, *, seed: int = 0) -> PairedTest:
    """`one_U` minus `other_U`, user by user. Raises DataError where they are not at least two pairs of numbers."""
    if one_U.shape != other_U.shape or one_U.ndim != 1 or len(one_U) < 2:
        raise DataError(
            f"a paired test needs two values or more for the same users, got {one_U.shape} and {other_U.shape}; "
            "pick runs that were evaluated on the same users"
        )
    if not (np.isfinite(one_U).all() and np.isfinite(other_U).all()):
        raise DataError("a paired test needs a number for every user; evaluate the runs again")
    difference_U = np.asarray(one_U, dtype=np.float64) - other_U
    difference_U[np.abs(difference_U) < _ROUNDING] = 0.0
    mean, deviation = float(difference_U.mean()), float(difference_U.std(ddof=1))
    low, high = bootstrap_interval(difference_U, seed=seed)
    t, t_p, wilcoxon, wilcoxon_p, rank_effect = _tests(difference_U, deviation)
    return PairedTest(
        size=len(difference_U),
        mean_one=float(one_U.mean()),
        mean_other=float(other_U.mean()),
        difference=mean,
        low=low,
        high=high,
        t=t,
        t_p=t_p,
        wilcoxon=wilcoxon,
        wilcoxon_p=wilcoxon_p,
        effect=_ratio(mean, deviation),
        rank_effect=rank_effect,
        better=float((difference_U > 0).mean()),
        worse=float((difference_U < 0).mean()),
    )


def _tests(difference_U: Floats, deviation: float) -> tuple[float, float, float, float, float]:
    """t, its p, Wilcoxon's statistic, its p, rank effect. Where all differ alike a t-test has nothing to divide by."""
    from scipy import stats  # a second and 50 MB: only where a test is made

    if not difference_U.any():
        return 0.0, 1.0, 0.0, 1.0, 0.0
    signed = stats.wilcoxon(difference_U)
    if deviation <= _ROUNDING * abs(float(difference_U.mean())):
        t, t_p = float(np.copysign(np.inf, difference_U[0])), 0.0
    else:
        paired = stats.ttest_1samp(difference_U, 0.0)
        t, t_p = float(paired.statistic), float(paired.pvalue)
    changed = difference_U[difference_U != 0]
    ranks = stats.rankdata(np.abs(changed))
    rank_effect = float((ranks * np.sign(changed)).sum() / ranks.sum())
    return t, t_p, float(signed.statistic), float(signed.pvalue), rank_effect


def _ratio(mean: float, deviation: float) -> float:
    if mean == 0:
        return 0.0
    return mean / deviation if deviation > _ROUNDING * abs(mean) else float(np.copysign(np.inf, mean))


def bootstrap_interval(values_U: Floats, *, seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of the mean of `values_U` over resampled users (Efron 1979).

    Where users share few values, drawing how often each value occurs is the same draw, and much faster.
    """
    rng, size = np.random.default_rng(seed), len(values_U)
    resamples = max(_FEWEST_RESAMPLES, min(RESAMPLES, _MOST_DRAWS // size))
    distinct, counts = np.unique(values_U, return_counts=True)
    if len(distinct) <= _FEW_VALUES:
        means_R = rng.multinomial(size, counts / size, size=resamples) @ distinct / size
    else:
        step = max(1, _DRAWS_AT_ONCE // size)
        drawn = (min(step, resamples - start) for start in range(0, resamples, step))
        means_R = np.concatenate([values_U[rng.integers(size, size=(n, size))].mean(axis=1) for n in drawn])
    low, high = np.quantile(means_R, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number: the i-th smallest times (m - i + 1), never falling (Holm 1979)."""
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    corrected = np.empty(len(raw))
    corrected[order] = np.maximum.accumulate(np.minimum(raw[order] * np.arange(len(raw), 0, -1), 1.0))
    return [float(p) for p in corrected]


def against_first(values_GU: Floats) -> list[PairedTest]:
    """The first group against each of the others."""
    return [paired_test(values_GU[0], other) for other in values_GU[1:]]
