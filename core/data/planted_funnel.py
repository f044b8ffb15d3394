"""The planted interactions of one chunk of users: views, favourites, carts, purchases, noise, time and splits.

Collectors buy what they favourite and abandon carts; shoppers buy what they put into the cart and favourite rarely;
followers buy what a circle of other users bought, whatever they themselves looked at. Views follow taste times
popularity. On top come accidental views and position-bias favourites, both flagged as noise.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.planted_items import NEAREST_TAIL, Items
from core.data.planted_users import COLLECTOR, FOLLOWER, SEGMENTS, SHOPPER, Users

BEHAVIORS = ("view", "favorite", "cart", "buy")
VIEW, FAVORITE, CART, BUY = range(4)

MIN_VIEWS, MEAN_MORE_VIEWS, MAX_VIEWS = 20, 20.0, 120
CANDIDATES = 6
LEANING_STRENGTH = 1.5
LIKING_STRENGTH, LIKING_OFFSET = 5.0, 2.0
ACCIDENTAL_SHARE = 0.2
POSITION_BIAS_SHARE = 0.1
POPULAR_SHARE = 0.2
# rows: collector, shopper, follower
FAVORITE_RATE = np.array([0.40, 0.06, 0.12])
CART_RATE = np.array([0.20, 0.40, 0.12])
BUY_AFTER_FAVORITE = np.array([0.65, 0.05, 0.0])
BUY_AFTER_CART = np.array([0.05, 0.65, 0.0])
BUY_AFTER_VIEW = np.array([0.01, 0.01, 0.0])
OVERLAP = 0.3
CIRCLE_LEADERS = 5
CIRCLE_FOLLOWERS = 12
FOLLOWER_MIN_BUYS, FOLLOWER_MAX_BUYS = 6, 12
TAIL_CASE_SHARE = 0.2

EPOCH = 1_704_067_200
DAY = 86_400
DAYS = 90


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows of one chunk: interactions (with the flag `noise`) and the tail test cases among them."""

    interactions: pd.DataFrame
    tail_cases: pd.DataFrame

    def training_purchases(self) -> NDArray[np.int32]:
        """[P, 2] (item, user) pairs of the target's training split."""
        rows = self.interactions
        chosen = rows[(rows["behavior"] == BEHAVIORS[BUY]) & (rows["split"] == "train")]
        return chosen[["item", "user"]].to_numpy(dtype=np.int32)


@dataclass(frozen=True, eq=False)
class _Events:
    """Parallel arrays: chunk-local user, item, behaviour code, unix seconds, noise flag."""

    user: NDArray[np.int64]
    item: NDArray[np.int64]
    behavior: NDArray[np.int8]
    time: NDArray[np.int64]
    noise: NDArray[np.bool_]

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "_Events":
        return _Events(
            self.user[chosen], self.item[chosen], self.behavior[chosen], self.time[chosen], self.noise[chosen]
        )


def draw_chunk(rng: np.random.Generator, users: Users, items: Items) -> Chunk:
    """All interactions of `users`, each pair at most once per behaviour."""
    views = _views(rng, users, items)
    favorites, carts, purchases = _conversions(rng, users, items, views)
    follows = _follow(rng, users, purchases)
    buys = _joined([purchases, follows])
    split = _leave_last_out(buys)
    tail = _tail_cases(rng, users, items, buys, split)
    events = _joined([views, favorites, carts, buys, tail])
    is_late = np.concatenate(
        [np.zeros(len(events.user) - len(tail.user), np.bool_), np.ones(len(tail.user), np.bool_)]
    )
    splits = np.full(len(events.user), "train", dtype=object)
    splits[is_late] = "test"
    first = len(views.user) + len(favorites.user) + len(carts.user)
    splits[first : first + len(split)] = split
    frame = pd.DataFrame(
        {
            "user": (events.user + users.first).astype(np.int32),
            "item": events.item.astype(np.int32),
            "behavior": np.asarray(BEHAVIORS, dtype=object)[events.behavior],
            "split": splits,
            "timestamp": events.time,
            "noise": events.noise,
        }
    )
    return Chunk(frame, frame.loc[is_late, ["user", "item"]].reset_index(drop=True))


