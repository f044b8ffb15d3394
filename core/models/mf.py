"""MF-BPR: embeddings without a graph. U users, I items, D dims."""

import torch
from torch import nn

from core.catalog.mf import MFConfig
from core.data.ranking import RankingData
from core.models.pairwise import PairwiseRanker
from core.ops.graphs import Sides


class MF(PairwiseRanker):
    """score(u, i) = w_u . h_i, with `item_bias` also + b_i; trained with BPR-Opt.

    Source: Rendle et al., UAI 2009, Section 4.3.1 (matrix factorisation) and BPR-Opt. There is no bias unless asked for,
    as in released toolkits.
    Departs: mini-batches and Adam instead of single triples and SGD; the bias is not penalised.
    """

    config: MFConfig

    def __init__(self, config: MFConfig, data: RankingData, device: torch.device) -> None:
        super().__init__(config, data, device)
        self.item_bias = nn.Parameter(torch.zeros(data.num_items, 1)) if config.item_bias else None
        self.to(device)

    def encode(self) -> Sides:
        """The tables; a bias is one more dimension, in which every user has 1: [U, D + 1] and [I, D + 1]."""
        if self.item_bias is None:
            return Sides(self.user_embedding, self.item_embedding)
        ones = self.user_embedding.new_ones(self.num_users, 1)
        return Sides(
            torch.cat([self.user_embedding, ones], 1), torch.cat([self.item_embedding, self.item_bias], 1)
        )
