"""The meta prediction of MB-GMN: a network of two layers whose parameters are made for every pair.

P pairs, I items, W width, C = 3 W.
Source: Xia et al., MB-GMN, SIGIR 2021, Section 3, and the TensorFlow code released with it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.mbgmn import MBGMNConfig
from core.models.mbgmn_graph import Generator, dense

_FLOATS_AT_ONCE = 1 << 23


class Prediction(nn.Module):
    """score = scale z . LeakyReLU(P f + b), f = [u o i || u || i] of the source's encoding.

    P [W, C], b and z are linear in the pair's meta-knowledge m = LeakyReLU(FC [g o h || g || h]), where g and h are
    LeakyReLU(FC' f) of the source's and of the target's encoding. shared: P, b and z are the same for every pair.
    """

    def __init__(self, config: MBGMNConfig) -> None:
        super().__init__()
        width, features = config.width, 3 * config.width
        self.slope, self.scale, self.width = config.leaky_slope, config.score_scale, width
        self.is_personal = config.prediction == "personal"
        if self.is_personal:
            self.pair, self.meta = dense(features, width), dense(features, features)
            self.first, self.last = Generator(features, features, width), Generator(features, 1, width)
            self.offset = dense(features, width)
        else:
            self.shared_first, self.shared_last = dense(features, width), dense(width, 1)

    def forward(self, source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
        """Scores of pairs: users and items [P, W] of the source's and of the target's encoding -> [P]."""
        features_PC = _features(*source)
        if not self.is_personal:
            return self._shared(features_PC)
        near, far = (F.leaky_relu(self.pair(f), self.slope) for f in (features_PC, _features(*target)))
        meta_PC = self._meta(near, far)
        summed_PW = torch.bmm(features_PC[:, None], self.first(meta_PC))[:, 0]
        return self._closed(summed_PW, meta_PC)

    def score_all(
        self,
        source_user_W: Tensor,
        source_item_IW: Tensor,
        target_user_W: Tensor,
        target_item_IW: Tensor,
    ) -> Tensor:
        """Scores of one user with all items, [I].

        f is linear in the item for a given user, so P f = sum over a of (i_a, 1) Y_a with Y of W + 1 columns, not 3 W.
        """
        if not self.is_personal:
            return self._shared(_features(source_user_W.expand_as(source_item_IW), source_item_IW))
        table = self._table_of(source_user_W)
        size = max(1, _FLOATS_AT_ONCE // table.shape[1])
        parts = []
        for near_IW, far_IW in zip(source_item_IW.split(size), target_item_IW.split(size), strict=True):
            meta = self._meta(self._linked(source_user_W, near_IW), self._linked(target_user_W, far_IW))
            made = (F.pad(meta, (0, 1), value=1.0) @ table).view(-1, self.width + 1, self.width)
            summed = torch.bmm(F.pad(near_IW, (0, 1), value=1.0)[:, None], made)[:, 0]
            parts.append(self._closed(summed, meta))
        return torch.cat(parts)

    def _linked(self, user_W: Tensor, item_IW: Tensor) -> Tensor:
        """LeakyReLU(FC' f) of one user with items."""
        product, user, item = self.pair.weight.split(self.width, 1)
        return F.leaky_relu(
            F.linear(item_IW, product * user_W + item, user @ user_W + self.pair.bias), self.slope
        )

    def _table_of(self, user_W: Tensor) -> Tensor:
        """What turns (m, 1) into Y for one user: [C + 1, (W + 1) W]."""
        made = torch.cat([self.first.weight, self.first.base.reshape(1, -1)])
        product, user, item = made.view(-1, 3, self.width, self.width).unbind(1)
        by_item = product * user_W[:, None] + item
        constant = torch.einsum("a,cad->cd", user_W, user)[:, None]
        return torch.cat([by_item, constant], 1).flatten(1)

    def _meta(self, near_PW: Tensor, far_PW: Tensor) -> Tensor:
        return F.leaky_relu(self.meta(_features(near_PW, far_PW)), self.slope)

    def _closed(self, summed_PW: Tensor, meta_PC: Tensor) -> Tensor:
        hidden_PW = F.leaky_relu(summed_PW + self.offset(meta_PC), self.slope)
        scores: Tensor = self.scale * (hidden_PW * self.last(meta_PC)[:, 0]).sum(-1)
        return scores

    def _shared(self, features_PC: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.shared_first(features_PC), self.slope)
        scores: Tensor = self.scale * self.shared_last(hidden)[:, 0]
        return scores


def _features(user_PW: Tensor, item_PW: Tensor) -> Tensor:
    """[u o i || u || i]: [P, 3 W]."""
    return torch.cat([user_PW * item_PW, user_PW, item_PW], 1)