def _views(rng: np.random.Generator, users: Users, items: Items) -> _Events:
    """Genuine views by taste times popularity times leaning, then accidental ones of popular items."""
    drawn = MIN_VIEWS + np.floor(-MEAN_MORE_VIEWS * np.log1p(-rng.random(len(users.segment)))).astype(
        np.int64
    )
    user = np.repeat(np.arange(len(users.segment)), np.minimum(drawn, MAX_VIEWS))
    chosen = rng.random(len(user))[:, None] >= np.cumsum(users.taste, axis=1)[user][:, :-1]
    genuine = _unique_pairs(user, _appealing(rng, users, items, user, chosen.sum(axis=1)), len(items.weight))
    per_user = np.bincount(genuine[0], minlength=len(users.segment))
    wanted = per_user * ACCIDENTAL_SHARE / (1.0 - ACCIDENTAL_SHARE)
    extra = np.floor(wanted + rng.random(len(wanted))).astype(np.int64)
    popular = np.argsort(-items.weight, kind="stable")[: max(1, round(POPULAR_SHARE * len(items.weight)))]
    # twice as many are drawn as wanted, because repeats and pairs viewed anyway fall away
    stray = np.repeat(np.arange(len(extra)), 2 * extra)
    accidental = _unique_pairs(stray, popular[rng.integers(0, len(popular), len(stray))], len(items.weight))
    known = np.isin(_key(*accidental, len(items.weight)), _key(*genuine, len(items.weight)))
    kept = _first_of_each(rng, accidental[0], known, extra)
    accidental = (accidental[0][kept], accidental[1][kept])
    noise = np.repeat([False, True], [len(genuine[0]), len(accidental[0])])
    both = [np.concatenate(pair) for pair in zip(genuine, accidental, strict=True)]
    time = EPOCH + rng.integers(0, (DAYS - 8) * DAY, len(noise))
    return _Events(both[0], both[1], np.full(len(noise), VIEW, np.int8), time, noise)


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


def _liking(users: Users, items: Items, views: _Events) -> NDArray[np.float64]:
    """Factor 0..2 on the decisive conversion of a view: how well the item fits the user's leaning."""
    offset = items.latent[views.item] - items.centres[items.category[views.item]]
    fit = np.einsum("ez,ez->e", offset, users.leaning[views.user])
    factor: NDArray[np.float64] = 2.0 / (1.0 + np.exp(LIKING_OFFSET - LIKING_STRENGTH * fit))
    return factor


