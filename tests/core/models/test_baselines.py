"""Baselines against loops and dense algebra."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from core.catalog.systems import CATALOG
from core.errors import ConfigError, DataError
from core.models.ease import EASE
from core.models.lightgcn import LightGCN
from core.models.registry import MODELS, NODE_MODELS, build
from tests.core.models import tiny
from tests.core.models.cigf_reference import adjacency

USERS, ITEMS = 5, 7
EVERYONE = torch.arange(USERS)


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def fitted(key: str, data, variant: str | None = None, **overrides):
    model = tiny.built(key, data, variant, **overrides)
    model.fit(data)
    return model


def test_every_system_of_the_catalog_has_a_model():
    for models, task in ((MODELS, "ranking"), (NODE_MODELS, "nodes")):
        assert set(models) == {key for key, entry in CATALOG.items() if entry.task == task}


def test_popularity_counts_training_purchases(data):
    scores = fitted("popularity", data).score(EVERYONE)
    for user in range(USERS):
        for item in range(ITEMS):
            count = sum(int(data.train["buy"][u, item]) for u in range(USERS))
            assert scores[user, item] == count
    assert scores.max() > scores.min()


def test_seen_before_counts_auxiliary_behaviours_and_popularity_only_breaks_ties(data):
    scores = fitted("seen_before", data).score(torch.tensor([3, 0, 4]))
    popularity = [int(data.train["buy"][:, [i]].sum()) for i in range(ITEMS)]
    for row, user in enumerate([3, 0, 4]):
        seen = [int(data.train["view"][user, i] + data.train["cart"][user, i]) for i in range(ITEMS)]
        order = sorted(range(ITEMS), key=lambda i: (seen[i], popularity[i]))
        for worse, better in pairwise(order):
            same = (seen[worse], popularity[worse]) == (seen[better], popularity[better])
            difference = float(scores[row, better] - scores[row, worse])
            assert abs(difference) < 1e-6 if same else difference > 0


@pytest.mark.parametrize(("variant", "behaviors"), [(None, ("buy",)), ("all_behaviors", tiny.BEHAVIORS)])
def test_ease_equals_the_formula_on_the_dense_matrix(data, variant, behaviors):
    model = fitted("ease", data, variant, l2=1.7)
    X = np.zeros((USERS, ITEMS))
    for behavior in behaviors:
        X = np.maximum(X, data.train[behavior].toarray())
    P = np.linalg.inv(X.T @ X + 1.7 * np.eye(ITEMS))
    B = np.zeros((ITEMS, ITEMS))
    for i in range(ITEMS):
        for j in range(ITEMS):
            B[i, j] = 0 if i == j else -P[i, j] / P[j, j]
    np.testing.assert_allclose(tiny.array(model.score(EVERYONE)), X @ B, atol=1e-6)
    assert not np.diag(tiny.array(model.weights)).any()
    assert len(model.weights) == int((X.sum(0) > 0).sum()) < ITEMS  # nobody touched the first item
    assert not model.score(EVERYONE)[:, 0].any()


def test_ease_leaves_the_training_matrices_alone(data):
    before = {b: data.train[b].toarray() for b in data.behaviors}
    fitted("ease", data, "all_behaviors")
    for behavior, matrix in before.items():
        np.testing.assert_array_equal(data.train[behavior].toarray(), matrix)


def test_ease_refuses_what_no_machine_could_invert(data):
    with pytest.raises(ConfigError, match="max_items"):
        EASE(tiny.resolved("ease", max_items=3), data, tiny.CPU)


@pytest.mark.parametrize(
    ("key", "variant", "graphs"),
    [
        ("lightgcn", None, [("buy",)]),
        ("lightgcn_m", None, [tiny.BEHAVIORS]),
        ("lightgcn_m", "per_behavior", [("view",), ("cart",), ("buy",)]),
    ],
)
@pytest.mark.parametrize("normalization", ["symmetric", "left"])
def test_lightgcn_averages_powers_of_the_dense_adjacency(data, key, variant, graphs, normalization):
    model = tiny.built(key, data, variant, dim=3, num_layers=3, normalization=normalization)
    x = np.concatenate([tiny.array(model.user_embedding), tiny.array(model.item_embedding)]).astype(float)
    total = np.zeros_like(x)
    for behaviors in graphs:
        union = np.zeros((USERS, ITEMS))
        for behavior in behaviors:
            union = np.maximum(union, data.train[behavior].toarray())
        A = adjacency(union, normalization)
        for layer in range(4):
            total += np.linalg.matrix_power(A, layer) @ x / 4 / len(graphs)
    encoding = model.encode()
    found = np.concatenate([tiny.array(encoding.user), tiny.array(encoding.item)])
    np.testing.assert_allclose(found, total, atol=1e-6)
    expected = total[:USERS] @ total[USERS:].T
    np.testing.assert_allclose(tiny.array(model.score(EVERYONE)), expected, atol=1e-6)


def test_lightgcn_loss_equals_the_loops(data):
    model = tiny.built("lightgcn", data, dim=3, l2=0.5)
    assert isinstance(model, LightGCN)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    losses, encoding = model.losses(batch), model.encode()
    terms, norm = [], 0.0
    triples = zip(batch.users.tolist(), batch.positive.tolist(), batch.negative.tolist(), strict=True)
    for user, positive, negative in triples:
        assert data.train["buy"][user, positive]
        assert not data.train["buy"][user, negative]
        e = tiny.array(encoding.user[user])
        margin = e @ tiny.array(encoding.item[positive]) - e @ tiny.array(encoding.item[negative])
        terms.append(np.log1p(np.exp(-margin)))
        rows = (model.user_embedding[user], model.item_embedding[positive], model.item_embedding[negative])
        norm += sum((tiny.array(row) ** 2).sum() for row in rows)
    assert float(losses["bpr"].detach()) == pytest.approx(np.mean(terms), rel=1e-5)
    assert float(losses["l2"].detach()) == pytest.approx(0.5 * norm / 2 / len(terms), rel=1e-5)


def test_lightgcn_sees_every_training_pair_once_an_epoch(data):
    model = tiny.built("lightgcn", data, batch_size=4)
    batches = list(model.batches(torch.Generator().manual_seed(1)))
    pairs = [(u, i) for b in batches for u, i in zip(b.users.tolist(), b.positive.tolist())]
    assert sorted(pairs) == sorted(zip(*(axis.tolist() for axis in data.train["buy"].nonzero())))
    assert max(len(b.users) for b in batches) == 4


def test_lightgcn_passes_over_a_user_who_bought_everything():
    """He has no negative item; the other users are trained all the same."""
    buy = np.zeros((5, 7))
    buy[0], buy[1, 2], buy[2, 3] = 1, 1, 1
    model = tiny.built("lightgcn", tiny.ranking_from({"buy": buy}))
    (batch,) = model.batches(torch.Generator().manual_seed(1))
    assert sorted(batch.users.tolist()) == [1, 2]


@pytest.mark.parametrize("key", ["cigf", "lightgcn_m", "seen_before"])
def test_systems_for_several_behaviours_refuse_a_single_one(key: str):
    data = tiny.random_ranking(USERS, ITEMS, behaviors=("buy",))
    with pytest.raises(DataError, match="needs an auxiliary behaviour"):
        tiny.built(key, data)


@pytest.mark.parametrize("key", ["egra", "srgformer", "mgcn", "freedom", "lgmrec", "vbpr"])
def test_multimodal_systems_refuse_data_without_features(key: str):
    data = replace(tiny.random_ranking(USERS, ITEMS), features={})
    with pytest.raises(DataError, match=r"needs item features .* features: none"):
        tiny.built(key, data)


def test_a_config_of_another_system_is_refused(data):
    with pytest.raises(ConfigError, match="takes a CIGFConfig"):
        build("cigf", tiny.resolved("ease"), data, tiny.CPU)


@pytest.mark.parametrize("key", ["seen_before", "itemknn", "cascading_rank"])
def test_candidates_are_scored_a_few_users_at_a_time(data, key, monkeypatch):
    """Rankers that score every item must not hold all users' scores at once."""
    model, sizes = fitted(key, data), []
    users, items = torch.tensor([3, 0, 4]), torch.tensor([[6, 0], [1, 1], [2, 5]])
    expected = model.score(users).gather(1, items)
    score = model.score
    monkeypatch.setattr("core.models.base._SCORES_AT_ONCE", 2 * ITEMS)
    monkeypatch.setattr(model, "score", lambda users_B: sizes.append(len(users_B)) or score(users_B))
    assert torch.equal(model.score_items(users, items), expected)
    assert sizes == [2, 1]
