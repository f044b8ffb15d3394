"""EGRA against loops over nodes, links and pairs, in float64, each dimension its own prime; its graph, weights, variants."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.catalog.egra import EGRA as CATALOGUED
from core.errors import RunError
from core.models.egra import EGRA
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

SETTINGS = {
    "dim": 3,
    "neighbors": 4,
    "link_neighbors": 3,
    "l2": 0.3,
    "eta": 0.4,
    "lambda_min": 0.2,
    "lambda_max": 0.9,
    "growth_epochs": 5,
    "entity_temperature": 0.7,
    "user_temperature": 0.6,
    "item_temperature": 0.3,
}
# What each variant says, in the words of the reference; those of the pretraining run change nothing here.
VARIANTS: dict[str | None, dict[str, Any]] = {
    None: {},
    "without_ebg": {"links": "none"},
    "random_ebg": {"links": "random"},
    "raw_feature_ebg": {"links": "raw"},
    "binary_links": {"binary": True},
    "entity_only": {"fixed": True},
    "epoch_only": {"kind": "off"},
    "fixed_lambda": {"fixed": True, "kind": "off"},
    "aligned_first": {"kind": "aligned"},
    "without_alignment": {"aligned": False},
    "without_corrective": {"eta": 0.0},
}
PRETRAINING = {
    "backbone_freedom": ("freedom", 7),
    "backbone_lightgcn": ("lightgcn", 7),
    "pretrain_5": ("mgcn", 5),
    "pretrain_20": ("mgcn", 20),
    "pretrain_50": ("mgcn", 50),
}
every_set = pytest.mark.parametrize("modalities", [ONE, ODD, TWO, THREE], ids="+".join)
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def double(data, variant: str | None = None, **overrides: Any) -> EGRA:
    settled = CATALOGUED.variants[variant].patch if variant else {}
    own = {name: value for name, value in SETTINGS.items() if name not in settled}
    return tiny_modal.double("egra", data, variant, **(own | overrides))


def links_of(model: EGRA, data, k: int = 3, links: str = "pretrained", binary: bool = False, **_: Any):
    """S_pt, [I, I]."""
    if links == "none":
        return None
    if links == "random":
        assert model.links is not None
        return model.links.toarray()  # held against the pretrained ones below
    units = [reference.unit(x) for x in tiny_modal.raw(data).values()]
    table = np.concatenate(units, 1) if links == "raw" else data.pretrained.astype(float)
    return reference.item_links(table, k, binary)


def encoded(model: EGRA, data, layers: int = 2, item_layers: int = 1, eta: float = 0.4, **about: Any):
    pairs, ids = tiny_modal.matrix(data), tiny.array(model.item_embedding)
    plain = reference.normalized(reference.bipartite(pairs))
    enhanced = reference.normalized(reference.bipartite(pairs, links_of(model, data, **about)))
    behavior = reference.light(enhanced, np.concatenate([tiny.array(model.user_embedding), ids]), layers)
    modal = []
    for name, x in tiny_modal.raw(data).items():
        p, graph = reference.encoder_of(model.encoders[name]), reference.cosine_graph(x, 4)
        correction = eta * behavior[USERS:]
        modal.append(reference.semantic(p, p["features"], ids, graph, plain, item_layers, correction))
    fused = reference.fused(reference.fuser_of(model.fuser), behavior, modal)
    return {"behavior": behavior, "modal": modal, "fused": fused, "final": behavior + fused["side"]}


def same_steps(model: EGRA, expected: dict[str, Any]) -> None:
    found = model.encode()
    close(found.behavior, expected["behavior"])
    for ours, theirs in zip(found.modal, expected["modal"], strict=True):
        close(ours, theirs)
    for name, value in expected["fused"].items():
        close(getattr(found.fused, name), value)
    close(found.final, expected["final"])
    users, items = np.split(expected["final"], [USERS])
    close(model.score(torch.arange(USERS)), users @ items.T)


@every_variant
def test_every_step_of_every_variant_equals_the_loops(variant):
    data = tiny_modal.data()
    model = double(data, variant)
    same_steps(model, encoded(model, data, **VARIANTS[variant]))


@every_set
def test_every_step_of_deeper_models_equals_the_loops(modalities):
    data = tiny_modal.data(modalities)
    model = double(data, num_layers=3, num_item_layers=2, link_neighbors=8)
    same_steps(model, encoded(model, data, 3, 2, k=8))


@pytest.mark.parametrize("epoch", [1, 3])
@every_variant
def test_losses_of_every_variant_equal_the_loops(variant, epoch: int):
    data, about = tiny_modal.data(), VARIANTS[variant]
    model = double(data, variant)
    model.begin_epoch(epoch, 40)
    drawn, expected = tiny_modal.batch(model), encoded(model, data, **about)
    batch = tiny_modal.triples(drawn)
    users, items = np.split(expected["final"], [USERS])
    losses = {"bpr": reference.bpr(users, items, batch), "l2": 0.3 * reference.squared(users, items, batch)}
    if about.get("aligned", True):
        grown = 0.9 if about.get("fixed") else 0.2 + (0.9 - 0.2) * epoch / 5
        behavior, side = expected["behavior"], expected["fused"]["side"]
        pairs = [(u, p) for u, p, _ in batch]
        terms = reference.alignment(np.split(side, [USERS]), np.split(behavior, [USERS]), pairs, (0.6, 0.3))
        nodes = ([u for u, _ in pairs], [USERS + i for _, i in pairs])
        for name, term, rows in zip(("align_users", "align_items"), terms, nodes):
            degrees = [reference.cosine(behavior[v], side[v]) for v in rows]
            weights = reference.entity_weights(degrees, 0.7, about.get("kind", "misaligned"))
            losses[name] = grown * float(np.mean(weights * term))
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(losses, rel=1e-5)


def test_every_variant_is_held_against_the_loops_or_changes_the_parent():
    assert {*VARIANTS, *PRETRAINING} == {None, *CATALOGUED.variants}
    assert CATALOGUED.parent is not None
    for variant in VARIANTS:
        parent = CATALOGUED.parent(CATALOGUED.resolve("paper", variant, {"pretrain_epochs": 7}))
        assert (parent is None) == (VARIANTS[variant].get("links", "pretrained") != "pretrained")
        assert parent is None or (parent.system, parent.settings) == ("mgcn", {"epochs": 7})
    for variant, (system, epochs) in PRETRAINING.items():
        settings = {} if "pretrain" in variant else {"pretrain_epochs": 7}
        parent = CATALOGUED.parent(CATALOGUED.resolve("paper", variant, settings))
        assert (parent.system, parent.settings) == (system, {"epochs": epochs})


@pytest.mark.parametrize("binary", [False, True])
def test_the_enhanced_graph_holds_pairs_of_weight_one_and_symmetric_links(binary: bool):
    """Of 8 neighbours among 11 items some lie in other directions; one item has no embedding at all."""
    data = tiny_modal.data()
    table = data.pretrained.copy()
    table[5] = 0
    data = replace(data, pretrained=table)
    model = double(data, link_neighbors=8, link_weights="binary" if binary else "cosine")
    links = reference.item_links(table.astype(float), 8, binary)
    clipped = sum(
        reference.cosine(table[i], table[j]) < 0
        for i, near in enumerate(reference.neighbours(table, 8, own=False))
        for j in near
    )
    assert clipped > 5
    found = model.links.toarray()
    close(found, reference.item_links(table.astype(float), 8, False))  # what is stated are cosines
    assert (found == found.T).all()
    assert not found.diagonal().any()
    assert (model.links.data > 0).all()
    assert not found[5].any()
    dense = np.zeros((USERS + ITEMS,) * 2)
    pattern = model._graph.pattern
    dense[pattern.row, pattern.index.long()] = model._graph.weight
    close(dense, reference.normalized(reference.bipartite(tiny_modal.matrix(data), links)))


def test_random_links_are_the_same_in_every_run_and_need_no_pretraining():
    data = tiny_modal.data()
    first, again = (
        double(replace(data, pretrained=p), "random_ebg", seed=s)
        for p, s in ((None, 0), (data.pretrained, 1))
    )
    assert (first.links != again.links).nnz == 0
    assert (first.links != double(data).links).nnz > 0
    assert ((first.links > 0).sum(1) >= 1).all()
    assert (np.diff(first.links.indptr) >= 1).all()
    assert abs(first.links - first.links.T).max() == 0


def test_links_by_embeddings_that_are_missing_are_refused():
    data = replace(tiny_modal.data(), pretrained=None)
    with pytest.raises(
        RunError, match=r"needs the item embeddings of a freedom run and was given none.*behavior_links=none"
    ):
        double(data, backbone="freedom")
    assert double(data, "without_ebg").links is None
    assert double(data, "raw_feature_ebg").links is not None


def test_defaults_are_those_of_the_reconstruction():
    """But for lambda_max, which is chosen on validation pairs."""
    config = CATALOGUED.resolve("paper")
    assert (config.dim, config.num_layers, config.neighbors, config.link_neighbors) == (64, 2, 10, 10)
    assert (config.lambda_min, config.growth_epochs, config.eta) == (1e-3, 20, 0.1)
    taus = (config.entity_temperature, config.user_temperature, config.item_temperature)
    assert taus == (0.5, 0.2, 0.2)
    assert (config.learning_rate, config.lr_decay, config.lr_decay_epochs) == (1e-3, 0.96, 50)


def test_lambda_grows_with_the_epochs_and_is_kept_in_checkpoints():
    model = double(tiny_modal.data(), lambda_min=0.01, lambda_max=0.1, growth_epochs=20)
    found = []
    for epoch in range(1, 26):
        model.begin_epoch(epoch, 100)
        found.append(float(model.alignment))
    assert found == pytest.approx([0.01 + 0.09 * min(t / 20, 1) for t in range(1, 26)])
    model.begin_epoch(4, 100)
    other = double(tiny_modal.data(), lambda_min=0.01, lambda_max=0.1, growth_epochs=20)
    assert float(other.alignment) == pytest.approx(0.01 + 0.09 / 20)
    other.load_state_dict(model.state_dict())
    assert float(other.alignment) == pytest.approx(0.01 + 0.09 * 4 / 20)
    fixed = double(tiny_modal.data(), schedule="fixed")
    for epoch in (1, 9):
        fixed.begin_epoch(epoch, 100)
        assert float(fixed.alignment) == pytest.approx(0.9)


@pytest.mark.parametrize(("kind", "sign"), [("misaligned", -1), ("aligned", 1), ("off", 0)])
def test_weights_of_entities_have_mean_one_and_their_direction(kind: str, sign: int):
    model = double(tiny_modal.data(), entity_weights=kind)
    degrees = torch.tensor([-1.0, -0.3, 0.0, 0.2, 0.9], dtype=torch.float64)
    weights = model.entity_weights(degrees)
    close(weights, reference.entity_weights(degrees.tolist(), 0.7, kind))
    assert float(weights.mean()) == pytest.approx(1)
    assert (torch.sign(weights.diff()) == sign).all()


def test_weights_of_entities_carry_no_gradient(monkeypatch):
    """The gradient is that of the same weights as constants, which finite differences confirm."""
    model = double(tiny_modal.data(("audio",), users=5, items=7), dim=2)
    drawn, constants = tiny_modal.batch(model), []
    weigh = model.entity_weights

    def remember(aligned):
        constants.append(weigh(aligned).detach())
        return weigh(aligned)

    def gradients() -> list[torch.Tensor]:
        total = torch.stack(list(model.losses(drawn).values())).sum()
        return list(torch.autograd.grad(total, list(model.parameters())))

    monkeypatch.setattr(model, "entity_weights", remember)
    found = gradients()
    assert all(len(w.unique()) > 2 for w in constants)
    kept = iter(constants * 10_000)
    monkeypatch.setattr(model, "entity_weights", lambda aligned: next(kept))
    for ours, theirs in zip(found, gradients()):
        torch.testing.assert_close(ours, theirs)
    assert tiny.loss_has_true_gradients(model, drawn)


def test_nothing_is_drawn_but_the_batches():
    model = double(tiny_modal.data())
    drawn = tiny_modal.batch(model)
    assert tiny_modal.numbers(model.losses(drawn)) == tiny_modal.numbers(model.losses(drawn))
    training = model.train().encode().final
    with model.evaluating():
        assert torch.equal(model.encoding().final, training)


def test_an_item_without_features_keeps_its_correction_alone():
    data = tiny_modal.data(ONE)
    model = double(data)
    encoding, empty = model.encode(), USERS + tiny_modal.EMPTY_ITEM
    torch.testing.assert_close(encoding.modal[0][empty], 0.4 * encoding.behavior[empty])
    plain = double(data, "without_corrective")
    assert not plain.encode().modal[0][empty].any()
    for one in (model, plain):
        torch.stack(list(one.losses(tiny_modal.batch(one)).values())).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in one.parameters())
