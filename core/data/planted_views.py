"""The planted views: genuine ones by taste, popularity and leaning, and accidental ones of popular items."""

import numpy as np
from numpy.typing import NDArray

from core.data.planted_events import DAY, DAYS, EPOCH, VIEW, Events, pair_keys, unique_pairs
from core.data.planted_items import Items
from core.data.planted_users import Users

MIN_VIEWS, MEAN_MORE_VIEWS, MAX_VIEWS = 20, 20.0, 120
CANDIDATES = 6
LEANING_STRENGTH = 1.5
ACCIDENTAL_SHARE = 0.2
POPULAR_SHARE = 0.2


def draw_views(rng: np.random.Generator, users: Users, items: Items) -> Events:
    """Genuine views by taste times popularity times leaning, then accidental ones of popular items."""
    drawn = MIN_VIEWS + np.floor(-MEAN_MORE_VIEWS * np.log1p(-rng.random(len(users.segment)))).astype(
        np.int64
    )
    user = np.repeat(np.arange(len(users.segment)), np.minimum(drawn, MAX_VIEWS))
    chosen = rng.random(len(user))[:, None] >= np.cumsum(users.taste, axis=1)[user][:, :-1]
    genuine = unique_pairs(user, _appealing(rng, users, items, user, chosen.sum(axis=1)), len(items.weight))
    per_user = np.bincount(genuine[0], minlength=len(users.segment))
    wanted = per_user * ACCIDENTAL_SHARE / (1.0 - ACCIDENTAL_SHARE)
    extra = np.floor(wanted + rng.random(len(wanted))).astype(np.int64)
    popular = np.argsort(-items.weight, kind="stable")[: max(1, round(POPULAR_SHARE * len(items.weight)))]
    # twice as many are drawn as wanted, because repeats and pairs viewed anyway fall away
    stray = np.repeat(np.arange(len(extra)), 2 * extra)
    accidental = unique_pairs(stray, popular[rng.integers(0, len(popular), len(stray))], len(items.weight))
    known = np.isin(pair_keys(*accidental, len(items.weight)), pair_keys(*genuine, len(items.weight)))
    kept = _first_of_each(rng, accidental[0], known, extra)
    accidental = (accidental[0][kept], accidental[1][kept])
    noise = np.repeat([False, True], [len(genuine[0]), len(accidental[0])])
    both = [np.concatenate(pair) for pair in zip(genuine, accidental, strict=True)]
    time = EPOCH + rng.integers(0, (DAYS - 8) * DAY, len(noise))
    return Events(both[0], both[1], np.full(len(noise), VIEW, np.int8), time, noise)


def _first_of_each(
    rng: np.random.Generator, user: NDArray[np.int64], barred: NDArray[np.bool_], wanted: NDArray[np.int64]
) -> NDArray[np.intp]:
    """Positions of `wanted[u]` random entries of each user that are not barred (fewer where there are fewer)."""
    free = np.flatnonzero(~barred)
    free = free[np.lexsort([rng.random(len(free)), user[free]])]
    rank = np.arange(len(free)) - np.searchsorted(user[free], user[free])
    kept: NDArray[np.intp] = np.sort(free[rank < wanted[user[free]]])
    return kept


def _appealing(
    rng: np.random.Generator, users: Users, items: Items, user: NDArray[np.int64], category: NDArray[np.int64]
) -> NDArray[np.int64]:
    """One item per event: the most appealing of a few drawn from the category by popularity (Gumbel-max)."""
    order = np.lexsort([np.arange(len(items.category)), items.category])
    ends = np.cumsum(items.weight[order])
    last = np.searchsorted(items.category[order], np.arange(len(items.centres)), side="right") - 1
    stop = ends[last]
    start = np.concatenate([[0.0], stop[:-1]])
    point = start[category][:, None] + rng.random((len(user), CANDIDATES)) * (stop - start)[category][:, None]
    candidates = order[np.minimum(np.searchsorted(ends, point, side="right"), last[category][:, None])]
    offset = items.latent - items.centres[items.category]
    appeal = LEANING_STRENGTH * np.einsum("ekz,ez->ek", offset[candidates], users.leaning[user])
    gumbel = -np.log(-np.log1p(-rng.random(appeal.shape)) + 1e-12)
    best: NDArray[np.int64] = candidates[np.arange(len(user)), np.argmax(appeal + gumbel, axis=1)]
    return best
