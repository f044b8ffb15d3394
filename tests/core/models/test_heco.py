"""HeCo against loops over nodes, neighbours, types and metapaths."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.data.hetero import Relation
from core.models.graph_steps import GraphStep
from core.models.heco import HeCo
from core.models.heco_positives import positive_pairs
from core.models.heco_views import neighbors_by_type
from core.ops.neighbor_sampling import sampled_neighbors
from core.ops.several_positives import contrast_with, formed_contrast_with
from core.ops.sparse import pattern_of
from core.ops.square import Square
from tests.core.models import tiny, tiny_nodes

DATA = tiny_nodes.small()
STEP = GraphStep(noise=5)
QUIET = {"feature_dropout": 0.0, "attention_dropout": 0.0, "neighbors": 99, "positives": 3}


def double(data: Any = DATA, **settings: Any) -> HeCo:
    model = tiny_nodes.built("heco", data, **({"hidden": 3} | QUIET | settings))
    assert isinstance(model, HeCo)
    tiny_nodes.doubled(model)
    if model.metapath_view is not None:
        graphs = model.metapath_view.graphs
        model.metapath_view.graphs = {n: Square(g.pattern, g.weight.double()) for n, g in graphs.items()}
    for content in () if model.content is None else model.content.values():
        for name in ("values", "rows"):
            stored = getattr(content, name)
            setattr(content, name, None if stored is None else stored.double())
    return model


def elu(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.exp(np.minimum(values, 0)) - 1)


def linear(layer: Any, rows: np.ndarray) -> np.ndarray:
    return rows @ tiny.array(layer.weight).T + tiny.array(layer.bias)


def weighed(attention: Any, parts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The sum of parts by the softmax of the mean of a . tanh(W z + b)."""
    vector = tiny.array(attention.score.weight)[0]
    scores = [np.mean([vector @ np.tanh(linear(attention.project, row)) for row in rows]) for rows in parts]
    share = np.exp(scores) / np.exp(scores).sum()
    return sum(s * rows for s, rows in zip(share, parts, strict=True)), share


def shown(model: HeCo, kind: str, with_features: bool) -> np.ndarray:
    """What a type's nodes show."""
    assert model.content is not None
    weight = tiny.array(model.content[kind].weight)
    features = DATA.view.features.get(kind) if with_features else None
    if features is None:
        return elu(weight)
    rows = np.array(features.toarray() if kind == "author" else features, np.float64)
    for row in rows:
        total = row.sum() if kind == "author" else np.sqrt((row**2).sum())  # shelves have negative values
        row /= total if total else 1.0
    return elu(rows @ weight + tiny.array(model.content[kind].bias))


def by_neighbors(model: HeCo, own: np.ndarray, with_features: bool = False) -> tuple[np.ndarray, np.ndarray]:
    assert model.schema_view is not None
    parts = []
    for kind in ("author", "subject", "shelf"):
        other = shown(model, kind, with_features)
        vector = tiny.array(model.schema_view.by_type[kind].vector)[0]
        made = np.zeros_like(own)
        for node in range(len(own)):
            neighbours = set()
            for relation, edges in DATA.view.edges.items():
                for source, destination in edges.tolist():
                    if relation.destination == kind and source == node:
                        neighbours.add(destination)
                    if relation.source == kind and destination == node:
                        neighbours.add(source)
            logits = {j: vector @ np.concatenate([own[node], other[j]]) for j in neighbours}
            mass = {j: np.exp(x if x > 0 else 0.01 * x) for j, x in logits.items()}
            for j, part in mass.items():
                made[node] += part / sum(mass.values()) * other[j]
        parts.append(elu(made))
    return weighed(model.schema_view.types, parts)


