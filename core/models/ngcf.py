"""NGCF, on the target behaviour's graph or on the union of all behaviours.

U users, I items, R rows of either, D dims, L layers, P pairs in a batch.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.ngcf import NGCFConfig
from core.data.ranking import RankingData
from core.models.pairwise import NoisyPairwiseRanker
from core.ops.dropout import kept, silenced
from core.ops.graphs import Sides, bipartite
from core.ops.losses import squared_norm


class NGCF(NoisyPairwiseRanker):
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

    def encode(self) -> Sides:
        """e* of Eq. 9: [U, (L + 1) D] and [I, (L + 1) D]."""
        layers = self._layers(self.config.num_layers, None)
        return Sides(
            torch.cat([self._shown(number, user) for number, (user, _) in enumerate(layers)], 1),
            torch.cat([self._shown(number, item) for number, (_, item) in enumerate(layers)], 1),
        )

    def noisy_rows(self, users_B: Tensor, items_C: Tensor, noise: torch.Generator) -> Sides:
        """e* of some nodes under dropout; the last layer is computed for them alone."""
        last = self.config.num_layers
        layers = self._layers(last - 1, noise)
        user, item = layers[-1]
        sent = silenced(layers[-1], self.config.node_dropout, noise)
        user_last = self._layer(last, user[users_B], self._graph.some_users_from(sent.item, users_B), noise)
        item_last = self._layer(last, item[items_C], self._graph.some_items_from(sent.user, items_C), noise)
        user_rows = [*(layer.user[users_B] for layer in layers), user_last]
        item_rows = [*(layer.item[items_C] for layer in layers), item_last]
        return Sides(
            torch.cat([self._shown(number, rows) for number, rows in enumerate(user_rows)], 1),
            torch.cat([self._shown(number, rows) for number, rows in enumerate(item_rows)], 1),
        )

    def weight_norm(self) -> Tensor:
        """Half the squared norm of every W1 and W2 (Eq. 11)."""
        return squared_norm((self.sum_weight, self.product_weight)) / 2

    def _layers(self, count: int, noise: torch.Generator | None) -> list[Sides]:
        """e^(0) to e^(count) of all nodes."""
        layers = [Sides(self.user_embedding, self.item_embedding)]
        for number in range(1, count + 1):
            user, item = layers[-1]
            sent = silenced(layers[-1], self.config.node_dropout, noise)
            layers.append(
                Sides(
                    self._layer(number, user, self._graph.users_from(sent.item), noise),
                    self._layer(number, item, self._graph.items_from(sent.user), noise),
                )
            )
        return layers

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
