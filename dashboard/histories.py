"""Which past interactions a transformer attends to: one user's history, popular or rare items, and how focused it is. Pure.

U users, I items, S sampled users, E their interactions, H heads, G groups.
Source: SRGFormer, Section III.C.2; shares of one user sum to 1 for each head.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import RunError
from core.evaluation.groups import grouped, mean_interval
from core.evaluation.item_groups import ItemGroups
from core.evaluation.statistics import spread
from core.findings import STATISTICS, Array, Finding, Links
from dashboard.information import Stated
from dashboard.longtail import item_titles, span

MEAN = "mean of heads"
LENGTH_GROUPS = 6
POPULAR, RARE, NEITHER = "popular", "rare", "neither"
_SLIGHT = 0.1
_COLUMNS = ["name", "group", "title", "undefined", "mean", "low", "high", "size"]


@dataclass(frozen=True, eq=False)
class Histories:
    """Whole histories of sampled users. user, item: [E], rising users; share: [H, E]; length: [E], of the user's history."""

    user: Array
    item: Array
    share: Array
    length: Array

    @property
    def heads(self) -> int:
        return len(self.share)

    @property
    def users(self) -> Array:
        """The sampled users, rising."""
        return np.unique(self.user)

    def lengths(self) -> dict[int, int]:
        """Interactions per sampled user."""
        users, counts = np.unique(self.user, return_counts=True)
        return dict(zip(users.tolist(), counts.tolist()))


def histories(heads: Sequence[Finding]) -> Histories:
    """The findings of all heads as one. Raises RunError where they do not hold the same interactions."""
    links = [head.values for head in heads if isinstance(head.values, Links)]
    if len(links) != len(heads) or not links:
        raise RunError("history_attention_1: expected links; repeat the run to write it again")
    first = links[0]
    for head, other in zip(heads, links):
        if not (np.array_equal(other.indptr, first.indptr) and np.array_equal(other.index, first.index)):
            raise RunError(
                f"{head.key}: holds other interactions than {heads[0].key}; repeat the run to write them again"
            )
    counts = np.diff(first.indptr)
    user = np.repeat(np.arange(len(counts)), counts)
    share = np.stack([other.value for other in links]).astype(float)
    return Histories(user, first.index.astype(np.int64), share, counts[user])


def history_table(found: Histories, user: int, names: Sequence[str], trained_I: Array | None) -> pd.DataFrame:
    """One user's interactions, the most attended first: columns item, name, `head 1`.. , mean, relative (mean over 1 / n), trained."""
    own = found.user == user
    items, share = found.item[own], found.share[:, own]
    table = pd.DataFrame({"item": items, "name": [names[item] for item in items.tolist()]})
    for head in range(found.heads):
        table[head_title(head)] = share[head]
    table["mean"] = share.mean(axis=0)
    return _finished(table, int(own.sum()), trained_I)


def shortened_table(
    most: Finding, user: int, length: int, names: Sequence[str], trained_I: Array | None
) -> pd.DataFrame:
    """As `history_table` for users outside of the sample: their most attended interactions, mean over heads alone."""
    links = most.values
    if not isinstance(links, Links):
        raise RunError(f"{most.key}: expected links, got an array; repeat the run to write it again")
    entries = slice(int(links.indptr[user]), int(links.indptr[user + 1]))
    items = links.index[entries]
    table = pd.DataFrame({"item": items, "name": [names[item] for item in items.tolist()]})
    table["mean"] = links.value[entries].astype(float)
    return _finished(table, length, trained_I)


def _finished(table: pd.DataFrame, length: int, trained_I: Array | None) -> pd.DataFrame:
    table["relative"] = table["mean"] * length
    if trained_I is not None:
        table["trained"] = trained_I[table["item"].to_numpy()]
    return table.sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def head_title(head: int) -> str:
    return f"head {head + 1}"


def preference_table(found: Histories, groups: ItemGroups, *, with_heads: bool) -> pd.DataFrame:
    """Attention to items by popularity, relative to an even share 1 / n: 1 is no preference.

    Columns name (all heads, then each one), group (0 is the head), title, undefined, mean, low, high (95 %, t over users), size (users),
    pairs (interactions). A user's interactions in a group are averaged first, since they depend on each other; users with a single
    interaction have nothing to choose and are left out.
    """
    kept = found.length > 1
    user, group = found.user[kept], groups.group[found.item[kept]]
    series = {MEAN: found.share.mean(axis=0)}
    if with_heads and found.heads > 1:
        series |= {head_title(head): found.share[head] for head in range(found.heads)}
    titles = item_titles(groups)
    rows = []
    for name, share in series.items():
        relative = share[kept] * found.length[kept]
        for place in range(groups.count):
            own = group == place
            rows.append((name, place, titles[place], False, *_over_users(user[own], relative[own])))
    return pd.DataFrame(rows, columns=[*_COLUMNS, "pairs"])


