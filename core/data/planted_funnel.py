"""The planted interactions of one chunk of users: views, favourites, carts, purchases, noise, time and splits.

Collectors buy what they favourite and abandon carts; shoppers buy what they put into the cart and favourite rarely;
followers buy what a circle of other users bought, whatever they themselves looked at. Views follow taste times
popularity. On top come accidental views and position-bias favourites, both flagged as noise.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.planted_events import (
    BEHAVIORS,
    BUY,
    CART,
    DAY,
    DAYS,
    EPOCH,
    FAVORITE,
    Events,
    joined,
    unique_pairs,
)
from core.data.planted_items import Items
from core.data.planted_splits import draw_tail_cases, leave_last_out
from core.data.planted_users import COLLECTOR, FOLLOWER, SEGMENTS, SHOPPER, Users
from core.data.planted_views import draw_views

LIKING_STRENGTH, LIKING_OFFSET = 5.0, 2.0
POSITION_BIAS_SHARE = 0.1
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


def draw_chunk(rng: np.random.Generator, users: Users, items: Items) -> Chunk:
    """All interactions of `users`, each pair at most once per behaviour."""
    views = draw_views(rng, users, items)
    favorites, carts, purchases = _conversions(rng, users, items, views)
    follows = _follow(rng, users, purchases)
    buys = joined([purchases, follows])
    split = leave_last_out(buys)
    tail = draw_tail_cases(rng, items, buys, split)
    events = joined([views, favorites, carts, buys, tail])
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


def _liking(users: Users, items: Items, views: Events) -> NDArray[np.float64]:
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
    rng: np.random.Generator, users: Users, items: Items, views: Events
) -> tuple[Events, Events, Events]:
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
        made.append(Events(chosen.user, chosen.item, codes, time[behavior][happened], noise))
    return made[0], made[1], made[2]


def _follow(rng: np.random.Generator, users: Users, purchases: Events) -> Events:
    """Purchases of the followers, drawn from what the leaders of their circle bought.

    A circle's leaders share one favourite category; its followers are drawn without regard to their own taste.
    """
    followers = rng.permutation(np.flatnonzero(users.segment == FOLLOWER))
    circle = np.arange(len(followers)) // CIRCLE_FOLLOWERS
    leaders = np.unique(purchases.user)
    if not len(followers) or not len(leaders):
        return purchases[np.zeros(len(purchases.user), np.bool_)]
    # purchases stem from genuine views only and therefore lie in user order
    leaders = leaders[np.argsort(users.favourite[leaders], kind="stable")]
    start = rng.integers(0, max(1, len(leaders) - CIRCLE_LEADERS + 1), circle[-1] + 1)
    first = np.searchsorted(purchases.user, leaders)
    count = np.searchsorted(purchases.user, leaders, side="right") - first
    amount = rng.integers(FOLLOWER_MIN_BUYS, FOLLOWER_MAX_BUYS + 1, len(followers))
    position = np.repeat(np.arange(len(followers)), amount)
    leader = start[circle[position]] + rng.integers(0, min(CIRCLE_LEADERS, len(leaders)), len(position))
    row = first[leader] + np.floor(rng.random(len(position)) * count[leader]).astype(np.int64)
    user, item = unique_pairs(followers[position], purchases.item[row], int(purchases.item.max()) + 1)
    time = EPOCH + rng.integers(0, (DAYS - 3) * DAY, len(user))
    return Events(user, item, np.full(len(user), BUY, np.int8), time, np.zeros(len(user), np.bool_))
