"""VGAE against loops over nodes and pairs."""

from typing import Any

import numpy as np
import pytest
import torch

from core.errors import DataError
from core.models.graph_steps import GraphStep
from core.models.vgae import VGAE
from core.ops import pair_decoder
from core.ops.pair_decoder import formed_links, restored_links
from core.ops.sparse import pattern_of
from core.ops.square import Square
from tests.core.models import tiny, tiny_nodes

DATA = tiny_nodes.small()
STEP = GraphStep(noise=5)


def double(**settings: Any) -> VGAE:
    model = tiny_nodes.doubled(tiny_nodes.built("vgae", DATA, hidden=3, dim=2, **settings))
    model.graph = Square(model.graph.pattern, model.graph.weight.double())
    assert isinstance(model, VGAE)
    return model


def convolved(joined: np.ndarray, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """sum_j x_j W / sqrt(d_i d_j) over the neighbours j."""
    degree = joined.sum(1)
    made = np.zeros((len(rows), weight.shape[0]))
    for i in range(len(rows)):
        for j in range(len(rows)):
            if joined[i, j]:
                made[i] += weight @ rows[j] / np.sqrt(degree[i] * degree[j])
    return made


def placed(model: VGAE) -> tuple[np.ndarray, np.ndarray]:
    """Means and log scales."""
    joined = tiny_nodes.dense(DATA.graphs[model.metapath])
    features = tiny.array(model.features)
    hidden = np.maximum(convolved(joined, features, tiny.array(model.to_hidden.weight)), 0)
    assert model.to_log_scale is not None
    weights = (tiny.array(layer.weight) for layer in (model.to_mean, model.to_log_scale))
    mean, log_scale = (convolved(joined, hidden, weight) for weight in weights)
    return mean, log_scale


def looped_loss(joined: np.ndarray, rows: np.ndarray) -> float:
    pairs, entries = joined.size, joined.sum()
    total = 0.0
    for i in range(len(rows)):
        for j in range(len(rows)):
            share = 1 / (1 + np.exp(-rows[i] @ rows[j]))
            total -= (pairs - entries) / entries * np.log(share) if joined[i, j] else np.log(1 - share)
    return float(total / pairs * pairs / (2 * (pairs - entries)))


@pytest.mark.parametrize("metapath", ["PAP", "PSP"])
def test_normals_and_losses_are_those_of_the_equations(metapath: str) -> None:
    model = double(metapath=metapath)
    mean, log_scale = placed(model)
    encoded = model.encode()
    np.testing.assert_allclose(tiny.array(encoded.mean), mean, rtol=1e-6)
    assert encoded.log_scale is not None
    np.testing.assert_allclose(tiny.array(encoded.log_scale), log_scale, rtol=1e-6)
    np.testing.assert_allclose(tiny.array(model.represent()), mean, rtol=1e-6)
    noise = STEP.generator(tiny.CPU)
    standard = torch.randn(mean.shape, generator=noise, dtype=torch.float64).numpy()
    drawn = mean + standard * np.exp(log_scale)
    losses = tiny_nodes.valued(model.losses(STEP))
    assert losses["links"] == pytest.approx(
        looped_loss(tiny_nodes.dense(DATA.graphs[metapath]), drawn), rel=1e-6
    )
    divergence = 0.0
    for i in range(11):
        for d in range(2):
            scale = np.exp(log_scale[i, d])
            divergence += 0.5 * (scale**2 + mean[i, d] ** 2 - 1 - 2 * np.log(scale)) / 11
    assert losses["kl"] == pytest.approx(divergence / 11, rel=1e-6)


def test_the_plain_autoencoder_decodes_the_means() -> None:
    model = double(metapath="PAP", variational=False)
    losses = tiny_nodes.valued(model.losses(STEP))
    assert list(losses) == ["links"]
    expected = looped_loss(tiny_nodes.dense(DATA.graphs["PAP"]), tiny.array(model.encode().mean))
    assert losses["links"] == pytest.approx(expected, rel=1e-6)
    assert [finding.key for finding in model.findings()] == ["latent_mean"]


@pytest.mark.parametrize("at_once", [1, 24, 10_000])
def test_blocks_of_pairs_have_the_loss_and_the_gradients_of_all_at_once(
    at_once: int, monkeypatch: Any
) -> None:
    monkeypatch.setitem(pair_decoder._LOGITS_AT_ONCE, "cpu", at_once)
    links = pattern_of(DATA.graphs["PAP"])
    rows = torch.randn(
        11, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    ).requires_grad_()
    found = [torch.autograd.grad(form(rows, links), rows)[0] for form in (restored_links, formed_links)]
    torch.testing.assert_close(*found)
    torch.testing.assert_close(restored_links(rows, links), formed_links(rows, links))


def test_a_graph_of_all_pairs_is_decoded_too() -> None:
    links = pattern_of(tiny.matrix(np.ones((5, 5))))
    rows = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(restored_links(rows, links), formed_links(rows, links))


def test_gradients_are_true() -> None:
    by_gradients, by_differences = tiny_nodes.slopes(double(metapath="PAP"), STEP)
    assert by_gradients == pytest.approx(by_differences, rel=1e-6)


def test_the_sparsest_metapath_is_taken_and_unknown_ones_are_refused() -> None:
    entries = {name: graph.nnz for name, graph in DATA.graphs.items()}
    assert tiny_nodes.built("vgae", DATA).metapath == min(entries, key=entries.get)
    with pytest.raises(DataError, match="no metapath 'PXP'; set metapath to one of PAP, PSP, PHP"):
        tiny_nodes.built("vgae", DATA, metapath="PXP")


def test_findings_state_the_normals() -> None:
    findings = {finding.key: finding for finding in double(metapath="PAP").findings()}
    assert set(findings) == {"latent_mean", "latent_scale", "kl"}
    assert findings["kl"].values.shape == (11,)
    assert findings["latent_mean"].values.shape == (11, 2)
