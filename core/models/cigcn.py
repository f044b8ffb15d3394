"""CIGCN, the encoder of CIGF: one representation per node and start behaviour, from weighted paths of behaviours.

U users, I items, n nodes of one side (all, or the rows asked for), K behaviours, L orders, H heads, D dims,
P products of heads kept apart (1 for a linear aggregator), Q = K^(l-1) paths behind a start.
Source: Guo et al., CIGF, WWW 2023, Eqs. 5 to 13.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.cigf import CIGFConfig
from core.ops.graphs import ALL, Bipartite, Rows, Sides, neighbors, picked


class RelationAttention(nn.Module):
    """alpha = LeakyReLU(W e_v + b), one signed value per next behaviour (Eq. 9); not a softmax.

    What W and b are shared over follows Table 4. `global` has no W: the paper says only "global-wise for all
    user/item"; we read it as one vector per head, shared by nodes, orders and starts (each further variant of the table
    then adds one dependency), starting at 1/K.
    """

    def __init__(self, config: CIGFConfig, num_behaviors: int) -> None:
        super().__init__()
        self.num_starts = num_behaviors
        self.slope = config.leaky_slope
        self.per_order = "layer" in config.attention
        orders = config.num_layers - 1 if self.per_order else 1
        starts = num_behaviors if "behavior" in config.attention else 1
        shape = (orders, starts, config.num_heads, num_behaviors)
        self.weight: nn.Parameter | None = None
        if config.attention == "global":
            self.bias = nn.Parameter(torch.full(shape, 1.0 / num_behaviors))
        else:
            self.bias = nn.Parameter(torch.zeros(shape))
            self.weight = nn.Parameter(torch.empty(*shape, config.dim))
            for matrix in self.weight.view(-1, num_behaviors, config.dim):
                nn.init.xavier_uniform_(matrix)

    def forward(self, initial_nD: Tensor, order: int) -> Tensor:
        """Attention at `order` (2..L) from initial embeddings: [n, D] -> [n, K starts, H, K next behaviours]."""
        at = order - 2 if self.per_order else 0
        bias = self.bias[at]
        if self.weight is None:
            logits = bias.expand(initial_nD.shape[0], *bias.shape)
        else:
            weight = self.weight[at]
            logits = F.linear(initial_nD, weight.flatten(0, 2), bias.flatten()).view(-1, *bias.shape)
        return F.leaky_relu(logits, self.slope).expand(-1, self.num_starts, -1, -1)


class Aggregator(nn.Module):
    """f of Eq. 10, applied to the neighbour sums s^l of one order; sums the products of heads (Eq. 11).

    lightgcn: s. lr_gccf: LeakyReLU(s). gcn: g = LeakyReLU(s W + b). ngcf: g + LeakyReLU((x o g) W' + b').
    """

    def __init__(self, config: CIGFConfig) -> None:
        super().__init__()
        self.kind, self.slope = config.aggregator, config.leaky_slope
        deep = config.aggregator in ("gcn", "ngcf")
        self.neighbor = nn.ModuleList(_dense(config.dim) for _ in range(config.num_layers if deep else 0))
        interactions = config.num_layers if config.aggregator == "ngcf" else 0
        self.interaction = nn.ModuleList(_dense(config.dim) for _ in range(interactions))

    @property
    def is_linear(self) -> bool:
        return self.kind == "lightgcn"

    def forward(self, sums_nKPD: Tensor, initial_nD: Tensor, order: int) -> Tensor:
        """[n, K, P, D] and the nodes' initial embeddings [n, D] -> [n, K, D]."""
        if self.kind == "lightgcn":
            return sums_nKPD.squeeze(2) if sums_nKPD.shape[2] == 1 else sums_nKPD.sum(2)
        if self.kind == "lr_gccf":
            return F.leaky_relu(sums_nKPD, self.slope).sum(2)
        gcn_nKPD = F.leaky_relu(self.neighbor[order - 1](sums_nKPD), self.slope)
        if self.kind == "gcn":
            return gcn_nKPD.sum(2)
        product_nKPD = self.interaction[order - 1](initial_nD[:, None, None, :] * gcn_nKPD)
        return (gcn_nKPD + F.leaky_relu(product_nKPD, self.slope)).sum(2)


