"""What the importers of graphs share: distinct edges, metapaths of a bearable size, a data set that is a graph alone."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.graph_summary import GraphSummary
from core.data.hetero import UNLABELLED, HeteroContent, Metapath, Relation
from core.data.label_splits import PARTS
from core.data.metapaths import metapath_blocks, stored_entries
from core.data.profile_graph import isolated
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

# a metapath graph of so many entries fills 1.6 GB
MOST_ENTRIES = 200_000_000


def graph_content(graph: HeteroContent, provenance: Provenance) -> DatasetContent:
    """A data set of `graph` and nothing else."""
    nobody = pd.DataFrame({"original_id": pd.Series([], dtype="str")})
    rows = pd.DataFrame({name: [] for name in ("user", "item", "behavior", "split")})
    return DatasetContent(provenance, (), rows, users=nobody, items=nobody.copy(), hetero=graph)


def distinct_edges(relation: Relation, pairs: NDArray[np.int64]) -> tuple[NDArray[np.int32], list[str]]:
    """The edges in rising order, each once, and a note on those that were there repeatedly."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    rising = pairs[order]
    first = np.ones(len(rising), np.bool_)
    first[1:] = (rising[1:] != rising[:-1]).any(axis=1)
    repeated = len(rising) - int(first.sum())
    notes = [f"{relation.name}: {repeated:,} repeated edges removed"] if repeated else []
    return rising[first].astype(np.int32), notes


def lonely(graph: HeteroContent) -> list[str]:
    """Notes on the nodes of every type that no relation joins to anything."""
    return [
        f"{kind}: {count:,} of {graph.counts[kind]:,} nodes have no edge"
        for kind, count in isolated(graph).items()
        if count
    ]


def checked_entries(graph: HeteroContent, name: str, walk: Metapath) -> int:
    """Pairs of target nodes that the walk joins, self-loops included. Raises DataError if they are none, or too many."""
    entries = 0
    for _, block in metapath_blocks(graph, walk):
        entries += block.nnz
        if entries > MOST_ENTRIES:
            raise DataError(
                f"metapath {name}: joins more than {MOST_ENTRIES:,} pairs of nodes, too many to learn from; leave it out, or "
                "take another with --metapaths"
            )
    if not entries:
        raise DataError(
            f"metapath {name}: joins no two nodes; check its relations, or leave it out with --metapaths"
        )
    return entries


def summarised(graph: HeteroContent) -> GraphSummary:
    """The numbers of `graph`; its metapaths are multiplied out to be counted."""
    sizes = np.bincount(graph.labels[graph.labels != UNLABELLED], minlength=len(graph.class_names))
    numbers = sorted({int(name.rpartition("_")[2]) for name in graph.splits})
    return GraphSummary(
        target=graph.target_type,
        nodes=dict(graph.counts),
        edges={relation.key: len(pairs) for relation, pairs in graph.edges.items()},
        classes=dict(zip(graph.class_names, sizes.tolist(), strict=True)),
        unlabelled=int((graph.labels == UNLABELLED).sum()),
        settings={
            str(number): {part: len(graph.splits[f"{part}_{number}"]) for part in PARTS} for number in numbers
        },
        metapaths={name: stored_entries(graph, walk) for name, walk in graph.metapaths.items()},
    )
