"""A heterogeneous graph counted: nodes, edges, classes, label settings, and how much of each metapath joins alike nodes.

N nodes of the target type. A pair that a metapath joins is an entry of its matrix; (i, j) and (j, i) are two.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.hetero import UNLABELLED, Features, HeteroContent, Metapath
from core.data.metapaths import metapath_blocks


def graph_profile(view: HeteroContent) -> dict[str, Any]:
    """Everything about the graph.

    metapaths: entries, self-loops included. metapath_facts: per metapath its walk, density, homophily and the nodes that it
    joins to no other. homophily_by_chance: what homophily is where a metapath joins nodes without regard to their classes.
    isolated: per type the nodes without any edge.
    """
    labels = view.labels
    sizes = np.bincount(labels[labels != UNLABELLED], minlength=len(view.class_names))
    facts = {name: metapath_facts(view, walk) for name, walk in view.metapaths.items()}
    return {
        "nodes": dict(view.counts),
        "target_type": view.target_type,
        "isolated": isolated(view),
        "edges": {relation.name: len(pairs) for relation, pairs in view.edges.items()},
        "edge_ends": {
            relation.name: [relation.source, relation.destination] for relation, pairs in view.edges.items()
        },
        "classes": len(view.class_names),
        "class_names": list(view.class_names),
        "class_sizes": sizes.tolist(),
        "unlabelled": int((labels == UNLABELLED).sum()),
        "metapaths": {name: found.pop("entries") for name, found in facts.items()},
        "metapath_facts": facts,
        "homophily_by_chance": chance(sizes),
        "node_features": {kind: list(matrix.shape) for kind, matrix in view.features.items()},
        "node_feature_density": {kind: _density(matrix) for kind, matrix in view.features.items()},
        "node_splits": {name: len(nodes) for name, nodes in view.splits.items()},
    }


def metapath_facts(view: HeteroContent, walk: Metapath) -> dict[str, Any]:
    """One metapath: its walk as types, entries, density = entries / N^2, alone = nodes joined to no other, and homophily = the
    share of entries off the diagonal between labelled nodes whose two labels agree (None where there are none).
    """
    labels, count = view.labels, view.counts[view.target_type]
    entries = alone = labelled = alike = 0
    for start, block in metapath_blocks(view, walk):
        degree = np.diff(block.indptr)
        row = np.repeat(np.arange(start, start + len(degree)), degree)
        other = row != block.indices
        entries += int(block.nnz)
        alone += len(degree) - len(np.unique(row[other]))
        first, second = labels[row], labels[block.indices]
        known = other & (first != UNLABELLED) & (second != UNLABELLED)
        labelled += int(known.sum())
        alike += int((known & (first == second)).sum())
    return {
        "walk": list(walk.types),
        "relations": list(walk.relations),
        "entries": entries,
        "density": entries / max(1, count) ** 2,
        "homophily": alike / labelled if labelled else None,
        "alone": alone,
    }


def chance(sizes: NDArray[np.int64]) -> float | None:
    """The probability that two different labelled nodes drawn at random are of one class; None for fewer than two."""
    total = int(sizes.sum())
    return float((sizes * (sizes - 1)).sum() / (total * (total - 1))) if total > 1 else None


def isolated(view: HeteroContent) -> Mapping[str, int]:
    """Per node type, how many nodes no relation joins to anything."""
    joined = {kind: np.zeros(count, np.bool_) for kind, count in view.counts.items()}
    for relation, pairs in view.edges.items():
        for place, kind in enumerate((relation.source, relation.destination)):
            joined[kind][pairs[:, place]] = True
    return {kind: int((~found).sum()) for kind, found in joined.items()}


def _density(matrix: Features) -> float:
    """The share of a feature matrix that is not zero."""
    stored = matrix.nnz if isinstance(matrix, csr_array) else np.count_nonzero(matrix)
    return float(stored / max(1, matrix.shape[0] * matrix.shape[1]))
