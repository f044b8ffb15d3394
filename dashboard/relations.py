"""What CIGF's findings say, as tables: attention, paths, spread, evolution, segments, and the sentence that answers.

Pure functions from findings to data frames. Heads are summed, since aggregation sums them (CIGF, Eq. 11).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.findings import Array, Axis, Finding, History, Links

GROUP_TITLES = {"user": "users", "item": "items"}
QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


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


def attention_table_at(history: History, epoch: int, group: str) -> pd.DataFrame:
    """`attention_table` at a snapshot epoch, from the stored means."""
    axes = {axis.name: (place, axis) for place, axis in enumerate(history.axes)}
    means = _history_statistic(history, group, "mean")[list(history.epochs).index(epoch)]
    return _attention_rows(means, tuple(axis for _, axis in axes.values()), 0)


def _attention_rows(means: Array, axes: tuple[Axis, ...], nodes: int) -> pd.DataFrame:
    labels = {axis.name: axis.labels for axis in axes}
    rows = [
        (order, start, relation, float(means[k, place, b]), nodes)
        for place, order in enumerate(labels["order"])
        for k, start in enumerate(labels["start"])
        for b, relation in enumerate(labels["relation"])
    ]
    return pd.DataFrame(rows, columns=["order", "start", "relation", "attention", "nodes"])


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


def paths_table(finding: Finding, group: str) -> pd.DataFrame:
    """Every relation path that ends in `group`, strongest first: columns path, strength, support."""
    target = finding.axis("target").labels.index(group)
    strength = values_of(finding)[target]
    support = finding.support[target] if finding.support is not None else np.zeros(len(strength))
    table = pd.DataFrame(
        {
            "path": finding.axis("path").labels,
            "strength": strength.astype(float),
            "support": np.rint(support).astype(np.int64),
        }
    )
    return table.sort_values("strength", ascending=False, ignore_index=True)


def extremes(paths: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """The `count` strongest and the `count` weakest paths, each path once, with a column `place` (top or bottom)."""
    top = paths.head(count).assign(place="top")
    bottom = paths.iloc[max(count, len(paths) - count) :].assign(place="bottom")
    return pd.concat([top, bottom], ignore_index=True)


def path_label(composition: str, start: str, relation: str) -> str:
    """The order-2 path of (start, relation), read from the target node outward.

    Recursive composition puts the start behaviour innermost (last), target composition next to the target (first).
    """
    return f"{relation} > {start}" if composition == "recursive" else f"{start} > {relation}"


@dataclass(frozen=True)
class Leader:
    """The order-2 path that weighs most for the largest share of nodes, and who comes second."""

    path: str
    share: float
    nodes: int
    runner_up: str
    runner_up_share: float


def leading_path(finding: Finding, group: str, composition: str) -> Leader:
    """Count, over the nodes of `group`, which (start, relation) has the largest attention at the lowest order."""
    nodes = node_attention(finding, group)[:, 0]
    starts, relations = finding.axis("start").labels, finding.axis("relation").labels
    flat = np.moveaxis(nodes, 1, 0).reshape(nodes.shape[1], -1)
    counts = np.bincount(flat.argmax(axis=1), minlength=len(starts) * len(relations))
    first, second = np.argsort(-counts, kind="stable")[:2]

    def name(place: int) -> str:
        start, relation = divmod(int(place), len(relations))
        return path_label(composition, starts[start], relations[relation])

    total = int(counts.sum())
    return Leader(name(first), counts[first] / total, total, name(second), counts[second] / total)


# Below this ratio of deviation to size, attention acts as one weight for all nodes.
IMPERSONAL = 0.01


def personal_ratio(finding: Finding, group: str) -> float:
    """How much attention differs between the nodes of `group`: standard deviation over nodes, averaged over starts,
    orders and relations, divided by the mean absolute attention. 0 where it is the same for all."""
    nodes = node_attention(finding, group).astype(np.float64)
    size = float(np.abs(nodes).mean())
    return float(nodes.std(axis=2).mean()) / size if size else 0.0


def segment_table(finding: Finding, segments: Mapping[str, Array], start: str, order: str) -> pd.DataFrame:
    """Mean attention of each segment's users: columns segment, relation, attention, users.

    segments: name -> indices of its users.
    """
    k, place = finding.axis("start").labels.index(start), finding.axis("order").labels.index(order)
    nodes = node_attention(finding, "user")[k, place]
    rows = [
        (segment, relation, float(nodes[users, b].mean()), len(users))
        for segment, users in segments.items()
        if len(users)
        for b, relation in enumerate(finding.axis("relation").labels)
    ]
    return pd.DataFrame(rows, columns=["segment", "relation", "attention", "users"])


def segment_sentences(table: pd.DataFrame, decisive: Mapping[str, str]) -> list[str]:
    """For each segment whose decisive relation was weighed: whether its users weigh it more than all other users do.

    table: as from `segment_table`. decisive: segment -> relation its purchases follow.
    """
    sentences = []
    for segment, relation in sorted(decisive.items()):
        rows = table[table["relation"] == relation]
        own, others = rows[rows["segment"] == segment], rows[rows["segment"] != segment]
        if own.empty or others.empty:
            continue
        mine = float(own["attention"].iloc[0])
        rest = float(np.average(others["attention"], weights=others["users"]))
        verdict = "more than" if mine > rest else "not more than"
        sentences.append(
            f"**{segment}s** buy what they {_VERBS.get(relation, relation)}: they weigh *{relation}* "
            f"{mine:+.4f}, **{verdict}** everybody else ({rest:+.4f})."
        )
    return sentences


_VERBS = {"favorite": "favourited", "cart": "put in the cart", "view": "viewed", "buy": "bought"}
