"""Planted events: parallel arrays of what the users of one chunk did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BEHAVIORS = ("view", "favorite", "cart", "buy")
VIEW, FAVORITE, CART, BUY = range(4)

EPOCH = 1_704_067_200
DAY = 86_400
DAYS = 90


@dataclass(frozen=True, eq=False)
class Events:
    """Parallel arrays: chunk-local user, item, behaviour code, unix seconds, noise flag."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    behavior: NDArray[np.int8]
    time: NDArray[np.int64]
    noise: NDArray[np.bool_]

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Events":
        return Events(
            self.user[chosen], self.item[chosen], self.behavior[chosen], self.time[chosen], self.noise[chosen]
        )


def joined(parts: list[Events]) -> Events:
    return Events(
        np.concatenate([part.user for part in parts]),
        np.concatenate([part.item for part in parts]),
        np.concatenate([part.behavior for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.noise for part in parts]),
    )


def pair_keys(user: NDArray[np.int64], item: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return user * size + item


def unique_pairs(
    user: NDArray[np.int64], item: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct pairs sorted by user and item."""
    keys = np.unique(pair_keys(user, item, size))
    return keys // size, keys % size
