"""SRGFormer against loops over nodes, hyperedges and pairs, in float64, each dimension its own; its noise drawn again."""

from typing import Any

import numpy as np
import pytest
import torch

from core.catalog.hypergraph import SRGFORMER
from core.errors import ConfigError, DataError
from core.models.hypergraph import Noise
from core.models.srgformer import SRGFormer
from tests.core.models import hypergraph_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.multimodal_reference import bpr, unit
from tests.core.models.tiny_modal import ODD, ONE, THREE, TWO, USERS, close

SETTINGS = {
    "dim": 6,
    "heads": 2,
    "num_layers": 2,
    "num_hyperedges": 4,
    "keep_rate": 0.6,
    "hyper_temperature": 0.9,
    "temperature": 0.7,
    "hcl_weight": 0.8,
    "mcl_weight": 0.5,
    "l2": 0.3,
    "alpha": 0.6,
    "beta": 0.4,
}
SHAPE = {"layers": 2, "modal_layers": 2, "repeat": 1, "tau": 0.9}
# What each variant says, in the words of the reference.
VARIANTS: dict[str | None, dict[str, Any]] = {
    None: {},
    "without_global": {"alpha": 0.0},
    "without_local": {"beta": 0.0},
    "without_hcl": {"hcl": 0.0},
    "without_mcl": {"mcl": 0.0},
    "with_ffn": {},
    "width_64": {},
    "as_released": {"as_released": True},
}
every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def double(data, variant: str | None = None, **overrides: Any) -> SRGFormer:
    settled = SRGFORMER.variants[variant].patch if variant else {}
    own = {name: value for name, value in SETTINGS.items() if name not in settled}
    return tiny_modal.double("srgformer", data, variant, **(own | overrides))


def expected_of(
    model: SRGFormer, data, alpha: float = 0.6, beta: float = 0.4, heads: int = 2, **about: Any
) -> dict[str, Any]:
    known = {name: about[name] for name in ("draws", "as_released", *SHAPE) if name in about}
    found = reference.parts(model, data, **(SHAPE | known))
    branches = {"collaborative": found["collaborative"], "modal": sum(found["modal"])}
    shares = None
    if alpha:
        matrices = [tiny.array(p).T for p in model.transformer.projections]
        attended, shares = reference.transformer(found["normal"], found["initial"], *matrices, heads)
        if model.transformer.ffn is not None:
            first, _, last = model.transformer.ffn
            W, b, V, c = (tiny.array(p) for p in (first.weight, first.bias, last.weight, last.bias))
            attended = np.array([row + V @ np.maximum(W @ row + b, 0) + c for row in attended])
        branches["transformer"] = alpha * unit(attended)
    if beta:
        branches["hypergraph"] = beta * unit(sum(graph["output"] for graph in found["graphs"]))
    return found | {"branches": branches, "final": sum(branches.values()), "shares": shares}


def same_attention(model: SRGFormer, shares: list[np.ndarray] | None) -> None:
    found, pattern = model.encode().attention, model.graph.pattern
    if shares is None:
        assert found is None
        return
    dense = np.zeros((len(shares), *shares[0].shape))
    dense[:, pattern.row, pattern.index.long()] = found.detach().numpy()
    close(dense, np.array(shares))


@every_variant
def test_every_step_of_every_variant_equals_the_loops(variant):
    data = tiny_modal.data()
    model = double(data, variant)
    expected = expected_of(model, data, **VARIANTS[variant])
    reference.same_parts(model.encode(), expected)
    same_attention(model, expected["shares"])
    final = expected["final"]
    close(model.score(torch.arange(USERS)), final[:USERS] @ final[USERS:].T)


@every_set
def test_every_step_of_deeper_models_equals_the_loops(modalities):
    data = tiny_modal.data(modalities)
    model = double(data, num_layers=4, num_modal_layers=1, num_hyper_layers=3, heads=3)
    expected = expected_of(model, data, layers=4, modal_layers=1, repeat=3, heads=3)
    reference.same_parts(model.encode(), expected)
    same_attention(model, expected["shares"])


@every_variant
def test_losses_of_every_variant_equal_the_loops_under_the_noise_of_the_step(variant):
    same_losses(tiny_modal.data(), variant, VARIANTS[variant])


@pytest.mark.parametrize("modalities", [ONE, ODD, THREE], ids="+".join)
def test_losses_with_any_number_of_modalities_equal_the_loops(modalities):
    same_losses(tiny_modal.data(modalities), None, {})


def same_losses(data, variant: str | None, about: dict[str, Any]) -> None:
    model = double(data, variant)
    drawn = tiny_modal.batch(model)
    draws = reference.Draws(torch.Generator().manual_seed(drawn.noise), 0.6)
    expected, batch = expected_of(model, data, draws=draws, **about), tiny_modal.triples(drawn)
    reference.same_parts(model.encoded(Noise(torch.Generator().manual_seed(drawn.noise))), expected)
    final = expected["final"]
    losses = {
        "bpr": bpr(final[:USERS], final[USERS:], batch),
        "l2": 0.3 * reference.norms(final, USERS, batch),
    }
    outputs = [graph["output"] for graph in expected["graphs"]]
    if len(data.features) > 1 and about.get("hcl", True):
        losses["hcl"] = 0.8 * reference.cross_modal(outputs, USERS, batch, 0.7)
    if len(data.features) > 1 and about.get("mcl", True):
        losses["mcl"] = 0.5 * reference.cross_modal(expected["modal"], USERS, batch, 0.7)
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(losses, rel=1e-5)


