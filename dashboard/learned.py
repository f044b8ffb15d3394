"""What any finding says, as tables, chosen by its kind and axes alone: bars, cells, means over nodes, linked items. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from core.errors import RunError
from core.findings import STATISTICS, Array, Axis, Finding, History, Kind, Links

# A figure names at most so many positions of an axis; of a longer one it shows the largest.
MOST_LABELS = 30
# Values whose range is smaller than this part of the largest are told as alike.
ALIKE = 0.01
NODE, NODE_GROUP, STATISTIC = "node", "node_group", "statistic"
LOW, HIGH = "q05", "q95"
# Per axis that is not drawn: the position to look at, or None for the mean over all of them.
Picks = Mapping[str, int | None]


class Form(StrEnum):
    """Which figure or table shows a finding."""

    BARS = "bars"  # one axis
    CELLS = "cells"  # two axes
    NODES = "nodes"  # means over users and over items, along one more axis
    LINKS = "links"
    POINTS = "points"


def form(finding: Finding) -> Form:
    """The form of `finding`, by its kind and axes."""
    if finding.kind is Kind.POINT:
        return Form.POINTS
    if isinstance(finding.values, Links):
        return Form.LINKS
    if any(axis.name == NODE for axis in finding.axes):
        return Form.NODES
    return Form.CELLS if len(finding.axes) > 1 else Form.BARS


def drawn_axes(finding: Finding) -> tuple[Axis, ...]:
    """The axes that the figure shows: the last two, beside means over nodes only the last (along which shares sum to 1)."""
    others = tuple(axis for axis in finding.axes if axis.name != NODE)
    return others[-1:] if form(finding) is Form.NODES else others[-2:]


def picked_axes(finding: Finding) -> tuple[Axis, ...]:
    """The axes that are neither drawn nor nodes: on each a position is picked, or the mean taken."""
    drawn = drawn_axes(finding)
    return tuple(axis for axis in finding.axes if axis.name != NODE and axis not in drawn)


def labels_of(axis: Axis) -> tuple[str, ...]:
    """A name per position; axes that name none are counted from 0."""
    return axis.labels or tuple(str(place) for place in range(axis.size))


def groups_of(finding: Finding) -> dict[str, tuple[int, int]]:
    """The ranges of the node axis, empty ones left out; `all` where it is not cut into groups."""
    node = finding.axis(NODE)
    groups = node.groups or {"all": (0, node.size)}
    return {name: (start, stop) for name, (start, stop) in groups.items() if stop > start}


def fits(finding: Finding, history: History | None) -> bool:
    """Whether `history` holds at least one snapshot of what `finding` states."""
    if history is None or isinstance(finding.values, Links) or not len(history.epochs):
        return False
    axes = finding.axes
    if form(finding) is Form.NODES:
        groups = Axis.labelled(NODE_GROUP, tuple(finding.axis(NODE).groups or ("all",)))
        rest = tuple(axis for axis in axes if axis.name != NODE)
        axes = (*rest, groups, Axis.labelled(STATISTIC, STATISTICS))
    return history.axes == axes


def is_last_snapshot(finding: Finding, history: History) -> bool:
    """Whether `finding` is the history's last snapshot, as probes of a batch are, which the scored model never makes."""
    if isinstance(finding.values, Links) or finding.values.shape != history.values.shape[1:]:
        return False
    return np.array_equal(finding.values.astype(history.values.dtype), history.values[-1])


def table_of(finding: Finding, picks: Picks) -> pd.DataFrame:
    """The values of `finding`, one row per position (and group of nodes).

    Columns: group (of nodes, otherwise empty), row (empty where one axis is drawn), label, value, low and high (5th and
    95th percentile over the group's nodes), nodes, support (summed over axes whose mean is taken). What is not known is
    NaN. Raises RunError for links.
    """
    values = dense(finding)
    names = [axis.name for axis in finding.axes]
    cut = _cut(values, names, picks)
    if form(finding) is not Form.NODES:
        support = None if finding.support is None else _cut(finding.support, names, picks, total=True)
        return _rows(drawn_axes(finding), {"value": cut, "support": support})
    left = [name for name in names if name not in picks]
    by_node = np.moveaxis(cut, left.index(NODE), 0)
    parts = []
    for group, (start, stop) in groups_of(finding).items():
        low, high = np.quantile(by_node[start:stop], (0.05, 0.95), axis=0)
        spread = {"value": by_node[start:stop].mean(axis=0, dtype=float), "low": low, "high": high}
        parts.append(_rows(drawn_axes(finding), spread, group, stop - start))
    return pd.concat(parts, ignore_index=True)


def table_at(finding: Finding, history: History, epoch: int, picks: Picks) -> pd.DataFrame:
    """`table_of` at the snapshot of `epoch`, which must be one of the history's, without support.

    Of nodes a history keeps means and percentiles: the percentiles of a mean over another axis are not known.
    """
    values = history.values[[int(known) for known in history.epochs].index(epoch)]
    names = [axis.name for axis in history.axes]
    cut = _cut(values, names, picks)
    if form(finding) is not Form.NODES:
        return _rows(drawn_axes(finding), {"value": cut})
    left = [name for name in names if name not in picks]
    cut = np.moveaxis(cut, (left.index(NODE_GROUP), left.index(STATISTIC)), (0, 1))
    parts = []
    for place, group in enumerate(finding.axis(NODE).groups or ("all",)):
        if group in groups_of(finding):
            start, stop = groups_of(finding)[group]
            spread = {s: cut[place, STATISTICS.index(s)] for s in _known(finding, picks)}
            named = {"value": spread["mean"], "low": spread.get(LOW), "high": spread.get(HIGH)}
            parts.append(_rows(drawn_axes(finding), named, group, stop - start))
    return pd.concat(parts, ignore_index=True)


