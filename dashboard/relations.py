"""What CIGF's findings say, as tables: attention, paths, spread and evolution, of the scored model or at an epoch.

Pure functions from findings to data frames. Heads are summed, since aggregation sums them (CIGF, Eq. 11).
"""

import numpy as np
import pandas as pd

from core.findings import Array, Axis, Finding, History, Links

GROUP_TITLES = {"user": "users", "item": "items"}
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
STORED_QUANTILES = {"q05": "q05", "q25": "q25", "median": "q50", "q75": "q75", "q95": "q95"}


def values_of(finding: Finding) -> Array:
    """The dense values of a finding. Raises ValueError for links."""
    if isinstance(finding.values, Links):
        raise ValueError(f"{finding.key}: expected an array, got links")
    return finding.values


def node_attention(finding: Finding, group: str) -> Array:
    """Attention of the nodes in `group`, heads summed: [start, order, node, relation]."""
    start, stop = finding.axis("node").groups[group]
    heads = values_of(finding)[:, :, :, start:stop]
    summed: Array = heads[:, :, 0] if heads.shape[2] == 1 else heads.sum(axis=2)
    return summed


def attention_table(finding: Finding, group: str) -> pd.DataFrame:
    """Mean attention over the nodes of `group`: columns order, start, relation, attention, nodes."""
    nodes = node_attention(finding, group)
    return _attention_rows(nodes.mean(axis=2, dtype=np.float64), finding.axes, nodes.shape[2])


def attention_table_at(history: History, epoch: int, group: str, nodes: int) -> pd.DataFrame:
    """`attention_table` at a snapshot epoch, from the stored means. nodes: how many stand behind them."""
    means = _history_statistic(history, group, "mean")[_place(history, epoch)]
    return _attention_rows(means, history.axes, nodes)


def _attention_rows(means: Array, axes: tuple[Axis, ...], nodes: int) -> pd.DataFrame:
    labels = {axis.name: axis.labels for axis in axes}
    rows = [
        (order, start, relation, float(means[k, place, b]), nodes)
        for place, order in enumerate(labels["order"])
        for k, start in enumerate(labels["start"])
        for b, relation in enumerate(labels["relation"])
    ]
    return pd.DataFrame(rows, columns=["order", "start", "relation", "attention", "nodes"])


def group_sizes(finding: Finding) -> dict[str, int]:
    """How many nodes each group has."""
    return {group: stop - start for group, (start, stop) in finding.axis("node").groups.items()}


def has_epoch(history: History | None, epoch: int) -> bool:
    """Whether `history` holds a snapshot of `epoch`."""
    return history is not None and epoch in history.epochs


def largest_weight(finding: Finding, history: History | None, group: str) -> float:
    """The largest absolute mean attention of `group`, now or at any snapshot: one colour scale for all epochs."""
    means = [np.abs(node_attention(finding, group).mean(axis=2, dtype=np.float64)).max()]
    if history is not None and len(history.epochs):
        means.append(np.abs(_history_statistic(history, group, "mean")).max())
    return float(max(means))


def _place(history: History, epoch: int) -> int:
    return [int(known) for known in history.epochs].index(epoch)


def _history_statistic(history: History, group: str, statistic: str) -> Array:
    """[epoch, start, order, relation] of one statistic; heads are summed, exact for means, an upper view otherwise."""
    names = ["epoch", *(axis.name for axis in history.axes)]
    by_name = {axis.name: axis for axis in history.axes}
    values = np.take(
        history.values, by_name["statistic"].labels.index(statistic), axis=names.index("statistic")
    )
    names.remove("statistic")
    values = np.take(values, by_name["node_group"].labels.index(group), axis=names.index("node_group"))
    names.remove("node_group")
    summed: Array = values.sum(axis=names.index("head"), dtype=np.float64)
    return summed


def evolution_table(history: History, group: str, start: str, order: str) -> pd.DataFrame:
    """Attention of one start and order over the epochs: columns epoch, relation, mean, q25, q75."""
    by_name = {axis.name: axis for axis in history.axes}
    k, place = by_name["start"].labels.index(start), by_name["order"].labels.index(order)
    stats = {s: _history_statistic(history, group, s)[:, k, place] for s in ("mean", "q25", "q75")}
    rows = [
        (int(epoch), relation, *(float(stats[s][e, b]) for s in stats))
        for b, relation in enumerate(by_name["relation"].labels)
        for e, epoch in enumerate(history.epochs)
    ]
    return pd.DataFrame(rows, columns=["epoch", "relation", "mean", "q25", "q75"])


