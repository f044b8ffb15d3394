"""Metrics and gates by groups of users, cut by the correlation of their behaviours, as tables. Pure.

Source: CIGF, Section 5.4.2, Figure 8 and Eqs. 25 and 26.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.groups import UNDEFINED, Grouping, Rule, group_means, grouped, similar_activity
from core.findings import Array
from dashboard.gates import Gates

NUM_GROUPS = 6
UNDEFINED_TITLE = "undefined"
_DEGREE = "degree_"
_COLUMNS = ["name", "group", "title", "undefined", "mean", "low", "high", "size"]


@dataclass(frozen=True, eq=False)
class UserGroups:
    """Evaluated users and their groups. users: [V], rising. pairs: [V], training pairs of each under all behaviours."""

    users: Array
    grouping: Grouping
    pairs: Array

    def take(self, users: Array) -> tuple[Array, Grouping]:
        """Which of `users` (a mask) are among these, and the groups of those."""
        kept = np.isin(users, self.users)
        place = np.searchsorted(self.users, users[kept])
        return kept, Grouping(self.grouping.edges, self.grouping.group[place])


def user_groups(profile: pd.DataFrame, users: Array, rule: Rule, *, similar: bool) -> UserGroups:
    """The evaluated `users` in six groups by correlation. similar: only those of similar activity.

    profile: columns user, correlation and degree_<behavior> (training pairs), one row per user of the data set.
    """
    about = profile.set_index("user").reindex(np.unique(users))
    degrees = about[[name for name in map(str, about.columns) if name.startswith(_DEGREE)]]
    pairs = degrees.sum(axis=1).to_numpy(dtype=float)
    kept = similar_activity(pairs) if similar else np.ones(len(pairs), dtype=bool)
    correlation = about["correlation"].to_numpy(dtype=float)[kept]
    return UserGroups(
        about.index.to_numpy(dtype=np.int64)[kept], grouped(correlation, NUM_GROUPS, rule), pairs[kept]
    )


def group_titles(grouping: Grouping) -> dict[int, str]:
    """Each group by the correlations it holds: `0.16 to 0.28`, with more digits where edges would look alike;
    `1.00` for the users of the greatest value, where they are a group.
    """
    edges = grouping.edges
    digits = next(
        (d for d in (2, 3, 4) if len({f"{edge:.{d}f}" for edge in edges}) == len(set(edges.tolist()))), 6
    )
    shown = [f"{round(edge, digits) + 0.0:.{digits}f}".replace("-", "−") for edge in edges.tolist()]
    titles = {g: f"{shown[g]} to {shown[g + 1]}" for g in range(grouping.count)}
    last = grouping.count - 1
    if last >= 0 and edges[last] == edges[-1]:
        titles[last] = shown[last]
        titles |= {last - 1: f"{shown[last - 1]} to below {shown[last]}"} if last else {}
    return titles | {UNDEFINED: UNDEFINED_TITLE}


def metric_table(values: Mapping[str, pd.DataFrame], groups: UserGroups) -> pd.DataFrame:
    """A metric per run and group of users, with 95 % intervals: columns name, group, title, undefined, mean, low, high, size.

    values: name of a run -> columns user, value. Users without a correlation form a group of their own, the last one.
    """
    rows: list[tuple[object, ...]] = []
    for name, table in values.items():
        kept, grouping = groups.take(table["user"].to_numpy())
        rows += _rows(name, table["value"].to_numpy()[kept], grouping)
    return pd.DataFrame(rows, columns=_COLUMNS)


def gate_by_group(gates: Gates, task: str, groups: UserGroups) -> pd.DataFrame:
    """The gate of `task` per expert and group of users: columns as in `metric_table`, `name` is the expert.

    Pairs of one user are averaged first, so that intervals count users, which are independent, and not pairs.
    """
    kept, _ = groups.take(gates.users)
    per_user = pd.DataFrame(gates.of(task)[kept], columns=list(gates.experts))
    per_user = per_user.groupby(gates.users[kept]).mean()
    _, grouping = groups.take(per_user.index.to_numpy())
    rows: list[tuple[object, ...]] = []
    for expert in gates.experts:
        rows += _rows(expert, per_user[expert].to_numpy(), grouping)
    return pd.DataFrame(rows, columns=_COLUMNS)


def _rows(name: str, values: Array, grouping: Grouping) -> list[tuple[object, ...]]:
    titles = group_titles(grouping)
    return [
        (
            name,
            grouping.count if row.group == UNDEFINED else row.group,
            titles[row.group],
            row.group == UNDEFINED,
            row.mean,
            row.low,
            row.high,
            row.size,
        )
        for row in group_means(values, grouping)
    ]


def size_table(groups: UserGroups) -> pd.DataFrame:
    """Columns group (its title), users, pairs (median training pairs of a user), so that activity is seen beside correlation."""
    titles, rows = group_titles(groups.grouping), []
    for place in [*range(groups.grouping.count), UNDEFINED]:
        own = groups.pairs[groups.grouping.group == place]
        if len(own) or place != UNDEFINED:
            rows.append((titles[place], len(own), float(np.median(own)) if len(own) else np.nan))
    return pd.DataFrame(rows, columns=["group", "users", "pairs"])


@dataclass(frozen=True)
class Trend:
    """A metric in the lowest and the highest defined group of one run. apart: whether their intervals do not overlap; None
    where one of them has no interval, its users being all alike. peak, dip: title and mean of a group between them that
    lies above, or below, both.
    """

    name: str
    low_title: str
    high_title: str
    lowest: float
    highest: float
    apart: bool | None
    peak: tuple[str, float] | None = None
    dip: tuple[str, float] | None = None


def trends(table: pd.DataFrame) -> list[Trend]:
    """How each run's metric moves from the least to the most correlated users; runs with fewer than two groups are left out."""
    found = []
    defined = table[~table["undefined"] & (table["size"] > 1)]
    for name, part in defined.groupby("name", sort=False):
        if len(part) < 2:
            continue
        first, last = part.iloc[0], part.iloc[-1]
        apart: bool | None = bool(first["high"] < last["low"] or last["high"] < first["low"])
        if np.isnan([first["low"], last["low"]]).any():
            apart = None
        found.append(
            Trend(
                str(name),
                first["title"],
                last["title"],
                float(first["mean"]),
                float(last["mean"]),
                apart,
                *_between(part),
            )
        )
    return found


def _between(part: pd.DataFrame) -> tuple[tuple[str, float] | None, tuple[str, float] | None]:
    """The highest and the lowest of the inner groups, where they lie above, or below, both ends."""
    ends = [float(part["mean"].iloc[place]) for place in (0, -1)]
    inner = [
        (str(title), float(mean)) for title, mean in zip(part["title"].iloc[1:-1], part["mean"].iloc[1:-1])
    ]
    peak = max(inner, key=lambda group: group[1], default=None)
    dip = min(inner, key=lambda group: group[1], default=None)
    return (
        peak if peak is not None and peak[1] > max(ends) else None,
        dip if dip is not None and dip[1] < min(ends) else None,
    )
