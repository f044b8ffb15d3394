"""Metrics from ranks against pytrec_eval, an independent library, and against loops."""

import numpy as np
import pytest
import pytrec_eval

from core.evaluation.metrics import exposure_metrics, pair_metrics, ranking_metrics, sampled_metrics

KS = (1, 3, 5, 10, 20)
USERS, ITEMS = 23, 37


@pytest.fixture(scope="module")
def ranked() -> tuple[list[list[int]], list[np.ndarray]]:
    """Per user a random ranking of all items and one to thirteen test items."""
    rng = np.random.default_rng(6)
    tests = [rng.choice(ITEMS, size=1 + user % 13, replace=False).tolist() for user in range(USERS)]
    return tests, [rng.permutation(ITEMS) for _ in range(USERS)]


def ranks_of(tests: list[list[int]], orders: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    ranks = [int(np.flatnonzero(order == item)[0]) + 1 for row, order in zip(tests, orders) for item in row]
    return np.array(ranks), np.cumsum([0, *map(len, tests)])


@pytest.mark.parametrize("k", KS)
def test_agreement_with_pytrec_eval(ranked, k: int):
    """Reciprocal rank and average precision have no cut-off there, so the ranking is cut before it is judged; and
    average precision divides by all relevant items, ours by min(tests, K), hence the factor."""
    tests, orders = ranked
    found = ranking_metrics(*ranks_of(tests, orders), KS)
    relevant = {str(u): {str(i): 1 for i in row} for u, row in enumerate(tests)}
    run = {
        str(u): {str(i): float(ITEMS - place) for place, i in enumerate(order[:k])}
        for u, order in enumerate(orders)
    }
    measures = {f"success.{k}", f"recall.{k}", f"ndcg_cut.{k}", f"P.{k}", "recip_rank", f"map_cut.{k}"}
    judged = pytrec_eval.RelevanceEvaluator(relevant, measures).evaluate(run)
    names = {"hr": "success", "recall": "recall", "ndcg": "ndcg_cut", "precision": "P"}
    for user, row in enumerate(tests):
        theirs = judged[str(user)]
        for ours, name in names.items():
            assert found[f"{ours}@{k}"][user] == pytest.approx(theirs[f"{name}_{k}"], abs=1e-6), ours
        assert found[f"mrr@{k}"][user] == pytest.approx(theirs["recip_rank"], abs=1e-6)
        expected = theirs[f"map_cut_{k}"] * len(row) / min(len(row), k)
        assert found[f"map@{k}"][user] == pytest.approx(expected, abs=1e-6)


def test_order_of_a_users_test_items_does_not_matter(ranked):
    tests, orders = ranked
    turned = [row[::-1] for row in tests]
    first, second = (ranking_metrics(*ranks_of(t, orders), KS) for t in (tests, turned))
    for name, values in first.items():
        np.testing.assert_allclose(values, second[name], err_msg=name)


def test_a_perfect_ranking_scores_one():
    found = ranking_metrics(np.array([1, 3, 2, 1]), np.array([0, 3, 4]), (3, 5))
    for name in ("hr@3", "recall@3", "ndcg@3", "mrr@3", "map@3", "ndcg@5", "map@5"):
        np.testing.assert_allclose(found[name], [1, 1], err_msg=name)
    np.testing.assert_allclose(found["precision@5"], [3 / 5, 1 / 5])


def test_sampled_metrics_average_over_a_users_own_rankings():
    ranks, indptr = np.array([1, 7, 2, 3]), np.array([0, 2, 3, 4])
    found = sampled_metrics(ranks, indptr, (1, 5))
    np.testing.assert_allclose(found["hr@1"], [0.5, 0, 0])
    np.testing.assert_allclose(found["hr@5"], [0.5, 1, 1])
    np.testing.assert_allclose(found["ndcg@5"], [0.5, 1 / np.log2(3), 0.5])
    assert set(found) == {"hr@1", "hr@5", "ndcg@1", "ndcg@5"}


def test_pair_metrics_judge_each_pair_by_itself():
    found = pair_metrics(np.array([1, 4]), (3, 4))
    np.testing.assert_allclose(found["hr@3"], [1, 0])
    np.testing.assert_allclose(found["ndcg@4"], [1, 1 / np.log2(5)])


def test_exposure_equals_the_loops():
    rng = np.random.default_rng(3)
    top = np.stack([rng.permutation(11)[:5] for _ in range(7)])
    popularity = rng.integers(0, 50, 11)
    found = exposure_metrics(top, popularity, (2, 5))
    for k in (2, 5):
        shown = [sum(int(item in row[:k]) for row in top.tolist()) for item in range(11)]
        assert found[f"coverage@{k}"] == pytest.approx(sum(s > 0 for s in shown) / 11)
        pairs = sum(abs(a - b) for a in shown for b in shown)
        assert found[f"gini@{k}"] == pytest.approx(pairs / (2 * 11 * sum(shown)))
        assert found[f"popularity@{k}"] == pytest.approx(
            np.mean([popularity[i] for row in top for i in row[:k]])
        )


def test_gini_is_zero_when_even_and_near_one_on_a_single_item():
    even, single = np.arange(10).reshape(10, 1), np.zeros((10, 1), dtype=int)
    assert exposure_metrics(even, np.ones(10), (1,))["gini@1"] == pytest.approx(0)
    assert exposure_metrics(single, np.ones(10), (1,))["gini@1"] == pytest.approx(0.9)
