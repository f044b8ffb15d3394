"""HGMAE against loops over nodes and pairs."""

from typing import Any

import numpy as np
import pytest

from core.models.graph_steps import GraphStep
from core.models.hgmae import HGMAE, rate_at
from core.ops.edge_restoration import EdgeTarget
from tests.core.models import tiny, tiny_nodes
from tests.core.models.han_reference import looped_han, looped_layer

DATA = tiny_nodes.small()
STEP = GraphStep(noise=5)
QUIET = {"feature_dropout": 0.0, "attention_dropout": 0.0, "position_dropout": 0.0}
TINY = {"hidden": 6, "semantic_dim": 5, "position_dim": 3, "position_epochs": 1}


def hgmae(data: Any = DATA, **settings: Any) -> HGMAE:
    model = tiny_nodes.built("hgmae", data, **(TINY | settings))
    assert isinstance(model, HGMAE)
    return model


def double(**settings: Any) -> HGMAE:
    model = tiny_nodes.doubled(hgmae(**(QUIET | settings)))
    model.graphs = tiny_nodes.double_graphs(model.graphs)
    if model.to_edge_decoder is not None:
        model.edge_targets = [
            EdgeTarget(graph, target.scale.double(), target.length.double())
            for graph, target in zip(model.graphs.values(), model.edge_targets, strict=True)
        ]
    return model


def graphs() -> dict[str, np.ndarray]:
    return {name: tiny_nodes.dense(graph) for name, graph in DATA.graphs.items()}


def scaled_cosine(made: np.ndarray, true: np.ndarray, power: float) -> float:
    """Mean over rows of (1 - cosine)^power."""
    total = 0.0
    for x, y in zip(made, true, strict=True):
        total += (1 - x @ y / np.sqrt((x @ x) * (y @ y))) ** power
    return total / len(made)


def test_features_are_restored_from_the_unmasked_rows_and_positions_predicted_from_all() -> None:
    model = double(
        edge_weight=0.0, attribute_weight=0.7, attribute_power=1.5, position_power=2.0, num_layers=1
    )
    features = tiny.array(model.features)
    model.train()
    losses = tiny_nodes.valued(model.losses(STEP))
    hidden = model.mask(STEP.generator(tiny.CPU))
    nodes, tokens = hidden.nodes.tolist(), hidden.tokens
    assert len(nodes) == 5
    assert hidden.replaced == 1
    seen = features.copy()
    seen[nodes[:tokens]] = tiny.array(model.token)
    seen[nodes[tokens]] = tiny.array(hidden.rows)[nodes[tokens]]
    assert any(np.array_equal(seen[nodes[tokens]], row) for row in features)
    h, _ = looped_han(model.encoder, DATA, seen)
    rows = h @ tiny.array(model.to_decoder.weight).T
    rows[nodes] = 0
    made, _ = looped_layer(model.decoder, graphs(), rows)
    assert losses["attributes"] == pytest.approx(
        0.7 * scaled_cosine(made[nodes], features[nodes], 1.5), rel=1e-6
    )
    for layer, activation in zip(model.to_position.maps, [*model.to_position.activations, None], strict=True):
        h = h @ tiny.array(layer.weight).T + tiny.array(layer.bias)
        h = h if activation is None else np.where(h > 0, h, tiny.array(activation.weight) * h)
    assert losses["positions"] == pytest.approx(
        0.1 * scaled_cosine(h, tiny.array(model.positions), 2), rel=1e-6
    )


def test_edges_are_restored_by_inner_products_weighed_by_the_decoder_s_shares() -> None:
    model = double(
        edge_drop=0.0, edge_drop_most=0.0, attribute_weight=0.0, position_weight=0.0, edge_weight=0.6
    )
    model.train()
    losses = tiny_nodes.valued(model.losses(STEP))
    h, _ = looped_han(model.encoder, DATA, tiny.array(model.features))
    made, shares = looped_layer(model.decoder, graphs(), h @ tiny.array(model.to_edge_decoder.weight).T)
    products = made @ made.T
    expected = 0.0
    for share, joined in zip(shares, graphs().values(), strict=True):
        degree = joined.sum(1)
        expected += share * scaled_cosine(products, joined / np.sqrt(np.outer(degree, degree)), 3)
    assert losses == pytest.approx({"edges": 0.6 * expected}, rel=1e-5)


def test_what_is_evaluated_sees_all_features_and_edges() -> None:
    model = double(num_layers=2)
    model.train()
    model.losses(STEP)  # running means that differ from their start
    model.eval()
    rows, shares = looped_han(model.encoder, DATA, tiny.array(model.features))
    np.testing.assert_allclose(model.represent(), rows, rtol=1e-6)
    findings = {finding.key: finding for finding in model.findings()}
    np.testing.assert_allclose(findings["semantic_attention"].values[:2], shares, rtol=1e-6)
    assert findings["semantic_attention"].axes[0].labels == ("layer 1", "layer 2", "decoder")
    assert findings["reconstruction"].source.startswith("HGMAE, ")


def test_gradients_are_true() -> None:
    model = double(edge_drop=0.5, num_layers=1)
    model.train()
    by_gradients, by_differences = tiny_nodes.slopes(model, STEP)
    assert by_gradients == pytest.approx(by_differences, rel=1e-5)


def test_noise_follows_from_the_step() -> None:
    model = hgmae()
    model.train()
    first, again, other = (tiny_nodes.valued(model.losses(GraphStep(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_masks_and_dropped_edges_grow_with_the_epochs() -> None:
    assert [rate_at(0.5, 0.2, 0.8, epoch) for epoch in range(3)] == pytest.approx([0.5, 0.7, 0.8])
    assert rate_at(0.7, 0.0, 0.5, 9) == 0.7
    model = hgmae(mask_step=0.1, edge_drop=0.4, edge_drop_step=0.3)
    found = []
    for epoch in (1, 2, 9):
        model.begin_epoch(epoch, 9)
        (rates,) = model.probes(STEP)
        assert rates.key == "mask_rate"
        found.append([model.mask_rate, model.edge_drop, float(rates.values[0])])
    np.testing.assert_allclose(found, [(0.5, 0.4, 5 / 11), (0.6, 0.7, 6 / 11), (0.8, 0.8, 8 / 11)], rtol=1e-6)


def test_kept_positions_train_the_same_model(tmp_path: Any) -> None:
    """Whether positions are made or read changes nothing, not even what is drawn after them."""
    data = tiny_nodes.small(cache=tmp_path)
    first, second = (hgmae(data) for _ in range(2))
    assert len(list((tmp_path / "positions").iterdir())) == 1
    for model in (first, second):
        model.train()
    assert tiny_nodes.valued(first.losses(STEP)) == tiny_nodes.valued(second.losses(STEP))