def by_metapaths(model: HeCo, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    view = model.metapath_view
    assert view is not None
    parts = []
    for name, graph in DATA.graphs.items():
        joined = tiny_nodes.dense(graph)
        degree = joined.sum(1)
        made = np.tile(tiny.array(view.biases[name]), (len(own), 1))
        for i in range(len(own)):
            for j in range(len(own)):
                if joined[i, j]:
                    made[i] += tiny.array(view.maps[name].weight) @ own[j] / np.sqrt(degree[i] * degree[j])
        slope = tiny.array(view.activations[name].weight)
        parts.append(np.where(made > 0, made, slope * made))
    return weighed(view.metapaths, parts)


def looped_contrast(query: np.ndarray, key: np.ndarray, positives: np.ndarray, temperature: float) -> float:
    total = 0.0
    for i in range(len(query)):
        mass = []
        for j in range(len(key)):
            cosine = query[i] @ key[j] / np.sqrt((query[i] @ query[i]) * (key[j] @ key[j]))
            mass.append(np.exp(cosine / temperature))
        total -= np.log(sum(m for m, p in zip(mass, positives[i], strict=True) if p) / sum(mass))
    return total / len(query)


@pytest.mark.parametrize("with_features", [False, True])
def test_both_views_and_the_losses_are_those_of_the_equations(with_features: bool) -> None:
    model = double(neighbor_features=with_features, balance=0.3, temperature=0.7)
    own = elu(linear(model.to_own, tiny.array(model.features)))
    viewed = model.encode()
    assert viewed.metapaths is not None
    assert viewed.schema is not None
    found = []
    for view, (rows, share) in (
        (viewed.metapaths, by_metapaths(model, own)),
        (viewed.schema, by_neighbors(model, own, with_features)),
    ):
        np.testing.assert_allclose(tiny.array(view.rows), rows, rtol=1e-5)
        np.testing.assert_allclose(tiny.array(view.shares), share, rtol=1e-5)
        found.append(linear(model.head[2], elu(linear(model.head[0], rows))))
    np.testing.assert_array_equal(model.represent(), tiny.array(viewed.metapaths.rows))
    positives = tiny_nodes.dense(positive_pairs(DATA, 3, "share"))
    losses = tiny_nodes.valued(model.losses(STEP))
    expected = {
        "metapath_contrast": 0.3 * looped_contrast(*found, positives, 0.7),
        "schema_contrast": 0.7 * looped_contrast(*found[::-1], positives, 0.7),
    }
    assert losses == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("views", ["metapaths", "schema"])
def test_one_view_alone_is_contrasted_with_itself(views: Any) -> None:
    model = double(views=views)
    view = getattr(model.encode(), views)
    rows = linear(model.head[2], elu(linear(model.head[0], tiny.array(view.rows))))
    positives = tiny_nodes.dense(positive_pairs(DATA, 3, "share"))
    losses = tiny_nodes.valued(model.losses(STEP))
    assert losses == pytest.approx({"contrast": looped_contrast(rows, rows, positives, 0.8)}, rel=1e-6)
    assert list(model.embed()) == [views]
    keys = {"metapaths": "semantic_attention", "schema": "type_attention"}
    assert [finding.key for finding in model.findings()] == [keys[views]]


def test_gradients_are_true() -> None:
    by_gradients, by_differences = tiny_nodes.slopes(double(neighbor_features=True), STEP)
    assert by_gradients == pytest.approx(by_differences, rel=1e-6)


@pytest.mark.parametrize("by", ["share", "count"])
@pytest.mark.parametrize("count", [1, 4, 99])
def test_positives_are_the_nodes_that_metapaths_join_most(count: int, by: Any) -> None:
    found = tiny_nodes.dense(positive_pairs(DATA, count, by))
    joined = [tiny_nodes.dense(graph) for graph in DATA.graphs.values()]
    for node in range(11):
        close = {}
        for other in range(11):
            if other != node:
                share = sum(j[node, other] / j[node].sum() for j in joined)
                number = sum(j[node, other] for j in joined)
                close[other] = (share,) if by == "share" else (number, share)
        ranked = sorted(close, key=lambda other: (*(-round(x, 9) for x in close[other]), other))
        expected = {node, *(other for other in ranked[: count - 1] if close[other][0] > 0)}
        assert set(np.flatnonzero(found[node])) == expected


def test_positives_in_blocks_are_those_of_all_at_once(monkeypatch: Any) -> None:
    whole = tiny_nodes.dense(positive_pairs(DATA, 4, "share"))
    monkeypatch.setattr("core.models.heco_positives._PAIRS_AT_ONCE", 30)
    np.testing.assert_array_equal(tiny_nodes.dense(positive_pairs(DATA, 4, "share")), whole)


@pytest.mark.parametrize("temperature", [0.1, 0.9])
def test_the_contrast_in_blocks_is_that_of_all_logits_at_once(temperature: float) -> None:
    positives = pattern_of(positive_pairs(DATA, 4, "share"))
    generator = torch.Generator().manual_seed(2)
    query, key = (
        torch.randn(11, 3, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2)
    )
    losses = [form(query, key, positives, temperature) for form in (contrast_with, formed_contrast_with)]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*(torch.autograd.grad(loss, (query, key)) for loss in losses))


def test_a_step_draws_some_of_the_neighbours_and_all_of_few() -> None:
    neighbors = neighbors_by_type(DATA, tiny.CPU)["author"]
    drawn = set()
    for seed in range(20):
        noise = torch.Generator().manual_seed(seed)
        found = sampled_neighbors(neighbors, 1, noise)
        assert found.indptr.diff().tolist() == [1] * 11
        for row, column in zip(found.row.tolist(), found.index.tolist()):
            assert column in neighbors.index[neighbors.indptr[row] : neighbors.indptr[row + 1]]
            drawn.add((row, column))
    assert drawn == set(zip(neighbors.row.tolist(), neighbors.index.tolist()))
    everyone = sampled_neighbors(neighbors, 2, torch.Generator().manual_seed(0))
    assert torch.equal(everyone.index, neighbors.index)


def test_noise_follows_from_the_step() -> None:
    model = tiny_nodes.built("heco", DATA, hidden=6, neighbors=1)
    first, again, other = (tiny_nodes.valued(model.losses(GraphStep(seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_neighbours_of_the_own_type_and_a_single_type_are_seen_too() -> None:
    cites = Relation("paper", "cites", "paper")
    view = replace(
        DATA.view, edges={cites: np.array([[0, 1], [2, 1], [3, 4]], np.int32)} | dict(DATA.view.edges)
    )
    neighbors = neighbors_by_type(replace(DATA, view=view), tiny.CPU)
    assert list(neighbors) == ["paper", "author", "subject", "shelf"]
    links = set(zip(neighbors["paper"].row.tolist(), neighbors["paper"].index.tolist()))
    assert links == {(0, 1), (1, 0), (2, 1), (1, 2), (3, 4), (4, 3)}
    few = replace(
        DATA.view, edges={r: e for r, e in DATA.view.edges.items() if r.name == "written_by"}, metapaths={}
    )
    alone = replace(DATA, view=few)
    model = tiny_nodes.built("heco", alone, hidden=6)
    assert isinstance(model, HeCo)
    assert model.schema_view is not None
    assert model.schema_view.types is None
    assert model.findings()[1].values.tolist() == [[1.0]]
