"""NGCF against loops over nodes and neighbours, in float64, each dimension its own prime."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.models.ngcf import NGCF
from tests.core.models import tiny

USERS, ITEMS, DIM, LAYERS = 5, 7, 3, 2


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS, density=0.5)


def double(data, key="ngcf", variant=None, **overrides) -> NGCF:
    settings = {"dim": DIM, "num_layers": LAYERS, "l2": 0.3, "message_dropout": 0.0, "leaky_slope": 0.17}
    model = tiny.built(key, data, variant, **(settings | overrides))
    assert isinstance(model, NGCF)
    generator = torch.Generator().manual_seed(5)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    # Weights of the graph in full precision: they are stored in single precision.
    exact = tiny.double_graph(model._graph)
    degrees = [pattern.indptr.diff().double() for pattern in (exact.to_users, exact.to_items)]
    weight = (degrees[0][exact.to_users.row] * degrees[1][exact.to_users.index.long()]) ** -0.5
    permutation = exact.to_users.transposed[1]
    model._graph = replace(exact, user_weight=weight, item_weight=weight[permutation])
    return model


def reference(model: NGCF, edges: np.ndarray) -> np.ndarray:
    """e* of every node, users above items, by Eqs. 3, 4 and 9."""
    neighbors = [[USERS + i for i in range(ITEMS) if edges[u, i]] for u in range(USERS)]
    neighbors += [[u for u in range(USERS) if edges[u, i]] for i in range(ITEMS)]
    layer = np.concatenate([tiny.array(model.user_embedding), tiny.array(model.item_embedding)])
    shown = [layer]
    for number in range(LAYERS):
        W1, W2 = tiny.array(model.sum_weight[number]), tiny.array(model.product_weight[number])
        following = np.zeros_like(layer)
        for v in range(USERS + ITEMS):
            total = layer[v] @ W1
            for w in neighbors[v]:
                share = 1 / math.sqrt(len(neighbors[v]) * len(neighbors[w]))
                total = total + share * (layer[w] @ W1 + (layer[w] * layer[v]) @ W2)
            following[v] = [x if x > 0 else 0.17 * x for x in total]
        layer = following
        norms = [math.sqrt(sum(row**2)) for row in layer]
        scaled = np.array([row / norm if norm else row for row, norm in zip(layer, norms)])
        shown.append(scaled if model.config.normalize_layers else layer)
    return np.concatenate(shown, 1)


def edges_of(data, key: str) -> np.ndarray:
    chosen = data.behaviors if key == "ngcf_m" else ("buy",)
    return np.maximum.reduce([data.train[b].toarray() for b in chosen])


@pytest.mark.parametrize("key", ["ngcf", "ngcf_m"])
@pytest.mark.parametrize("variant", [None, "normalized_layers"])
def test_encoding_and_scores_equal_the_loops(data, key, variant):
    model = double(data, key, variant)
    nodes = reference(model, edges_of(data, key))
    encoding = model.encode()
    assert encoding.user.shape == (USERS, DIM * (LAYERS + 1))
    np.testing.assert_allclose(tiny.array(torch.cat(encoding)), nodes, rtol=1e-10)
    scores = tiny.array(model.score(torch.arange(USERS)))
    np.testing.assert_allclose(scores, nodes[:USERS] @ nodes[USERS:].T, rtol=1e-10)


@pytest.mark.parametrize("key", ["ngcf", "ngcf_m"])
@pytest.mark.parametrize("variant", [None, "normalized_layers"])
def test_losses_and_their_gradients_equal_those_of_the_whole_encoding(data, key, variant):
    """Training computes the last layer for the batch alone."""
    model = double(data, key, variant)
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    nodes = reference(model, edges_of(data, key))
    terms, norm = [], 0.0
    for user, better, worse in zip(*(t.tolist() for t in (batch.users, batch.positive, batch.negative))):
        margin = nodes[user] @ (nodes[USERS + better] - nodes[USERS + worse])
        terms.append(np.log1p(np.exp(-margin)))
        for row in (model.user_embedding[user], model.item_embedding[better], model.item_embedding[worse]):
            norm += (tiny.array(row) ** 2).sum()
    weights = sum((tiny.array(w) ** 2).sum() for w in (model.sum_weight, model.product_weight))
    losses = model.losses(batch)
    assert float(losses["bpr"].detach()) == pytest.approx(np.mean(terms), rel=1e-10)
    assert float(losses["l2"].detach()) == pytest.approx(0.3 * (norm / len(terms) + weights) / 2, rel=1e-10)

    whole = super(NGCF, model).triples(batch)
    plain = torch.nn.functional.softplus((whole.user * (whole.negative - whole.positive)).sum(-1)).mean()
    parameters = list(model.parameters())
    ours = torch.autograd.grad(losses["bpr"], parameters)
    theirs = torch.autograd.grad(plain, parameters)
    for mine, other in zip(ours, theirs):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("noisy", [{"message_dropout": 0.4}, {"node_dropout": 0.4}])
def test_dropout_follows_the_batch_and_never_reaches_scores(data, noisy):
    model, quiet = double(data, **noisy), double(data)
    first, second = (
        model.batches(torch.Generator().manual_seed(1)),
        model.batches(torch.Generator().manual_seed(2)),
    )
    batch, other = next(first), next(second)
    assert batch.noise != other.noise
    again, changed = (
        float(model.losses(b)["bpr"].detach()) for b in (batch, replace(batch, noise=other.noise))
    )
    assert float(model.losses(batch)["bpr"].detach()) == again != changed
    assert torch.equal(model.score(torch.arange(USERS)), quiet.score(torch.arange(USERS)))
