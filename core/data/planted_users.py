"""The planted users: three segments with different funnels, and a taste over the categories.

Shapes: V users of one chunk, C = 12 categories, Z = 8 latent dims.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.planted_items import LATENT, NUM_CATEGORIES, Items

SEGMENTS = ("collector", "shopper", "follower")
DECISIVE_RELATIONS = ("favorite", "cart", "co_purchase")
COLLECTOR, SHOPPER, FOLLOWER = range(3)
SEGMENT_SHARES = (0.4, 0.4, 0.2)
TASTE_SHARES = (0.7, 0.2)


@dataclass(frozen=True, eq=False)
class Users:
    """The users `first` to `first + V - 1`.

    taste: [V, C] probabilities. leaning: [V, Z] unit vectors, the direction a user likes within a category.
    """

    first: int
    segment: NDArray[np.int64]
    favourite: NDArray[np.int64]
    taste: NDArray[np.float64]
    leaning: NDArray[np.float64]


def draw_users(rng: np.random.Generator, first: int, count: int, items: Items) -> Users:
    """Two favourite categories each, drawn by the square root of the category's size; the rest of the taste by size."""
    segment = np.searchsorted(np.cumsum(SEGMENT_SHARES)[:-1], rng.random(count), side="right")
    size = np.bincount(items.category, minlength=NUM_CATEGORIES) / len(items.category)
    keys = -np.log1p(-rng.random((count, NUM_CATEGORIES))) / np.sqrt(size)
    ranked = np.argsort(keys, axis=1, kind="stable")
    taste = np.tile((1.0 - sum(TASTE_SHARES)) * size, (count, 1))
    for position, share in enumerate(TASTE_SHARES):
        taste[np.arange(count), ranked[:, position]] += share
    leaning = rng.standard_normal((count, LATENT))
    leaning /= np.sqrt((leaning**2).sum(axis=1, keepdims=True))
    return Users(first, segment.astype(np.int64), ranked[:, 0], taste, leaning)