def spread_table(finding: Finding, start: str, order: str) -> pd.DataFrame:
    """How attention spreads over users and over items: one row per group and relation with mean and quantiles."""
    k, place = finding.axis("start").labels.index(start), finding.axis("order").labels.index(order)
    rows = []
    for group, (first, last) in finding.axis("node").groups.items():
        if last == first:
            continue
        nodes = node_attention(finding, group)[k, place]
        for b, relation in enumerate(finding.axis("relation").labels):
            quantiles = dict(zip(QUANTILES, np.quantile(nodes[:, b], list(QUANTILES.values())).tolist()))
            name = GROUP_TITLES.get(group, group)
            rows.append(
                {"group": name, "relation": relation, "mean": float(nodes[:, b].mean())}
                | quantiles
                | {"nodes": len(nodes)}
            )
    return pd.DataFrame(rows)


def spread_table_at(
    history: History, epoch: int, sizes: dict[str, int], start: str, order: str
) -> pd.DataFrame:
    """`spread_table` at a snapshot epoch, from the stored quantiles; with several heads their sum, an approximation.

    sizes: nodes per group.
    """
    by_name = {axis.name: axis for axis in history.axes}
    k, place = by_name["start"].labels.index(start), by_name["order"].labels.index(order)
    rows = []
    for group in by_name["node_group"].labels:
        if not sizes.get(group):
            continue
        stored = {
            name: _history_statistic(history, group, statistic)[_place(history, epoch), k, place]
            for name, statistic in ({"mean": "mean"} | STORED_QUANTILES).items()
        }
        for b, relation in enumerate(by_name["relation"].labels):
            values = {name: float(statistic[b]) for name, statistic in stored.items()}
            title = GROUP_TITLES.get(group, group)
            rows.append({"group": title, "relation": relation} | values | {"nodes": sizes[group]})
    return pd.DataFrame(rows)


def paths_table(finding: Finding, group: str, history: History | None = None, epoch: int = 0) -> pd.DataFrame:
    """Every relation path of targets in `group`, strongest first: columns path, strength, support.

    history: where given, the strengths are those of its snapshot at `epoch`; support does not change in training.
    """
    target = finding.axis("target").labels.index(group)
    strength = (values_of(finding) if history is None else history.values[_place(history, epoch)])[target]
    support = finding.support[target] if finding.support is not None else np.zeros(len(strength))
    table = pd.DataFrame(
        {
            "path": finding.axis("path").labels,
            "strength": strength.astype(float),
            "support": np.rint(support).astype(np.int64),
        }
    )
    return table.sort_values("strength", ascending=False, ignore_index=True)


def is_extrapolated(finding: Finding) -> bool:
    """Whether the support of relation paths was counted on a sample of targets and scaled up."""
    return "extrapolated" in finding.note


def pairs_text(pairs: float, extrapolated: bool) -> str:
    """A number of pairs as precise as it is known: `712,345` counted, `≈ 710,000` extrapolated."""
    return f"≈ {float(f'{pairs:.2g}'):,.0f}" if extrapolated else f"{pairs:,.0f}"


def extremes(paths: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """The `count` strongest and the `count` weakest paths, each path once, with a column `place` (top or bottom)."""
    top = paths.head(count).assign(place="top")
    bottom = paths.iloc[max(count, len(paths) - count) :].assign(place="bottom")
    return pd.concat([top, bottom], ignore_index=True)


def equal_but_hidden(paths: pd.DataFrame, count: int = 3) -> tuple[int, int]:
    """How many paths `extremes` leaves out though they are as strong as its last top or as weak as its first bottom."""
    rest = paths["strength"].iloc[count : max(count, len(paths) - count)].to_numpy()
    if not len(rest):
        return 0, 0
    top, bottom = paths["strength"].iloc[count - 1], paths["strength"].iloc[len(paths) - count]
    return int(np.isclose(rest, top, rtol=1e-6).sum()), int(np.isclose(rest, bottom, rtol=1e-6).sum())


def path_label(composition: str, start: str, relation: str) -> str:
    """The order-2 path of (start, relation), read from the target node outward.

    Recursive composition puts the start behaviour at the far end (last), target composition next to the target (first).
    """
    return f"{relation} > {start}" if composition == "recursive" else f"{start} > {relation}"


def start_place(composition: str) -> str:
    """Where on a path, read from the target outward, its start behaviour lies."""
    return "at the far end" if composition == "recursive" else "next to the target"
