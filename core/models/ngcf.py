"""NGCF, on the target behaviour's graph or on the union of all behaviours.

U users, I items, R rows of either, D dims, L layers, P pairs in a batch.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.ngcf import NGCFConfig
from core.data.ranking import RankingData
from core.models.pairwise import Embeddings, PairBatch, PairwiseRanker, Triples
from core.ops.graphs import bipartite
from core.ops.losses import squared_norm


class NGCF(PairwiseRanker):
    """e_u^(l+1) = LeakyReLU(W1 (e_u + n_u) + W2 (n_u o e_u)), n_u = sum over neighbours i of e_i / sqrt(|N_u| |N_i|).

    o is the elementwise product; the same for items. e* = e^(0) || ... || e^(L), score = e*_u . e*_i, BPR plus squared norm.
    Source: Wang et al., SIGIR 2019, Eqs. 3 to 11; n_u is factored out of the sum of Eq. 3, since neither W1 nor e_u
    depends on the neighbour. NGCF_M: CIGF's Section 5.1.2 gives no formula; we read the binary union of all behaviours.
    Departs: layers have no bias and are not scaled to unit length, as in the equations; the released code has both, the
    second is `normalize_layers`. Message dropout drops entries of a layer's output, as released; node dropout drops
    nodes, drawn anew per layer, as the paper says (the released code drops edges, once). A layer keeps the size of the
    one before.
    """

    config: NGCFConfig

    def __init__(self, config: NGCFConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        square = (config.num_layers, config.dim, config.dim)
        self.sum_weight = nn.Parameter(torch.empty(square))
        self.product_weight = nn.Parameter(torch.empty(square))
        for weights in (self.sum_weight, self.product_weight):
            for weight in weights:
                nn.init.xavier_uniform_(weight)
        pairs = data.union() if config.graph == "union" else data.train[data.target]
        self._graph = bipartite(pairs, "symmetric").to(device)
        self.to(device)

    def encode(self) -> Embeddings:
        """e* of Eq. 9: [U, (L + 1) D] and [I, (L + 1) D]."""
        layers = self._layers(self.config.num_layers, None)
        return Embeddings(
            torch.cat([self._shown(number, user) for number, (user, _) in enumerate(layers)], 1),
            torch.cat([self._shown(number, item) for number, (_, item) in enumerate(layers)], 1),
        )

    def batches(self, generator: torch.Generator) -> Iterator[PairBatch]:
        for batch in super().batches(generator):
            noise = torch.randint(2**62, (), generator=generator, device=self.device)
            yield replace(batch, noise=int(noise))

    def triples(self, batch: PairBatch) -> Triples:
        """e* of the batch under dropout; the last layer is computed for the batch's nodes alone."""
        noise = torch.Generator(self.device).manual_seed(batch.noise)
        last = self.config.num_layers
        layers = self._layers(last - 1, noise)
        users, user_place = batch.users.unique(return_inverse=True)
        items, item_place = torch.cat([batch.positive, batch.negative]).unique(return_inverse=True)
        user, item = layers[-1]
        sent = self._sent(layers[-1], noise)
        user_last = self._layer(last, user[users], self._graph.some_users_from(sent.item, users), noise)
        item_last = self._layer(last, item[items], self._graph.some_items_from(sent.user, items), noise)
        user_rows = [*(layer.user[users] for layer in layers), user_last]
        item_rows = [*(layer.item[items] for layer in layers), item_last]
        user_RD = torch.cat([self._shown(number, rows) for number, rows in enumerate(user_rows)], 1)
        item_RD = torch.cat([self._shown(number, rows) for number, rows in enumerate(item_rows)], 1)
        positive, negative = item_place.split(batch.users.numel())
        return Triples(
            user_RD.index_select(0, user_place),
            item_RD.index_select(0, positive),
            item_RD.index_select(0, negative),
        )

    def weight_norm(self) -> Tensor:
        """Half the squared norm of every W1 and W2 (Eq. 11)."""
        return squared_norm((self.sum_weight, self.product_weight)) / 2

    def _layers(self, count: int, noise: torch.Generator | None) -> list[Embeddings]:
        """e^(0) to e^(count) of all nodes."""
        layers = [Embeddings(self.user_embedding, self.item_embedding)]
        for number in range(1, count + 1):
            user, item = layers[-1]
            sent = self._sent(layers[-1], noise)
            layers.append(
                Embeddings(
                    self._layer(number, user, self._graph.users_from(sent.item), noise),
                    self._layer(number, item, self._graph.items_from(sent.user), noise),
                )
            )
        return layers

    def _sent(self, layer: Embeddings, noise: torch.Generator | None) -> Embeddings:
        """What nodes send: under node dropout nothing from some of them."""
        if noise is None or self.config.node_dropout == 0:
            return layer
        rate = self.config.node_dropout
        masks = [kept((len(side), 1), rate, noise, side) for side in layer]
        return Embeddings(layer.user * masks[0], layer.item * masks[1])

    def _layer(
        self, number: int, own_RD: Tensor, neighbors_RD: Tensor, noise: torch.Generator | None
    ) -> Tensor:
        """Eq. 4 for some rows, with message dropout."""
        summed = (own_RD + neighbors_RD) @ self.sum_weight[number - 1]
        products = (neighbors_RD * own_RD) @ self.product_weight[number - 1]
        output = F.leaky_relu(summed + products, self.config.leaky_slope)
        if noise is None or self.config.message_dropout == 0:
            return output
        return output * kept(output.shape, self.config.message_dropout, noise, output)

    def _shown(self, number: int, rows_RD: Tensor) -> Tensor:
        """A layer as Eq. 9 concatenates it."""
        return F.normalize(rows_RD) if self.config.normalize_layers and number else rows_RD


def kept(shape: tuple[int, ...], rate: float, noise: torch.Generator, like: Tensor) -> Tensor:
    """A dropout mask: 0 with probability `rate`, else 1 / (1 - rate), so that means stay."""
    return like.new_empty(shape).bernoulli_(1 - rate, generator=noise) / (1 - rate)
