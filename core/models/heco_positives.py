"""HeCo's positives: the nodes that metapaths join a node to most. N nodes, T positives."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.nodes import NodeData

_PAIRS_AT_ONCE = 1 << 22
_ITSELF = np.inf


def positive_pairs(data: NodeData, count: int, by: Literal["share", "count"]) -> csr_array:
    """Each node with itself and the count - 1 others that metapaths join it to most, [N, N] of ones; fewer where fewer are.

    share: the sum over metapaths of 1 / the node's number of neighbours, as in HeCo's released code; count: the number of
    metapaths that join the two (Sec. 4.5), of which there are so many equals that the share decides among them. Of equals
    still the first nodes.
    """
    nodes = data.num_nodes
    size = max(1, _PAIRS_AT_ONCE // nodes)
    found = []
    for start in range(0, nodes, size):
        rows = np.arange(start, min(start + size, nodes))
        found.append(_best(_closeness(data, rows, by), rows, count))
    counts = np.concatenate([[len(best) for best in block] for block in found])
    index = np.concatenate([best for block in found for best in block]).astype(np.int32)
    indptr = np.concatenate([[0], counts.cumsum()]).astype(np.int32)
    return csr_array((np.ones(len(index), np.float32), index, indptr), shape=(nodes, nodes))


def _closeness(data: NodeData, rows: NDArray[np.intp], by: str) -> NDArray[np.float64]:
    """How much metapaths join the nodes `rows` to all others, [B, N]; 0 where none does."""
    total_BN = np.zeros((len(rows), data.num_nodes))
    for graph in data.graphs.values():
        joined_BN = graph[rows].toarray() != 0
        share_B1 = 1 / np.maximum(joined_BN.sum(1, keepdims=True), 1)
        total_BN += joined_BN * (share_B1 if by == "share" else 1 + share_B1 / (2 * len(data.graphs)))
    return total_BN


def _best(close_BN: NDArray[np.float64], rows: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    close_BN[np.arange(len(rows)), rows] = _ITSELF
    order_BT = np.argsort(-close_BN, axis=1, kind="stable")[:, :count]
    kept_BT = np.take_along_axis(close_BN, order_BT, 1) > 0
    return [np.sort(order[kept]) for order, kept in zip(order_BT, kept_BT, strict=True)]
