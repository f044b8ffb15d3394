"""Groups of users and their means, against loops over single users and against scipy.stats."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from core.evaluation.groups import (
    UNDEFINED,
    Grouping,
    group_means,
    grouped,
    mean_interval,
    similar_activity,
)

NAN = float("nan")


def looped(values, edges):
    """The group of each user, one at a time."""
    found = []
    for value in values:
        place = UNDEFINED
        for g in range(len(edges) - 1):
            last = g == len(edges) - 2
            if edges[g] <= value < edges[g + 1] or (last and value == edges[-1]):
                place = g
        found.append(place)
    return found


@pytest.mark.parametrize("rule", ["equal_count", "equal_width"])
@pytest.mark.parametrize("count", [2, 6, 7])
def test_every_user_is_in_the_group_whose_edges_hold_it(rule, count):
    values = np.random.default_rng(1).normal(0.3, 0.2, 101).round(6)
    values[[3, 50, 97]] = NAN
    grouping = grouped(values, count, rule)
    assert grouping.count == count
    assert grouping.group.tolist() == looped(values, grouping.edges)
    assert grouping.undefined == 3
    assert grouping.sizes().sum() == 98


def test_equal_counts_differ_by_at_most_one_user():
    sizes = grouped(np.random.default_rng(2).permutation(103) / 103.0).sizes()
    assert sizes.max() - sizes.min() <= 1
    assert sizes.sum() == 103


def test_equal_widths_are_equal_and_may_be_empty():
    grouping = grouped(np.array([0.0, 0.01, 0.02, 0.6]), 6, "equal_width")
    np.testing.assert_allclose(np.diff(grouping.edges), 0.1)
    assert grouping.sizes().tolist() == [3, 0, 0, 0, 0, 1]


def test_ties_stay_together_and_leave_fewer_groups():
    values = np.array([0.5] * 11 + [0.7, 0.8])
    grouping = grouped(values, 6)
    assert len(set(grouping.group[:11].tolist())) == 1
    assert grouping.count < 6
    assert grouping.sizes().sum() == 13


@pytest.mark.parametrize("tied", [20, 95, 183])
def test_a_tied_maximum_is_a_group_of_its_own(tied):
    values = np.array([0.1] * 11 + [0.2] * 13 + [1.0] * tied)
    grouping = grouped(values, 6)
    top = grouping.group == grouping.count - 1
    assert values[top].tolist() == [1.0] * tied
    assert grouping.edges[-2:].tolist() == [1.0, 1.0]
    assert grouping.group.tolist() == looped(values, grouping.edges)


def test_a_maximum_rarer_than_a_group_shares_one():
    values = np.append(np.linspace(0, 0.9, 60), [1.0] * 5)
    grouping = grouped(values, 6)
    assert grouping.count == 6
    assert grouping.sizes()[-1] > 5
    assert len(set(grouping.edges.tolist())) == 7


def test_rounding_tells_no_users_apart():
    noise = np.array([0.3, 0.1 + 0.2, 0.3 - 1e-16, 0.3 + 5e-15])
    assert grouped(noise).group.tolist() == [0, 0, 0, 0]


def test_one_value_for_all_is_one_group_and_no_value_is_none():
    same = grouped(np.array([0.2, 0.2, NAN]))
    assert (same.count, same.sizes().tolist(), same.undefined) == (1, [2], 1)
    nothing = grouped(np.array([NAN, NAN]))
    assert (nothing.count, nothing.sizes().tolist(), nothing.undefined) == (0, [], 2)


def test_similar_activity_keeps_the_users_between_the_quartiles():
    pairs = np.array([1, 2, 3, 4, 5, 6, 7, 100])
    assert pairs[similar_activity(pairs)].tolist() == [3, 4, 5, 6]
    assert similar_activity(np.zeros(0)).tolist() == []


def test_interval_of_graded_values_is_students():
    values = np.random.default_rng(4).uniform(0.2, 0.8, 23)
    mean, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 22, values.mean(), stats.sem(values))
    np.testing.assert_allclose((mean, low, high), (values.mean(), *expected), rtol=1e-12)


@pytest.mark.parametrize(("hits", "size"), [(0, 7), (3, 11), (13, 13), (40, 97)])
def test_interval_of_hits_is_wilsons(hits, size):
    mean, low, high = mean_interval(np.repeat([1.0, 0.0], [hits, size - hits]))
    expected = stats.binomtest(hits, size).proportion_ci(method="wilson")
    np.testing.assert_allclose((mean, low, high), (hits / size, *expected), atol=1e-12)
    assert low < high


def test_interval_stays_within_0_and_1_and_never_shrinks_to_a_point():
    assert mean_interval(np.array([0.0, 0.9]))[1:] == (0.0, 1.0)
    assert mean_interval(np.array([0.4]))[1:] == (0.0, 1.0)
    assert all(np.isnan(mean_interval(np.zeros(0))))


@pytest.mark.parametrize("value", [0.25, 0.6309297])
def test_equal_graded_values_have_no_interval(value):
    mean, low, high = mean_interval(np.full(1_009, value))
    assert mean == pytest.approx(value)
    assert np.isnan([low, high]).all()


def test_the_t_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(5)
    caught = 0
    for _ in range(2_000):
        _, low, high = mean_interval(rng.beta(2, 3, 17))
        caught += low <= 0.4 <= high
    assert 0.93 < caught / 2_000 < 0.97


def test_group_means_are_those_of_a_loop_with_undefined_users_last():
    rng = np.random.default_rng(6)
    value, correlation = rng.uniform(0, 1, 53), rng.normal(0, 1, 53)
    correlation[::11] = NAN
    grouping = grouped(correlation, 3)
    rows = group_means(value.astype(np.float32), grouping)
    assert [row.group for row in rows] == [0, 1, 2, UNDEFINED]
    for row in rows:
        own = [float(np.float32(v)) for v, g in zip(value, grouping.group) if g == row.group]
        assert row.size == len(own)
        assert row.mean == pytest.approx(sum(own) / len(own), abs=1e-12)
        assert row.low < row.mean < row.high


def test_an_empty_group_keeps_its_place_without_a_mean():
    rows = group_means(np.array([0.1, 0.2]), Grouping(np.array([0.0, 1.0, 2.0]), np.array([1, 1])))
    assert (rows[0].size, rows[1].size) == (0, 2)
    assert np.isnan(rows[0].mean)


def test_groups_load_neither_torch_nor_scipy_at_import():
    script = "import sys, core.evaluation.groups; print(sorted({'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_an_interval_stays_within_the_range_of_its_values():
    values = np.array([-0.98, 0.2, -0.99])
    mean, low, high = mean_interval(values, within=(-1.0, 1.0))
    half = stats.t.interval(0.95, 2, mean, stats.sem(values))
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((max(-1.0, half[0]), min(1.0, half[1])))
    assert mean_interval(np.array([0.3]), within=(-1.0, 1.0)) == (0.3, -1.0, 1.0)
    assert all(np.isnan(mean_interval(np.array([3.0]), within=(0.0, np.inf))[1:]))
    weights = np.array([0.0, 1.0, 1.0])
    assert mean_interval(weights, within=(0.0, np.inf))[2] > 1.0, "such zeros and ones are no hits"
