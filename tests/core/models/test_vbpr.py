"""VBPR against loops over pairs and features, in float64, each dimension its own prime."""

from typing import Any

import numpy as np
import pytest
import torch

from core.models.vbpr import VBPR
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)
either = pytest.mark.parametrize("variant", [None, "without_modal_bias"])


def double(data, variant: str | None = None, **overrides: Any) -> VBPR:
    return tiny_modal.double("vbpr", data, variant, **({"dim": 3, "modal_dim": 2, "l2": 0.3} | overrides))


def score(model: VBPR, data, u: int, i: int) -> float:
    """Eq. 4 without what cancels, and the bias of Eq. 5."""
    f = np.concatenate([x[i] for x in tiny_modal.raw(data).values()])
    state = {name: tiny.array(p) for name, p in model.named_parameters()}
    total = state["item_bias"][i, 0] + state["user_embedding"][u] @ state["item_embedding"][i]
    for v in range(state["map"].shape[1]):
        total += state["user_modal"][u, v] * sum(state["map"][d, v] * f[d] for d in range(len(f)))
    return float(total + (state["modal_bias"][:, 0] @ f if "modal_bias" in state else 0))


@either
@every_set
def test_scores_equal_the_loops(modalities, variant):
    data = tiny_modal.data(modalities)
    model = double(data, variant)
    expected = np.array([[score(model, data, u, i) for i in range(ITEMS)] for u in range(USERS)])
    close(model.score(torch.arange(USERS)), expected)
    assert (model.modal_bias is None) == (variant is not None)


@either
def test_losses_equal_the_loops(variant):
    data = tiny_modal.data()
    model = double(data, variant)
    drawn = tiny_modal.batch(model)
    batch = tiny_modal.triples(drawn)
    margins = [score(model, data, u, p) - score(model, data, u, n) for u, p, n in batch]
    users = np.concatenate([tiny.array(model.user_embedding), tiny.array(model.user_modal)], 1)
    items = np.concatenate([tiny.array(model.item_embedding), tiny.array(model.item_bias)], 1)
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(
        {
            "bpr": np.mean([reference.softplus(-m) for m in margins]),
            "l2": 0.3 * reference.squared(users, items, batch),
        },
        rel=1e-9,
    )


@either
def test_gradients_equal_finite_differences(variant):
    model = double(tiny_modal.data(users=5, items=7), variant)
    assert tiny.loss_has_true_gradients(model, tiny_modal.batch(model))


def test_features_are_given_and_not_trained_nor_stored():
    model = double(tiny_modal.data(ONE))
    assert "features" not in dict(model.named_parameters())
    assert "features" not in model.state_dict()
    drawn = tiny_modal.batch(model)
    assert tiny_modal.numbers(model.losses(drawn)) == tiny_modal.numbers(model.losses(drawn))
    assert torch.equal(model.encode().item, model.encode().item)
