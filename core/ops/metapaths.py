"""Metapath graphs in the form that attention over them is fastest in."""

from collections.abc import Mapping

import torch
from scipy.sparse import csr_array

from core.ops.additive_attention import DenseGraph, Graph
from core.ops.sparse import pattern_of

# Share of joined pairs from which dense attention is faster, measured on two CPU cores (`python -m core bench hgcvae`); on a
# GPU, where dense products are cheap, the lead of the design.
DENSE_FROM = {"cpu": 0.3, "cuda": 0.1}


def attention_graphs(
    graphs: Mapping[str, csr_array], device: torch.device, dense_from: float | None = None
) -> dict[str, Graph]:
    """Every metapath's graph, dense from the share `dense_from` of joined pairs on; None takes what was measured."""
    least = DENSE_FROM[device.type] if dense_from is None else dense_from
    return {name: _graph(matrix, device, least) for name, matrix in graphs.items()}


def _graph(matrix: csr_array, device: torch.device, dense_from: float) -> Graph:
    if matrix.nnz < dense_from * matrix.shape[0] * matrix.shape[1]:
        return pattern_of(matrix).to(device)
    return DenseGraph(torch.from_numpy(matrix.toarray())).to(device)
