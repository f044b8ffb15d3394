"""Per-user correlations of behaviours against the paper's sums, entry by entry."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array

from core.data.correlation import mean_of_pairs, pair_correlation, pair_correlations

USERS, ITEMS = 13, 7


def mean_correlation(rows):
    return mean_of_pairs(pair_correlations(rows), next(iter(rows.values())).shape[0])


def slow_pearson(first: list[float], second: list[float]) -> float:
    """CIGF, Eq. 25, as it is written."""
    mean_first, mean_second = sum(first) / len(first), sum(second) / len(second)
    above = sum((a - mean_first) * (b - mean_second) for a, b in zip(first, second))
    below = math.sqrt(sum((a - mean_first) ** 2 for a in first)) * math.sqrt(
        sum((b - mean_second) ** 2 for b in second)
    )
    return above / below if below > 1e-12 else math.nan


def slow_mean(dense: dict[str, np.ndarray], user: int) -> float:
    """CIGF, Eq. 26, as it is written."""
    names = list(dense)
    total = sum(slow_pearson(list(dense[s][user]), list(dense[t][user])) for s, t in combinations(names, 2))
    return 2 / (len(names) * (len(names) - 1)) * total


@pytest.fixture
def dense() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    made = {b: (rng.random((USERS, ITEMS)) < p).astype(float) for b, p in (("view", 0.6), ("cart", 0.4))}
    made["buy"] = (rng.random((USERS, ITEMS)) < 0.3).astype(float)
    made["buy"][2] = 0  # bought nothing
    made["view"][5] = 1  # viewed everything
    made["cart"][7] = made["view"][7] = made["buy"][7] = [1, 0, 1, 0, 0, 1, 0]  # all alike
    made["cart"][8], made["view"][8] = [1, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1, 1]  # opposites
    return made


def sparse(dense: dict[str, np.ndarray]) -> dict[str, csr_array]:
    return {name: csr_array(rows.astype(np.float32)) for name, rows in dense.items()}


def test_it_is_the_papers_sum_for_every_user(dense) -> None:
    found = mean_correlation(sparse(dense))
    expected = [slow_mean(dense, user) for user in range(USERS)]
    assert np.isfinite(expected).sum() > USERS // 2
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_pair_is_the_papers_sum_for_every_user(dense) -> None:
    rows = sparse(dense)
    found = pair_correlation(rows["view"], rows["cart"])
    np.testing.assert_allclose(
        found, [slow_pearson(list(v), list(c)) for v, c in zip(dense["view"], dense["cart"])], atol=1e-12
    )
    assert found[8] == pytest.approx(-1)


def test_a_user_who_lacks_a_behavior_or_has_touched_all_items_is_undefined(dense) -> None:
    found = mean_correlation(sparse(dense))
    assert np.isnan(found[[2, 5]]).all()
    assert found[7] == pytest.approx(1)


def test_two_behaviors_have_one_pair(dense) -> None:
    rows = sparse({name: dense[name] for name in ("view", "cart")})
    np.testing.assert_array_equal(mean_correlation(rows), pair_correlation(rows["view"], rows["cart"]))


def test_a_single_behavior_has_nothing_to_correlate_with(dense) -> None:
    found = mean_correlation(sparse({"buy": dense["buy"]}))
    assert found.shape == (USERS,)
    assert np.isnan(found).all()


def test_a_million_items_need_no_dense_row() -> None:
    wide = csr_array((np.ones(2, np.float32), ([0, 0], [3, 999_999])), shape=(100_000, 1_000_000))
    assert mean_correlation({"view": wide, "buy": wide})[0] == pytest.approx(1)
