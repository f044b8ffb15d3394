"""The planted splits: leave-last-out of purchases, and the tail test cases that only modalities can reach."""

import numpy as np
from numpy.typing import NDArray

from core.data.planted_events import BUY, DAY, DAYS, EPOCH, Events, pair_keys
from core.data.planted_items import NEAREST_TAIL, Items

TAIL_CASE_SHARE = 0.2


def leave_last_out(buys: Events) -> NDArray[np.object_]:
    """Of users with at least three purchases the last tests and the one before validates; ties: the larger item."""
    order = np.lexsort([buys.item, buys.time, buys.user])
    user = buys.user[order]
    left = np.searchsorted(user, user, side="right") - np.arange(len(user))
    enough = np.bincount(user, minlength=int(user.max()) + 1)[user] >= 3
    split = np.full(len(user), "train", dtype=object)
    split[order[enough & (left == 1)]] = "test"
    split[order[enough & (left == 2)]] = "valid"
    return split


def draw_tail_cases(
    rng: np.random.Generator, items: Items, buys: Events, split: NDArray[np.object_]
) -> Events:
    """One more test purchase for some users: a tail item close to one of their training purchases."""
    train = np.flatnonzero(split == "train")
    train = train[np.argsort(buys.user[train], kind="stable")]
    owner = buys.user[train]
    tested = np.unique(buys.user[split == "test"])
    chosen = tested[rng.random(len(tested)) < TAIL_CASE_SHARE]
    first = np.searchsorted(owner, chosen)
    count = np.searchsorted(owner, chosen, side="right") - first
    anchor = buys.item[train[first + np.floor(rng.random(len(chosen)) * count).astype(np.int64)]]
    item = items.nearest_tail[anchor, rng.integers(0, NEAREST_TAIL, len(chosen))]
    size = len(items.weight)
    fresh = ~np.isin(pair_keys(chosen, item, size), pair_keys(buys.user, buys.item, size))
    user, item = chosen[fresh], item[fresh]
    time = EPOCH + (DAYS - 2) * DAY + rng.integers(0, 2 * DAY, len(user))
    return Events(user, item, np.full(len(user), BUY, np.int8), time, np.zeros(len(user), np.bool_))
