"""LGMRec against loops over nodes, hyperedges and pairs, in float64, each dimension its own; its noise drawn again."""

from typing import Any

import numpy as np
import pytest
import torch

from core.models.hypergraph import Noise, contrasted, ordered
from core.models.lgmrec import LGMRec
from tests.core.models import hypergraph_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.multimodal_reference import bpr, unit
from tests.core.models.tiny_modal import ODD, ONE, USERS, close

SETTINGS = {
    "dim": 3,
    "num_hyperedges": 4,
    "keep_rate": 0.6,
    "hyper_temperature": 0.9,
    "temperature": 0.7,
    "hcl_weight": 0.8,
    "l2": 0.3,
    "alpha": 0.6,
}
SHAPE = {"layers": 2, "modal_layers": 2, "repeat": 1, "tau": 0.9}
SWAPPED = ("text", "image")  # text comes last whatever the order of the data
every_set = pytest.mark.parametrize(
    "modalities", [ONE, ODD, SWAPPED, ("text", "audio", "image")], ids="+".join
)


def double(data, variant: str | None = None, **overrides: Any) -> LGMRec:
    own = {k: v for k, v in SETTINGS.items() if variant is None or k not in ("hcl_weight", "alpha")}
    return tiny_modal.double("lgmrec", data, variant, **(own | overrides))


def expected_of(model: LGMRec, data, alpha: float = 0.6, **about: Any) -> dict[str, Any]:
    found = reference.parts(model, data, **(SHAPE | about))
    branches = {"collaborative": found["collaborative"], "modal": sum(found["modal"])}
    if alpha:
        branches["hypergraph"] = alpha * unit(sum(graph["output"] for graph in found["graphs"]))
    return found | {"branches": branches, "final": sum(branches.values())}


@pytest.mark.parametrize("depths", [{}, {"num_layers": 3, "num_modal_layers": 1, "num_hyper_layers": 2}])
@every_set
def test_every_step_and_the_scores_equal_the_loops(modalities, depths):
    data = tiny_modal.data(modalities)
    model = double(data, **depths)
    shape = {"layers": 3, "modal_layers": 1, "repeat": 2} if depths else {}
    expected = expected_of(model, data, **shape)
    encoding = model.encode()
    reference.same_parts(encoding, expected)
    assert encoding.attention is None
    final = expected["final"]
    close(model.score(torch.arange(USERS)), final[:USERS] @ final[USERS:].T)


@pytest.mark.parametrize("keep", [0.6, 1.0])
@every_set
def test_losses_equal_the_loops_under_the_noise_of_the_step(modalities, keep: float):
    data = tiny_modal.data(modalities)
    model = double(data, keep_rate=keep)
    drawn = tiny_modal.batch(model)
    draws = reference.Draws(torch.Generator().manual_seed(drawn.noise), keep)
    expected, batch = expected_of(model, data, draws=draws), tiny_modal.triples(drawn)
    reference.same_parts(model.encoded(Noise(torch.Generator().manual_seed(drawn.noise))), expected)
    final = expected["final"]
    losses = {
        "bpr": bpr(final[:USERS], final[USERS:], batch),
        "l2": 0.3 * reference.norms(final, USERS, batch),
    }
    if len(modalities) > 1:
        outputs = [graph["output"] for graph in expected["graphs"]]
        losses["hcl"] = 0.8 * reference.cross_modal(outputs, USERS, batch, 0.7)
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(losses, rel=1e-5)