def dense(finding: Finding) -> Array:
    """The values of a finding that is no links. Raises RunError for links."""
    if isinstance(finding.values, Links):
        raise RunError(f"{finding.key}: expected an array, got links; repeat the run to write it again")
    return finding.values


def _cut(values: Array, names: Sequence[str], picks: Picks, *, total: bool = False) -> Array:
    """`values` at the picked positions, as a mean (or `total`) where none is picked; other axes keep their order."""
    left = list(names)
    # positions first: means are then taken of what is left
    for name, place in sorted(picks.items(), key=lambda pick: pick[1] is None):
        at = left.index(name)
        left.remove(name)
        if place is not None:
            values = values.take(place, axis=at)
        else:
            values = values.sum(axis=at) if total else values.mean(axis=at, dtype=float)
    return values


def _rows(
    axes: tuple[Axis, ...], columns: Mapping[str, Array | None], group: str = "", nodes: int | None = None
) -> pd.DataFrame:
    rows = labels_of(axes[0]) if len(axes) > 1 else ("",)
    labels = labels_of(axes[-1]) if axes else ("value",)
    flat = {
        name: np.asarray(columns[name], dtype=float).ravel() if columns.get(name) is not None else np.nan
        for name in ("value", "low", "high")
    }
    known = columns.get("support")
    support = np.asarray(known, dtype=float).ravel() if known is not None else np.nan
    return pd.DataFrame(
        {
            "group": group,
            "row": np.repeat(np.array(rows, dtype=object), len(labels)),
            "label": np.tile(np.array(labels, dtype=object), len(rows)),
            **flat,
            "nodes": np.nan if nodes is None else nodes,
            "support": support,
        }
    )


def cut_long(table: pd.DataFrame, column: str, most: int = MOST_LABELS) -> pd.DataFrame:
    """The rows of the `most` names in `column` with the largest absolute values, in their old order."""
    if table[column].nunique() <= most:
        return table
    size = table["value"].abs().groupby(table[column], sort=False).max()
    kept = size.sort_values(ascending=False, kind="stable").index[:most]
    return table[table[column].isin(kept)].reset_index(drop=True)


def reach(finding: Finding, history: History | None, picks: Picks) -> float:
    """The largest absolute value drawn, now or at any snapshot, percentiles included: one scale for all epochs."""
    now = np.nanmax(table_of(finding, picks)[["value", "low", "high"]].abs().to_numpy(dtype=float))
    if history is None or not fits(finding, history):
        return float(now) or 1.0
    values = _cut(history.values, ["epoch", *(axis.name for axis in history.axes)], picks)
    if form(finding) is Form.NODES:
        kept = [STATISTICS.index(s) for s in _known(finding, picks)]
        values = values[..., kept]
    return float(max(now, np.abs(values).max())) or 1.0


def _known(finding: Finding, picks: Picks) -> tuple[str, ...]:
    """The statistics of nodes that a history knows: of a mean over another axis only the mean."""
    mixed = any(picks[axis.name] is None and axis.size > 1 for axis in picked_axes(finding))
    return ("mean",) if mixed else ("mean", LOW, HIGH)


@dataclass(frozen=True)
class Extremes:
    """Where a table is largest and smallest. most, least: (row, label, value). alike: they hardly differ. below: values
    under zero, of `count`."""

    most: tuple[str, str, float]
    least: tuple[str, str, float]
    alike: bool
    below: int
    count: int


def extremes(table: pd.DataFrame) -> Extremes:
    """`table`: of one group, as from `table_of`, not empty."""
    values = table["value"].to_numpy(dtype=float)
    ends = [
        (str(table["row"].iloc[place]), str(table["label"].iloc[place]), float(values[place]))
        for place in (int(values.argmax()), int(values.argmin()))
    ]
    alike = len(values) > 1 and np.ptp(values) <= ALIKE * max(np.abs(values).max(), 1e-12)
    return Extremes(ends[0], ends[1], bool(alike), int((values < 0).sum()), len(values))


def linked_rows(finding: Finding) -> Array:
    """The rows that have links at all, those with most support (otherwise most links) first."""
    links = _links(finding)
    counts = np.diff(links.indptr)
    owner = np.repeat(np.arange(len(counts)), counts)
    weight = counts if finding.support is None else np.bincount(owner, finding.support, len(counts))
    order = np.argsort(-weight, kind="stable")
    return order[counts[order] > 0]


def matching(wanted: str, names: Sequence[str], rows: Array) -> list[int]:
    """Those of `rows` whose number is `wanted` or whose name contains it, however capitalised; the number first."""
    text = wanted.strip().casefold()
    found = [int(row) for row in rows if text in names[row].casefold()]
    exact = [int(text)] if text.isascii() and text.isdigit() and int(text) in set(rows.tolist()) else []
    return exact + [row for row in found if row not in exact]


def links_table(finding: Finding, row: int, names: Sequence[str]) -> pd.DataFrame:
    """What `row` is linked to, largest value first: columns place, name, number, value, support (NaN where unknown)."""
    links = _links(finding)
    entries = slice(int(links.indptr[row]), int(links.indptr[row + 1]))
    support = np.nan if finding.support is None else finding.support[entries]
    table = pd.DataFrame({"number": links.index[entries], "value": links.value[entries], "support": support})
    table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "name", [names[number] for number in table["number"]])
    table.insert(0, "place", range(1, len(table) + 1))
    return table


def _links(finding: Finding) -> Links:
    if not isinstance(finding.values, Links):
        raise RunError(f"{finding.key}: expected links, got an array; repeat the run to write it again")
    return finding.values
