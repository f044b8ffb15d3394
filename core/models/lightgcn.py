"""LightGCN, on the target behaviour's graph, on the union of all behaviours, or averaged over one graph per behaviour.

U users, I items, D dims, P pairs in a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from core.catalog.baselines import LightGCNConfig
from core.data.ranking import RankingData
from core.models.base import GraphRanker, Trainable
from core.ops.graphs import Bipartite, bipartite
from core.ops.losses import bpr, squared_norm
from core.ops.samplers import PairSampler, shuffled_batches


class LightGCNEncoding(NamedTuple):
    """Layer-averaged embeddings [U, D] and [I, D]."""

    user: Tensor
    item: Tensor


@dataclass(frozen=True, eq=False)
class PairBatch:
    """Users with one item they touched and one they did not, [P] each."""

    users: Tensor
    positive: Tensor
    negative: Tensor


class LightGCN(GraphRanker[LightGCNEncoding], Trainable[PairBatch]):
    """e^(l+1) = D^-1/2 A D^-1/2 e^l, e = mean of e^0..e^L, score = e_u . e_i; BPR on the target behaviour.

    Source: He et al., SIGIR 2020, Eqs. 3, 4, 7, 15. Multi-behaviour forms: CIGF's Section 5.1.2 says "enhanced with the
    multi-behavioral graph" without a formula; we read the union of all behaviours as one binary graph (`union`) and
    offer one graph per behaviour with averaged results (`per_behavior`).
    Departs: the squared norm is taken over the initial embeddings of the batch, divided by its size and by 2, as the
    released code does.
    """

    def __init__(self, config: LightGCNConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.device = config, device
        self.num_users, self.num_items = data.num_users, data.num_items
        self.user_embedding = nn.Parameter(torch.randn(data.num_users, config.dim) * 0.1)
        self.item_embedding = nn.Parameter(torch.randn(data.num_items, config.dim) * 0.1)
        self._graphs = [
            bipartite(matrix, config.normalization).to(device) for matrix in _graphs(config, data)
        ]
        self._sampler = PairSampler(data.train[data.target], device)
        pairs = data.train[data.target].tocoo()
        degree = np.bincount(pairs.row, minlength=data.num_users)
        usable = degree[pairs.row] < data.num_items  # a user who touched everything has no negative item
        self._users = torch.from_numpy(pairs.row[usable]).long().to(device)
        self._items = torch.from_numpy(pairs.col[usable]).long().to(device)
        self.to(device)

    def encode(self) -> LightGCNEncoding:
        each = [self._propagated(graph) for graph in self._graphs]
        user, item = torch.stack([e.user for e in each]).mean(0), torch.stack([e.item for e in each]).mean(0)
        return LightGCNEncoding(user, item)

    def score(self, users_B: Tensor) -> Tensor:
        encoding = self.encoding()
        return encoding.user[users_B] @ encoding.item.t()

    def score_items(self, users_B: Tensor, items_BC: Tensor) -> Tensor:
        encoding = self.encoding()
        return torch.einsum("bd,bcd->bc", encoding.user[users_B], encoding.item[items_BC])

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        """Every training pair of the target once, in random order, each with one negative.

        Pairs of users who touched every item are left out, since there is no negative for them.
        """
        for pairs in shuffled_batches(self._users.numel(), self.config.batch_size, generator, self.device):
            users = self._users[pairs]
            yield PairBatch(users, self._items[pairs], self._sampler.negatives(users, generator))

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        encoding = self.encode()
        user = encoding.user.index_select(0, batch.users)
        positive = (user * encoding.item.index_select(0, batch.positive)).sum(-1)
        negative = (user * encoding.item.index_select(0, batch.negative)).sum(-1)
        initial = (
            self.user_embedding.index_select(0, batch.users),
            self.item_embedding.index_select(0, batch.positive),
            self.item_embedding.index_select(0, batch.negative),
        )
        norm = squared_norm(initial) / (2 * batch.users.numel())
        return {"bpr": bpr(positive, negative), "l2": self.config.l2 * norm}

    def embed(self) -> dict[str, Tensor]:
        """Initial and layer-averaged embeddings, users above items: each [U + I, D]."""
        with self.evaluating():
            encoding = self.encoding()
            initial = torch.cat([self.user_embedding, self.item_embedding]).detach()
            return {"initial": initial, "final": torch.cat([encoding.user, encoding.item])}

    def _propagated(self, graph: Bipartite) -> LightGCNEncoding:
        user: Tensor = self.user_embedding
        item: Tensor = self.item_embedding
        user_sum, item_sum = user, item
        for _ in range(self.config.num_layers):
            user, item = graph.users_from(item), graph.items_from(user)
            user_sum, item_sum = user_sum + user, item_sum + item
        layers = self.config.num_layers + 1
        return LightGCNEncoding(user_sum / layers, item_sum / layers)


def _graphs(config: LightGCNConfig, data: RankingData) -> list[csr_array]:
    if config.graph == "target":
        return [data.train[data.target]]
    if config.graph == "per_behavior":
        return [data.train[b] for b in data.behaviors]
    union = csr_array(sum((data.train[b] for b in data.behaviors[:-1]), start=data.train[data.target]))
    union.data = np.ones_like(union.data)
    union.sort_indices()
    return [union]