def test_the_noise_is_gumbel_noise_and_dropout_that_keeps_the_mean():
    noise = Noise(torch.Generator().manual_seed(0))
    drawn = noise.gumbel(torch.zeros(40_000, dtype=torch.float64))
    assert float(drawn.mean()) == pytest.approx(np.euler_gamma, abs=0.03)
    assert float(drawn.var()) == pytest.approx(np.pi**2 / 6, rel=0.05)
    rows = torch.full((200, 200), 3.0)
    kept = noise.dropped(rows, 0.4)
    assert sorted(kept.unique().tolist()) == pytest.approx([0, 7.5])
    assert float((kept > 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert noise.dropped(rows, 1.0) is rows


def test_training_is_noisy_and_evaluation_is_not():
    model = double(tiny_modal.data())
    first, second = (tiny_modal.batch(model, seed) for seed in (1, 2))
    assert tiny_modal.numbers(model.losses(first)) == tiny_modal.numbers(model.losses(first))
    assert first.noise != second.noise
    ours, theirs = (
        model.encoded(Noise(torch.Generator().manual_seed(b.noise))).final for b in (first, second)
    )
    assert not torch.allclose(ours, theirs)
    assert torch.equal(model.train().encode().final, model.encode().final)
    with model.evaluating():
        assert torch.equal(model.encoding().final, model.encode().final)


def test_variants_change_what_they_say():
    data = tiny_modal.data()
    bare = double(data, "without_hypergraph")
    reference.same_parts(bare.encode(), expected_of(bare, data, alpha=0.0))
    assert set(bare.losses(tiny_modal.batch(bare))) == {"bpr", "l2"}
    assert not list(bare.hyperedge_maps)
    quiet = double(data, "without_hcl", alpha=0.6)
    reference.same_parts(quiet.encode(), expected_of(quiet, data))
    assert set(quiet.losses(tiny_modal.batch(quiet))) == {"bpr", "l2"}
    contrasted_only = double(data, alpha=0.0)
    reference.same_parts(contrasted_only.encode(), expected_of(contrasted_only, data, alpha=0.0))
    assert "hcl" in contrasted_only.losses(tiny_modal.batch(contrasted_only))


def test_gradients_equal_finite_differences():
    data = tiny_modal.data(("audio", "image"), users=5, items=7)
    model = double(data, dim=2, num_hyper_layers=2, num_hyperedges=3)
    assert tiny.loss_has_true_gradients(model, tiny_modal.batch(model))


@pytest.mark.parametrize("temperature", [0.2, 0.01])
def test_cosines_that_are_all_small_stay_finite_at_any_temperature(temperature: float):
    """Half the nodes against the other half, as unlike as can be: the largest of e^(cosine / temperature) is tiny."""
    model = double(tiny_modal.data(), temperature=temperature)
    asking, asked = torch.zeros(USERS, 3), torch.zeros(USERS, 3)
    asking[:, 0], asked[:, 0] = 1, -1
    nodes = torch.tensor([0, 3, 3])
    found = model.contrast(asking, asked.requires_grad_(), nodes)
    assert float(found.detach()) == pytest.approx(3 * np.log(USERS), rel=1e-5)
    found.backward()
    assert asked.grad is not None
    assert asked.grad.isfinite().all()


def test_raw_features_are_given_and_text_comes_last():
    model = double(tiny_modal.data(SWAPPED))
    assert model.modalities == ("image", "text")
    assert not any("features" in name for name, _ in model.named_parameters())
    assert ordered(("text", "smell", "audio")) == ("smell", "audio", "text")
    assert contrasted(1) == []
    assert contrasted(2) == [(0, 1)]
    assert sorted(contrasted(3)) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]


def test_an_item_without_features_belongs_to_all_hyperedges_alike():
    model = double(tiny_modal.data(ONE))
    encoding, empty = model.encode(), USERS + tiny_modal.EMPTY_ITEM
    close(encoding.hypergraphs[0].membership[empty], np.full(4, 0.25))
    torch.stack(list(model.losses(tiny_modal.batch(model)).values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@every_set
def test_findings_are_those_of_the_loops(modalities, monkeypatch):
    monkeypatch.setattr("core.models.hypergraph_findings._MOST_ITEMS", 5)
    data = tiny_modal.data(modalities)
    model = double(data)
    reference.same_findings(model, expected_of(model, data), {f.key: f for f in model.findings()})
    assert list(model.embed()) == ["final", "collaborative", "modal", "hypergraph"]
    assert [f.key for f in double(data, "without_hypergraph").findings()] == [
        "branch_norm",
        "branch_contribution",
    ]
