"""HGCVAE against loops, its schedules of masks and negatives, its variants, and what it states."""

import numpy as np
import pytest
import torch

from core.catalog.hgcvae import HGCVAE as ENTRY
from core.errors import ConfigError
from core.findings import Kind
from core.models.graph_steps import GraphStep
from core.models.hgcvae import HGCVAE, Latent
from core.models.hgcvae_findings import feature_groups
from core.ops.normals import standard_divergence
from tests.core.models import hgcvae_reference as slow
from tests.core.models import tiny_nodes


def divergence(latent: Latent) -> torch.Tensor:
    return standard_divergence(latent.mean, latent.log_scale)


SILENT = {"feature_dropout": 0.0, "attention_dropout": 0.0, "negative_dropout": 0.0, "negative_nodes": 0}
TINY = {"hidden": 6, "heads": 3, "num_layers": 2, "semantic_dim": 5, "num_negatives": 4, "epochs": 8}


@pytest.fixture(scope="module")
def data():
    return tiny_nodes.small()


def built(data, variant: str | None = None, **changes) -> HGCVAE:
    patch = ENTRY.variants[variant].patch if variant else {}
    settings = {k: v for k, v in (TINY | SILENT | changes).items() if k not in patch}
    model = tiny_nodes.doubled(tiny_nodes.built("hgcvae", data, variant, **settings))
    assert isinstance(model, HGCVAE)
    model.graphs = {
        name: type(g)(g.presence.double()) if hasattr(g, "presence") else g
        for name, g in model.graphs.items()
    }
    return model


def joined(data) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(graph.toarray()) for name, graph in data.graphs.items()}


@pytest.mark.parametrize("variant", [None, "mean_of_metapaths", "one_layer"])
def test_embeddings_are_those_of_the_loop(data, variant):
    model = built(data, variant)
    with torch.no_grad():
        expected = slow.stack(model.encoder.layers, joined(data), model.features)
        latent = model.encode().latent
        mean, shares = slow.han_layer(model.mean_head, joined(data), expected)
    torch.testing.assert_close(model.represent(), expected)
    torch.testing.assert_close(latent.mean, torch.stack([slow.unit(row) for row in mean]))
    torch.testing.assert_close(latent.mean_shares, torch.tensor(shares, dtype=torch.double))


@pytest.mark.parametrize("variant", [None, "growing_negatives", "free_heads", "decode_latent"])
@pytest.mark.parametrize("epoch", [1, 4, 8])
def test_losses_are_those_of_the_equations(data, variant, epoch):
    """Masks and normal noise are the model's own; everything else is done again, slowly."""
    model, step = built(data, variant), GraphStep(11)
    model.begin_epoch(epoch, 8)
    with torch.no_grad():
        found = model.losses(step)
        noise = torch.Generator().manual_seed(11)
        passes = model.passes(noise)
        negatives = model.negatives(noise)
        graphs, config = joined(data), model.config
        h = slow.stack(model.encoder.layers, graphs, passes.masked.rows)
        rows = [slow.han_layer(head, graphs, h)[0] for head in (model.mean_head, model.scale_head)]
        if config.normalise_heads:
            rows = [torch.stack([slow.unit(row) for row in table]) for table in rows]
        mean, log_scale = rows
        by_dropout, variational = model.tables
        assert len(negatives) == by_dropout + variational
        tables = [h] * by_dropout + [n.make(h, mean, log_scale) for n in negatives[by_dropout:]]
        own = [config.exclude_own] * by_dropout + [False] * variational
        expected = {
            "contrastive": config.contrastive_weight * slow.info_nce(h, h, tables, own, config.temperature),
            "kl": config.kl_weight * slow.kl(mean, log_scale),
        }
        decoded = h
        if config.decoder_input == "z":
            drawn = torch.randn(mean.shape, generator=noise, dtype=mean.dtype)
            decoded = mean + drawn * log_scale.exp()
        made, _ = slow.han_layer(model.decoder, graphs, decoded @ model.to_decoder.weight.t())
        nodes = passes.masked.nodes
        error = slow.esce(made[nodes], model.features[nodes], config.esce_power)
        expected["esce"] = config.esce_weight * error
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected)


def test_variational_negatives_are_three_means_and_noise(data):
    model = built(data)
    mean, log_scale = torch.full((11, 6), 2.0).double(), torch.full((11, 6), -1.0).double()
    tables = [model.variational(None, torch.Generator().manual_seed(seed)) for seed in range(300)]
    rows = torch.stack([table.make(mean, mean, log_scale) for table in tables])
    assert float(rows.mean()) == pytest.approx(6.0, abs=0.01)
    assert float(rows.std()) == pytest.approx(np.exp(-1.0), rel=0.02)
    assert torch.equal(tables[3].make(mean, mean, log_scale), rows[3]), "made twice, the same"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {0: (20, 0), 1: (20, 0), 2: (19, 1), 12: (11, 9), 24: (1, 19), 25: (0, 20), 39: (0, 20)}),
        ({"cap_negatives": False}, {24: (1, 19), 25: (0, 20), 39: (0, 31)}),
        ({"negatives": "dropout"}, {0: (20, 0), 39: (20, 0)}),
        ({"negatives": "variational"}, {0: (0, 20), 39: (0, 20)}),
    ],
)
def test_negatives_become_variational_as_published(data, changes, expected):
    model = built(data, num_negatives=20, epochs=40, **changes)
    for epoch, tables in expected.items():
        model.begin_epoch(epoch + 1, 40)
        assert model.tables == tables


