"""Rankers without a model: scores given as a table, constant, or random."""

import numpy as np
import torch
from torch import Tensor

from core.models.base import Ranker


class Table(Ranker):
    """score(u, i) = table[u, i]."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table = torch.from_numpy(np.asarray(table))
        self.num_items = table.shape[1]

    def score(self, users_B: Tensor) -> Tensor:
        return self.table[users_B]


def constant(users: int, items: int, value: float = 0.0) -> Table:
    return Table(np.full((users, items), value))


def random(users: int, items: int, seed: int = 77) -> Table:
    return Table(np.random.default_rng(seed).random((users, items)))
