"""What HGIB's edge refinement does to each graph: edges kept, their weights, and whether weights find planted noise. Pure.

Source: HGIB, Eq. 10.
"""

import numpy as np
import pandas as pd

from core.findings import Array
from dashboard.information import Stated

TRAINING, EVALUATION = "training", "evaluation"
WEIGHT, DEALT, COUNT = "edge weight", "dealt at random", "users of the item"
AMONG_PRUNED, AMONG_ALL, FOUND = "noise among pruned", "noise among all", "noise that is pruned"
BETTER, WORSE, CHANCE = "better", "worse", "no better"
# 95 % of a normal variable lie within so many deviations.
_Z = 1.959964


def keep_table(keep: Stated, histogram: Stated | None, epoch: int | None) -> pd.DataFrame:
    """One row per graph: columns graph, edges (NaN where unknown), training, evaluation (shares kept), dropped (edges
    expected to be dropped in training), weight (mean of the edges' weights in evaluation, from the middles of bins).
    """
    graphs, noise = keep.labels("graph"), keep.labels("noise")
    rates = keep.values(epoch).astype(float)
    support = keep.finding.support
    edges = np.full(len(graphs), np.nan) if support is None else support[:, 0].astype(float)
    shares = {
        name: rates[:, noise.index(name)] if name in noise else np.nan for name in (TRAINING, EVALUATION)
    }
    table = pd.DataFrame({"graph": graphs, "edges": edges, **shares})
    table["dropped"] = table["edges"] * (1 - table[TRAINING])
    weights = histogram_table(histogram, epoch) if histogram is not None else None
    table["weight"] = table["graph"].map(_mean_weights(weights)) if weights is not None else np.nan
    return table


def histogram_table(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """Columns graph, bin, low, high (weights), edges, share (of the graph's edges), total (edges of the graph)."""
    graphs, bins = stated.labels("graph"), stated.labels("bin")
    counts = stated.values(epoch).astype(float)
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    edges = np.linspace(0, 1, len(bins) + 1)
    return pd.DataFrame(
        {
            "graph": np.repeat(np.array(graphs, dtype=object), len(bins)),
            "bin": np.tile(np.array(bins, dtype=object), len(graphs)),
            "low": np.tile(edges[:-1], len(graphs)),
            "high": np.tile(edges[1:], len(graphs)),
            "edges": counts.ravel(),
            "share": share.ravel(),
            "total": np.repeat(total.ravel(), len(bins)),
        }
    )


def _mean_weights(table: pd.DataFrame) -> pd.Series:
    middles = table["share"] * (table["low"] + table["high"]) / 2
    means = middles.groupby(table["graph"]).sum()
    return means.where(table.groupby("graph")["total"].first() > 0)


def area_interval(area: Array, noise: Array, others: Array) -> tuple[Array, Array]:
    """95 % interval of an area under the ROC curve of `noise` edges against `others`, cut to [0, 1]; NaN where either
    is none. Source: Hanley and McNeil 1982.
    """
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    pairs = np.where((noise > 0) & (others > 0), noise * others, np.nan)
    square = area**2
    variance = area * (1 - area) + (noise - 1) * (first - square) + (others - 1) * (second - square)
    half = _Z * np.sqrt(np.maximum(variance, 0) / pairs)
    return np.clip(area - half, 0, 1), np.clip(area + half, 0, 1)


def detection_table(stated: Stated, keep: pd.DataFrame | None, epoch: int | None) -> pd.DataFrame:
    """Does a score find noise? One row per graph and scorer: columns graph, scorer, area, low, high (95 % interval), noise
    (edges), verdict (against chance: better, worse, no better). Graphs without noise are left out.

    keep: as from `keep_table`, says how many edges a graph has; where that is unknown as many others as noise are assumed,
    which makes intervals wider.
    """
    graphs, scorers = stated.labels("graph"), stated.labels("scorer")
    area = stated.values(epoch).astype(float)
    support = stated.finding.support
    noise = np.zeros(area.shape) if support is None else support.astype(float)
    edges = keep.set_index("graph")["edges"] if keep is not None else pd.Series(dtype=float)
    total = np.array([edges.get(graph, np.nan) for graph in graphs], dtype=float)[:, None]
    others = np.where(np.isnan(total), noise, total - noise)
    low, high = area_interval(area, noise, others)
    table = pd.DataFrame(
        {
            "graph": np.repeat(np.array(graphs, dtype=object), len(scorers)),
            "scorer": np.tile(np.array(scorers, dtype=object), len(graphs)),
            "area": area.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
            "noise": noise.ravel(),
        }
    )
    table["verdict"] = np.where(table["low"] > 0.5, BETTER, np.where(table["high"] < 0.5, WORSE, CHANCE))
    return table[table["noise"] > 0].reset_index(drop=True)


def against_count(table: pd.DataFrame) -> dict[str, list[str]]:
    """Graphs where the edge's weight finds noise better than, worse than, or no better than the number of the item's users.

    The count is read the better way round: where noise gathers on popular items, few users speak for an edge. Intervals
    that overlap leave it open (no better). table: as from `detection_table`.
    """
    found: dict[str, list[str]] = {BETTER: [], WORSE: [], CHANCE: []}
    weight, count = (table[table["scorer"] == scorer] for scorer in (WEIGHT, COUNT))
    both = weight.merge(count, on="graph", suffixes=("", "_count"))
    for graph, low, high, area, count_low, count_high in both[
        ["graph", "low", "high", "area_count", "low_count", "high_count"]
    ].itertuples(index=False):
        if area < 0.5:
            count_low, count_high = 1 - count_high, 1 - count_low
        found[BETTER if low > count_high else WORSE if high < count_low else CHANCE].append(str(graph))
    return found


def precision_table(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """One row per graph: columns graph, among_pruned, among_all, found (shares), lift (the first over the second), pruned (edges, NaN where unknown).

    Where nothing is pruned nothing can be said of what is: NaN.
    """
    measures, values = stated.labels("measure"), stated.values(epoch).astype(float)
    support = stated.finding.support
    columns = {"among_pruned": AMONG_PRUNED, "among_all": AMONG_ALL, "found": FOUND}
    table = pd.DataFrame({"graph": stated.labels("graph")})
    for column, measure in columns.items():
        table[column] = values[:, measures.index(measure)] if measure in measures else np.nan
    known = support is not None and AMONG_PRUNED in measures
    table["pruned"] = support[:, measures.index(AMONG_PRUNED)] if known and support is not None else np.nan
    table["among_pruned"] = table["among_pruned"].where(table["pruned"] != 0)
    table["lift"] = table["among_pruned"] / table["among_all"].where(table["among_all"] > 0)
    return table