def test_schedules_stretch_with_the_epochs(data):
    model = built(data, num_negatives=20, epochs=80)
    model.begin_epoch(51, 80)
    assert model.tables == (0, 20)
    assert model.mask_rate == pytest.approx(0.3 * (1 + 50 / 80))


def test_drawn_rows_know_their_own_nodes(data):
    model = built(data, negative_nodes=5)
    noise = torch.Generator().manual_seed(0)
    table = model.by_dropout(model._rows(noise), noise)
    h = torch.arange(11.0)[:, None].expand(-1, 6)
    assert torch.equal(table.make(h)[:, 0].long(), table.own)
    assert len(table.own) == 5


def test_normalised_heads_bound_the_divergence(data):
    model = built(data)
    for seed in range(5):
        latent = tiny_nodes.doubled(model, seed).encode().latent
        assert float(divergence(latent).min().detach()) > 1.0


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"contrastive_weight": 0.0}, set()),
        ({"kl_weight": 0.0, "negatives": "dropout"}, {"mean_head", "scale_head"}),
        ({"esce_weight": 0.0}, {"decoder", "to_decoder"}),
        ({"mask_rate": 0.0}, {"token"}),
    ],
)
def test_what_no_loss_reaches_is_not_built(data, changes, absent):
    model = built(data, **changes)
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert {"mean_head", "scale_head", "decoder", "to_decoder", "token"} - names == absent
    losses = model.losses(GraphStep(3))
    assert all(bool(value.isfinite()) for value in losses.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": 10, "heads": 4}, "4 heads do not divide hidden = 10"),
        ({"keep_rate": 0.6, "replace_rate": 0.5}, "leave nothing to mask"),
        ({"contrastive_weight": 0, "kl_weight": 0, "esce_weight": 0}, "all three losses have weight 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        ENTRY.resolve("small", None, changes)


def test_findings_say_what_the_encoding_holds(data):
    model = built(data)
    found = {finding.key: finding for finding in model.findings()}
    assert found.keys() == {"semantic_attention", "latent_mean", "latent_scale", "kl", "reconstruction"}
    attention = found["semantic_attention"]
    assert attention.axes[0].labels == ("layer 1", "layer 2", "mean", "scale", "decoder")
    assert attention.axes[1].labels == data.metapaths
    encoding = model.encode()
    np.testing.assert_allclose(attention.values[0], encoding.shares[0].detach())
    assert found["kl"].values.shape == (11,)
    np.testing.assert_allclose(found["kl"].values, divergence(encoding.latent).detach())


def test_probes_repeat_the_step_and_change_nothing(data):
    model, step = built(data), GraphStep(5)
    model.begin_epoch(3, 8)
    model.train()
    before = model.losses(step)
    found = {finding.key: finding for finding in model.probes(step)}
    after = model.losses(step)
    assert model.training
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert found.keys() == {
        "mask_rate",
        "semantic_attention_passes",
        "negative_tables",
        "negative_hardness",
        "false_negatives",
    }
    masked, token, kept, replaced = found["mask_rate"].values
    assert masked == pytest.approx(int(0.3 * (1 + 2 / 8) * 11) / 11)
    assert masked == pytest.approx(token + kept + replaced)
    assert found["negative_tables"].values.tolist() == list(model.tables)


def test_hardness_and_false_negatives_are_counted_over_others_alone(data):
    model, step = built(data, exclude_own=True), GraphStep(5)
    model.begin_epoch(1, 8)
    found = {finding.key: finding for finding in model.probes(step)}
    with torch.no_grad():
        h = model.passes(torch.Generator().manual_seed(5)).h1
    cosine = [[float(slow.unit(a) @ slow.unit(b)) for b in h] for a in h]
    others = [[cosine[i][j] for j in range(11) if j != i] for i in range(11)]
    hardness = found["negative_hardness"]
    assert hardness.kind is Kind.SIGNED
    assert hardness.axes[0].labels == ("dropout", "variational", "positive")
    mean, _, nearest = hardness.values[0]
    assert mean == pytest.approx(np.mean(others), abs=1e-6)
    assert nearest == pytest.approx(np.mean([max(row) for row in others]), abs=1e-6)
    same = [[data.labels[i] == data.labels[j] for j in range(11) if j != i] for i in range(11)]
    by_count, by_weight = found["false_negatives"].values[0]
    assert by_count == pytest.approx(np.mean(same))
    weight = np.exp(np.array(others) / model.config.temperature)
    share = (weight * np.array(same)).sum(1) / weight.sum(1)
    assert by_weight == pytest.approx(share.mean(), abs=1e-6)


def test_features_fall_into_groups_of_equally_many_entries():
    counts = [1, 1, 2, 4, 8, 16]
    features = torch.zeros(40, 6)
    for f, count in enumerate(counts):
        features[:count, f] = 1
    group, names = feature_groups(features)
    assert group.tolist() == sorted(group.tolist())
    assert len(names) == 5
    dense_group, dense_names = feature_groups(torch.ones(5, 3))
    assert dense_names == ["all features"]
    assert not dense_group.any()
