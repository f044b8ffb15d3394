"""Supervised HAN against loops over nodes, and that no setting learns from another one's labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.models.graph_steps import GraphStep
from core.models.han import HAN
from core.ops.additive_attention import DenseGraph
from tests.core.models import tiny, tiny_nodes
from tests.core.models.han_reference import looped_han

DATA = tiny_nodes.small()
STEP = GraphStep(noise=5)
QUIET = {"feature_dropout": 0.0, "attention_dropout": 0.0}


def han(data: Any = DATA, **settings: Any) -> HAN:
    model = tiny_nodes.built("han", data, **({"hidden": 6, "heads": 2, "semantic_dim": 5} | settings))
    assert isinstance(model, HAN)
    return model


def double(**settings: Any) -> HAN:
    model = tiny_nodes.doubled(han(**settings))
    model.graphs = tiny_nodes.double_graphs(model.graphs)
    return model


@pytest.mark.parametrize(
    "settings",
    [{}, {"num_layers": 2}, {"semantic_dim": 0}, {"heads": 3}],
    ids=lambda s: "-".join(s) or "plain",
)
def test_embeddings_shares_and_losses_are_those_of_the_equations(settings: dict[str, Any]) -> None:
    model = double(**QUIET, **settings, l2=0.3)
    losses = tiny_nodes.valued(model.losses(STEP))
    expected_norm = 0.0
    for size, setting in DATA.settings.items():
        part = model.by_setting[str(size)]
        rows, shares = looped_han(part.encoder, DATA, tiny.array(model.features))
        made = model.encode()[size]
        np.testing.assert_allclose(tiny.array(made.rows), rows, rtol=1e-8)
        np.testing.assert_allclose(tiny.array(torch.stack(made.shares)), shares, rtol=1e-8)
        np.testing.assert_array_equal(model.represent_for(size), tiny.array(made.rows))
        total = 0.0
        for node in setting.train:
            logit = tiny.array(part.to_classes.weight) @ rows[node] + tiny.array(part.to_classes.bias)
            total -= logit[DATA.labels[node]] - np.log(np.exp(logit).sum())
        assert losses[f"cross_entropy_{size}"] == pytest.approx(total / len(setting.train), rel=1e-8)
    for parameter in model.parameters():
        expected_norm += sum(value**2 for value in tiny.array(parameter).ravel())
    assert losses["l2"] == pytest.approx(0.15 * expected_norm, rel=1e-8)


def test_a_dense_metapath_attends_in_dense_form() -> None:
    assert isinstance(han().graphs["PSP"], DenseGraph)
    assert DATA.graphs["PSP"].nnz > 0.3 * 11**2


def trained(data: Any, epochs: int = 7) -> HAN:
    model = han(data, seed=3)
    optimizer, generator = torch.optim.Adam(model.parameters(), lr=0.01), torch.Generator().manual_seed(1)
    model.train()
    for _ in range(epochs):
        for batch in model.batches(generator):
            optimizer.zero_grad()
            torch.stack(list(model.losses(batch).values())).sum().backward()
            optimizer.step()
    return model


def test_a_setting_learns_from_its_own_labels_alone() -> None:
    """Nodes that setting 2 trains on may be test nodes of setting 1: other labels there change nothing in setting 1."""
    data = tiny_nodes.planted(labels_per_class=(2, 7))
    small, large = data.settings.values()
    others = np.setdiff1d(large.train, small.train)
    assert np.intersect1d(others, small.test).size, (
        "the larger setting trains on no test node of the smaller one"
    )
    labels = data.labels.copy()
    labels[others] = (labels[others] + 1) % 3
    first, second = trained(data), trained(replace(data, labels=labels))
    assert torch.equal(first.represent_for(2), second.represent_for(2))
    assert not torch.equal(first.represent_for(7), second.represent_for(7))
    assert torch.equal(first.represent(), first.represent_for(2))
    unlabelled = data.labels.copy()
    unlabelled[np.setdiff1d(np.arange(67), large.train)] = 0
    third = trained(replace(data, labels=unlabelled))
    assert torch.equal(first.represent_for(7), third.represent_for(7))


def test_dropout_follows_from_the_step() -> None:
    model = han(feature_dropout=0.5, attention_dropout=0.5)
    first, again, other = (model.losses(GraphStep(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first["cross_entropy_1"] != other["cross_entropy_1"]
    with torch.no_grad():
        plain = F.cross_entropy(
            model.encode()[1].logits[DATA.settings[1].train],
            torch.from_numpy(DATA.labels[DATA.settings[1].train]),
        )
    assert first["cross_entropy_1"] != plain


def test_findings_name_every_setting_s_encoder() -> None:
    (finding,) = han(num_layers=2).findings()
    assert finding.key == "semantic_attention"
    assert [axis.name for axis in finding.axes] == ["layer", "metapath"]
    assert finding.axes[0].labels == (
        "1 labels, layer 1",
        "1 labels, layer 2",
        "2 labels, layer 1",
        "2 labels, layer 2",
    )
