"""LightGCN, on the target behaviour's graph, on the union of all behaviours, or averaged over one graph per behaviour.

U users, I items, D dims.
"""

from functools import partial

import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from core.catalog.lightgcn import LightGCNConfig
from core.data.ranking import RankingData
from core.models.pairwise import PairwiseRanker
from core.ops.graphs import Bipartite, Sides, bipartite


class LightGCN(PairwiseRanker):
    """e^(l+1) = D^-1/2 A D^-1/2 e^l, e = mean of e^0..e^L, score = e_u . e_i; BPR on the target behaviour.

    Source: He et al., SIGIR 2020, Eqs. 3, 4, 7, 15. Multi-behaviour forms: CIGF's Section 5.1.2 says "enhanced with the
    multi-behavioral graph" without a formula; we read the union of all behaviours as one binary graph (`union`) and
    offer one graph per behaviour with averaged results (`per_behavior`).
    """

    config: LightGCNConfig

    def __init__(self, config: LightGCNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device, fill=partial(nn.init.normal_, std=0.1))
        self._graphs = [
            bipartite(matrix, config.normalization).to(device) for matrix in _graphs(config, data)
        ]
        self.to(device)

    def encode(self) -> Sides:
        """Layer-averaged embeddings [U, D] and [I, D]."""
        each = [self._propagated(graph) for graph in self._graphs]
        user, item = torch.stack([e.user for e in each]).mean(0), torch.stack([e.item for e in each]).mean(0)
        return Sides(user, item)

    def _propagated(self, graph: Bipartite) -> Sides:
        user: Tensor = self.user_embedding
        item: Tensor = self.item_embedding
        user_sum, item_sum = user, item
        for _ in range(self.config.num_layers):
            user, item = graph.users_from(item), graph.items_from(user)
            user_sum, item_sum = user_sum + user, item_sum + item
        layers = self.config.num_layers + 1
        return Sides(user_sum / layers, item_sum / layers)


def _graphs(config: LightGCNConfig, data: RankingData) -> list[csr_array]:
    if config.graph == "target":
        return [data.train[data.target]]
    if config.graph == "per_behavior":
        return [data.train[b] for b in data.behaviors]
    return [data.union()]
