"""CIGF as its equations read: loops over nodes, behaviours, heads and paths on dense float64 matrices.

Nodes are users followed by items. Written from the paper and its released code, sharing nothing with the models.
"""

import math
from itertools import product

import numpy as np

from core.models.cigf import CIGF


def leaky(values, slope):
    return np.where(values > 0, values, slope * values)


def adjacency(pairs: np.ndarray, normalization: str) -> np.ndarray:
    """A^k of Eq. 5 with its normalisation."""
    users, items = pairs.shape
    plain = np.zeros((users + items, users + items))
    for u in range(users):
        for i in range(items):
            if pairs[u, i]:
                plain[u, users + i] = plain[users + i, u] = 1
    degree = plain.sum(1)
    scaled = np.zeros_like(plain)
    for v in range(len(plain)):
        for w in range(len(plain)):
            if plain[v, w]:
                factor = {
                    "none": 1,
                    "left": degree[v],
                    "right": degree[w],
                    "symmetric": math.sqrt(degree[v] * degree[w]),
                }[normalization]
                scaled[v, w] = 1 / factor
    return scaled


class Reference:
    """Everything the equations name, computed one node at a time."""

    def __init__(self, model: CIGF) -> None:
        self.config, data = model.config, model.data
        self.state = {name: p.detach().numpy() for name, p in model.named_parameters()}
        self.users, self.items = data.num_users, data.num_items
        self.nodes, self.K = self.users + self.items, len(data.behaviors)
        self.A = [adjacency(data.train[b].toarray(), self.config.normalization) for b in data.behaviors]
        self.x = np.concatenate([self.state["user_embedding"], self.state["item_embedding"]])
        self.slope = self.config.leaky_slope

    # Eq. 9, sharing as in Table 4

    def alpha(self, v: int, start: int, order: int, head: int) -> np.ndarray:
        kind = self.config.attention
        o = order - 2 if kind in ("node+layer", "node+behavior+layer") else 0
        k = start if kind in ("node+behavior", "node+behavior+layer") else 0
        bias = self.state["encoder.attention.bias"][o, k, head]
        if kind == "global":
            return leaky(bias, self.slope)
        weight = self.state["encoder.attention.weight"][o, k, head]
        return leaky(weight @ self.x[v] + bias, self.slope)

    # Eqs. 6, 8, 10: neighbour sums s^l of one product of heads

    def sums(self, v: int, start: int, heads: tuple[int, ...]) -> np.ndarray:
        """s^l(v), l = len(heads) + 1; heads[j] is the head at order j + 2."""
        if self.config.composition == "recursive":
            return self._recursive(v, start, heads, {})
        return self._target(v, start, heads)

    def _recursive(self, v, start, heads, known) -> np.ndarray:
        key = (v, heads)
        if key not in known:
            if not heads:
                known[key] = self.A[start][v] @ self.x
            else:
                weights = self.alpha(v, start, len(heads) + 1, heads[-1])
                total = np.zeros(self.x.shape[1])
                for b in range(self.K):
                    for w in np.flatnonzero(self.A[b][v]):
                        inner = self._recursive(w, start, heads[:-1], known)
                        total = total + weights[b] * self.A[b][v, w] * inner
                known[key] = total
        return known[key]

    def _target(self, v, start, heads) -> np.ndarray:
        total = np.zeros(self.x.shape[1])
        for path in product(range(self.K), repeat=len(heads)):
            graph, weight = self.A[start], 1.0
            for position, b in enumerate(path):
                graph = graph @ self.A[b]
                weight *= self.alpha(v, start, position + 2, heads[position])[b]
            total = total + weight * (graph[v] @ self.x)
        return total

    # Eqs. 10, 11

    def aggregate(self, s: np.ndarray, v: int, order: int) -> np.ndarray:
        kind = self.config.aggregator
        if kind == "lightgcn":
            return s
        if kind == "lr_gccf":
            return leaky(s, self.slope)
        W, b = self._dense(f"encoder.aggregator.neighbor.{order - 1}")
        g = leaky(W @ s + b, self.slope)
        if kind == "gcn":
            return g
        W, b = self._dense(f"encoder.aggregator.interaction.{order - 1}")
        return g + leaky(W @ (self.x[v] * g) + b, self.slope)

    def _dense(self, name: str):
        return self.state[f"{name}.weight"], self.state[f"{name}.bias"]

    # Eqs. 11 to 13

    def final(self, v: int, start: int) -> np.ndarray:
        e = total = self.x[v]
        for order in range(1, self.config.num_layers + 1):
            aggregated = 0.0
            for heads in product(range(self.config.num_heads), repeat=order - 1):  # pow(H, l - 1) graphs
                aggregated = aggregated + self.aggregate(self.sums(v, start, heads), v, order)
            e = aggregated + e
            total = total + e
        return total

    def final_per_behavior(self, start: int) -> np.ndarray:
        """h^l = f(A^k h^{l-1}), summed over l; [nodes, d]."""
        h, total = self.x, self.x
        for order in range(1, self.config.num_layers + 1):
            h = np.stack([self.aggregate(self.A[start][v] @ h, v, order) for v in range(self.nodes)])
            total = total + h
        return total

    def representations(self) -> np.ndarray:
        """x*_{v,k} of all nodes, [nodes, K, d]."""
        if self.config.encoder == "per_behavior":
            return np.stack([self.final_per_behavior(k) for k in range(self.K)], 1)
        return np.stack([[self.final(v, k) for k in range(self.K)] for v in range(self.nodes)])

    # Eqs. 1, 14 to 16 and the heads of Table 5

    def tower(self, values: np.ndarray) -> float:
        total = 0.0
        for value in values:
            total += value
        if self.config.tower == "mean":
            total /= len(values)
        return self.config.score_scale * total

    def score(self, task: int, x: np.ndarray, y: np.ndarray) -> float:
        """Score of one pair under a task from its representations [K, d] each."""
        kind, released = self.config.head, self.config.head_form == "as_released"
        if kind == "mesi":
            g = self.gate(task, x, y)
            return self.tower(sum(g[j] * (x[j] * y[j]) for j in range(self.K)))
        if kind == "bilinear":
            r = self.state["head.relation"][task]
            u, i = (x[task], y[task]) if released else (x.mean(0), y.mean(0))
            return self.tower(u * i * r)
        both = self.same_input(x, y)
        if kind == "shared_bottom":
            if not released:
                W, b = self._dense("head.bottom")
                both = leaky(W @ both + b, self.slope)
            return self.tower(both * self.state["head.tower.weight"][task])
        g = self.gate(task, x, y)
        mixed = 0.0
        for share, expert in zip(g, self.visible_experts(task), strict=True):
            W, b = self._dense(f"head.experts.{expert}")
            mixed = mixed + share * leaky(W @ both + b, self.slope)
        return self.tower(mixed)

    def same_input(self, x, y) -> np.ndarray:
        reduce = np.sum if self.config.head_form == "as_released" else np.mean
        return np.concatenate([reduce(x, axis=0), reduce(y, axis=0)])

    def gate(self, task: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self.config.head == "mesi":
            W, b = self._dense("head.gate")
            logits = W @ np.concatenate([x[task], y[task]]) + b
        else:
            W, b = self._dense(f"head.task_gates.{task}")
            logits = W @ self.same_input(x, y) + b
        return np.exp(logits) / np.exp(logits).sum()

    def visible_experts(self, task: int) -> list[int]:
        """MMOE: K experts for all. PLE (paper): one own, K - 1 shared; as released: n own and one shared."""
        if self.config.head == "mmoe":
            return list(range(self.K))
        if self.config.head_form == "as_released":
            n = self.config.ple_experts
            return [task * n + j for j in range(n)] + [self.K * n]
        return [task] + [self.K + j for j in range(self.K - 1)]

    # Eq. 17

    def bpr(self, task: int, triples: list[tuple[int, int, int]]) -> float:
        """Mean over (user, positive, negative) triples of one task."""
        e = self.representations()
        terms = []
        for u, s, t in triples:
            positive = self.score(task, e[u], e[self.users + s])
            negative = self.score(task, e[u], e[self.users + t])
            terms.append(-math.log(1 / (1 + math.exp(-(positive - negative)))))
        return sum(terms) / len(terms) if terms else 0.0