def _over_users(user: Array, value: Array) -> tuple[float, float, float, int, int]:
    """Mean, interval, users, interactions; NaN for nobody, and without an interval for a single user."""
    if not len(user):
        return np.nan, np.nan, np.nan, 0, 0
    _, place, counts = np.unique(user, return_inverse=True, return_counts=True)
    about = spread((np.bincount(place, value) / counts).tolist())
    return about.mean, about.low, about.high, about.size, len(value)


@dataclass(frozen=True)
class Preference:
    """head, tail: mean relative attention to the most and the least popular group, over the `users` whose histories reach both.
    verdict: which of the two they favour; NEITHER where the 95 % interval of each user's difference includes 0."""

    head: float
    tail: float
    users: int
    verdict: str

    @property
    def how(self) -> str:
        """`slightly ` where head and tail differ by less than a tenth of an even share, otherwise nothing."""
        return "slightly " if abs(self.head - self.tail) < _SLIGHT else ""


def preference(found: Histories, groups: ItemGroups) -> Preference | None:
    """Of all heads; None where fewer than two users, with two interactions or more, reach both the head and the tail."""
    kept = found.length > 1
    user, group = found.user[kept], groups.group[found.item[kept]]
    relative = found.share.mean(axis=0)[kept] * found.length[kept]
    size = 1 + int(user.max(initial=0))
    ends = []
    for place in (0, groups.count - 1):
        own = group == place
        counts = np.bincount(user[own], minlength=size)
        sums = np.bincount(user[own], relative[own], minlength=size)
        ends.append(np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0))
    both = ~np.isnan(ends[0]) & ~np.isnan(ends[1])
    if groups.count < 2 or both.sum() < 2:
        return None
    head, tail = (end[both] for end in ends)
    about = spread((head - tail).tolist())
    verdict = POPULAR if about.low > 0 else RARE if about.high < 0 else NEITHER
    return Preference(float(head.mean()), float(tail.mean()), int(both.sum()), verdict)


def relative_entropy(entropy_U: Array, length_U: Array) -> Array:
    """Entropy over ln n, within [0, 1]: 1 is attention to all alike; NaN for users with fewer than two interactions."""
    many = length_U > 1
    most = np.log(np.where(many, length_U, 2))
    return np.where(many, np.clip(entropy_U / most, 0.0, 1.0), np.nan)


def entropy_table(entropy_U: Array, length_U: Array) -> pd.DataFrame:
    """Relative entropy by length of the history: columns name, group, title, undefined, mean, low, high (95 % over users), size (users),
    nats (mean entropy), most (mean of ln n)."""
    many = length_U > 1
    length, relative = length_U[many], relative_entropy(entropy_U, length_U)[many]
    cut = grouped(length.astype(float), LENGTH_GROUPS)
    rows: list[tuple[object, ...]] = []
    for place in range(cut.count):
        own = cut.group == place
        if own.any():
            title = span(int(length[own].min()), int(length[own].max()))
            nats, most = float(entropy_U[many][own].mean()), float(np.log(length[own]).mean())
            means = mean_interval(relative[own])
            rows.append(("all users", len(rows), title, False, *means, int(own.sum()), nats, most))
    return pd.DataFrame(rows, columns=[*_COLUMNS, "nats", "most"])


def entropy_over_epochs(stated: Stated) -> pd.DataFrame:
    """Entropy over all users at every snapshot, in nats: columns epoch, name, mean, low, high (middle half of the users)."""
    columns = ["epoch", "name", "mean", "low", "high"]
    if stated.history is None:
        return pd.DataFrame(columns=columns)
    groups = list(stated.history.axes[0].labels)
    found = stated.history.values[:, groups.index("user") if "user" in groups else 0].astype(float)
    at = [STATISTICS.index(statistic) for statistic in ("mean", "q25", "q75")]
    rows = [
        (int(epoch), "all users", *now[at].tolist())
        for epoch, now in zip(stated.history.epochs, found, strict=True)
    ]
    return pd.DataFrame(rows, columns=columns)
