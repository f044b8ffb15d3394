"""The multimodal models as their equations read: loops over nodes, links and pairs on dense float64 matrices.

Nodes are users followed by items. Written from the equations; it shares nothing with the models, and sees parameters as
plain arrays under names of its own. Noise is not drawn but given. What equations leave open: a row of zeros has no
neighbours and is nobody's, and a negative cosine weighs nothing.
"""

import math
from typing import Any

import numpy as np
import pytest

from tests.core.models import tiny

Table = np.ndarray


# graphs


def bipartite(R: Table, links: Table | None = None) -> Table:
    """[[0, R], [R^T, links]]."""
    users, items = R.shape
    A = np.zeros((users + items, users + items))
    for u in range(users):
        for i in range(items):
            A[u, users + i] = A[users + i, u] = R[u, i]
    for i in range(items):
        for j in range(items):
            A[users + i, users + j] = 0 if links is None else links[i, j]
    return A


def normalized(A: Table) -> Table:
    """a_vw / sqrt(sum of row v x sum of row w), symmetric or directed."""
    total, scaled = A.sum(1), np.zeros_like(A)
    for v, w in zip(*A.nonzero()):
        scaled[v, w] = A[v, w] / math.sqrt(total[v] * total[w])
    return scaled


def light(normal: Table, x: Table, layers: int) -> Table:
    """LightGCN: the mean over layers 0..L, one node at a time."""
    found = [x]
    for _ in range(layers):
        found.append(propagated(normal, found[-1]))
    return sum(found) / len(found)


def propagated(links: Table, x: Table) -> Table:
    following = np.zeros((len(links), x.shape[1]))
    for v in range(len(links)):
        for w in np.flatnonzero(links[v]):
            following[v] += links[v, w] * x[w]
    return following


def cosine(a: Table, b: Table) -> float:
    """0 where either is zero."""
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / length) if length > 0 else 0.0


def neighbours(x: Table, k: int, own: bool) -> list[list[int]]:
    """The k items of highest cosine to each item, itself included or not; none of and for rows of zeros."""
    found = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if x[i].any() and x[j].any() and (own or j != i)]
        found.append(sorted(others, key=lambda j: -cosine(x[i], x[j]))[:k])
    return found


def cosine_graph(x: Table, k: int) -> Table:
    """MGCN's directed item graph: cosines of the k nearest, itself included."""
    links = np.zeros((len(x), len(x)))
    for i, near in enumerate(neighbours(x, k, own=True)):
        for j in near:
            links[i, j] = max(cosine(x[i], x[j]), 0.0)
    return normalized(links)


def freedom_graph(features: dict[str, Table], k: int, image_weight: float) -> Table:
    """S: unweighted graphs of the k nearest, itself included, mixed; the image's weight, the others share the rest."""
    found = np.zeros((len(next(iter(features.values()))),) * 2)
    for name, x in features.items():
        links = np.zeros_like(found)
        for i, near in enumerate(neighbours(x, k, own=True)):
            links[i, near] = 1
        if "image" not in features or len(features) == 1:
            weight = 1 / len(features)
        else:
            weight = image_weight if name == "image" else (1 - image_weight) / (len(features) - 1)
        found += weight * normalized(links)
    return found


def same_links(links: Any, x: np.ndarray, k: int) -> None:
    """Asserts that links are the k nearest of `x` without the item itself, each with its cosine, even a negative one."""
    for i, near in enumerate(neighbours(x, k, own=True)):
        part = slice(links.indptr[i], links.indptr[i + 1])
        expected = {j: cosine(x[i], x[j]) for j in near if j != i}
        assert dict(zip(links.index[part].tolist(), links.value[part].tolist())) == pytest.approx(
            expected, abs=1e-6
        )


def item_links(x: Table, k: int, binary: bool = False) -> Table:
    """S_pt: cosines of the k nearest others, negatives clipped, symmetrised by the maximum."""
    links = np.zeros((len(x), len(x)))
    for i, near in enumerate(neighbours(x, k, own=False)):
        for j in near:
            weight = max(cosine(x[i], x[j]), 0.0)
            weight = float(weight > 0) if binary else weight
            links[i, j], links[j, i] = max(links[i, j], weight), max(links[j, i], weight)
    return links


def unit(x: Table) -> Table:
    return np.array([row / np.linalg.norm(row) if row.any() else row for row in x])


# MGCN's parts


def sigmoid(x: Table) -> Table:
    return 1 / (1 + np.exp(-x))


