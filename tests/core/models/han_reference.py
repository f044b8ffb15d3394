"""HAN in loops over nodes, neighbours and heads: the reference of every model that is built on its layers.

Dropout is off. `joined`: by metapath, [N, N], other than zero where two nodes are joined.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.data.nodes import NodeData
from tests.core.models import tiny, tiny_nodes

_EPSILON = 1e-5  # of batch norm


def looped_han(
    encoder: Any, data: NodeData, rows: np.ndarray, joined: Mapping[str, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows after the last layer of a HANStack, and every layer's shares of metapaths."""
    joined = {n: tiny_nodes.dense(g) for n, g in data.graphs.items()} if joined is None else joined
    shares = []
    for layer in encoder.layers:
        rows, share = looped_layer(layer, joined, rows)
        shares.append(share)
    return rows, np.array(shares)


def looped_layer(
    layer: Any, joined: Mapping[str, np.ndarray], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One GAT layer per metapath, then attention over metapaths, or their mean."""
    made = [attended(layer.by_metapath[name], graph, rows) for name, graph in joined.items()]
    if layer.semantic is None:
        share = np.full(len(made), 1 / len(made))
    else:
        weight, bias = (tiny.array(p) for p in (layer.semantic.project.weight, layer.semantic.project.bias))
        vector = tiny.array(layer.semantic.score.weight)[0]
        scores = [np.mean([vector @ np.tanh(weight @ row + bias) for row in block]) for block in made]
        share = np.exp(scores) / np.exp(scores).sum()
    return sum(part * block for part, block in zip(share, made, strict=True)), share


def attended(gat: Any, joined: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Heads side by side, then bias, batch norm (by what it keeps outside of training) and PReLU where there are any."""
    shape, weight = gat.shape, tiny.array(gat.project.weight)
    query, key = tiny.array(gat.query)[:, 0], tiny.array(gat.key)[:, 0]
    made = np.zeros((len(rows), shape.heads * shape.head_dim))
    for head in range(shape.heads):
        place = slice(head * shape.head_dim, (head + 1) * shape.head_dim)
        value = rows @ weight[place].T
        for i in range(len(rows)):
            neighbours = np.flatnonzero(joined[i])
            logits = [query[head] @ value[i] + key[head] @ value[j] for j in neighbours]
            mass = [np.exp(x if x > 0 else shape.slope * x) for x in logits]
            for j, part in zip(neighbours, mass, strict=True):
                made[i, place] += part / sum(mass) * value[j]
    if gat.bias is not None:
        made = made + tiny.array(gat.bias)
    if gat.norm is not None:
        mean, variance = made.mean(0), ((made - made.mean(0)) ** 2).mean(0)
        if not gat.norm.training:
            mean, variance = tiny.array(gat.norm.running_mean), tiny.array(gat.norm.running_var)
        made = (made - mean) / np.sqrt(variance + _EPSILON)
        made = made * tiny.array(gat.norm.weight) + tiny.array(gat.norm.bias)
    if gat.activation is not None:
        made = np.where(made > 0, made, tiny.array(gat.activation.weight) * made)
    return made
