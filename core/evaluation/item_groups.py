"""Groups of items by how often they were trained, from head to tail, and what a model scores in groups of test pairs (no torch).

P test pairs, I items, V users, G groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.evaluation.groups import UNDEFINED
from core.evaluation.metrics import ranking_metrics, sampled_metrics

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ItemRule = Literal["equal_mass", "equal_number"]

NUM_GROUPS = 5


@dataclass(frozen=True, eq=False)
class ItemGroups:
    """Items cut by popularity. group: [I], 0 is the head. popularity: [I], training pairs of the target per item. count: G."""

    group: Ints
    popularity: Ints
    count: int

    def items(self) -> Ints:
        """Items per group, [G]."""
        return np.bincount(self.group, minlength=self.count).astype(np.int64)

    def trained_pairs(self) -> Ints:
        """Training pairs per group, [G]."""
        found = np.bincount(self.group, weights=self.popularity, minlength=self.count)
        return found.astype(np.int64)

    def ranges(self) -> list[tuple[int, int]]:
        """The fewest and the most training pairs of an item, per group."""
        members = [self.popularity[self.group == g] for g in range(self.count)]
        return [(int(own.min()), int(own.max())) if len(own) else (0, 0) for own in members]

    @property
    def untrained(self) -> int:
        """Items of the tail that have no training pair at all."""
        return int((self.popularity == 0).sum())


def item_groups(
    popularity_I: NDArray[Any], rule: ItemRule = "equal_mass", count: int = NUM_GROUPS
) -> ItemGroups:
    """Cut items into at most `count` groups of falling popularity, the head first.

    equal_mass: each group holds about the same number of training pairs. equal_number: about the same number of trained
    items. Items of one popularity stay together, so that their numbering decides nothing; a block of them belongs to the
    group in which its middle lies, and with many ties there are fewer groups. Items without a training pair join the last
    group under either rule. Without any trained item there is one group.

    Source: EGRA, Figure 2 (Long-Tail Evaluation), equal_mass with count = 5; which group a tie belongs to is not said there.
    """
    popularity_I = popularity_I.astype(np.int64)
    value_B, block_I, size_B = np.unique(-popularity_I, return_inverse=True, return_counts=True)
    weight_B = np.where(value_B < 0, size_B * (-value_B if rule == "equal_mass" else 1), 0).astype(np.float64)
    total = weight_B.sum()
    if not total:
        return ItemGroups(np.zeros(len(popularity_I), dtype=np.int64), popularity_I, 1)
    middle_B = (np.cumsum(weight_B) - weight_B / 2) / total
    cut_B = np.minimum((middle_B * count).astype(np.int64), count - 1)
    trained = value_B < 0
    cut_B[~trained] = cut_B[trained].max()
    taken, group_B = np.unique(cut_B, return_inverse=True)
    return ItemGroups(group_B[block_I].astype(np.int64), popularity_I, len(taken))


def grouped_values(
    users_P: Ints, ranks_P: Ints, group_P: Ints, count: int, metric: str, *, own_candidates: bool
) -> list[tuple[Ints, Floats]]:
    """Per group the users that have test pairs in it, rising, and the metric of each over these pairs alone.

    metric: such as `ndcg@10`. own_candidates: every test item was ranked among candidates of its own (`sampled99`), so a
    user's value is the mean over his pairs; otherwise his pairs share one ranking, and a group counts as if its pairs were
    all that is right (the ideal list has no more than these). A pair whose group is UNDEFINED counts nowhere.

    Pairs of one user depend on each other, users do not: intervals and tests belong over the values returned here.
    """
    k = int(metric.partition("@")[2])
    order = np.lexsort((users_P, group_P))
    order = order[group_P[order] != UNDEFINED]
    users_P, ranks_P, group_P = users_P[order], ranks_P[order], group_P[order]
    ends = np.searchsorted(group_P, np.arange(count + 1))
    found = []
    for start, stop in pairwise(ends.tolist()):
        users_V, first_V = np.unique(users_P[start:stop], return_index=True)
        if not len(users_V):
            found.append((users_V.astype(np.int64), np.empty(0)))
            continue
        indptr = np.append(first_V, stop - start)
        measured = sampled_metrics if own_candidates else ranking_metrics
        found.append((users_V.astype(np.int64), measured(ranks_P[start:stop], indptr, [k])[metric]))
    return found


@dataclass(frozen=True, eq=False)
class ItemScores:
    """What the test pairs of each item score, [I] each: how many there are, how many of them are hits within K, and the sum
    of their reciprocal ranks, 0 beyond K."""

    pairs: Ints
    hits: Floats
    reciprocal: Floats


def item_scores(items_P: Ints, ranks_SP: Sequence[Ints], num_items: int, k: int) -> ItemScores:
    """Hits and reciprocal ranks within `k` by item; several rankings of the same pairs (seeds) are averaged."""
    ranks = np.stack([ranks.astype(np.float64) for ranks in ranks_SP])
    hit_P = (ranks <= k).mean(axis=0)
    reciprocal_P = np.where(ranks <= k, 1 / ranks, 0.0).mean(axis=0)
    return ItemScores(
        np.bincount(items_P, minlength=num_items).astype(np.int64),
        np.bincount(items_P, weights=hit_P, minlength=num_items).astype(np.float64),
        np.bincount(items_P, weights=reciprocal_P, minlength=num_items).astype(np.float64),
    )
