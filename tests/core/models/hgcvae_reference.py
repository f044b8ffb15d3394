"""HGCVAE and HAN's layers as loops over nodes, heads and metapaths, in the letters of their papers; float64, no dropout."""

import math

import torch
from torch import Tensor


def gat(layer, joined: Tensor, rows: Tensor) -> Tensor:
    """HAN, Eqs. 2 to 6: node i gets the sum over its neighbours j of a_ij W x_j, head by head, then bias and PReLU."""
    shape, weight = layer.shape, layer.project.weight
    output = torch.zeros(len(rows), shape.out_dim, dtype=rows.dtype)
    for head in range(shape.heads):
        place = slice(head * shape.head_dim, (head + 1) * shape.head_dim)
        z = [weight[place] @ row for row in rows]
        for i in range(len(rows)):
            neighbours = [j for j in range(len(rows)) if joined[i, j]]
            e = [layer.query[head, 0] @ z[i] + layer.key[head, 0] @ z[j] for j in neighbours]
            e = [float(x) if x > 0 else shape.slope * float(x) for x in e]
            total = sum(map(math.exp, e))
            for j, x in zip(neighbours, e, strict=True):
                output[i, place] += math.exp(x) / total * z[j]
    output = output + layer.bias
    if layer.activation is None:
        return output
    return torch.where(output > 0, output, layer.activation.weight * output)


def han_layer(layer, graphs: dict[str, Tensor], rows: Tensor) -> tuple[Tensor, list[float]]:
    """HAN, Eqs. 7 to 9: one GAT per metapath, and shares from the mean over nodes of q . tanh(W z + b)."""
    by_path = [gat(inner, graphs[name], rows) for name, inner in layer.by_metapath.items()]
    if layer.semantic is None:
        share = [1 / len(by_path)] * len(by_path)
    else:
        project, q = layer.semantic.project, layer.semantic.score.weight[0]
        w = [
            sum(float(q @ torch.tanh(project.weight @ z + project.bias)) for z in rows_of) / len(rows_of)
            for rows_of in by_path
        ]
        share = [math.exp(x) / sum(map(math.exp, w)) for x in w]
    return sum(s * z for s, z in zip(share, by_path, strict=True)), share


def stack(layers, graphs: dict[str, Tensor], rows: Tensor) -> Tensor:
    for layer in layers:
        rows, _ = han_layer(layer, graphs, rows)
    return rows


def unit(row: Tensor) -> Tensor:
    return row / row.norm()


def info_nce(h1: Tensor, h2: Tensor, tables: list[Tensor], own: list[bool], temperature: float) -> float:
    """Every row of every table is a negative of every node, except for a node's own row where `own` says so."""
    total = 0.0
    for i in range(len(h1)):
        positive = math.exp(float(unit(h1[i]) @ unit(h2[i])) / temperature)
        mass = sum(
            math.exp(float(unit(h1[i]) @ unit(table[j])) / temperature)
            for table, excluded in zip(tables, own, strict=True)
            for j in range(len(table))
            if not (excluded and i == j)
        )
        total -= math.log(positive / (positive + mass))
    return total / len(h1)


def kl(mean: Tensor, log_scale: Tensor) -> float:
    total = 0.0
    for mu, rho in zip(mean, log_scale, strict=True):
        total += -0.5 * sum(
            1 + 2 * float(s) - float(m) ** 2 - math.exp(float(s)) ** 2 for m, s in zip(mu, rho)
        )
    return total / len(mean)


def esce(made: Tensor, true: Tensor, power: float) -> float:
    """The released code's error: -(1 - s_nf)^power c_f, c_f the mean over nodes of the log-softmax over features of s."""
    s = [[max(float(a * b), 0.0) or 1e-6 for a, b in zip(unit(x), unit(y))] for x, y in zip(made, true)]
    width = len(s[0])
    logs = [[v - math.log(sum(map(math.exp, row))) for v in row] for row in s]
    c = [sum(row[f] for row in logs) / len(s) for f in range(width)]
    return sum(-((1 - row[f]) ** power) * c[f] for row in s for f in range(width)) / (len(s) * width)
