"""VBPR: item features seen through a learned linear map. U users, I items, F raw features, D and V dims."""

import numpy as np
import torch
from torch import Tensor, nn

from core.catalog.vbpr import VBPRConfig
from core.data.ranking import RankingData
from core.models.pairwise import PairBatch, PairwiseRanker, ranked, rows_of
from core.ops.graphs import Sides
from core.ops.losses import squared_norm


class VBPR(PairwiseRanker):
    """score(u, i) = b_i + g_u . g_i + t_u . (E f_i) + b' . f_i, trained with BPR.

    f_i: the features of all modalities side by side; the paper has one. Source: He and McAuley, AAAI 2016, Eqs. 4 and 5;
    the global and the users' biases cancel in BPR. The penalty is on the batch's g, t and b; E has none, as the paper
    chooses, and neither has b'. Departs: mini-batches and Adam instead of single triples and SGD.
    """

    config: VBPRConfig

    def __init__(self, config: VBPRConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        features_IF = np.concatenate([np.asarray(data.features[m]) for m in data.features], axis=1)
        self.register_buffer("features", torch.from_numpy(features_IF), persistent=False)
        size = features_IF.shape[1]
        self.user_modal = nn.Parameter(nn.init.xavier_uniform_(torch.empty(data.num_users, config.modal_dim)))
        self.map = nn.Parameter(nn.init.xavier_uniform_(torch.empty(size, config.modal_dim)))
        self.item_bias = nn.Parameter(torch.zeros(data.num_items, 1))
        self.modal_bias = nn.Parameter(torch.zeros(size, 1)) if config.modal_bias else None
        self.to(device)

    def encode(self) -> Sides:
        """[g_u, t_u, 1] and [g_i, E f_i, b_i + b' . f_i]."""
        features_IF: Tensor = self.get_buffer("features")
        bias_I1 = (
            self.item_bias if self.modal_bias is None else self.item_bias + features_IF @ self.modal_bias
        )
        ones = self.user_embedding.new_ones(self.num_users, 1)
        return Sides(
            torch.cat([self.user_embedding, self.user_modal, ones], 1),
            torch.cat([self.item_embedding, features_IF @ self.map, bias_I1], 1),
        )

    def losses(self, batch: PairBatch) -> dict[str, Tensor]:
        own = rows_of(batch, Sides(self.user_embedding, self.item_embedding))
        biases = (self.item_bias[batch.positive], self.item_bias[batch.negative])
        norm = squared_norm((*own, self.user_modal[batch.users], *biases)) / (2 * batch.users.numel())
        return {"bpr": ranked(self.triples(batch)), "l2": self.config.l2 * norm}
