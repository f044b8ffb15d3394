"""Vectorised samplers of positive and negative items.

P draws, U users, I items. Every draw is exact; nothing is rejected and drawn again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """Drawn pairs of one task: rows of the batch's users, positive and negative items, [P] each."""

    owner: Tensor
    positive: Tensor
    negative: Tensor


class PairSampler:
    """Draws items that users touched, and items they did not, from one binary [U, I] matrix (sorted columns).

    pool: the items that negatives are drawn from, in rising order; None for all.
    """

    def __init__(self, pairs: csr_array, device: torch.device, pool: NDArray[np.int64] | None = None) -> None:
        self._indptr = torch.from_numpy(pairs.indptr).long().to(device)
        self._items = torch.from_numpy(pairs.indices).long().to(device)
        self._pool = None if pool is None else torch.from_numpy(pool).to(device)
        self.pool_size = int(pairs.shape[1]) if pool is None else len(pool)
        inside = pairs if pool is None else csr_array(pairs[:, pool])
        inside.sort_indices()
        self._bounds = torch.from_numpy(inside.indptr).long().to(device)
        touched = torch.from_numpy(inside.indices).long().to(device)
        users = torch.arange(pairs.shape[0], device=device).repeat_interleave(self._bounds.diff())
        position = torch.arange(touched.numel(), device=device) - self._bounds[users]
        # Untouched items that precede each touched one; rises within a row, so the keys rise over the whole matrix.
        self._gap_keys = users * (self.pool_size + 1) + (touched - position)
        self.untouched = self.pool_size - self._bounds.diff()

    def positives(self, users_B: Tensor, most: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """min(most, degree) touched items per user, drawn uniformly with replacement.

        Returns (owner [P], item [P]); owner is the position in `users_B`. Users who touched nothing, or everything
        (they have no negative), contribute no draw.
        """
        degree = self._indptr.diff()[users_B]
        counts = torch.where(self.untouched[users_B] > 0, degree.clamp(max=most), torch.zeros_like(degree))
        owner = torch.arange(users_B.numel(), device=users_B.device).repeat_interleave(counts)
        offset = _below(degree[owner], generator)
        return owner, self._items[self._indptr[users_B[owner]] + offset]

    def negatives(self, users_P: Tensor, generator: torch.Generator) -> Tensor:
        """One item per given user, uniform over those the user did not touch. Raises ValueError if he touched all."""
        untouched = self.untouched[users_P]
        if bool((untouched <= 0).any()):
            raise ValueError("a user who touched every item has no negative item")
        rank = _below(untouched, generator)
        key = users_P * (self.pool_size + 1) + rank
        before = torch.searchsorted(self._gap_keys, key, right=True) - self._bounds[users_P]
        place = rank + before
        return place if self._pool is None else self._pool[place]


def task_pairs(
    samplers: Sequence[PairSampler], users_B: Tensor, most: int, generator: torch.Generator
) -> tuple[TaskPairs, ...]:
    """Per task up to `most` positive items of each of the users, each with a negative one."""
    tasks = []
    for sampler in samplers:
        owner, positive = sampler.positives(users_B, most, generator)
        tasks.append(TaskPairs(owner, positive, sampler.negatives(users_B[owner], generator)))
    return tuple(tasks)


def _below(limit_P: Tensor, generator: torch.Generator) -> Tensor:
    """One uniform integer in 0..limit-1 per position; double precision keeps the bias below 2^-53 times the limit."""
    uniform = torch.rand(limit_P.shape, dtype=torch.float64, generator=generator, device=limit_P.device)
    return torch.minimum((uniform * limit_P).long(), limit_P - 1)


def shuffled_batches(count: int, size: int, generator: torch.Generator, device: torch.device) -> list[Tensor]:
    """A random permutation of 0..count-1, cut into batches of `size` (the last may be smaller); none if count is 0."""
    order = torch.randperm(count, generator=generator, device=device)
    return list(order.split(size)) if count else []
