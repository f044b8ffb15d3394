"""EASE: a linear item-item model in closed form. U users, I items, J items with interactions, B users in a batch."""

import numpy as np
import scipy.linalg
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.catalog.baselines import EASEConfig
from core.data.ranking import RankingData
from core.errors import ConfigError
from core.models.base import Fitted


class EASE(Fitted):
    """Scores X B with B = I - P diag(1 / diag P), P = (X^T X + l2 I)^-1 (zero diagonal).

    X is the binary target matrix, or with `history = all` the binary union of every behaviour. Items without an
    interaction have no weight; they are left out of the inverse. Source: Steck, WWW 2019, Eq. 8.
    """

    weights: Tensor

    def __init__(self, config: EASEConfig, data: RankingData, device: torch.device) -> None:
        super().__init__()
        self.config, self.num_items, self.device = config, data.num_items, device
        self._history, self._active = _history(config, data)
        if len(self._active) > config.max_items:
            raise ConfigError(
                f"EASE would invert a dense {len(self._active)} x {len(self._active)} matrix "
                f"({len(self._active) ** 2 * 8 / 1e9:.1f} GB in float64); raise max_items (now {config.max_items}) if the machine can hold it"
            )
        self.register_buffer("weights", torch.zeros(len(self._active), len(self._active), device=device))

    def fit(self, data: RankingData) -> None:
        matrix = self._history[:, self._active].astype(np.float64)
        gram = (matrix.T @ matrix).toarray()
        gram[np.diag_indices_from(gram)] += self.config.l2
        factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        inverse = scipy.linalg.cho_solve(factor, np.eye(len(gram)), overwrite_b=True, check_finite=False)
        weights = inverse / -np.diag(inverse)
        weights[np.diag_indices_from(weights)] = 0.0
        self.weights.copy_(torch.from_numpy(weights))

    def score(self, users_B: Tensor) -> Tensor:
        history = self._history[users_B.cpu().numpy()][:, self._active]
        scores = np.zeros((users_B.numel(), self.num_items), dtype=np.float32)
        scores[:, self._active] = history @ self.weights.cpu().numpy()
        return torch.from_numpy(scores).to(self.device)


def _history(config: EASEConfig, data: RankingData) -> tuple[csr_array, np.ndarray]:
    """X and its items with interactions."""
    total = data.union() if config.history == "all" else data.train[data.target]
    return total, np.flatnonzero(np.bincount(total.indices, minlength=data.num_items))