class CIGCN(nn.Module):
    """e*_{v,k} for every node v and start behaviour k (Eqs. 6 to 13), never forming a high-order graph.

    `recursive` composition (released code): s^1 = A^k x, s^l(v) = sum_b alpha^l_{v,k}(b) (A^b s^{l-1})(v).
    `target` composition (Eqs. 6 and 8 as printed): s^l(v) = sum over paths (b2..bl) of
    alpha^2_{v,k}(b2) .. alpha^l_{v,k}(bl) (A^k A^{b2} .. A^{bl} x)(v).
    Then e^l = agg(s^l) + e^{l-1} (Eq. 12) and e* = sum of e^0..e^L (Eq. 13).

    Departs: with a linear aggregator H heads equal one head with summed attention, so they are summed at once.
    The last product is computed for the rows asked for alone.
    """

    def __init__(self, config: CIGFConfig, graphs: tuple[Bipartite, ...]) -> None:
        super().__init__()
        self.graphs = graphs
        self.num_layers, self.composition = config.num_layers, config.composition
        self.attention = RelationAttention(config, len(graphs)) if config.num_layers > 1 else None
        self.aggregator = Aggregator(config)

    def forward(self, initial: Sides, rows: Rows = ALL) -> Sides:
        """Initial embeddings [U, D], [I, D] -> representations [n, K, D] of the users and items in `rows`."""
        orders = (
            self._recursive(initial, rows) if self.composition == "recursive" else self._target(initial, rows)
        )
        users = self._total(picked(initial.user, rows.user), [order.user for order in orders])
        items = self._total(picked(initial.item, rows.item), [order.item for order in orders])
        return Sides(users, items)

    def attend(self, initial_nD: Tensor, order: int) -> Tensor:
        """alpha of the nodes at `order`: [n, K, H, K]."""
        if self.attention is None:
            raise ValueError("a CIGCN of one layer has no attention")
        attention: Tensor = self.attention(initial_nD, order)
        return attention

    def _total(self, initial_nD: Tensor, sums: list[Tensor]) -> Tensor:
        residual = initial_nD[:, None, :]
        total = residual
        for order, sums_nKPD in enumerate(sums, start=1):
            residual = self.aggregator(sums_nKPD, initial_nD, order) + residual
            total = total + residual
        return total

    def _weights(self, initial_nD: Tensor, order: int) -> Tensor:
        """Attention as the recursion uses it: [n, K, H', K] with H' = 1 for a linear aggregator."""
        alpha = self.attend(initial_nD, order)
        return alpha.sum(2, keepdim=True) if self.aggregator.is_linear else alpha

    def _recursive(self, initial: Sides, rows: Rows) -> list[Sides]:
        """s^1..s^L, each [n, K, P, D]: orders below L are computed for all nodes and then cut to the rows."""
        wanted = rows if self.num_layers == 1 else ALL
        first = [neighbors(graph, initial, wanted) for graph in self.graphs]
        sums = _stacked(first)
        orders = []
        for order in range(2, self.num_layers + 1):
            orders.append(Sides(picked(sums.user, rows.user), picked(sums.item, rows.item)))
            wanted = rows if order == self.num_layers else ALL
            flat = Sides(sums.user.flatten(1), sums.item.flatten(1))
            shape = sums.user.shape[1:]
            per_behavior = [neighbors(graph, flat, wanted) for graph in self.graphs]
            sums = Sides(
                _weighted(
                    [m.user.view(-1, *shape) for m in per_behavior],
                    self._weights(picked(initial.user, wanted.user), order),
                ),
                _weighted(
                    [m.item.view(-1, *shape) for m in per_behavior],
                    self._weights(picked(initial.item, wanted.item), order),
                ),
            )
        return [*orders, sums]

    def _target(self, initial: Sides, rows: Rows) -> list[Sides]:
        """s^1..s^L by sharing the products of all paths, T^l[k, b2..bl] = A^k T^{l-1}[b2..bl]."""
        num_behaviors = len(self.graphs)
        users, items = picked(initial.user, rows.user), picked(initial.item, rows.item)
        combined: Sides | None = None
        paths = initial
        orders = []
        for order in range(1, self.num_layers + 1):
            wanted = rows if order == self.num_layers else ALL
            products = [neighbors(graph, paths, wanted) for graph in self.graphs]
            width = num_behaviors ** (order - 1)
            stacked = Sides(
                torch.stack([p.user.view(-1, width, initial.user.shape[1]) for p in products], 1),
                torch.stack([p.item.view(-1, width, initial.item.shape[1]) for p in products], 1),
            )
            cut = (
                stacked
                if order == self.num_layers
                else Sides(picked(stacked.user, rows.user), picked(stacked.item, rows.item))
            )
            if order > 1:
                combined = Sides(
                    _outer(None if combined is None else combined.user, self._weights(users, order)),
                    _outer(None if combined is None else combined.item, self._weights(items, order)),
                )
            orders.append(
                cut
                if combined is None
                else Sides(_mixed(combined.user, cut.user), _mixed(combined.item, cut.item))
            )
            paths = Sides(stacked.user.flatten(1), stacked.item.flatten(1))
        return orders


