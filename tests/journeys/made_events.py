"""A shop's event log as a stranger exports it: odd column names, a German separator, and a signal that can be learned.

Every user and item belongs to one of GROUPS tastes. A user views mostly items of the own taste and popular ones, carts
some of what was viewed and buys some of what was carted, in that order of time.
"""

from pathlib import Path

import numpy as np
import pandas as pd

USERS, ITEMS, GROUPS = 2_003, 797, 23
COLUMNS = ("Wann", "Besucher", "Ereignis", "Artikel-Nr", "Gerät")
_LOYAL = 0.85
_CARTED, _BOUGHT = 0.14, 0.55
_FIRST = np.datetime64("2024-01-08T06:00:00", "s")


def write_events(path: Path, rows: int = 200_000, seed: int = 3) -> Path:
    """Write `rows` events to a CSV file separated by semicolons; the same seed writes the same bytes."""
    events(rows, seed).to_csv(path, sep=";", index=False, lineterminator="\r\n")
    return path


def events(rows: int, seed: int) -> pd.DataFrame:
    """The event log in order of time, exactly `rows` long."""
    rng = np.random.default_rng(seed)
    views = _views(rng, rows)  # more than enough: carts and purchases follow from them
    carts = _followed(rng, views, _CARTED, within=900)
    buys = _followed(rng, carts, _BOUGHT, within=86_400)
    steps = (("view", views), ("add to cart", carts), ("buy", buys))
    log = pd.concat([frame.assign(event=name) for name, frame in steps], ignore_index=True)
    log = log.sort_values(["second", "user", "item", "event"], kind="stable").head(rows)
    devices = rng.choice(["Mobil", "PC", "Tablet"], size=len(log), p=[0.6, 0.3, 0.1])
    columns = (
        (_FIRST + log["second"].to_numpy().astype("timedelta64[s]")).astype(str),
        [f"K{user:05d}" for user in log["user"]],
        log["event"].to_numpy(),
        [f"{item % 90 + 10}-{item:04d}" for item in log["item"]],
        devices,
    )
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _views(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """`rows` views: who looked at what, and when (seconds from the beginning)."""
    activity_U = rng.gamma(2.0, 1.0, USERS)
    taste_U, taste_I = rng.integers(GROUPS, size=USERS), rng.integers(GROUPS, size=ITEMS)
    popularity_I = 1.0 / np.arange(3, ITEMS + 3) ** 0.7
    user = rng.choice(USERS, size=rows, p=activity_U / activity_U.sum())
    item = rng.choice(ITEMS, size=rows, p=popularity_I / popularity_I.sum())
    loyal = rng.random(rows) < _LOYAL
    for group in range(GROUPS):
        members = np.flatnonzero(taste_I == group)
        here = np.flatnonzero(loyal & (taste_U[user] == group))
        weight = popularity_I[members] / popularity_I[members].sum()
        item[here] = rng.choice(members, size=len(here), p=weight)
    second = rng.integers(0, 120 * 86_400, size=rows)
    return pd.DataFrame({"user": user, "item": item, "second": second})


def _followed(rng: np.random.Generator, before: pd.DataFrame, share: float, within: int) -> pd.DataFrame:
    """A random `share` of the events in `before`, repeated some seconds later."""
    kept = before[rng.random(len(before)) < share]
    return kept.assign(second=kept["second"] + rng.integers(10, within, size=len(kept)))
