"""Tiny heterogeneous graphs and models of their nodes: every dimension its own prime, planted classes to be found."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array

from core.catalog.base import SystemConfig
from core.catalog.systems import system
from core.data.hetero import HeteroContent, Metapath, Relation
from core.data.label_splits import class_splits
from core.data.metapaths import metapath_graph
from core.data.nodes import NodeData, label_settings, row_normalized
from core.models.nodes import FittedNodes, NodeModel
from core.models.registry import build_nodes
from core.ops.additive_attention import DenseGraph, Graph

torch.set_num_threads(1)  # on matrices this small, threads that wait for each other cost fifty times the work

CPU = torch.device("cpu")
WRITTEN_BY, ABOUT, STORED_ON = (
    Relation("paper", "written_by", "author"),
    Relation("paper", "about", "subject"),
    Relation("shelf", "holds", "paper"),  # turned round: the target is its destination
)
WALKS = {
    "PAP": Metapath(("paper", "author", "paper"), ("written_by", "written_by")),
    "PSP": Metapath(("paper", "subject", "paper"), ("about", "about")),  # joins more than 30 % of all pairs
    "PHP": Metapath(("paper", "shelf", "paper"), ("holds", "holds")),  # pure noise
}


def node_data(
    papers: int,
    authors: int,
    shelves: int,
    features: int,
    classes: int = 3,
    labels_per_class: tuple[int, ...] = (3, 5),
    fidelity: float = 0.85,
    seed: int = 7,
    cache: Path | None = None,
) -> NodeData:
    """Papers of planted classes with sparse words; authors and subjects follow the class with probability `fidelity`,
    shelves do not. Authors have sparse features, shelves dense ones, subjects none."""
    rng = np.random.default_rng(seed)
    labels = np.arange(papers, dtype=np.int64) % classes
    rng.shuffle(labels)

    def edges(count: int, per_paper: int, faith: float) -> np.ndarray:
        """(paper, other) pairs, at least one of each paper."""
        paper = np.repeat(np.arange(papers), per_paper)
        own = labels[paper] + classes * rng.integers(0, max(1, count // classes), len(paper))
        other = np.where(
            (rng.random(len(paper)) < faith) & (own < count), own, rng.integers(0, count, len(paper))
        )
        return np.unique(np.stack([paper, other], 1), axis=0).astype(np.int32)

    words = rng.random((papers, features)) < np.where(
        np.arange(features) % classes == labels[:, None], 0.5, 0.2
    )
    words[:, 0] |= ~words.any(1)
    view = HeteroContent(
        target_type="paper",
        counts={"paper": papers, "author": authors, "subject": classes, "shelf": shelves},
        edges={
            WRITTEN_BY: edges(authors, 2, fidelity),
            ABOUT: edges(classes, 1, fidelity),
            STORED_ON: edges(shelves, 1, 0.0)[:, ::-1].copy(),
        },
        features={
            "paper": csr_array(words.astype(np.float32)),
            "author": csr_array((rng.random((authors, 5)) < 0.4).astype(np.float32)),
            "shelf": rng.standard_normal((shelves, 3)).astype(np.float32),
        },
        labels=labels,
        splits=class_splits(rng, labels, classes, wanted=labels_per_class),
        metapaths=WALKS,
    )
    return from_view(view, cache)


def from_view(view: HeteroContent, cache: Path | None = None) -> NodeData:
    """A view as models see it, without a data set's folder."""
    graphs = {}
    for name, walk in view.metapaths.items():
        graph = metapath_graph(view, walk)
        graphs[name] = csr_array(
            (np.ones_like(graph.data), graph.indices.astype(np.int32), graph.indptr.astype(np.int32)),
            shape=graph.shape,
        )
    features = view.features.get(view.target_type)
    return NodeData(
        name="tiny",
        content_hash="0" * 64,
        features=None if features is None else row_normalized(features),
        graphs=graphs,
        labels=view.labels,
        classes=view.class_names,
        settings=label_settings("tiny", view.splits),
        view=view,
        cache=cache,
    )


def small(**changes: Any) -> NodeData:
    """For slow references: eleven papers of two classes."""
    sizes = {
        "papers": 11,
        "authors": 7,
        "shelves": 5,
        "features": 13,
        "classes": 2,
        "labels_per_class": (1, 2),
    }
    return node_data(**(sizes | changes))


def planted(**changes: Any) -> NodeData:
    """For learning: three classes that features alone tell only in part."""
    sizes = {"papers": 67, "authors": 23, "shelves": 5, "features": 19, "labels_per_class": (5, 11)}
    return node_data(**(sizes | changes))


def without_features(data: NodeData) -> NodeData:
    """The same graph, of whose nodes nothing else is known."""
    view = replace(data.view, features={})
    return replace(data, features=None, view=view)


def dense(matrix: Any) -> np.ndarray:
    return np.asarray(matrix.toarray(), dtype=np.float64)


def resolved(key: str, variant: str | None = None, **overrides: Any) -> SystemConfig:
    return system(key).resolve("small", variant, overrides)


def built(key: str, data: NodeData, variant: str | None = None, seed: int = 0, **overrides: Any) -> NodeModel:
    torch.manual_seed(seed)
    return build_nodes(key, resolved(key, variant, **overrides), data, CPU)


def fitted(key: str, data: NodeData, variant: str | None = None, **overrides: Any) -> NodeModel:
    model = built(key, data, variant, **overrides)
    assert isinstance(model, FittedNodes)
    model.fit(data)
    return model


def doubled(model: Any, seed: int = 11) -> Any:
    """The model in float64, its parameters random and of order 1, so that nothing hides behind zeros."""
    generator = torch.Generator().manual_seed(seed)
    model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return model


def double_graphs(graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    """Graphs whose dense forms fit a model in float64."""
    return {
        name: _double(graph) if isinstance(graph, DenseGraph) else graph for name, graph in graphs.items()
    }


def _double(graph: DenseGraph) -> DenseGraph:
    return replace(graph, **{field.name: getattr(graph, field.name).double() for field in fields(graph)})


def valued(losses: dict[str, torch.Tensor]) -> dict[str, float]:
    """Losses as numbers."""
    return {name: float(value.detach()) for name, value in losses.items()}


def slopes(model: Any, batch: Any, step: float = 1e-6) -> tuple[float, float]:
    """How the summed losses of a float64 model change along one random direction of all its parameters: by their gradients,
    and by differences. `batch`: the same step, which repeats its noise."""
    generator = torch.Generator().manual_seed(23)
    parameters = list(model.parameters())
    ways = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters]

    def loss() -> torch.Tensor:
        return torch.stack(list(model.losses(batch).values())).sum()

    gradients = torch.autograd.grad(loss(), parameters)
    along = sum(float((gradient * way).sum()) for gradient, way in zip(gradients, ways, strict=True))
    ends = []
    for sign in (1, -2):
        with torch.no_grad():
            for parameter, way in zip(parameters, ways, strict=True):
                parameter += sign * step * way
            ends.append(float(loss()))
    return along, (ends[0] - ends[1]) / (2 * step)
