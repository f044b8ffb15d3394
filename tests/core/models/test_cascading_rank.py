"""CascadingRank against the fixed point of its equations, solved on dense float64 matrices."""

import math

import numpy as np
import pytest
import torch

from core.errors import ConfigError
from core.models import cascading_rank
from tests.core.models import tiny

USERS, ITEMS = 5, 7
EVERYONE = torch.arange(USERS)


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def fixed_point(data, alpha: float, beta: float, query_user: int) -> np.ndarray:
    """Scores of all items for one user: r = gamma A r + alpha q + beta c, behaviour by behaviour."""
    nodes, before = USERS + ITEMS, None
    for behavior in data.behaviors:
        pairs = data.train[behavior].toarray()
        A, query = np.zeros((nodes, nodes)), np.zeros(nodes)
        for u in range(USERS):
            for i in range(ITEMS):
                if pairs[u, i]:
                    A[u, USERS + i] = A[USERS + i, u] = 1 / math.sqrt(sum(pairs[u]) * sum(pairs[:, i]))
        query[query_user] = 1
        for i in range(ITEMS):
            if pairs[query_user, i]:
                query[USERS + i] = 1 / sum(pairs[query_user])
        aligned = query if before is None else before
        before = np.linalg.solve(np.eye(nodes) - (1 - alpha - beta) * A, alpha * query + beta * aligned)
    return before[USERS:]


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.0, 0.9), (0.3, 0.6), (0.5, 0.0), (0.1, 0.1), (0.4, 0.6), (1.0, 0.0)]
)
def test_scores_are_the_fixed_point_for_every_user(data, alpha, beta):
    model = tiny.built("cascading_rank", data, alpha=alpha, beta=beta, tolerance=1e-9)
    scores = tiny.array(model.score(EVERYONE))
    for user in range(USERS):
        np.testing.assert_allclose(scores[user], fixed_point(data, alpha, beta, user), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(("gamma", "tolerance", "updates"), [(0.1, 1e-4, 2), (0.5, 1e-3, 5), (0.0, 1e-4, 1)])
def test_updates_are_the_fewest_that_keep_the_promise(data, gamma, tolerance, updates):
    model = tiny.built("cascading_rank", data, alpha=1 - gamma, beta=0.0, tolerance=tolerance)
    assert model.num_updates == updates
    assert gamma ** (2 * updates) <= tolerance * (1 + 1e-9)
    assert updates == 1 or gamma ** (2 * (updates - 1)) > tolerance


@pytest.mark.parametrize("tolerance", [0.3, 0.01])
def test_no_more_than_the_tolerated_share_of_the_error_remains(data, tolerance):
    """Without a cascade the target's graph alone decides, and iterating starts from the query."""
    model = tiny.built("cascading_rank", data, alpha=0.2, beta=0.0, tolerance=tolerance)
    scores, bought = tiny.array(model.score(EVERYONE)), data.train["buy"].toarray()
    for user in range(USERS):
        exact = fixed_point(data, 0.2, 0.0, user)
        start = bought[user] / max(1, bought[user].sum())
        assert np.linalg.norm(scores[user] - exact) <= tolerance * np.linalg.norm(start - exact) + 1e-7


def test_users_are_scored_alike_in_any_company(data, monkeypatch):
    model = tiny.built("cascading_rank", data)
    together = model.score(torch.tensor([3, 0, 2]))
    monkeypatch.setattr(cascading_rank, "_SCORES_AT_ONCE", 1)
    assert torch.equal(model.score(torch.tensor([3, 0, 2])), together)


def test_weights_without_a_fixed_point_are_refused():
    for alpha, beta in [(0.0, 0.0), (0.7, 0.4)]:
        with pytest.raises(ConfigError, match="must lie above 0 and not above 1"):
            tiny.resolved("cascading_rank", alpha=alpha, beta=beta)
