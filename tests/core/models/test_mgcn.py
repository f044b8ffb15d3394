"""MGCN against loops over nodes, links and pairs, in float64, each dimension its own prime."""

from typing import Any

import numpy as np
import pytest
import torch

from core.catalog.mgcn import MGCN as CATALOGUED
from core.models.mgcn import MGCN
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

SETTINGS = {"dim": 3, "neighbors": 4, "l2": 0.3, "cl_weight": 0.7, "temperature": 0.6}
every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)


def double(data, variant: str | None = None, **overrides: Any) -> MGCN:
    return tiny_modal.double("mgcn", data, variant, **(SETTINGS | overrides))


def encoded(model: MGCN, data, layers: int = 2, item_layers: int = 1, k: int = 4) -> dict[str, Any]:
    normal = reference.normalized(reference.bipartite(tiny_modal.matrix(data)))
    ids = tiny.array(model.item_embedding)
    content = reference.light(normal, np.concatenate([tiny.array(model.user_embedding), ids]), layers)
    modal = []
    for name, x in tiny_modal.raw(data).items():
        p, graph = reference.encoder_of(model.encoders[name]), reference.cosine_graph(x, k)
        modal.append(reference.semantic(p, p["features"], ids, graph, normal, item_layers))
    fused = reference.fused(reference.fuser_of(model.fuser), content, modal)
    return {"content": content, "modal": modal, "fused": fused, "final": content + fused["side"]}


@pytest.mark.parametrize("depths", [{}, {"num_layers": 3, "num_item_layers": 2, "neighbors": 9}])
@every_set
def test_every_step_and_the_scores_equal_the_loops(modalities, depths):
    data = tiny_modal.data(modalities)
    model = double(data, **depths)
    layers, item_layers = depths.get("num_layers", 2), depths.get("num_item_layers", 1)
    expected = encoded(model, data, layers, item_layers, depths.get("neighbors", 4))
    found = model.encode()
    close(found.content, expected["content"])
    assert len(found.modal) == len(modalities)
    for ours, theirs in zip(found.modal, expected["modal"]):
        close(ours, theirs)
    for name, value in expected["fused"].items():
        close(getattr(found.fused, name), value)
    close(found.final, expected["final"])
    final = expected["final"]
    close(model.score(torch.arange(USERS)), final[:USERS] @ final[USERS:].T)
    assert not any(table[[USERS - 1]].any() for table in found.modal)  # who did nothing has no items


@every_set
def test_losses_equal_the_loops(modalities):
    data = tiny_modal.data(modalities)
    model = double(data)
    expected, drawn = encoded(model, data), tiny_modal.batch(model)
    batch = tiny_modal.triples(drawn)
    assert len({u for u, _, _ in batch}) < len(batch)  # a node that occurs twice is its own negative
    users, items = expected["final"][:USERS], expected["final"][USERS:]
    side, content = expected["fused"]["side"], expected["content"]
    asked = [
        reference.in_batch(side, content, [u for u, _, _ in batch], 0.6),
        reference.in_batch(side, content, [USERS + p for _, p, _ in batch], 0.6),
    ]
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(
        {
            "bpr": reference.bpr(users, items, batch),
            "l2": 0.3 * reference.squared(users, items, batch),
            "contrast": 0.7 * (np.mean(asked[0]) + np.mean(asked[1])),
        },
        rel=1e-5,
    )


def test_without_contrast_drops_the_loss_and_nothing_else():
    data = tiny_modal.data()
    whole, part = double(data), double(data, "without_contrast", cl_weight=0.0)
    drawn = tiny_modal.batch(whole)
    losses = tiny_modal.numbers(whole.losses(drawn))
    del losses["contrast"]
    assert tiny_modal.numbers(part.losses(drawn)) == losses


@pytest.mark.parametrize("modalities", [("audio",), ("audio", "image")], ids="+".join)
def test_gradients_equal_finite_differences(modalities):
    """Those of raw features, too: they are trained, the graph they made is not."""
    model = double(tiny_modal.data(modalities, users=5, items=7), dim=2)
    assert model.encoders["audio"].features.requires_grad
    assert tiny.loss_has_true_gradients(model, tiny_modal.batch(model))


def test_defaults_are_the_published_settings():
    config = CATALOGUED.resolve("paper")
    assert (config.dim, config.num_layers, config.num_item_layers, config.neighbors) == (64, 2, 1, 10)
    assert (config.l2, config.temperature, config.cl_weight, config.batch_size) == (1e-4, 0.2, 0.01, 2048)
    assert (config.epochs, config.patience, config.validate_every) == (1000, 20, 1)
    for epoch in (0, 25, 50, 130):
        assert config.learning_rate_at(epoch * 7, epoch) == pytest.approx(1e-3 * 0.96 ** (epoch / 50))


def test_nothing_is_drawn_but_the_batches():
    model = double(tiny_modal.data())
    drawn = tiny_modal.batch(model)
    assert torch.equal(model.encode().final, model.encode().final)
    assert tiny_modal.numbers(model.losses(drawn)) == tiny_modal.numbers(model.losses(drawn))
    training = model.train().encode().final
    with model.evaluating():
        assert torch.equal(model.encoding().final, training)


def test_an_item_without_features_is_reached_by_nobodys_modality():
    """A row of zeros has no neighbours; the item keeps its content."""
    data = tiny_modal.data(ONE)
    model = double(data)
    encoding, empty = model.encode(), USERS + tiny_modal.EMPTY_ITEM
    assert not encoding.modal[0][empty].any()
    torch.testing.assert_close(encoding.final[empty], encoding.content[empty])
    losses = model.losses(tiny_modal.batch(model))
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@every_set
def test_findings_are_those_of_the_loops(modalities):
    data = tiny_modal.data(modalities)
    model = double(data)
    expected, found = encoded(model, data), {f.key: f for f in model.findings()}
    links = [f"item_links_raw_{name}" for name in modalities]
    assert list(found) == ["modality_attention", "preference_gate", *links]
    for key, part in (("modality_attention", "share"), ("preference_gate", "preference")):
        close(found[key].values, expected["fused"][part])
        assert found[key].axis("modality").labels == modalities
        assert found[key].axis("node").groups == {"user": (0, USERS), "item": (USERS, USERS + ITEMS)}
    for key, x in zip(links, tiny_modal.raw(data).values()):
        reference.same_links(found[key].values, x, 4)


def test_embeddings_by_level():
    data = tiny_modal.data()
    model = double(data)
    levels, expected = model.embed(), encoded(model, data)
    assert list(levels) == ["modality_image", "modality_text", "behavior", "side", "final"]
    for name, table in zip(levels, [*expected["modal"], expected["content"], expected["fused"]["side"]]):
        close(levels[name], table)
    close(levels["final"], expected["final"])
