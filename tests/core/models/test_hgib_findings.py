"""What HGIB says about itself, against direct computation on a tiny model."""

import numpy as np
import pytest
import torch

from core.findings import Finding
from core.models.hgib import HGIB
from core.ops.hsic import hsic, kernel_matrix
from tests.core.models.test_hgib import DATA, hgib

KEYS = [
    "information_abundance",
    "singular_values",
    "hsic",
    "preservation",
    "edge_keep_rate",
    "edge_weight_histogram",
    "fusion_attention_1",
    "fusion_attention_2",
]


def found(model: HGIB) -> dict[str, Finding]:
    return {finding.key: finding for finding in model.findings()}


def test_a_whole_model_states_every_finding_with_its_source():
    findings = found(hgib())
    assert list(findings) == KEYS
    assert all(f.source.startswith("HGIB, ") and f.note for f in findings.values())


@pytest.mark.parametrize(
    ("variant", "missing"),
    [
        ("without_gre", {"edge_keep_rate", "edge_weight_histogram"}),
        ("without_component_level", {"fusion_attention_2"}),
        ("flat", {"preservation", "fusion_attention_1", "fusion_attention_2"}),
        ("without_behavior_level", {"fusion_attention_2"}),
    ],
)
def test_variants_state_what_they_have(variant: str, missing: set[str]):
    assert set(KEYS) - set(found(hgib(variant=variant))) == missing


def test_abundance_and_spectra_are_those_of_the_levels():
    model = hgib()
    findings, levels = found(model), model.embed()
    abundance, spectra = findings["information_abundance"], findings["singular_values"]
    assert [axis.name for axis in spectra.axes] == ["level", "side", "rank"]
    titles = ["initial", "all behaviours", "view", "cart", "buy", "view and buy", "cart and buy"]
    assert abundance.axes[0].labels == (*titles, "view without buy", "cart without buy", "output")
    for place, table in enumerate(levels.values()):
        for side, rows in enumerate((table[: DATA.num_users], table[DATA.num_users :])):
            values = np.linalg.svd(rows.numpy(), compute_uv=False)
            np.testing.assert_allclose(spectra.values[place, side], values / values[0], rtol=1e-6)
            assert abundance.values[place, side] == pytest.approx(values.sum() / values[0])


def test_dependence_and_preservation_are_measured_on_distinct_users_and_items_without_noise():
    model = hgib()
    findings, levels = found(model), model.embed()
    users, items = model._stories._sample
    for nodes, trained in zip((users, items), DATA.train["buy"].nonzero()):
        assert len(nodes) == min(len(set(part.tolist())) for part in DATA.train["buy"].nonzero())
        assert len(set(nodes.tolist())) == len(nodes)
        assert set(nodes.tolist()) <= set(trained.tolist())
    labels = findings["hsic"].axes[0].labels
    assert labels[0] == "initial > all behaviours"
    assert labels[-1] == "cart > cart without buy"
    first = [kernel_matrix(levels[k][users], "rbf", 0.7) for k in ("unified", "initial")]
    assert findings["hsic"].values[0, 0] == pytest.approx(float(hsic(*first)))
    assert findings["hsic"].support is not None
    assert (findings["hsic"].support == len(users)).all()
    rows = DATA.num_users + items
    expected = sum(
        float(
            torch.nn.functional.cross_entropy(
                levels["final"][r] @ levels["cart"][r].t(), torch.arange(len(r))
            )
        )
        for r in (users, rows)
    )
    place = findings["preservation"].axes[0].labels.index("cart")
    assert findings["preservation"].values[place] == pytest.approx(expected)


def test_edges_are_counted_by_weight_and_those_pruned_are_not_kept():
    model = hgib(threshold=0.5)
    findings, weights = found(model), list(model.edge_weights())
    rates, counts = findings["edge_keep_rate"], findings["edge_weight_histogram"]
    for place, (graph, matrix) in enumerate(weights):
        assert rates.axes[0].labels[place] == graph.title
        kept = float((matrix.data > 2e-7).mean())
        assert rates.values[place, 1] == pytest.approx(kept)
        assert counts.values[place].sum() == graph.pairs.nnz
        assert counts.values[place, 0] >= (1 - kept) * graph.pairs.nnz - 1e-9
    assert 0 < rates.values[0, 1] < 1


def test_the_training_keep_rate_is_that_of_many_draws():
    model = hgib(threshold=0.5)
    graph = model.graphs[0]
    generator = torch.Generator().manual_seed(0)
    draws = [
        model.encoder.weighing(graph)(model.encoder.patterns[graph.key], model.initial, generator)
        for _ in range(400)
    ]
    drawn = float(torch.stack([(w.to_user > 2e-7).double().mean() for w in draws if w]).mean())
    assert found(model)["edge_keep_rate"].values[0, 0] == pytest.approx(drawn, abs=0.02)


def test_fusion_shares_are_those_of_the_encoding():
    model = hgib()
    shares = found(model)["fusion_attention_2"]
    assert shares.axes[1].labels == ("view and buy", "cart and buy", "view without buy", "cart without buy")
    assert shares.axes[0].groups == {
        "user": (0, DATA.num_users),
        "item": (DATA.num_users, DATA.num_users + DATA.num_items),
    }
    with model.evaluating():
        np.testing.assert_allclose(
            shares.values[: DATA.num_users], model.encoding().attention[1].user.numpy()
        )