def _position_bias(
    segment: NDArray[np.int64], favored: NDArray[np.bool_], accidental: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Chance that a view becomes a position-bias favourite: only accidental views do, as many per segment as make
    up their share of the segment's favourites.
    """
    genuine = np.bincount(segment[favored], minlength=len(SEGMENTS))
    stray = np.maximum(np.bincount(segment[accidental], minlength=len(SEGMENTS)), 1)
    rate = POSITION_BIAS_SHARE / (1.0 - POSITION_BIAS_SHARE) * genuine / stray
    return np.where(accidental, rate[segment], 0.0)


def _conversions(
    rng: np.random.Generator, users: Users, items: Items, views: _Events
) -> tuple[_Events, _Events, _Events]:
    """Favourites, carts and purchases that follow from the views, in the order of the funnel."""
    segment = users.segment[views.user]
    draw = rng.random((4, len(segment)))
    liking = _liking(users, items, views)
    is_collector, is_shopper = segment == COLLECTOR, segment == SHOPPER
    favor_rate = FAVORITE_RATE[segment] * np.where(is_collector, liking, 1.0)
    cart_rate = CART_RATE[segment] * np.where(is_shopper, liking, 1.0)
    # the relation that decides is drawn first; the other one mostly falls on other items
    decided = np.where(is_shopper, draw[1] < cart_rate, draw[0] < favor_rate)
    favored = (draw[0] < favor_rate * np.where(is_shopper & decided, OVERLAP, 1.0)) & ~views.noise
    carted = (draw[1] < cart_rate * np.where(is_collector & decided, OVERLAP, 1.0)) & ~views.noise
    chance = np.maximum(
        BUY_AFTER_VIEW[segment],
        np.maximum(favored * BUY_AFTER_FAVORITE[segment], carted * BUY_AFTER_CART[segment]),
    )
    bought = (draw[2] < chance) & ~views.noise
    favored |= draw[3] < _position_bias(segment, favored, views.noise)
    delay = rng.integers(60, DAY, (3, len(segment)))
    time = np.cumsum(np.vstack([views.time, delay]), axis=0)
    made = []
    for behavior, happened in ((FAVORITE, favored), (CART, carted), (BUY, bought)):
        chosen = views[happened]
        noise = chosen.noise if behavior != BUY else np.zeros(len(chosen.user), np.bool_)
        codes = np.full(len(chosen.user), behavior, np.int8)
        made.append(_Events(chosen.user, chosen.item, codes, time[behavior][happened], noise))
    return made[0], made[1], made[2]


def _follow(rng: np.random.Generator, users: Users, purchases: _Events) -> _Events:
    """Purchases of the followers, drawn from what the leaders of their circle bought.

    A circle's leaders share one favourite category; its followers are drawn without regard to their own taste.
    """
    followers = rng.permutation(np.flatnonzero(users.segment == FOLLOWER))
    circle = np.arange(len(followers)) // CIRCLE_FOLLOWERS
    leaders = np.unique(purchases.user)
    if not len(followers) or not len(leaders):
        return purchases[np.zeros(len(purchases.user), np.bool_)]
    leaders = leaders[np.argsort(users.favourite[leaders], kind="stable")]
    start = rng.integers(0, max(1, len(leaders) - CIRCLE_LEADERS + 1), circle[-1] + 1)
    first = np.searchsorted(purchases.user, leaders)
    count = np.searchsorted(purchases.user, leaders, side="right") - first
    amount = rng.integers(FOLLOWER_MIN_BUYS, FOLLOWER_MAX_BUYS + 1, len(followers))
    position = np.repeat(np.arange(len(followers)), amount)
    leader = start[circle[position]] + rng.integers(0, min(CIRCLE_LEADERS, len(leaders)), len(position))
    row = first[leader] + np.floor(rng.random(len(position)) * count[leader]).astype(np.int64)
    user, item = _unique_pairs(followers[position], purchases.item[row], int(purchases.item.max()) + 1)
    time = EPOCH + rng.integers(0, (DAYS - 3) * DAY, len(user))
    return _Events(user, item, np.full(len(user), BUY, np.int8), time, np.zeros(len(user), np.bool_))


def _leave_last_out(buys: _Events) -> NDArray[np.object_]:
    """Of users with at least three purchases the last tests and the one before validates; ties: the larger item."""
    order = np.lexsort([buys.item, buys.time, buys.user])
    user = buys.user[order]
    left = np.searchsorted(user, user, side="right") - np.arange(len(user))
    enough = np.bincount(user, minlength=int(user.max()) + 1)[user] >= 3
    split = np.full(len(user), "train", dtype=object)
    split[order[enough & (left == 1)]] = "test"
    split[order[enough & (left == 2)]] = "valid"
    return split


def _tail_cases(
    rng: np.random.Generator, users: Users, items: Items, buys: _Events, split: NDArray[np.object_]
) -> _Events:
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
    fresh = ~np.isin(_key(chosen, item, size), _key(buys.user, buys.item, size))
    user, item = chosen[fresh], item[fresh]
    time = EPOCH + (DAYS - 2) * DAY + rng.integers(0, 2 * DAY, len(user))
    return _Events(user, item, np.full(len(user), BUY, np.int8), time, np.zeros(len(user), np.bool_))


def _joined(parts: list[_Events]) -> _Events:
    return _Events(
        np.concatenate([part.user for part in parts]),
        np.concatenate([part.item for part in parts]),
        np.concatenate([part.behavior for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.noise for part in parts]),
    )


def _key(user: NDArray[np.int64], item: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return user * size + item


def _unique_pairs(
    user: NDArray[np.int64], item: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct pairs sorted by user and item."""
    keys = np.unique(_key(user, item, size))
    return keys // size, keys % size
