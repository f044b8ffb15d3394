"""Statistics against slow, obvious loops and against scipy; what happens where a formula has nothing to divide by."""

import math
import random
import statistics
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from core.errors import DataError
from core.evaluation.statistics import (
    against_first,
    bootstrap_interval,
    holm,
    paired_test,
    spread,
)
from tests.test_import_law import ROOT

USERS = 211


def users(seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3 + shift, 0.2, USERS)


def test_mean_deviation_and_interval_over_seeds() -> None:
    values = [0.31, 0.35, 0.29, 0.33, 0.32]
    found = spread(values)
    assert found.size == 5
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.deviation == pytest.approx(statistics.stdev(values))
    expected = stats.t.interval(0.95, 4, loc=found.mean, scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_one_seed_has_a_mean_and_no_interval() -> None:
    found = spread([0.25])
    assert (found.size, found.mean) == (1, 0.25)
    assert all(map(math.isnan, (found.deviation, found.low, found.high)))
    with pytest.raises(DataError, match="no values"):
        spread([])


def test_a_paired_test_is_scipys() -> None:
    one, other = users(1, 0.05), users(2)
    found = paired_test(one, other)
    t, w = stats.ttest_rel(one, other), stats.wilcoxon(one, other)
    assert (found.t, found.t_p) == pytest.approx((t.statistic, t.pvalue))
    assert (found.wilcoxon, found.wilcoxon_p) == pytest.approx((w.statistic, w.pvalue))


def test_difference_effect_and_shares_against_loops() -> None:
    one, other = users(1, 0.05), users(2)
    other[:13] = one[:13]
    found = paired_test(one, other)
    differences = [float(a) - float(b) for a, b in zip(one, other)]
    mean = sum(differences) / USERS
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (USERS - 1))
    assert found.size == USERS
    assert found.difference == pytest.approx(mean)
    assert found.difference == pytest.approx(found.mean_one - found.mean_other)
    assert found.effect == pytest.approx(mean / deviation)
    assert found.better == pytest.approx(sum(d > 0 for d in differences) / USERS)
    assert found.worse == pytest.approx(sum(d < 0 for d in differences) / USERS)
    assert found.better + found.worse == pytest.approx(1 - 13 / USERS)


def test_swapping_the_two_turns_every_sign() -> None:
    one, other = users(1, 0.05), users(2)
    forth, back = paired_test(one, other), paired_test(other, one)
    assert back.difference == pytest.approx(-forth.difference)
    assert back.effect == pytest.approx(-forth.effect)
    assert back.rank_effect == pytest.approx(-forth.rank_effect)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=3e-3)
    assert (back.t_p, back.wilcoxon_p) == pytest.approx((forth.t_p, forth.wilcoxon_p))
    assert (back.better, back.worse) == (forth.worse, forth.better)


@pytest.mark.parametrize("distinct", ["few", "many"])
def test_the_bootstrap_interval_against_a_loop_and_scipy(distinct) -> None:
    few, many = np.sign(np.round(users(3) - 0.3, 1)), np.concatenate([users(3), users(4)])
    values = few if distinct == "few" else many
    low, high = bootstrap_interval(values)
    draw = random.Random(5)
    pool = values.tolist()
    means = sorted(sum(draw.choices(pool, k=len(pool))) / len(pool) for _ in range(4_000))
    width = high - low
    assert low == pytest.approx(means[100], abs=0.08 * width)
    assert high == pytest.approx(means[3_900], abs=0.08 * width)
    peer = stats.bootstrap((values,), np.mean, n_resamples=4_000, method="percentile", rng=7)
    assert (low, high) == pytest.approx(tuple(peer.confidence_interval), abs=0.08 * width)


def test_the_bootstrap_interval_is_the_same_each_time() -> None:
    assert bootstrap_interval(users(1)) == bootstrap_interval(users(1))


def test_equal_values_differ_in_nothing() -> None:
    found = paired_test(users(1), users(1) + 1e-9)
    assert (found.difference, found.low, found.high, found.effect) == (0, 0, 0, 0)
    assert (found.t_p, found.wilcoxon_p, found.better, found.worse) == (1, 1, 0, 0)


def test_a_difference_that_is_the_same_for_everybody() -> None:
    found = paired_test(np.full(17, 0.75), np.full(17, 0.25))
    assert found.difference == found.low == found.high == 0.5
    assert found.effect == found.t == math.inf
    assert found.t_p == 0
    assert found.wilcoxon_p < 0.001


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (np.ones(3), np.ones(5), "same users"),
        (np.ones(1), np.ones(1), "two values"),
        (np.array([1.0, np.nan]), np.ones(2), "number for every user"),
    ],
)
def test_what_cannot_be_paired_is_refused(one, other, reason) -> None:
    with pytest.raises(DataError, match=reason):
        paired_test(one, other)


def slow_holm(p_values: list[float]) -> list[float]:
    """For each p: the largest of (number of hypotheses not smaller) * p over all hypotheses up to it."""
    count, found = len(p_values), []
    for p in p_values:
        ranked = sorted(p_values)
        upto = [min(1.0, (count - place) * q) for place, q in enumerate(ranked) if q <= p]
        found.append(max(upto))
    return found


@pytest.mark.parametrize(
    "p_values", [[0.01, 0.04, 0.03], [0.5], [0.3, 0.002, 0.7, 0.02, 0.013, 0.9, 0.0001], []]
)
def test_holm_against_a_loop(p_values) -> None:
    assert holm(p_values) == pytest.approx(slow_holm(p_values))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_the_rank_effect_against_a_loop() -> None:
    one = np.array([0.5, 0.25, 0.0, 1.0, 0.5, 0.0, 0.75])
    other = np.array([0.25, 0.5, 0.0, 0.25, 1.0, 0.25, 0.0])
    differences = sorted((one - other)[(one - other) != 0], key=abs)
    sums = {True: 0.0, False: 0.0}
    for difference in differences:
        places = [n for n, d in enumerate(differences, start=1) if abs(d) == abs(difference)]
        sums[bool(difference > 0)] += sum(places) / len(places)
    expected = (sums[True] - sums[False]) / sum(sums.values())
    assert paired_test(one, other).rank_effect == pytest.approx(expected)


def test_the_first_is_tested_against_each_other_one() -> None:
    values = np.stack([users(1, 0.05), users(2), users(3)])
    assert against_first(values) == [paired_test(values[0], values[1]), paired_test(values[0], values[2])]


def test_importing_the_module_leaves_scipy_stats_alone() -> None:
    script = "import sys, core.evaluation.statistics; print('scipy.stats' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.strip() == "False", done.stderr


def test_statistics_load_no_scipy_at_import():
    script = "import sys, core.evaluation.statistics; print(sorted({'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
