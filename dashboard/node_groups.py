"""Users by activity and items by popularity, and what a model says of each group's nodes, with intervals. Pure.

V nodes of one side, G groups, S series. Groups rise with the number of training pairs; never trained nodes stand apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluation.groups import UNDEFINED, Grouping, group_means, grouped
from core.evaluation.item_groups import ItemRule, item_groups
from core.findings import Array
from dashboard.longtail import HEAD, TAIL, item_titles, span

USER_GROUPS = 5
UNTRAINED = "never trained"
COLUMNS = ["measure", "series", "side", "group", "title", "undefined", "mean", "low", "high", "size"]


@dataclass(frozen=True, eq=False)
class NodeGroups:
    """Nodes of one side, cut by their training pairs. grouping: its UNDEFINED nodes were never trained. titles: [G]."""

    side: str
    grouping: Grouping
    titles: tuple[str, ...]

    def title(self, place: int) -> str:
        return UNTRAINED if place == UNDEFINED else self.titles[place]

    @property
    def is_head(self) -> Array:
        """The nodes of the last group, [V]."""
        mask: Array = self.grouping.group == max(self.grouping.count - 1, 0)
        return mask

    @property
    def is_tail(self) -> Array:
        """The nodes of the first group and those never trained, [V]."""
        mask: Array = self.grouping.group < 1
        return mask


def users_by_activity(pairs_V: Array) -> NodeGroups:
    """Users in at most five groups of equal count by their training pairs; users of one number stay together."""
    known = pairs_V.astype(float)
    known[pairs_V == 0] = np.nan
    cut = grouped(known, USER_GROUPS)
    titles = []
    for place in range(cut.count):
        own = pairs_V[cut.group == place]
        titles.append(span(int(own.min()), int(own.max())) if len(own) else "nobody")
    return NodeGroups("user", cut, tuple(titles))


def items_by_popularity(pairs_V: Array, rule: ItemRule) -> NodeGroups:
    """Items from tail to head, cut as on the page Long tail, but for those never trained, which stand apart here."""
    trained = np.flatnonzero(pairs_V > 0)
    cut = item_groups(pairs_V[trained], rule)
    group = np.full(len(pairs_V), UNDEFINED, dtype=np.int64)
    group[trained] = cut.count - 1 - cut.group
    titles = tuple(reversed(item_titles(cut))) if len(trained) else ()
    return NodeGroups("item", Grouping(np.arange(len(titles) + 1, dtype=float), group), titles)


@dataclass(frozen=True, eq=False)
class Measure:
    """What is known of every node of one side: `values` [V, S], one column per name in `series`, all `within` a range."""

    name: str
    side: str
    values: Array
    series: Sequence[str]
    within: tuple[float, float]


def group_table(measures: Sequence[Measure], groups: dict[str, NodeGroups]) -> pd.DataFrame:
    """Mean and 95 % interval per measure, series, side and group of nodes: columns COLUMNS, groups rising, untrained last.

    Users never trained are left out: without any item they have no representation of modalities. Items have their features.
    """
    rows: list[tuple[object, ...]] = []
    for measure in measures:
        own = groups[measure.side]
        for place, series in enumerate(measure.series):
            rows += [
                (
                    measure.name,
                    series,
                    measure.side,
                    own.grouping.count if row.group == UNDEFINED else row.group,
                    own.title(row.group),
                    row.group == UNDEFINED,
                    row.mean,
                    row.low,
                    row.high,
                    row.size,
                )
                for row in group_means(measure.values[:, place], own.grouping, measure.within)
                if row.group != UNDEFINED or measure.side == "item"
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


@dataclass(frozen=True)
class Ends:
    """The groups of one side and measure with the largest and the smallest mean. apart: their intervals do not overlap."""

    most: str
    least: str
    highest: float
    lowest: float
    apart: bool


def ends(table: pd.DataFrame, measure: str, side: str) -> Ends | None:
    """The extreme groups of two trained nodes or more, None for fewer than two such groups. table: of `group_table`."""
    counts = (table["size"] > 1) & ~table["undefined"].astype(bool)
    part = table[(table["measure"] == measure) & (table["side"] == side) & counts]
    if len(part) < 2:
        return None
    ordered = part.sort_values("mean", kind="stable")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    apart = bool(first["high"] < last["low"])
    return Ends(str(last["title"]), str(first["title"]), float(last["mean"]), float(first["mean"]), apart)


def whom(title: str, side: str) -> str:
    """A trained group in a sentence: `users with 4 to 7 training pairs`, `items of the tail`."""
    name, _, pairs = title.rpartition(": ")
    if side == "item" and name in (HEAD, TAIL):
        return f"items of the {name}"
    return f"{side}s with {pairs} training pair{'' if pairs == '1' else 's'}"
