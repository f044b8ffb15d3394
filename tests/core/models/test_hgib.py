"""HGIB against a dense reference on tiny graphs; its variants, its noise, and funnels of any shape."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.data.ranking import RankingData
from core.errors import ConfigError
from core.evaluation.ranking import evaluate
from core.models.hgib import HGIB, HGIBBatch
from core.protocol import Protocol
from tests.core.models import hgib_reference as reference
from tests.core.models import tiny

DATA = tiny.random_ranking(users=7, items=11, density=0.4)
SMALL = {"dim": 3, "batch_size": 5, "bandwidth": 0.7, "alpha": 0.6, "beta": 5.0}


def hgib(data: RankingData = DATA, variant: str | None = None, seed: int = 0, **overrides: Any) -> HGIB:
    """A model in float64 whose parameters, biases included, are random and of order 1."""
    model = tiny.built("hgib", data, variant, seed, **(SMALL | overrides))
    assert isinstance(model, HGIB)
    generator = torch.Generator().manual_seed(11)
    model.double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "threshold" not in name:
                parameter.copy_(0.8 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    counts = model.encoder._count
    model.encoder._count = {key: type(d)(*(side.double() for side in d)) for key, d in counts.items()}
    return model


def batch(data: RankingData = DATA, most: int = 5) -> tuple[Tensor, Tensor]:
    users, items = data.train[data.target].nonzero()
    return torch.from_numpy(users[:most]).long(), torch.from_numpy(items[:most]).long()


def quiet(model: HGIB, monkeypatch: pytest.MonkeyPatch) -> HGIB:
    """The model, training without noise."""
    monkeypatch.setattr(model, "encoded", lambda noise: HGIB.encoded(model, None))
    return model


WHOLE = [None, "without_gre", "without_component_level", "without_behavior_level"]


@pytest.mark.parametrize("threshold", [0.05, 0.5])
@pytest.mark.parametrize("variant", [*WHOLE, "flat"])
def test_every_level_equals_the_dense_reference(variant: str | None, threshold: float):
    model = hgib(variant=variant, threshold=threshold)
    levels, expected = model.embed(), reference.encoded(model)
    assert list(levels) == list(expected)
    for key in levels:
        torch.testing.assert_close(levels[key], expected[key], msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("variant", WHOLE)
def test_losses_and_their_gradients_equal_the_reference(variant: str | None, monkeypatch):
    model = quiet(hgib(variant=variant, threshold=0.4), monkeypatch)
    users, items = batch()
    ours = model.losses(HGIBBatch(users, items, 0, None))
    theirs = reference.losses(model, users, items)
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], msg=lambda text, name=name: f"{name}: {text}")
        parameters = list(model.parameters())
        found = torch.autograd.grad(ours[name], parameters, retain_graph=True, allow_unused=True)
        expected = torch.autograd.grad(theirs[name], parameters, retain_graph=True, allow_unused=True)
        for one, other in zip(found, expected):
            if one is not None or other is not None:
                assert one is not None
                assert other is not None
                torch.testing.assert_close(one, other)


@pytest.mark.parametrize("variant", [*WHOLE, "as_released"])
def test_under_given_noise_losses_and_gradients_equal_the_reference(variant: str | None, monkeypatch):
    """Draws and dropout are replaced by fixed numbers: which level is dropped, and what edges see, shows in the losses."""
    monkeypatch.setattr("core.models.hgib_encoder.gumbel", reference.draw)
    monkeypatch.setattr("core.models.hgib_encoder.kept", reference.mask)
    model = hgib(variant=variant, threshold=0.3, dropout=0.2, noise_temperature=0.8)
    users, items = batch()
    ours = model.losses(HGIBBatch(users, items, 0, None))
    theirs = reference.losses(model, users, items, noisy=True)
    quietly = reference.losses(model, users, items)
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], msg=lambda text, name=name: f"{name}: {text}")
        assert not torch.isclose(ours[name], quietly[name])
        parameters = list(model.parameters())
        found = torch.autograd.grad(ours[name], parameters, retain_graph=True, allow_unused=True)
        expected = torch.autograd.grad(theirs[name], parameters, retain_graph=True, allow_unused=True)
        for one, other in zip(found, expected):
            if one is not None or other is not None:
                torch.testing.assert_close(one, other)


def test_flat_has_no_preservation_and_variants_drop_their_loss(monkeypatch):
    users, items = batch()
    names = {
        variant: set(hgib(variant=variant).losses(HGIBBatch(users, items, 0, None)))
        for variant in ("flat", "without_component_level")
    }
    assert names == {
        "flat": {"rec", "comp", "reg"},
        "without_component_level": {"rec", "pres", "comp", "reg"},
    }
    assert "pres" not in hgib(alpha=0.0).losses(HGIBBatch(users, items, 0, None))
    assert "comp" not in hgib(beta=0.0).losses(HGIBBatch(users, items, 0, None))


def test_the_whole_loss_has_the_gradient_of_finite_differences(monkeypatch):
    """Central differences along random directions, at a threshold that prunes nothing: there the form is smooth."""
    model = quiet(hgib(threshold=1e-6), monkeypatch)
    users, items = batch()

    def total() -> Tensor:
        return torch.stack(list(model.losses(HGIBBatch(users, items, 0, None)).values())).sum()

    parameters = list(model.parameters())
    gradients = torch.autograd.grad(total(), parameters)
    generator = torch.Generator().manual_seed(5)
    for _ in range(5):
        directions = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
        slope = sum(float((g * d).sum()) for g, d in zip(gradients, directions))
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                for p, d in zip(parameters, directions):
                    p.add_(d, alpha=sign * 1e-6)
                values.append(float(total()))
                for p, d in zip(parameters, directions):
                    p.sub_(d, alpha=sign * 1e-6)
        assert slope == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5)


def test_embeddings_of_a_thousand_stay_finite(monkeypatch):
    """Edge logits, InfoNCE and fusion all see dot products beyond +-1,000."""
    model = hgib(threshold=0.05, dim=2)
    with torch.no_grad():
        model.user_embedding.mul_(1000)
        model.item_embedding.mul_(1000)
    model.float()
    model.encoder._count = {k: type(d)(*(s.float() for s in d)) for k, d in model.encoder._count.items()}
    users, items = batch()
    losses = model.losses(HGIBBatch(users, items, 3, None))
    torch.stack(list(losses.values())).sum().backward()
    assert all(value.isfinite() for value in losses.values())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_training_is_noisy_and_evaluation_is_not():
    model = hgib()
    users, items = batch()
    first, again, other = (model.losses(HGIBBatch(users, items, noise, None))["rec"] for noise in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(model.encode().output.user, model.encode().output.user)


def test_noise_is_one_draw_per_pair_unless_as_released():
    generator = torch.Generator().manual_seed(0)
    for variant, is_shared in ((None, True), ("as_released", False)):
        model = hgib(variant=variant)
        graph = model.graphs[0]
        weights = model.encoder.weighing(graph)(model.encoder.patterns[graph.key], model.initial, generator)
        assert weights is not None
        assert (weights.to_item is None) == is_shared
        if weights.to_item is not None:
            assert not torch.equal(weights.to_user, weights.to_item)


def test_weights_dealt_at_random_are_the_same_weights_elsewhere():
    learned, dealt = hgib(threshold=0.5), hgib(variant="random_pruning", threshold=0.5)
    pairs = zip(learned.edge_weights(), dealt.edge_weights())
    moved = 0
    for number, ((graph, ours), (_, theirs)) in enumerate(pairs):
        if number == 0:  # later levels see other embeddings
            np.testing.assert_allclose(np.sort(ours.data), np.sort(theirs.data))
            moved += int((ours.data != theirs.data).sum())
        assert ours.nnz == theirs.nnz == graph.pairs.nnz
    assert moved > 10
    assert hgib(variant="without_gre").edge_weights() == []


def test_a_threshold_per_graph_prunes_its_share_of_each():
    data = tiny.random_ranking(users=29, items=31, density=0.5)
    model = hgib(data, "threshold_per_graph", pruned_share=0.3)
    for graph, weights in model.edge_weights():
        assert (weights.data <= 2e-7).mean() == pytest.approx(0.3, abs=1.01 / graph.pairs.nnz)


@pytest.mark.parametrize("settings", [{"refinement": "random"}, {"thresholds": "per_graph"}])
def test_released_edges_have_one_form(settings: dict[str, str]):
    with pytest.raises(ConfigError, match="as_released goes with refinement learned and thresholds one"):
        hgib(variant="as_released", **settings)


def test_released_evaluation_draws_for_every_graph_anew_and_repeats():
    model = hgib(tiny.ranking_from({"view": np.eye(7, 11), "buy": np.eye(7, 11)}), "as_released")
    first, again = ({g.key: w.data for g, w in model.edge_weights()} for _ in range(2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    zeros = {g.key: w.data for g, w in model.edge_weights()}
    assert not np.allclose(zeros["unified"], zeros["view"])


def test_learned_thresholds_are_one_per_graph_and_move():
    model = hgib(variant="threshold_learned")
    users, items = batch()
    model.losses(HGIBBatch(users, items, 0, None))["rec"].backward()
    found = [p for name, p in model.named_parameters() if "threshold" in name]
    assert len(found) == len(model.graphs)
    assert all(p.grad is not None and p.grad != 0 for p in found)
    assert all(float(p.detach().sigmoid()) == pytest.approx(0.05) for p in found)


def test_the_sampled_softmax_approaches_the_full_one():
    """With many draws its mean loss is that over all items; a draw of the pair's own item does not count."""
    users, items = batch()
    full = float(hgib().losses(HGIBBatch(users, items, 0, None))["rec"].detach())
    model = hgib(softmax="sampled", num_negatives=20_000)
    drawn = next(iter(model.batches(torch.Generator().manual_seed(0)))).negatives
    assert drawn is not None
    assert drawn.shape == (20_000,)
    sampled = float(model.losses(HGIBBatch(users, items, 0, drawn))["rec"].detach())
    assert sampled == pytest.approx(full, rel=0.01)


