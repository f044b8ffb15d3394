"""Rankers that count: Popularity and SeenBefore. B users in a batch, I items."""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.catalog.base import SystemConfig
from core.data.ranking import RankingData
from core.models.base import Fitted


class Popularity(Fitted):
    """score(u, i) = training pairs of item i under the target behaviour; the same for every user."""

    popularity: Tensor

    def __init__(self, config: SystemConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.num_items, self.device = data.num_items, device
        self.register_buffer("popularity", torch.zeros(data.num_items, device=device))

    def fit(self, data: RankingData) -> None:
        self.popularity.copy_(torch.from_numpy(data.popularity()))

    def score(self, users_B: Tensor) -> Tensor:
        return self.popularity.expand(users_B.numel(), -1)


class SeenBefore(Fitted):
    """score(u, i) = number of auxiliary behaviours that u showed on i; popularity under the target breaks ties.

    Source: none published; the counting baseline that multi-behaviour results should be read against.
    """

    def __init__(self, config: SystemConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.num_items, self.device = data.num_items, device
        self.register_buffer("tie", torch.zeros(data.num_items, device=device))
        self._counts = csr_array((data.num_users, data.num_items), dtype=np.float32)
        self.fit(data)

    tie: Tensor

    def fit(self, data: RankingData) -> None:
        popularity = data.popularity()
        self.tie.copy_(torch.from_numpy(popularity / (popularity.max() + 1.0)))
        self._counts = csr_array(sum((data.train[b] for b in data.behaviors[:-1]), start=self._counts * 0))

    def score(self, users_B: Tensor) -> Tensor:
        counts = self._counts[users_B.cpu().numpy()].toarray()
        return torch.from_numpy(counts).to(self.device) + self.tie