def test_variants_are_complete_and_drop_what_they_do_not_use():
    data = tiny_modal.data()
    assert VARIANTS.keys() == {None, *SRGFORMER.variants}
    assert double(data, "without_global").transformer is None
    assert list(double(data, "without_local").hyperedge_maps) == ["image", "text"]
    assert not list(double(data, "without_local", hcl_weight=0.0).hyperedge_maps)
    assert double(data, "width_64").user_embedding.shape == (USERS, 64)
    assert double(data).transformer.ffn is None


@pytest.mark.parametrize(
    ("preset", "layers", "modal", "hyper", "edges", "keep", "alpha", "beta", "hcl"),
    [
        ("paper-baby", 4, 2, 1, 4, 0.5, 0.1, 0.3, 1e-3),
        ("paper-sports", 4, 3, 3, 4, 0.4, 0.6, 0.4, 1e-4),
        ("paper-clothing", 4, 2, 2, 64, 0.2, 0.2, 0.3, 1e-4),
    ],
)
def test_presets_are_the_published_settings(preset: str, layers, modal, hyper, edges, keep, alpha, beta, hcl):
    config = SRGFORMER.resolve(preset)
    assert (config.num_layers, config.num_modal_layers, config.num_hyper_layers) == (layers, modal, hyper)
    assert (config.num_hyperedges, config.keep_rate) == (edges, keep)
    assert (config.alpha, config.beta, config.hcl_weight) == (alpha, beta, hcl)
    assert (config.dim, config.heads, config.hyper_temperature, config.temperature) == (256, 4, 0.2, 0.2)
    assert (config.mcl_weight, config.l2, config.learning_rate, config.batch_size) == (1e-6, 1e-6, 1e-3, 2048)
    assert (config.epochs, config.patience, config.learning_rate_at(9, 9)) == (1000, 20, 1e-3)


def test_logits_are_clamped_at_ten():
    data = tiny_modal.data()
    model = double(data)
    with torch.no_grad():
        for parameter in (*model.transformer.projections, model.user_embedding, model.item_embedding):
            parameter.mul_(2)
    expected = expected_of(model, data)
    query, key = (expected["initial"] @ tiny.array(p) for p in model.transformer.projections[:2])
    logits = (query[:, :3] @ key[:, :3].T)[expected["normal"] > 0]
    assert logits.min() < -10
    assert logits.max() > 10
    same_attention(model, expected["shares"])


@pytest.mark.parametrize("modalities", [ONE, THREE], ids="+".join)
def test_as_released_is_refused_without_two_modalities(modalities):
    with pytest.raises(DataError, match=r"two modalities, and tiny has [13]; choose as_released=false"):
        double(tiny_modal.data(modalities), "as_released")


def test_as_released_swaps_the_users_and_leaves_texts_without_softmax():
    """Whatever the modalities are called, and in whatever order the data has them."""
    data = tiny_modal.data(("text", "smell"))
    model = double(data, "as_released")
    assert model.modalities == ("smell", "text")
    first, text = (graph.membership[:USERS] for graph in model.encode().hypergraphs)
    logits = model.logits(model.projected("text")[1]).user
    torch.testing.assert_close(text, logits)
    torch.testing.assert_close(first, (logits / 0.9).softmax(1))
    reference.same_parts(model.encode(), expected_of(model, data, as_released=True))


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ConfigError, match="heads must divide dim, got 4 heads and dim 6"):
        double(tiny_modal.data(), heads=4)


@pytest.mark.parametrize("variant", ["with_ffn", "as_released"])
def test_gradients_equal_finite_differences(variant):
    data = tiny_modal.data(("audio", "image"), users=5, items=7)
    settled = {"dim": 2, "num_hyper_layers": 2, "num_hyperedges": 3}
    model = double(data, variant, **settled)
    assert tiny.loss_has_true_gradients(model, tiny_modal.batch(model))


@pytest.mark.parametrize("variant", [None, "as_released"])
def test_training_is_noisy_and_evaluation_is_not(variant):
    model = double(tiny_modal.data(), variant)
    first, second = (tiny_modal.batch(model, seed) for seed in (1, 2))
    assert tiny_modal.numbers(model.losses(first)) == tiny_modal.numbers(model.losses(first))
    ours, theirs = (
        model.encoded(Noise(torch.Generator().manual_seed(b.noise))).final for b in (first, second)
    )
    assert not torch.allclose(ours, theirs)
    assert torch.equal(model.train().encode().final, model.encode().final)
    with model.evaluating():
        assert torch.equal(model.encoding().final, model.encode().final)


def test_nodes_without_pairs_and_items_without_features_stay_finite():
    data = tiny_modal.data(ONE)
    model = double(data)
    encoding = model.encode()
    assert not encoding.branches["transformer"][[USERS - 1, USERS]].any()  # neither has an edge
    assert not encoding.branches["modal"][[USERS - 1, USERS, USERS + tiny_modal.EMPTY_ITEM]][:2].any()
    torch.stack(list(model.losses(tiny_modal.batch(model)).values())).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