def test_batches_hold_every_training_pair_of_the_target_once():
    model = hgib()
    drawn = list(model.batches(torch.Generator().manual_seed(0)))
    pairs = sorted((u, i) for b in drawn for u, i in zip(b.users.tolist(), b.items.tolist()))
    assert pairs == sorted(zip(*(part.tolist() for part in DATA.train["buy"].nonzero())))
    assert len({b.noise for b in drawn}) == len(drawn)


@pytest.mark.parametrize("behaviors", [("look", "interaction"), ("a", "b", "c", "d", "pay")])
def test_funnels_of_other_lengths_and_names(behaviors: tuple[str, ...]):
    data = tiny.random_ranking(users=7, items=11, behaviors=behaviors)
    model = hgib(data)
    assert [g.key for g in model.graphs][1 : 1 + len(behaviors)] == list(behaviors)
    for key, level in reference.encoded(model).items():
        torch.testing.assert_close(model.embed()[key], level.detach())


def test_behaviours_may_bear_the_names_of_python_methods():
    data = tiny.random_ranking(behaviors=("items", "pop", "keys"))
    assert hgib(data).embed().keys() >= {"items", "pop", "keys"}


def test_a_stage_with_one_source_passes_it_on():
    view, buy = np.eye(5, 7), np.roll(np.eye(5, 7), 1, 1)
    model = hgib(tiny.ranking_from({"view": view, "buy": buy}))
    assert model.stages == [["view", "buy"], ["view_without_buy"]]
    torch.testing.assert_close(model.embed()["final"], model.embed()["view_without_buy"])
    assert [f.key for f in model.findings() if "fusion" in f.key] == ["fusion_attention_1"]


def test_training_lowers_the_loss_and_finds_what_was_held_out():
    """The unified level alone starts near chance on the checkerboard."""
    board = tiny.checkerboard()
    model = tiny.built("hgib", board, "flat", dim=8, batch_size=64, beta=1.0)
    assert isinstance(model, HGIB)
    first = Protocol(name="full", ks=(1,))
    before = evaluate(model, board, first).metrics()["hr@1"]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for one in model.batches(generator):
            optimizer.zero_grad()
            torch.stack(list(model.losses(one).values())).sum().backward()
            optimizer.step()
    assert before < 0.7
    assert evaluate(model, board, first).metrics()["hr@1"] > 0.9