def semantic(
    p: dict[str, Table],
    x: Table,
    ids: Table,
    graph: Table,
    normal: Table,
    layers: int = 1,
    correction: Table | float = 0.0,
) -> Table:
    """One modality: gated ids, propagated over its item graph and corrected each time; users from their items."""
    items = np.zeros_like(ids)
    for i in range(len(ids)):
        reduced = p["reduce"] @ x[i] + p["reduce_bias"]
        items[i] = ids[i] * sigmoid(p["gate"] @ reduced + p["gate_bias"])
    for _ in range(layers):
        items = propagated(graph, items) + correction
    users = len(normal) - len(ids)
    return np.concatenate([propagated(normal[:users, users:], items), items])


def fused(p: dict[str, Any], content: Table, modal: list[Table]) -> dict[str, Table]:
    """MGCN's fuser, node by node; `preference` is the mean of a gate over its dimensions."""
    attention, gate, side = [], [], []
    for v in range(len(content)):
        logits = [p["vector"] @ np.tanh(p["attention"] @ e[v] + p["attention_bias"]) for e in modal]
        share = np.exp(logits) / np.exp(logits).sum()
        shared = sum(a * e[v] for a, e in zip(share, modal))
        prefer = [sigmoid(w @ content[v] + b) for w, b in p["prefer"]]
        specific = [g * (e[v] - shared) for g, e in zip(prefer, modal)]
        attention.append(share)
        gate.append([g.mean() for g in prefer])
        side.append((sum(specific) + shared) / (len(modal) + 1))
    return {"share": np.array(attention), "preference": np.array(gate), "side": np.array(side)}


def encoder_of(module: Any) -> dict[str, Table]:
    """A semantic encoder's parameters, as `semantic` names them; `features` as trained."""
    found = {
        "features": module.features,
        "reduce": module.transform.weight,
        "reduce_bias": module.transform.bias,
        "gate": module.gate.weight,
        "gate_bias": module.gate.bias,
    }
    return {name: tiny.array(value) for name, value in found.items()}


def fuser_of(module: Any) -> dict[str, Any]:
    """A fuser's parameters, as `fused` names them."""
    first, _, last = module.query
    prefer = [(tiny.array(gate.weight), tiny.array(gate.bias)) for gate in module.preference.values()]
    attention, bias = tiny.array(first.weight), tiny.array(first.bias)
    return {
        "attention": attention,
        "attention_bias": bias,
        "vector": tiny.array(last.weight)[0],
        "prefer": prefer,
    }


# losses


def info_nce(query: Table, keys: Table, own: int, tau: float) -> float:
    odds = [math.exp(cosine(query, key) / tau) for key in keys]
    return -math.log(odds[own] / sum(odds))


def bpr(final_user: Table, final_item: Table, triples: list[tuple[int, int, int]]) -> float:
    return float(np.mean([softplus(final_user[u] @ (final_item[n] - final_item[p])) for u, p, n in triples]))


def softplus(x: float) -> float:
    return math.log1p(math.exp(-abs(x))) + max(x, 0.0)


def squared(user: Table, item: Table, triples: list[tuple[int, int, int]]) -> float:
    """The batch's squared norms: half their sum, over the size of the batch."""
    total = sum((user[u] ** 2).sum() + (item[p] ** 2).sum() + (item[n] ** 2).sum() for u, p, n in triples)
    return float(total / 2 / len(triples))


def in_batch(queries: Table, keys: Table, rows: list[int], tau: float) -> list[float]:
    """Each row of the batch against the keys of the batch."""
    among = [keys[r] for r in rows]
    return [info_nce(queries[r], among, place, tau) for place, r in enumerate(rows)]


def alignment(
    modal: tuple[Table, Table],
    behavior: tuple[Table, Table],
    pairs: list[tuple[int, int]],
    taus: tuple[float, float],
) -> tuple[list[float], list[float]]:
    """EGRA: the interacted item is the user's anchor, and each item's own; one number a pair and side."""
    anchors = [behavior[1][i] for _, i in pairs]
    user = [info_nce(modal[0][u], anchors, n, taus[0]) for n, (u, _) in enumerate(pairs)]
    item = [info_nce(modal[1][i], anchors, n, taus[1]) for n, (_, i) in enumerate(pairs)]
    return user, item


def entity_weights(degrees: list[float], tau: float, kind: str) -> Table:
    """w_v over a batch, its mean 1; `degrees` are cosines of behaviour and modality."""
    if kind == "off":
        return np.ones(len(degrees))
    odds = np.array([math.exp(((1 - a) if kind == "misaligned" else a) / tau) for a in degrees])
    return odds / odds.mean()
