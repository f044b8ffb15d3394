"""Edge weights against known noise: the area under the curve against a quadratic loop, what counts as noise, the findings."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from core.data.components import Component, components
from core.data.dataset import Dataset
from core.data.ranking import RankingData
from core.evaluation import edges
from core.evaluation.edges import (
    area_at_random,
    area_under_curve,
    audit,
    edge_findings,
    known_noise,
    noise_among,
)
from tests.core.models.tiny import matrix, ranking_from

# users x items; 1 is a genuine pair, 2 a noise pair
VIEW = np.array([[1, 2, 0, 1, 0], [0, 1, 2, 0, 0], [2, 0, 1, 0, 1], [0, 0, 0, 0, 0]])
CART = np.array([[0, 1, 0, 2, 0], [0, 1, 2, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 2, 0]])
BUY = np.array([[1, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]])
NOISE = {"view": matrix(VIEW == 2), "cart": matrix(CART == 2)}


@pytest.fixture
def data() -> RankingData:
    return ranking_from({"view": VIEW, "cart": CART, "buy": BUY}, test=np.eye(4, 5))


def by_pairs(values: np.ndarray, is_noise: np.ndarray) -> float:
    """Every genuine edge against every noise edge, one by one."""
    won = [1.0 if g > n else 0.5 if g == n else 0.0 for g in values[~is_noise] for n in values[is_noise]]
    return sum(won) / len(won)


@pytest.mark.parametrize("size", [2, 7, 43])
@pytest.mark.parametrize("levels", [2, 5, 10_000])
def test_the_area_is_that_of_the_quadratic_loop(size, levels):
    rng = np.random.default_rng(size + levels)
    values = rng.integers(levels, size=size) / levels
    is_noise = rng.random(size) < 0.4
    is_noise[:2] = True, False
    assert area_under_curve(values, is_noise) == pytest.approx(by_pairs(values, is_noise), abs=1e-12)


def test_the_area_at_its_ends_and_for_ties():
    is_noise = np.array([True, True, False, False, False])
    assert area_under_curve(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), is_noise) == 1
    assert area_under_curve(np.array([0.9, 0.8, 0.3, 0.4, 0.5]), is_noise) == 0
    assert area_under_curve(np.full(5, 1e-7), is_noise) == 0.5


def test_weights_dealt_at_random_tell_nothing_and_always_the_same():
    rng = np.random.default_rng(3)
    is_noise = rng.random(997) < 0.3
    weights = np.where(is_noise, 0.0, 1.0)
    dealt = area_at_random(weights, is_noise)
    assert abs(dealt - 0.5) < 0.03
    assert area_at_random(weights, is_noise) == dealt
    few = np.array([True, False, False])
    values = np.array([0.1, 0.2, 0.3])
    rng = np.random.default_rng(0)
    slow = [by_pairs(rng.permutation(np.array([1.0, 2.0, 3.0])), few) for _ in range(edges.PERMUTATIONS)]
    assert area_at_random(values, few) == pytest.approx(np.mean(slow))


def expected_noise(graph: Component) -> np.ndarray:
    """The definition, pair by pair: no behaviour of the graph has the pair genuinely."""
    parts = {"view": VIEW, "cart": CART, "buy": BUY}
    names = {"unified": ("view", "cart", "buy"), "intersection": (graph.behavior, "buy")}
    found = []
    for user, item in zip(*graph.pairs.nonzero()):
        having = [parts[name][user, item] for name in names.get(graph.kind, (graph.behavior,))]
        found.append(1 not in having)
    return np.array(found)


def test_a_pair_is_noise_where_no_behaviour_of_the_graph_has_it_genuinely(data):
    graphs = components(data)
    assert {graph.kind for graph in graphs} == {"unified", "behavior", "intersection", "difference"}
    for graph in graphs:
        found = noise_among(graph, graph.pairs, data, NOISE)
        np.testing.assert_array_equal(found, expected_noise(graph), err_msg=graph.key)
        if graph.kind == "intersection" or graph.key == "buy":
            assert not found.any()
    union = next(graph for graph in graphs if graph.kind == "unified")
    noisy = {
        pair
        for pair, flag in zip(zip(*union.pairs.nonzero()), noise_among(union, union.pairs, data, NOISE))
        if flag
    }
    # (0, 1) and (0, 3) are genuine under the other behaviour, (1, 2) was bought
    assert noisy == {(2, 0), (3, 3)}


def test_an_audit_counts_what_was_pruned():
    weights = csr_array((np.array([1e-7, 0.9, 0.3, 1e-7, 1e-7]), [0, 1, 1, 0, 2], [0, 2, 3, 5]), shape=(3, 4))
    found = audit("view", weights, np.array([True, False, False, True, False]))
    assert (found.edges, found.noise, found.pruned, found.pruned_noise) == (5, 2, 3, 2)
    assert found.by_weight == pytest.approx((2 + 2 + 1) / 6)
    # users per item: 2, 2, 1; genuine edges lie at items 1, 1 and 2, noise at 0 and 0
    assert found.by_users == pytest.approx((4 * 0.5 + 0) / 6)


@pytest.mark.parametrize("flag", [True, False])
def test_a_graph_of_one_kind_of_edges_has_no_audit(flag):
    weights = csr_array((np.ones(2), [0, 1], [0, 2]), shape=(1, 3))
    assert audit("view", weights, np.full(2, flag)) is None


def weighed(data: RankingData, keys: tuple[str, ...]):
    """Noise weighs little; the last edge of each graph is pruned."""
    for graph in components(data):
        if graph.key in keys:
            values = np.where(expected_noise(graph), 0.2, 0.7)
            values[-1] = 1e-7
            yield graph, csr_array((values, graph.pairs.indices, graph.pairs.indptr), shape=graph.pairs.shape)


def test_findings_hold_every_graph_with_both_kinds(data):
    detection, pruning = edge_findings(weighed(data, ("unified", "view", "cart", "buy")), data, NOISE)
    assert (detection.key, pruning.key) == ("noise_detection", "pruning_precision")
    assert (
        detection.axis("graph").labels == pruning.axis("graph").labels == ("all behaviours", "view", "cart")
    )
    assert detection.axis("scorer").labels == edges.SCORERS
    assert pruning.axis("measure").labels == edges.MEASURES
    assert detection.support.tolist() == [[2] * 3, [3] * 3, [3] * 3]
    # the last edge of the union and of cart is noise, that of view is genuine
    assert detection.values[0, 0] == detection.values[2, 0] == 1
    assert detection.values[1, 0] == pytest.approx(4 / 5)
    np.testing.assert_allclose(pruning.values[1], [0, 3 / 8, 0])
    np.testing.assert_allclose(pruning.values[2], [1, 3 / 6, 1 / 3])
    assert pruning.support.tolist() == [[1, 9, 2], [1, 8, 3], [1, 6, 3]]


def test_a_graph_without_a_pruned_edge_has_no_support(data):
    graphs = (
        (g, csr_array((np.full(g.pairs.nnz, 0.5), g.pairs.indices, g.pairs.indptr), shape=g.pairs.shape))
        for g in components(data)
        if g.key == "view"
    )
    _, pruning = edge_findings(graphs, data, NOISE)
    assert (pruning.values[0, 0], pruning.support[0, 0]) == (0, 0)
    assert "support 0" in pruning.note


def test_nothing_is_found_where_no_graph_has_noise(data):
    assert edge_findings(weighed(data, ("buy",)), data, NOISE) == ()


class Stored(Dataset):
    """A data set with a truth that no file holds."""

    def truth(self, name: str) -> pd.DataFrame:
        assert name == "edges"
        return TRUTH


TRUTH = pd.DataFrame(
    {
        "user": [0, 0, 1, 2],
        "item": [0, 1, 2, 0],
        "behavior": pd.Categorical(["view", "view", "view", "cart"]),
        "noise": [False, True, True, True],
    }
)


class Described:
    def __init__(self, planted: bool) -> None:
        self.planted, self.name = planted, "x"


def test_planted_and_added_noise_are_known_together(data):
    added = {"view": matrix(np.eye(4, 5) * 0 + (np.arange(20).reshape(4, 5) == 17))}
    found = known_noise(Stored(Described(True), None), replace(data, added=added))
    assert sorted(found) == ["cart", "view"]
    assert set(zip(*found["view"].nonzero())) == {(0, 1), (1, 2), (3, 2)}
    assert set(zip(*found["cart"].nonzero())) == {(2, 0)}


def test_without_truth_only_added_noise_is_known(data, tmp_path, caplog):
    other = Dataset(Described(False), tmp_path)
    assert known_noise(other, data) is None
    added = {"view": matrix(np.eye(4, 5))}
    assert known_noise(other, replace(data, added=added)) == added
    caplog.set_level(logging.WARNING, logger="relscope")
    assert known_noise(Dataset(Described(True), tmp_path), data) is None
    assert "planted noise is not known" in caplog.text
