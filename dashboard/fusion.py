"""Which sources HGIB's fusion listens to, by group of users and items, as tables. Pure. Source: HGIB, Section 4.5."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.groups import grouped
from core.findings import Array, Finding
from dashboard import learned
from dashboard.information import Stated

ACTIVITY_GROUPS = 4
COLUMNS = ["group", "side", "source", "share", "deviation", "nodes"]
# Two mean shares that differ by less are told as alike.
CLOSE = 0.01


def activity_groups(pairs_V: Array, users_V: Array) -> dict[str, Array]:
    """Users in at most four groups of equal count by their training pairs of the target: title -> indices of users.

    Users with one number of pairs stay together.
    """
    cut = grouped(pairs_V.astype(float), ACTIVITY_GROUPS)
    found: dict[str, Array] = {}
    for place in range(cut.count):
        own = cut.group == place
        if own.any():
            low, high = int(pairs_V[own].min()), int(pairs_V[own].max())
            found[f"{low:,}" if low == high else f"{low:,} to {high:,}"] = users_V[own].astype(np.int64)
    return found


def share_table(stated: Stated, groups: Mapping[str, tuple[str, Array | None]]) -> pd.DataFrame:
    """Mean share of every source by group of nodes: columns COLUMNS, the deviation over the group's nodes.

    groups: title -> side and indices within that side, None for all of it. Empty groups and indices beyond are left out.
    """
    finding, sources = stated.finding, stated.labels("source")
    rows: list[tuple[object, ...]] = []
    for title, (side, chosen) in groups.items():
        shares = _members(finding, side, chosen)
        if len(shares):
            mean, deviation = shares.mean(axis=0, dtype=float), shares.std(axis=0, dtype=float)
            rows += [
                (title, side, s, float(mean[k]), float(deviation[k]), len(shares))
                for k, s in enumerate(sources)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _members(finding: Finding, side: str, chosen: Array | None) -> Array:
    values = learned.dense(finding)
    start, stop = finding.axis("node").groups.get(side, (0, 0))
    part = values[start:stop]
    return part if chosen is None else part[chosen[chosen < len(part)]]


def share_table_at(stated: Stated, epoch: int) -> pd.DataFrame:
    """As `share_table` of all users and all items at the snapshot of `epoch`, which must be one: deviations are not kept."""
    assert stated.history is not None
    table = learned.table_at(stated.finding, stated.history, epoch, {})
    told = {
        "title": "all " + table["group"].astype(str) + "s",
        "source": table["label"],
        "share": table["value"],
    }
    found = pd.DataFrame(told).assign(side=table["group"], deviation=np.nan, nodes=table["nodes"])
    return found.rename(columns={"title": "group"})[COLUMNS]


@dataclass(frozen=True)
class Leader:
    """The sources with the largest mean share of a group, several where they are close. even: the share of each if none led."""

    group: str
    sources: tuple[str, ...]
    share: float
    even: float

    @property
    def is_flat(self) -> bool:
        """Whether nothing leads by more than CLOSE."""
        return self.share - self.even < CLOSE


def leader(table: pd.DataFrame, group: str) -> Leader | None:
    """Who leads in `group`, None where the table lacks it."""
    part = table[table["group"] == group].sort_values("share", ascending=False, kind="stable")
    if part.empty:
        return None
    most = float(part["share"].iloc[0])
    close = part[part["share"] > most - CLOSE]["source"]
    return Leader(group, tuple(map(str, close)), most, 1 / len(part))


def moves(table: pd.DataFrame, first: str, last: str) -> pd.DataFrame:
    """How every source's share moves from group `first` to `last`: columns source, first, last, change, the largest move first."""
    wide = table.pivot(index="source", columns="group", values="share")
    found = pd.DataFrame(
        {"source": wide.index, "first": wide[first].to_numpy(), "last": wide[last].to_numpy()}
    )
    found["change"] = found["last"] - found["first"]
    return found.sort_values("change", key=np.abs, ascending=False, kind="stable", ignore_index=True)
