"""The demo's difficulty: purchases alone are clearly beatable, popularity is far below.

LightGCN here is a compact NumPy one (the propagation is linear and symmetric, so its gradient is the same product):
`core/data` and its tests stay free of torch.
"""

import numpy as np
import pytest
from scipy.sparse import block_array, csr_array, diags_array
from scipy.special import expit

from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.data.ranking import RankingData, ranking_data
from core.home import Home


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> RankingData:
    home = Home(tmp_path_factory.mktemp("demo"))
    write_demo(home)
    return ranking_data(open_dataset(home, "demo"))


def ndcg_at_10(score: np.ndarray, data: RankingData) -> float:
    """Protocol `full`: all items but the user's training and validation purchases."""
    masked = np.where(data.valid_pairs_masked().toarray() > 0, -np.inf, score)
    top = np.argsort(-masked, axis=1, kind="stable")[:, :10]
    wanted = data.test.toarray() > 0
    discount = 1 / np.log2(np.arange(2, 12))
    gain = (np.take_along_axis(wanted, top, axis=1) * discount).sum(axis=1)
    count = wanted.sum(axis=1)
    chosen = count > 0
    return float((gain[chosen] / np.cumsum(discount)[np.minimum(count[chosen], 10) - 1]).mean())


def ease(history: csr_array, l2: float) -> np.ndarray:
    gram = (history.T @ history).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += l2
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return history @ weights


def union(data: RankingData) -> csr_array:
    total = csr_array(sum((data.train[b] for b in data.behaviors[:-1]), start=data.train[data.target]))
    total.data[:] = 1
    return total


def lightgcn(purchases: csr_array, *, dims: int = 48, layers: int = 3, epochs: int) -> np.ndarray:
    """LightGCN trained with BPR and Adam; scores [U, I]. Source: He et al. 2020, Eqs. 3, 4, 15."""
    rng = np.random.default_rng(0)
    users, items = purchases.shape
    scale = [diags_array(np.maximum(purchases.sum(axis=axis), 1) ** -0.5) for axis in (1, 0)]
    half = csr_array(scale[0] @ purchases @ scale[1])
    graph = csr_array(block_array([[None, half], [half.T, None]]))
    table = 0.1 * rng.standard_normal((users + items, dims))
    first, second = np.zeros_like(table), np.zeros_like(table)

    def propagated(layer: np.ndarray) -> np.ndarray:
        total = layer.copy()
        for _ in range(layers):
            layer = graph @ layer
            total += layer
        return total / (layers + 1)

    positive_user, positive_item = purchases.nonzero()
    for step in range(1, epochs + 1):
        for part in np.array_split(rng.permutation(len(positive_user)), 4):
            user, liked = positive_user[part], positive_item[part] + users
            other = rng.integers(0, items, len(part)) + users
            final = propagated(table)
            pull = -expit(-(final[user] * (final[liked] - final[other])).sum(axis=1))[:, None] / len(part)
            rows = np.concatenate([user, liked, other])
            values = np.concatenate(
                [pull * (final[liked] - final[other]), pull * final[user], -pull * final[user]]
            )
            gathered = csr_array(
                (np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(table), len(rows))
            )
            gradient = propagated(gathered @ values)
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            count = 4 * step
            table -= 0.01 * (first / (1 - 0.9**count)) / (np.sqrt(second / (1 - 0.999**count)) + 1e-8)
    final = propagated(table)
    return final[:users] @ final[users:].T


@pytest.fixture(scope="module")
def measured(data) -> dict[str, float]:
    purchases = data.train["buy"]
    popularity = np.tile(data.popularity().astype(float), (data.num_users, 1))
    return {
        "popularity": ndcg_at_10(popularity, data),
        "ease_buy": max(ndcg_at_10(ease(purchases, l2), data) for l2 in (30.0, 100.0)),
        "ease_all": max(ndcg_at_10(ease(union(data), l2), data) for l2 in (5.0, 30.0)),
        "lightgcn": max(ndcg_at_10(lightgcn(purchases, epochs=epochs), data) for epochs in (40, 90)),
    }


def test_counting_over_all_behaviours_beats_purchases_alone(measured):
    best_of_purchases = max(measured["lightgcn"], measured["ease_buy"])
    assert 1.25 < measured["ease_all"] / best_of_purchases < 1.7, measured


def test_popularity_is_far_below(measured):
    assert measured["popularity"] < 0.5 * measured["lightgcn"], measured


def test_the_signal_is_strong_enough_for_a_small_model(measured):
    assert 0.1 < measured["lightgcn"] < 0.2, measured
    assert 0.1 < measured["ease_all"] < 0.35, measured