class PerBehavior(nn.Module):
    """The encoder of the ablations `base` and `without_cigcn`: each behaviour's own graph, no paths across behaviours.

    h_k^0 = x, h_k^l = f(A^k h_k^{l-1}), e*_k = sum of h_k^0..h_k^L; no residual. Source: CIGF, Table 3, released code.
    """

    def __init__(self, config: CIGFConfig, graphs: tuple[Bipartite, ...]) -> None:
        super().__init__()
        self.graphs, self.num_layers = graphs, config.num_layers
        self.aggregator = Aggregator(config)

    def forward(self, initial: Sides, rows: Rows = ALL) -> Sides:
        """Initial embeddings [U, D], [I, D] -> representations [n, K, D] of the users and items in `rows`."""
        each = [self._one(graph, initial, rows) for graph in self.graphs]
        return Sides(torch.stack([e.user for e in each], 1), torch.stack([e.item for e in each], 1))

    def _one(self, graph: Bipartite, initial: Sides, rows: Rows) -> Sides:
        hidden = initial
        user, item = picked(initial.user, rows.user), picked(initial.item, rows.item)
        for order in range(1, self.num_layers + 1):
            wanted = rows if order == self.num_layers else ALL
            sums = neighbors(graph, hidden, wanted)
            hidden = Sides(
                self._aggregated(sums.user, picked(initial.user, wanted.user), order),
                self._aggregated(sums.item, picked(initial.item, wanted.item), order),
            )
            last = order == self.num_layers
            user = user + (hidden.user if last else picked(hidden.user, rows.user))
            item = item + (hidden.item if last else picked(hidden.item, rows.item))
        return Sides(user, item)

    def _aggregated(self, sums_nD: Tensor, initial_nD: Tensor, order: int) -> Tensor:
        aggregated: Tensor = self.aggregator(sums_nD[:, None, None, :], initial_nD, order)
        return aggregated.squeeze(1)


def _dense(dim: int) -> nn.Linear:
    layer = nn.Linear(dim, dim)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _stacked(per_start: list[Sides]) -> Sides:
    return Sides(
        torch.stack([s.user for s in per_start], 1)[:, :, None],
        torch.stack([s.item for s in per_start], 1)[:, :, None],
    )


def _weighted(per_behavior: list[Tensor], alpha_nKHB: Tensor) -> Tensor:
    """sum_b alpha(b) m_b, heads multiplied out: B x [n, K, P, D] and [n, K, H, B] -> [n, K, P H, D]."""
    parts = [alpha_nKHB[:, :, None, :, b, None] * m[:, :, :, None, :] for b, m in enumerate(per_behavior)]
    return (
        torch.stack(parts).sum(0).flatten(2, 3)
        if len(parts) > 4
        else sum(parts[1:], start=parts[0]).flatten(2, 3)
    )


def _outer(combined_nKPQ: Tensor | None, alpha_nKHB: Tensor) -> Tensor:
    """Attention along longer paths: [n, K, P, Q] x [n, K, H, B] -> [n, K, P H, Q B]."""
    if combined_nKPQ is None:
        return alpha_nKHB
    return torch.einsum("nkpq,nkhb->nkphqb", combined_nKPQ, alpha_nKHB).flatten(4, 5).flatten(2, 3)


def _mixed(combined_nKPQ: Tensor, products_nKQD: Tensor) -> Tensor:
    """sum over paths of attention times product: -> [n, K, P, D]."""
    return torch.einsum("nkpq,nkqd->nkpd", combined_nKPQ, products_nKQD)
