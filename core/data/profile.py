"""Statistics of a stored data set as one JSON-serialisable dict: what `profile NAME` prints."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.dataset import Dataset
from core.data.hetero import read_hetero
from core.data.info import SPLITS
from core.data.metapaths import stored_entries
from core.data.ranking import pair_matrix


def profile(dataset: Dataset) -> dict[str, Any]:
    """Sizes, splits, degrees and leaks of `dataset`; parts that it lacks are left out.

    Raises DataError if a file of the data set is missing or damaged.
    """
    info = dataset.info
    told: dict[str, Any] = {
        "name": info.name,
        "kind": list(info.kind),
        "content_hash": info.content_hash,
        "split_rule": info.split_rule,
        "planted": info.planted,
        "notes": list(info.notes),
    }
    if info.behaviors:
        told |= {"users": info.num_users, "items": info.num_items, "target": info.target}
        told |= interaction_profile(dataset)
    if "hetero" in info.kind:
        told |= hetero_profile(dataset)
    if info.modalities:
        told["modalities"] = {name: list(dataset.features(name).shape) for name in info.modalities}
    return told


def interaction_profile(dataset: Dataset) -> dict[str, Any]:
    """Rows per behaviour and split, density, degrees, and how the test pairs relate to what trains."""
    info = dataset.info
    rows = dataset.interactions()
    shape = (info.num_users, info.num_items)
    train = {
        b: pair_matrix(rows[(rows["behavior"] == b) & (rows["split"] == "train")], shape)
        for b in info.behaviors
    }
    target = train[info.behaviors[-1]]
    is_test = (rows["behavior"] == info.behaviors[-1]) & (rows["split"] == "test")
    told: dict[str, Any] = {
        "behaviors": _split_counts(rows, info.behaviors),
        "density": {b: matrix.nnz / max(1, shape[0] * shape[1]) for b, matrix in train.items()},
        "degrees": {b: _degrees(matrix) for b, matrix in train.items()},
        "users_without_train_target": int((np.diff(target.indptr) == 0).sum()),
        "test": _test_profile(train, pair_matrix(rows[is_test], shape)),
    }
    if "timestamp" in rows:
        known = rows.loc[rows["timestamp"] >= 0, "timestamp"]
        told["time"] = {"first": int(known.min()), "last": int(known.max())} if len(known) else None
    return told


def hetero_profile(dataset: Dataset) -> dict[str, Any]:
    """Nodes, edges, classes, split sizes, and stored entries per metapath (self-loops included)."""
    view = read_hetero(dataset.folder)
    return {
        "nodes": dict(view.counts),
        "target_type": view.target_type,
        "edges": {relation.name: len(pairs) for relation, pairs in view.edges.items()},
        "classes": len(np.unique(view.labels)),
        "class_sizes": np.unique(view.labels, return_counts=True)[1].tolist(),
        "metapaths": {name: stored_entries(view, walk) for name, walk in view.metapaths.items()},
        "node_features": {kind: list(matrix.shape) for kind, matrix in view.features.items()},
        "node_splits": {name: len(nodes) for name, nodes in view.splits.items()},
    }


def _split_counts(rows: pd.DataFrame, behaviors: tuple[str, ...]) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for behavior in behaviors:
        counts = rows.loc[rows["behavior"] == behavior, "split"].value_counts()
        told[behavior] = {split: int(counts[split]) for split in SPLITS if counts[split]}
    return told


def _degrees(matrix: csr_array) -> dict[str, dict[str, float]]:
    """Pairs per user and per item: mean, median, 90th and 99th percentile, maximum."""
    per_user = np.diff(matrix.indptr)
    per_item = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return {"user": _spread(per_user), "item": _spread(per_item)}


def _spread(counts: NDArray[Any]) -> dict[str, float]:
    median, p90, p99 = np.percentile(counts, [50, 90, 99])
    return {
        "mean": round(float(counts.mean()), 4),
        "median": round(float(median), 2),
        "p90": round(float(p90), 2),
        "p99": round(float(p99), 2),
        "max": int(counts.max()),
    }


def _test_profile(train: dict[str, csr_array], test: csr_array) -> dict[str, Any]:
    """Test pairs also touched under an auxiliary behaviour, inside the target's training pairs, or of unseen items."""
    behaviors = list(train)
    target = train[behaviors[-1]]
    seen = {b: int(test.multiply(train[b]).nnz) for b in behaviors[:-1]}
    auxiliary = csr_array(
        sum((train[b] for b in behaviors[:-1]), start=csr_array(test.shape, dtype=np.float32))
    )
    in_target = np.bincount(target.indices, minlength=test.shape[1]) > 0
    anywhere = in_target | (np.bincount(auxiliary.indices, minlength=test.shape[1]) > 0)
    return {
        "pairs": int(test.nnz),
        "users": int((np.diff(test.indptr) > 0).sum()),
        "seen_under_auxiliary": int(test.multiply(auxiliary).nnz),
        "seen_under": seen,
        "inside_train_target": int(test.multiply(target).nnz),
        "pairs_absent_from_train_target": int((~in_target[test.indices]).sum()),
        "items_absent_from_train_target": len(np.unique(test.indices[~in_target[test.indices]])),
        "pairs_absent_from_all_train": int((~anywhere[test.indices]).sum()),
    }
