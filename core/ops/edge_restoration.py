"""Edges left out of a graph that is attended over, and the error of restoring them from inner products.

N nodes, F features, E entries.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from core.ops.additive_attention import DenseGraph, Graph
from core.ops.dropout import Dropout
from core.ops.sparse import Pattern, product

_LEAST_SQUARE = 1e-24


def without_edges(graph: Graph, rate: float, noise: torch.Generator) -> Graph:
    """The graph without a share `rate` of its edges, drawn one by one, in the form it has; edges from a node to itself stay.

    Source: HGMAE's released code, which gives every node its own edge back.
    """
    dropout = Dropout.drawn(rate, noise)
    if dropout is None:
        return graph
    if isinstance(graph, DenseGraph):
        left_NN = dropout.mask(graph.presence).sign_().mul_(graph.presence)
        left_NN.diagonal().copy_(graph.presence.diagonal())
        return DenseGraph(left_NN)
    stays_E = dropout.mask(torch.empty(graph.num_entries, device=graph.index.device)) > 0
    stays_E |= graph.index == graph.row
    left_N = torch.bincount(graph.row[stays_E], minlength=graph.num_rows)
    indptr = F.pad(left_N.cumsum(0), (1, 0)).int()
    return Pattern(indptr, graph.index[stays_E], graph.num_rows, graph.num_columns)


@dataclass(frozen=True, eq=False)
class EdgeTarget:
    """Rows T_i of D^-1/2 A D^-1/2, to be restored up to their length. graph: A. scale: d^-1/2, [N, 1], 0 for nodes that nothing
    joins. length: |T_i| sqrt(d_i), [N]."""

    graph: Graph
    scale: Tensor
    length: Tensor

    @staticmethod
    def of(matrix: csr_array, graph: Graph, device: torch.device) -> "EdgeTarget":
        degree_N = np.diff(matrix.indptr).astype(np.float64)
        inverse_N = np.divide(1.0, degree_N, out=np.zeros_like(degree_N), where=degree_N > 0)
        length_N = np.sqrt(matrix @ inverse_N)
        arrays = (np.sqrt(inverse_N)[:, None], length_N)
        scale, length = (torch.from_numpy(array.astype(np.float32)).to(device) for array in arrays)
        return EdgeTarget(graph, scale, length)


def edge_errors(rows_NF: Tensor, targets: list[EdgeTarget], power: float) -> Tensor:
    """For each target T the mean over nodes of (1 - cos(G_i, T_i))^power, G = R R^T, [M].

    Source: HGMAE, AAAI 2023, metapath-based edge reconstruction, without the sigmoid and with D^-1/2 A D^-1/2 for A, as in the released code. Nothing
    of size N x N is formed but what the targets hold: G_i . T_i = r_i . (T R)_i and |G_i|^2 = r_i (R^T R) r_i.
    """
    square_N = ((rows_NF @ (rows_NF.t() @ rows_NF)) * rows_NF).sum(1)
    length_N = square_N.clamp(min=_LEAST_SQUARE).sqrt()
    errors = []
    for target in targets:
        sums_NF = _neighbor_sum(target.graph, target.scale * rows_NF)
        lengths_N = (length_N * target.length).clamp(min=_LEAST_SQUARE)
        cosine_N = (rows_NF * sums_NF).sum(1) / lengths_N
        errors.append((1 - cosine_N).clamp(min=0).pow(power).mean())
    return torch.stack(errors)


def _neighbor_sum(graph: Graph, rows_NF: Tensor) -> Tensor:
    """A R: the sum of rows over each node's neighbours."""
    return product(graph, rows_NF) if isinstance(graph, Pattern) else graph.presence @ rows_NF


def formed_edge_errors(rows_NF: Tensor, matrices: list[Tensor], power: float) -> Tensor:
    """The slow, obvious `edge_errors`: all tables at once; matrices: the rows to restore, [N, N] each. Reference of the tests."""
    made_NN = rows_NF @ rows_NF.t()
    cosines = [(F.normalize(made_NN, dim=1) * F.normalize(true_NN, dim=1)).sum(1) for true_NN in matrices]
    return torch.stack([(1 - cosine_N).pow(power).mean() for cosine_N in cosines])
