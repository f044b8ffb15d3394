"""LGMRec and SRGFormer as their equations read: loops over nodes, hyperedges and pairs on dense float64 matrices.

Nodes are users followed by items. What is random is drawn from the generator of the training step, in the models' order.
"""

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch

from core.ops.dropout import kept
from tests.core.models import multimodal_reference as reference
from tests.core.models import tiny, tiny_modal

Table = np.ndarray


@dataclass
class Draws:
    """The noise of one training step."""

    generator: torch.Generator
    keep: float

    def gumbel(self, like: Table) -> Table:
        uniform = torch.rand(like.shape, generator=self.generator, dtype=torch.float64).numpy()
        return -np.log(-np.log(uniform))

    def mask(self, like: Table) -> Table:
        """Drawn only where something is dropped: 1 / keep for those that stay."""
        if self.keep == 1:
            return np.ones_like(like)
        return kept(like.shape, 1 - self.keep, self.generator, torch.zeros(1, dtype=torch.float64)).numpy()


def parts(
    model: Any,
    found: Any,
    *,
    layers: int,
    modal_layers: int,
    repeat: int,
    tau: float,
    draws: Draws | None = None,
    as_released: bool = False,
) -> dict[str, Any]:
    """Everything before the final sum, modal rows of length one; text comes last among modalities."""
    R, raw = tiny_modal.matrix(found), tiny_modal.raw(found)
    names = [name for name in raw if name != "text"] + [name for name in raw if name == "text"]
    normal = reference.normalized(reference.bipartite(R))
    initial = np.concatenate([tiny.array(model.user_embedding), tiny.array(model.item_embedding)])
    collaborative = reference.light(normal, initial, layers)
    modal = [
        reference.unit(modal_part(R, raw[m], tiny.array(model.maps[m]), normal, modal_layers)) for m in names
    ]
    logits = []
    for m in names if model.uses_hypergraphs else ():
        item = np.array([x @ tiny.array(model.hyperedge_maps[m]) for x in raw[m]])
        user = np.array([sum((item[i] for i in np.flatnonzero(row)), 0 * item[0]) for row in R])
        logits.append([user, item])
    incidence = []
    for m, (user, item) in enumerate(logits):
        if as_released and m == 0:
            user = logits[1][0]
        plain = as_released and m == 1
        incidence.append([user if plain else chosen(user, tau, draws), chosen(item, tau, draws)])
    graphs = []
    for user, item in incidence:
        if draws is not None:
            item = item * draws.mask(item)
            user = user * draws.mask(user)
        graphs.append(hypergraph(user, item, collaborative[len(R) :], repeat))
    return {
        "normal": normal,
        "initial": initial,
        "collaborative": collaborative,
        "modal": modal,
        "graphs": graphs,
    }


def chosen(logits: Table, tau: float, draws: Draws | None) -> Table:
    return softmax_rows(logits if draws is None else logits + draws.gumbel(logits), tau)


def modal_part(R: Table, X: Table, T: Table, normal: Table, layers: int) -> Table:
    """mge_m: items X T, users R X T by degree + 1e-7, propagated, the last layer kept."""
    items = X @ T
    users = np.array(
        [sum((items[i] for i in np.flatnonzero(row)), 0 * T[0]) / (row.sum() + 1e-7) for row in R]
    )
    found = np.concatenate([users, items])
    for _ in range(layers):
        found = reference.propagated(normal, found)
    return found


def softmax_rows(logits: Table, tau: float) -> Table:
    found = []
    for row in logits / tau:
        odds = np.exp(row - row.max())
        found.append(odds / odds.sum())
    return np.array(found)


def hypergraph(user: Table, item: Table, rows: Table, repeat: int) -> dict[str, Table]:
    """To the hyperedges and back, `repeat` times."""
    for _ in range(repeat):
        hubs = sum(np.outer(item[i], rows[i]) for i in range(len(rows)))
        rows = np.array([item[i] @ hubs for i in range(len(rows))])
        above = np.array([user[u] @ hubs for u in range(len(user))])
    return {
        "membership": np.concatenate([user, item]),
        "hyperedges": hubs,
        "output": np.concatenate([above, rows]),
    }


