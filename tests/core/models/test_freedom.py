"""FREEDOM against loops over nodes, links and pairs, in float64; which pairs an epoch keeps, against exact probabilities."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from core.models.freedom import FREEDOM
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny, tiny_modal
from tests.core.models.tiny_modal import ITEMS, ODD, ONE, THREE, TWO, USERS, close

SETTINGS = {
    "dim": 3,
    "neighbors": 4,
    "l2": 0.3,
    "modal_weight": 0.7,
    "image_weight": 0.3,
    "edge_dropout": 0.5,
}
every_set = pytest.mark.parametrize(
    "modalities", [ONE, ODD, ("image",), TWO, ("audio", "text"), THREE], ids="+".join
)


def double(data, variant: str | None = None, **overrides: Any) -> FREEDOM:
    return tiny_modal.double("freedom", data, variant, **(SETTINGS | overrides))


def encoded(model: FREEDOM, data, R: np.ndarray, layers: int = 2, item_layers: int = 1, k: int = 4):
    """Users and items over the pairs R."""
    ids = tiny.array(model.item_embedding)
    start = np.concatenate([tiny.array(model.user_embedding), ids])
    behavior = reference.light(reference.normalized(reference.bipartite(R)), start, layers)
    graph = reference.freedom_graph(tiny_modal.raw(data), k, image_weight=0.3)
    for _ in range(item_layers):
        ids = reference.propagated(graph, ids)
    return behavior[:USERS], behavior[USERS:] + ids


def thinned(model: FREEDOM, data, seed: int = 1) -> tuple[Any, np.ndarray]:
    """A batch in training, and the pairs that its epoch keeps, read off the graph."""
    drawn = tiny_modal.batch(model.train(), seed)
    tiny_modal.with_double_graphs(model)
    pattern, R = model._thinned.pattern, np.zeros((USERS, ITEMS))
    for row, column in zip(pattern.row.tolist(), pattern.index.tolist()):
        if row < USERS:
            R[row, column - USERS] = 1
    return drawn, R


@pytest.mark.parametrize("depths", [{}, {"num_layers": 3, "num_item_layers": 2, "neighbors": 9}])
@every_set
def test_embeddings_and_scores_equal_the_loops(modalities, depths):
    data = tiny_modal.data(modalities)
    model = double(data, **depths)
    sizes = depths.get("num_layers", 2), depths.get("num_item_layers", 1), depths.get("neighbors", 4)
    users, items = encoded(model, data, tiny_modal.matrix(data), *sizes)
    with model.evaluating():
        close(model.encoding().user, users)
        close(model.encoding().item, items)
        close(model.score(torch.arange(USERS)), users @ items.T)


@every_set
def test_losses_equal_the_loops_over_the_pairs_that_are_kept(modalities):
    data = tiny_modal.data(modalities)
    model = double(data)
    drawn, R = thinned(model, data)
    whole = tiny_modal.matrix(data)
    assert R.sum() == whole.sum() // 2
    assert (whole >= R).all()
    (users, items), batch = encoded(model, data, R), tiny_modal.triples(drawn)
    initial = tiny.array(model.user_embedding), tiny.array(model.item_embedding)
    expected = {"bpr": reference.bpr(users, items, batch), "l2": 0.3 * reference.squared(*initial, batch)}
    for name in modalities:
        assert model.features[name].requires_grad
        raw, linear = tiny.array(model.features[name]), model.maps[name]
        seen = np.array([tiny.array(linear.weight) @ x + tiny.array(linear.bias) for x in raw])
        expected[f"bpr_{name}"] = 0.7 * reference.bpr(users, seen, batch)
    assert tiny_modal.numbers(model.losses(drawn)) == pytest.approx(expected, rel=1e-5)


def test_variants_change_what_they_say():
    data = tiny_modal.data()
    model = double(data, "without_denoising", edge_dropout=0.0)
    drawn, R = thinned(model, data)
    np.testing.assert_array_equal(R, tiny_modal.matrix(data))
    assert {"bpr_image", "bpr_text"} <= model.losses(drawn).keys()
    bare = double(data, "without_modal_losses", modal_weight=0.0)
    assert set(bare.losses(tiny_modal.batch(bare.eval()))) == {"bpr", "l2"}
    assert {name for name, _ in bare.named_parameters()} == {"user_embedding", "item_embedding"}


def test_gradients_equal_finite_differences():
    model = double(tiny_modal.data(("audio", "image"), users=5, items=7), dim=2)
    drawn = tiny_modal.batch(model)
    assert tiny.loss_has_true_gradients(tiny_modal.with_double_graphs(model), drawn)


def test_training_thins_anew_in_every_epoch_and_evaluation_never():
    data = tiny_modal.data()
    model = double(data)
    with model.evaluating():
        before = model.encoding().user
    graphs = [thinned(model, data, seed)[1] for seed in (1, 2, 1)]
    assert not np.array_equal(graphs[0], graphs[1])
    np.testing.assert_array_equal(graphs[0], graphs[2])
    assert model.training
    training = model.encode().user
    assert not torch.allclose(training, before)
    assert torch.equal(training, model.encode().user)
    with model.evaluating():
        assert torch.equal(model.encoding().user, before)


def test_epochs_go_on_from_the_state_of_the_generator():
    data = tiny_modal.data()
    model, generator = double(data), torch.Generator().manual_seed(3)
    list(model.batches(generator))
    state = generator.get_state()
    expected = [tiny_modal.triples(b) for b in model.batches(generator)], model._thinned.pattern.index
    other = double(data)
    found = [tiny_modal.triples(b) for b in other.batches(torch.Generator().set_state(state))]
    assert found == expected[0]
    assert torch.equal(other._thinned.pattern.index, expected[1])


def test_pairs_are_drawn_without_replacement_by_the_roots_of_their_degrees():
    """Every pair of kept edges as often as two draws, one after the other, give it."""
    R = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 0, 0, 0]])
    edges = list(zip(*R.nonzero()))
    weight = {(u, i): 1 / np.sqrt(R[u].sum() * R[:, i].sum()) for u, i in edges}
    total, chance = sum(weight.values()), dict.fromkeys([frozenset(p) for p in permutations(edges, 2)], 0.0)
    for first, second in permutations(edges, 2):
        chance[frozenset((first, second))] += weight[first] / total * weight[second] / (total - weight[first])
    assert sum(chance.values()) == pytest.approx(1)
    assert max(chance.values()) > 2 * min(chance.values())
    features = {"text": np.eye(4, dtype=np.float32)}
    model = tiny.built("freedom", tiny.ranking_from({"buy": R}, features=features), dim=2, edge_dropout=0.5)
    assert isinstance(model, FREEDOM)
    generator, counts = torch.Generator().manual_seed(0), dict.fromkeys(chance, 0)
    for _ in range(3000):
        counts[frozenset(zip(*model.thinned(generator).nonzero()))] += (
            1  # of five pairs two are kept: floor(2.5)
        )
    expected = [3000 * p for p in chance.values()]
    assert stats.chisquare(list(counts.values()), expected).pvalue > 1e-3
    alike = [300.0] * len(expected)
    assert stats.chisquare(list(counts.values()), alike).pvalue < 1e-9


@every_set
def test_findings_are_the_frozen_graphs(modalities):
    data = tiny_modal.data(modalities)
    findings = double(data).findings()
    assert [f.key for f in findings] == [f"item_links_raw_{name}" for name in modalities]
    for finding, x in zip(findings, tiny_modal.raw(data).values()):
        reference.same_links(finding.values, x, 4)
