"""Weighted graphs between nodes of one kind, or of all kinds at once: one pattern, one fixed weight per entry.

N nodes, D dims.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import block_array, csr_array
from torch import Tensor

from core.ops.graphs import Sides
from core.ops.sparse import Pattern, pattern_of, product

_EPSILON = 1e-7


@dataclass(frozen=True, eq=False)
class Square:
    """A fixed N x N matrix."""

    pattern: Pattern
    weight: Tensor

    def times(self, rows_ND: Tensor) -> Tensor:
        """The product with [N, D]."""
        return product(self.pattern, rows_ND, self.weight)

    def to(self, device: torch.device) -> "Square":
        return Square(self.pattern.to(device), self.weight.to(device))


def square(matrix: csr_array) -> Square:
    """The graph of a scipy matrix, its values as weights."""
    return Square(pattern_of(matrix), torch.from_numpy(matrix.data.astype(np.float32)))


def symmetric_normalized(matrix: csr_array) -> csr_array:
    """w_ij / sqrt(r_i r_j) with row sums r, which for a directed graph is not symmetric; rows without weight stay empty.

    Source: MGCN's and FREEDOM's released code, which add 1e-7 to every row sum; so do we.
    """
    row_sum = np.asarray(matrix.sum(1), dtype=np.float64).ravel()
    scale = np.where(row_sum > 0, (np.maximum(row_sum, 0) + _EPSILON) ** -0.5, 0.0)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    values = matrix.data * scale[rows] * scale[matrix.indices]
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def user_item_matrix(pairs: csr_array, item_links: csr_array | None = None) -> csr_array:
    """[[0, R], [R^T, S]] of users above items, [U + I, U + I]; without links between items S is empty."""
    corner = item_links if item_links is not None else csr_array((pairs.shape[1],) * 2, dtype=pairs.dtype)
    joined = csr_array(block_array([[None, pairs], [pairs.T, corner]], format="csr"))
    joined.sort_indices()
    return joined


def layer_mean(graph: Square, start_ND: Tensor, layers: int) -> Tensor:
    """Mean of x, A x, ..., A^L x. Source: He et al., LightGCN, SIGIR 2020, Eqs. 4 and 7."""
    if not layers:
        return start_ND
    layer_ND = graph.times(start_ND)
    total_ND = start_ND + layer_ND
    for _ in range(layers - 1):
        layer_ND = graph.times(layer_ND)
        total_ND.add_(layer_ND)  # in place: fresh memory costs more than the sum
    return total_ND.div_(layers + 1)


def in_sides(rows_ND: Tensor, num_users: int) -> Sides:
    """Users and items of a table of all nodes."""
    return Sides(rows_ND[:num_users], rows_ND[num_users:])