def transformer(
    normal: Table, x: Table, Q: Table, K: Table, V: Table, heads: int
) -> tuple[Table, list[Table]]:
    """Attention over the non-zeros of the graph, and the shares [N, N] of each head; weights map rows: q = Q x."""
    query, key, value = ([W @ row for row in x] for W in (Q, K, V))
    width = len(Q) // heads
    out, shares = np.zeros((len(x), len(V))), [np.zeros_like(normal) for _ in range(heads)]
    for h in range(heads):
        part = slice(h * width, (h + 1) * width)
        for v in range(len(x)):
            near = np.flatnonzero(normal[v])
            odds = {w: math.exp(min(max(query[v][part] @ key[w][part], -10), 10)) for w in near}
            for w in near:
                shares[h][v, w] = odds[w] / sum(odds.values())
                out[v, part] += shares[h][v, w] * value[w][part]
    return out, shares


def cross_modal(modal: list[Table], users: int, batch: list[tuple[int, int, int]], tau: float) -> float:
    """HCL and MCL: InfoNCE of batch users and positives against all users and all items, summed over the batch.

    Two modalities: the first asks the second; more: the mean over ordered pairs.
    """
    pairs = [(0, 1)] if len(modal) == 2 else list(permutations(range(len(modal)), 2))
    total = 0.0
    for a, b in pairs:
        for u, p, _ in batch:
            total += reference.info_nce(modal[a][u], modal[b][:users], u, tau)
            total += reference.info_nce(modal[a][users + p], modal[b][users:], p, tau)
    return total / len(pairs)


def norms(final: Table, users: int, batch: list[tuple[int, int, int]]) -> float:
    """(||U_b|| + ||P_b|| + ||N_b||) / B, unsquared."""
    rows = ([u for u, _, _ in batch], [users + p for _, p, _ in batch], [users + n for _, _, n in batch])
    return sum(float(np.sqrt((final[r] ** 2).sum())) for r in rows) / len(batch)


# comparisons


def same_parts(found: Any, expected: dict[str, Any]) -> None:
    """Asserts every field of an encoding but the transformer's shares."""
    tiny_modal.close(found.collaborative, expected["collaborative"])
    for ours, theirs in zip(found.modal, expected["modal"], strict=True):
        tiny_modal.close(ours, theirs)
    for ours, theirs in zip(found.hypergraphs, expected["graphs"], strict=True):
        for name, value in theirs.items():
            tiny_modal.close(getattr(ours, name), value)
    assert list(found.branches) == list(expected["branches"])
    for name, value in expected["branches"].items():
        tiny_modal.close(found.branches[name], value)
    tiny_modal.close(found.final, expected["final"])


def same_findings(model: Any, expected: dict[str, Any], found: dict[str, Any]) -> None:
    """Asserts those of branches and hyperedges, five items for each."""
    assert list(found)[:4] == [
        "branch_norm",
        "branch_contribution",
        "hyperedge_membership",
        "hyperedge_items",
    ]
    sides, final = (
        (range(tiny_modal.USERS), range(tiny_modal.USERS, tiny_modal.USERS + tiny_modal.ITEMS)),
        expected["final"],
    )
    for place, (name, rows) in enumerate(expected["branches"].items()):
        assert found["branch_norm"].axis("branch").labels[place] == name
        for side, nodes in enumerate(sides):
            length = np.mean([np.linalg.norm(rows[v]) for v in nodes])
            part = np.mean([rows[v] @ final[v] / (final[v] @ final[v]) for v in nodes])
            assert found["branch_norm"].values[place, side] == pytest.approx(length, rel=1e-5)
            assert found["branch_contribution"].values[place, side] == pytest.approx(part, rel=1e-5)
            assert found["branch_norm"].support[place, side] == len(nodes)
    np.testing.assert_allclose(found["branch_contribution"].values.sum(0), 1)
    membership, items = found["hyperedge_membership"], found["hyperedge_items"]
    assert membership.axis("modality").labels == model.modalities
    row = 0
    for place, (name, graph) in enumerate(zip(model.modalities, expected["graphs"])):
        tiny_modal.close(membership.values[place], graph["membership"])
        for k in range(4):
            pull = [
                graph["membership"][tiny_modal.USERS + i, k]
                * np.linalg.norm(expected["collaborative"][tiny_modal.USERS + i])
                for i in range(tiny_modal.ITEMS)
            ]
            order = sorted(range(tiny_modal.ITEMS), key=lambda i: -pull[i])[:5]
            part = slice(items.values.indptr[row], items.values.indptr[row + 1])
            assert items.axis("hyperedge").labels[row] == f"{name} {k + 1}"
            assert items.values.index[part].tolist() == order
            tiny_modal.close(items.values.value[part], np.array([pull[i] for i in order]))
            row += 1
    assert row == len(items.values.indptr) - 1
