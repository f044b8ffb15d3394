"""MF-BPR against loops; batches are LightGCN's, tested there."""

import numpy as np
import pytest
import torch

from core.models.mf import MF
from tests.core.models import tiny

USERS, ITEMS, DIM = 5, 7, 3


@pytest.fixture(params=[None, "item_bias"])
def model(request):
    built = tiny.built("mf", tiny.random_ranking(USERS, ITEMS), request.param, dim=DIM, l2=0.3)
    assert isinstance(built, MF)
    generator = torch.Generator().manual_seed(5)
    built.double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return built


def expected(model: MF, user: int, item: int) -> float:
    w, h = tiny.array(model.user_embedding), tiny.array(model.item_embedding)
    bias = 0.0 if model.item_bias is None else float(model.item_bias[item, 0].detach())
    return sum(w[user, d] * h[item, d] for d in range(DIM)) + bias


def test_scores_are_inner_products_plus_bias(model):
    scores = tiny.array(model.score(torch.arange(USERS)))
    for user in range(USERS):
        for item in range(ITEMS):
            assert scores[user, item] == pytest.approx(expected(model, user, item), rel=1e-12)


def test_losses_equal_the_loops(model):
    batch = next(model.batches(torch.Generator().manual_seed(1)))
    terms, norm = [], 0.0
    for user, better, worse in zip(*(t.tolist() for t in (batch.users, batch.positive, batch.negative))):
        margin = expected(model, user, better) - expected(model, user, worse)
        terms.append(np.log1p(np.exp(-margin)))
        for row in (model.user_embedding[user], model.item_embedding[better], model.item_embedding[worse]):
            norm += (tiny.array(row) ** 2).sum()
    losses = {name: float(value.detach()) for name, value in model.losses(batch).items()}
    assert losses["bpr"] == pytest.approx(np.mean(terms), rel=1e-12)
    assert losses["l2"] == pytest.approx(0.3 * norm / 2 / len(terms), rel=1e-12)
