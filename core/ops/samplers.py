"""Vectorised samplers of positive and negative items.

P draws, U users, I items. Every draw is exact; nothing is rejected and drawn again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.sparse import csr_array
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TaskPairs:
    """Drawn pairs of one task: rows of the batch's users, positive and negative items, [P] each."""

    owner: Tensor
    positive: Tensor
    negative: Tensor


class PairSampler:
    """Draws items that users touched, and items they did not, from one binary [U, I] matrix (sorted columns)."""

    def __init__(self, pairs: csr_array, device: torch.device) -> None:
        self.num_items = int(pairs.shape[1])
        self._indptr = torch.from_numpy(pairs.indptr).long().to(device)
        self._items = torch.from_numpy(pairs.indices).long().to(device)
        self._degree = self._indptr.diff()
        users = torch.arange(pairs.shape[0], device=device).repeat_interleave(self._degree)
        position = torch.arange(self._items.numel(), device=device) - self._indptr[users]
        # Untouched items that precede each touched one; rises within a row, so the keys rise over the whole matrix.
        self._gap_keys = users * (self.num_items + 1) + (self._items - position)

    def positives(self, users_B: Tensor, most: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """min(most, degree) touched items per user, drawn uniformly with replacement.

        Returns (owner [P], item [P]); owner is the position in `users_B`. Users who touched nothing, or everything
        (they have no negative), contribute no draw.
        """
        degree = self._degree[users_B]
        counts = torch.where(degree < self.num_items, degree.clamp(max=most), torch.zeros_like(degree))
        owner = torch.arange(users_B.numel(), device=users_B.device).repeat_interleave(counts)
        offset = _below(degree[owner], generator)
        return owner, self._items[self._indptr[users_B[owner]] + offset]

    def negatives(self, users_P: Tensor, generator: torch.Generator) -> Tensor:
        """One item per given user, uniform over those the user did not touch. Raises ValueError if he touched all."""
        untouched = self.num_items - self._degree[users_P]
        if bool((untouched <= 0).any()):
            raise ValueError("a user who touched every item has no negative item")
        rank = _below(untouched, generator)
        key = users_P * (self.num_items + 1) + rank
        before = torch.searchsorted(self._gap_keys, key, right=True) - self._indptr[users_P]
        return rank + before


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
