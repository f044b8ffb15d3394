"""`bench hgcvae`: a training step on synthetic metapath graphs against plain forms, and where dense attention gets faster."""

import time
from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.bench.steps import Forms, compared_steps
from core.bench.timing import Comparison
from core.catalog.systems import system
from core.data.hetero import HeteroContent
from core.data.nodes import NodeData
from core.ops.additive_attention import DenseGraph, Graph, additive_attention, gathered_attention
from core.ops.dropout import Dropout
from core.ops.metapaths import attention_graphs
from core.ops.negatives import formed_contrast
from core.ops.sparse import Pattern

NODES, FEATURES, CLASSES = 600, 334, 4
# Shares of joined pairs, as of DBLP's APA, APCPA and APTPA.
DENSITIES = {"APA": 0.0007, "APCPA": 0.3, "APTPA": 0.43}
HIDDEN = 128
CROSSING = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def bench_hgcvae(device: torch.device) -> Comparison:
    """Seconds per training step of the preset paper at 128 dims, on graphs as dense as DBLP's but of 600 nodes: of more the
    gathered form fills the memory.

    The reference gathers, multiplies and scatters in attention, and forms all logits of the contrast. Attention is without
    dropout in both, whose noise would differ. The detail holds seconds of attention, sparse and dense, by share of joined
    pairs.
    """
    config = system("hgcvae").resolve("paper", None, {"hidden": HIDDEN, "attention_dropout": 0.0})
    data = dblp_like()
    detail = {
        "nodes": NODES,
        "hidden": HIDDEN,
        "joined": {name: round(graph.nnz / NODES**2, 4) for name, graph in data.graphs.items()},
        "attention_seconds": crossing(device),
    }
    forms: Forms = {
        "core.models.hgcvae.attention_graphs": lambda graphs, device: attention_graphs(graphs, device, 2.0),
        "core.models.han_encoder.additive_attention": _plain_attention,
        "core.models.hgcvae.contrast": formed_contrast,
    }
    return compared_steps("hgcvae", config, data, forms, device, detail)


def _plain_attention(
    graph: Graph, query: Tensor, key: Tensor, value: Tensor, slope: float, dropout: Dropout | None = None
) -> Tensor:
    """The gathered form, on any graph."""
    pattern = graph if isinstance(graph, Pattern) else _pattern(graph)
    return gathered_attention(pattern, query, key, value, slope)


def _pattern(graph: DenseGraph) -> Pattern:
    present = graph.presence != 0
    indptr = torch.cat([present.new_zeros(1, dtype=torch.long), present.sum(1).cumsum(0)])
    return Pattern.of(indptr, present.nonzero()[:, 1], present.shape[1])


def crossing(device: torch.device) -> Mapping[str, dict[str, float]]:
    """Seconds of one attention with four heads of 64 dims, forward and backward, by share of joined pairs."""
    found = {}
    for share in CROSSING:
        graph = random_graph(NODES, share, 0)
        forms = {
            "sparse": attention_graphs({"": graph}, device, 2.0)[""],
            "dense": attention_graphs({"": graph}, device, 0.0)[""],
        }
        found[str(share)] = {name: _seconds(form, device) for name, form in forms.items()}
    return found


def _seconds(graph: Graph, device: torch.device) -> float:
    noise = torch.Generator().manual_seed(0)
    shapes = [(NODES, 4), (NODES, 4), (4, NODES, 64)]
    query, key, value = (torch.randn(shape, generator=noise).to(device).requires_grad_() for shape in shapes)
    best = float("inf")
    for _ in range(3):
        _synchronize(device)
        started = time.perf_counter()
        additive_attention(graph, query, key, value, 0.2, Dropout(0.3, 1)).sum().backward()
        _synchronize(device)
        best = min(best, time.perf_counter() - started)
    return best


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def dblp_like(nodes: int = NODES) -> NodeData:
    """Random metapath graphs with DBLP's shares of joined pairs, random sparse features."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, nodes)
    words = csr_array((rng.random((nodes, FEATURES)) < 0.02).astype(np.float32))
    view = HeteroContent("author", {"author": nodes}, {}, {"author": words}, labels, {}, {})
    graphs = {name: random_graph(nodes, share, seed) for seed, (name, share) in enumerate(DENSITIES.items())}
    return NodeData("dblp-like", "0" * 64, words, graphs, labels, view.class_names, {}, view)


def random_graph(nodes: int, share: float, seed: int) -> csr_array:
    """A symmetric graph with self-loops in which about `share` of the pairs are joined."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((nodes, nodes)) < share, 1)
    joined = csr_array((upper | upper.T | np.eye(nodes, dtype=bool)).astype(np.float32))
    joined.sort_indices()
    return joined
