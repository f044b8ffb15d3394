"""Items that a run links: the neighbours of one item in every graph, and how far the graphs agree over all items. Pure.

I items, E links of a graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import RunError
from core.evaluation.groups import UNDEFINED, mean_interval
from core.findings import Array, Finding, Links
from dashboard.node_groups import NodeGroups

BEHAVIOR, RAW = "item_links_behavior", "item_links_raw_"


@dataclass(frozen=True, eq=False)
class ItemGraph:
    """Links between items. name: `behaviour`, or a modality."""

    finding: Finding

    def __post_init__(self) -> None:
        rows, columns = self.finding.axes
        if rows.size != columns.size or not rows.size:
            raise RunError(
                f"{self.finding.key}: expected links between the same items, got {rows.size} x {columns.size}; repeat the "
                "run to write it again"
            )

    @property
    def name(self) -> str:
        key = self.finding.key
        return "behaviour" if key == BEHAVIOR else key.removeprefix(RAW)

    @property
    def title(self) -> str:
        """`behaviour graph`, `text features`."""
        return f"{self.name} graph" if self.finding.key == BEHAVIOR else f"{self.name} features"

    @property
    def among(self) -> str:
        """`in the behaviour graph`, `by text features`."""
        return f"in the {self.title}" if self.finding.key == BEHAVIOR else f"by {self.title}"

    @property
    def num_items(self) -> int:
        return self.finding.axes[0].size

    @property
    def links(self) -> Links:
        if not isinstance(self.finding.values, Links):
            raise RunError(
                f"{self.finding.key}: expected links, got an array; repeat the run to write it again"
            )
        return self.finding.values

    def counts(self) -> Array:
        """Links per item, [I]."""
        return np.diff(self.links.indptr)

    def owners(self) -> Array:
        """The item that each link starts from, [E]."""
        return np.repeat(np.arange(self.num_items), self.counts())

    def neighbors(self, item: int) -> Array:
        own = slice(int(self.links.indptr[item]), int(self.links.indptr[item + 1]))
        neighbors: Array = self.links.index[own]
        return neighbors

    def weights(self, item: int) -> Array:
        own = slice(int(self.links.indptr[item]), int(self.links.indptr[item + 1]))
        weights: Array = self.links.value[own]
        return weights


def overlap(one: ItemGraph, other: ItemGraph) -> Array:
    """Jaccard index of every item's neighbours in two graphs, [I]; NaN for an item without neighbours in either."""
    size = one.num_items
    first, second = (np.unique(g.owners().astype(np.int64) * size + g.links.index) for g in (one, other))
    shared = np.intersect1d(first, second, assume_unique=True)
    both, ones, others = (np.bincount(pairs // size, minlength=size) for pairs in (shared, first, second))
    either = ones + others - both
    found: Array = np.divide(both, either, out=np.full(size, np.nan), where=either > 0)
    return found


def reaches(graph: ItemGraph, marked: Array) -> Array:
    """Whether each item has a link to a marked one, [I]. marked: [I]."""
    own: Array = np.bincount(graph.owners(), marked[graph.links.index], minlength=graph.num_items) > 0
    return own


def neighbor_table(
    graph: ItemGraph, others: Sequence[ItemGraph], item: int, names: Sequence[str], trained: Array | None
) -> pd.DataFrame:
    """What `item` is linked to, largest weight first: columns place, item, title, cosine, trained, also_in (names of other
    graphs with the same link). trained: training pairs per item [I], NaN where not known."""
    linked, weight = graph.neighbors(item), graph.weights(item)
    order = np.argsort(-weight, kind="stable")
    linked = linked[order]
    also = {other.name: set(other.neighbors(item).tolist()) for other in others}
    return pd.DataFrame(
        {
            "place": np.arange(1, len(linked) + 1),
            "item": linked.astype(int),
            "title": [names[place].strip() for place in linked.tolist()],
            "cosine": weight[order].astype(float),
            "trained": trained[linked] if trained is not None else np.full(len(linked), np.nan),
            "also_in": [", ".join(n for n, own in also.items() if place in own) for place in linked.tolist()],
        }
    )


def summary_table(graphs: Sequence[ItemGraph], groups: NodeGroups, agreed: Sequence[Array]) -> pd.DataFrame:
    """Per group of items and over all: columns title, items, links_<graph> (mean), to_head (share linked to the head in the
    first graph), overlap_<graph> and its interval low_, high_ (mean Jaccard index with the first graph).

    agreed: [I] per graph but the first, as from `overlap`. Groups rise in popularity, all items come last.
    """
    first = graphs[0]
    to_head = reaches(first, groups.is_head)
    cut = groups.grouping
    places = [*([UNDEFINED] if cut.undefined else []), *range(cut.count), None]
    rows = []
    for place in places:
        own = np.ones(first.num_items, dtype=bool) if place is None else cut.group == place
        if not own.any():
            continue
        row: dict[str, object] = {
            "title": "all items" if place is None else groups.title(place),
            "items": int(own.sum()),
        }
        row |= {f"links_{graph.name}": float(graph.counts()[own].mean()) for graph in graphs}
        row["to_head"] = float(to_head[own].mean())
        for graph, values in zip(graphs[1:], agreed, strict=True):
            row |= _mean_overlap(graph.name, values[own])
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_overlap(name: str, values: Array) -> dict[str, object]:
    mean, low, high = mean_interval(values[~np.isnan(values)])
    return {f"overlap_{name}": mean, f"low_{name}": low, f"high_{name}": high}


def ordered_items(graphs: Sequence[ItemGraph], trained: Array | None) -> Array:
    """Items with links in any graph, the least trained first (never trained ones last), then by most links in the first."""
    counts = np.sum([graph.counts() for graph in graphs], axis=0)
    pairs = trained if trained is not None else np.ones(len(counts))
    order = np.lexsort((-graphs[0].counts(), np.where(pairs > 0, pairs, np.inf)))
    found: Array = order[counts[order] > 0]
    return found
