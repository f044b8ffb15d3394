"""The item-based score of MBGCN: items related by the users they share, and what a user's items say about another.

U users, I items, B users asked for, T behaviours, D dims, L layers, W = (L + 1) D.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.catalog.mbgcn import MBGCNConfig
from core.ops.graphs import Bipartite, picked


class ItemScore(nn.Module):
    """y(u, i) = 1/T sum_t h_ut M_t . s*_it, h_ut the mean of s*_jt over the items j that u touched under t.

    s^(l+1)_it = W^l_t mean over related j of s^l_jt, s^0_t = q^0, s* = s^0 || .. || s^L. Source: MBGCN, Sections 3 and 4.
    Without item relations s* = s^0.
    """

    def __init__(self, config: MBGCNConfig, graphs: list[Bipartite]) -> None:
        super().__init__()
        self._graphs = graphs
        self.num_layers = config.num_layers if config.item_relations else 0
        width = config.dim * (self.num_layers + 1)
        self.match_weight = xavier(len(graphs), width)
        self.relation_weight = xavier(len(graphs) * self.num_layers, config.dim) if self.num_layers else None
        self._related = [_related_pairs(graph) for graph in graphs]

    def forward(
        self, item_ID: Tensor, sent_ID: Tensor, sums: list[Tensor], rows_B: Tensor | None
    ) -> list[tuple[Tensor, Tensor]]:
        """Per behaviour h M of the users `rows_B` (None: all) [B, W] and s* of all items [I, W].

        sent_ID: what items send in the first layer, `sums` the users' sums of it, [U, D] per behaviour.
        """
        return [self._behavior(t, item_ID, sent_ID, total, rows_B) for t, total in enumerate(sums)]

    def matrices(self) -> Sequence[Tensor]:
        """Every weight matrix, for the penalty."""
        return [self.match_weight] + ([] if self.relation_weight is None else [self.relation_weight])

    def _behavior(
        self, t: int, item_ID: Tensor, sent_ID: Tensor, sums_UD: Tensor, rows_B: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        graph, layers, history = self._graphs[t], [item_ID], [picked(sums_UD, rows_B)]
        for number in range(1, self.num_layers + 1):
            sent_ID = self._related_mean(t, sent_ID, sums_UD) @ self._weight(t, number)
            layers.append(sent_ID)
            if number < self.num_layers:
                sums_UD = graph.users_from(sent_ID)
                history.append(picked(sums_UD, rows_B))
        if self.num_layers:
            wanted = graph.users_from(sent_ID) if rows_B is None else graph.some_users_from(sent_ID, rows_B)
            history.append(wanted)
        count_B = picked(degrees(graph.to_users.indptr, item_ID), rows_B).clamp(min=1)
        matched = torch.cat(history, 1) / count_B[:, None] @ self.match_weight[t]
        return matched / len(self._graphs), torch.cat(layers, 1)

    def _related_mean(self, t: int, sent_ID: Tensor, sums_UD: Tensor) -> Tensor:
        """(A^T A s - n s) / number of (user, other item) pairs: A^T A itself is never formed."""
        graph = self._graphs[t]
        own_ID = degrees(graph.to_items.indptr, sent_ID)[:, None] * sent_ID
        pairs_I = self._related[t].to(sent_ID.dtype).clamp(min=1)
        return (graph.items_from(sums_UD) - own_ID) / pairs_I[:, None]

    def _weight(self, t: int, number: int) -> Tensor:
        assert self.relation_weight is not None
        return self.relation_weight[t * self.num_layers + number - 1]


def degrees(indptr: Tensor, like: Tensor) -> Tensor:
    """Entries of every row, in the type of `like`."""
    return indptr.diff().to(like.dtype)


def xavier(count: int, width: int) -> nn.Parameter:
    """`count` square matrices, each Xavier-distributed."""
    weights = nn.Parameter(torch.empty(count, width, width))
    for weight in weights:
        nn.init.xavier_uniform_(weight)
    return weights


def _related_pairs(graph: Bipartite) -> Tensor:
    """For every item the number of its users' other items, [I]."""
    others = degrees(graph.to_users.indptr, torch.empty(0, dtype=torch.float64)) - 1
    return graph.items_from(others[:, None])[:, 0]
