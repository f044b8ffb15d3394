"""Statistics of a stored data set as one JSON-serialisable dict: what `profile NAME` prints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.hetero import read_hetero
from core.data.info import SPLITS
from core.data.profile_about import described
from core.data.profile_audit import audit, split_table
from core.data.profile_correlation import correlations
from core.data.profile_graph import graph_profile
from core.data.profile_overlap import order_in_time, overlap
from core.data.profile_pairs import Pairs, pairs_of
from core.data.profile_tails import tails

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Profile:
    """What was counted. content: told by the content hash alone, so that data sets of one hash share it.

    users: row u describes user u: `user`, `correlation` (NaN where undefined) and `degree_<behavior>` in training;
    None for a data set without interactions.
    """

    content: dict[str, Any]
    users: pd.DataFrame | None


def profile(dataset: Dataset) -> dict[str, Any]:
    """Sizes, splits, degrees and leaks of `dataset`; parts that it lacks are left out.

    Raises DataError if a file of the data set is missing or damaged.
    """
    return {**described(dataset.info), **compute(dataset).content}


def compute(dataset: Dataset, progress: Progress = lambda share, step: None) -> Profile:
    """Count everything about the content of `dataset`. progress: told the share done and the next step.

    Raises DataError if a file of the data set is missing or damaged.
    """
    info, users = dataset.info, None
    told: dict[str, Any] = {}
    if info.behaviors:
        interactions, users = interaction_profile(dataset, progress)
        told |= interactions
    if "hetero" in info.kind:
        progress(0.8, "counting nodes, edges and metapaths")
        told |= graph_profile(read_hetero(dataset.folder))
    if info.modalities:
        progress(0.95, "checking features")
        told["modality_checks"] = {name: feature_checks(dataset.features(name)) for name in info.modalities}
        told["modalities"] = {
            name: [checks["rows"], checks["dims"]] for name, checks in told["modality_checks"].items()
        }
    return Profile(told, users)


def interaction_profile(dataset: Dataset, progress: Progress) -> tuple[dict[str, Any], pd.DataFrame]:
    """Everything about the interactions, and the table of users."""
    info = dataset.info
    target = info.behaviors[-1]
    progress(0.0, "reading the interactions")
    rows = dataset.interactions()
    progress(0.15, "finding distinct pairs")
    in_split = {split: (rows["split"] == split).to_numpy() for split in SPLITS}
    train = pairs_of(dataset, rows[in_split["train"]])
    of_target = (rows["behavior"] == target).to_numpy()
    held = {
        part: pairs_of(dataset, rows[in_split[part] & of_target]).keys[target] for part in ("valid", "test")
    }
    progress(0.3, "auditing the split")
    checked = audit(rows, train, held)
    degrees = {b: {side: train.degrees(b, side) for side in ("user", "item")} for b in info.behaviors}
    told: dict[str, Any] = {
        "behaviors": _split_counts(rows, info.behaviors),
        "density": {b: len(k) / max(1, info.num_users * info.num_items) for b, k in train.keys.items()},
        "degrees": {b: {side: _spread(found) for side, found in d.items()} for b, d in degrees.items()},
        "users_without_train_target": int((degrees[target]["user"] == 0).sum()),
        "splits": split_table(rows, target),
        "test": checked["test"],
        "audit": checked,
    }
    if "timestamp" in rows:
        known = rows.loc[rows["timestamp"] >= 0, "timestamp"]
        told["time"] = {"first": int(known.min()), "last": int(known.max())} if len(known) else None
    progress(0.45, "correlating behaviours")
    correlation_U, told["correlation"] = correlations(train)
    progress(0.55, "counting overlaps in training")
    told["scopes"] = {"train": _scope(train)}
    del train, in_split, of_target  # the largest part is still to come
    progress(0.7, "counting overlaps in all splits")
    told["scopes"]["all"] = _scope(pairs_of(dataset, rows))
    return told, _user_table(correlation_U, {b: d["user"] for b, d in degrees.items()})


def feature_checks(matrix_ID: NDArray[np.float32]) -> dict[str, Any]:
    """Shape of a feature matrix, numbers that are not finite, rows of zeros, and the mean Euclidean norm of a row."""
    norms_I = np.sqrt(np.einsum("id,id->i", matrix_ID, matrix_ID, dtype=np.float64))
    finite_I = np.isfinite(norms_I)
    return {
        "rows": matrix_ID.shape[0],
        "dims": matrix_ID.shape[1],
        "not_finite": int(matrix_ID.size - np.isfinite(matrix_ID).sum()),
        "zero_rows": int((norms_I == 0).sum()),
        "mean_norm": float(norms_I[finite_I].mean()) if finite_I.any() else None,
    }


def _scope(pairs: Pairs) -> dict[str, Any]:
    """What is counted alike for the training pairs and for the pairs of all splits."""
    behaviors = pairs.behaviors
    users = {b: int((pairs.degrees(b, "user") > 0).sum()) for b in behaviors}
    items = {b: int((pairs.degrees(b, "item") > 0).sum()) for b in behaviors}
    return {
        "pairs": {b: len(keys) for b, keys in pairs.keys.items()},
        "users": users,
        "items": items,
        "overlap": overlap(pairs),
        "order": order_in_time(pairs),
        "tails": tails(pairs),
    }


def _user_table(correlation_U: NDArray[np.float64], degrees: dict[str, NDArray[np.int64]]) -> pd.DataFrame:
    columns: dict[str, NDArray[Any]] = {
        "user": np.arange(len(correlation_U), dtype=np.int32),
        "correlation": correlation_U,
    }
    columns |= {f"degree_{behavior}": found.astype(np.int32) for behavior, found in degrees.items()}
    return pd.DataFrame(columns)


def _split_counts(rows: pd.DataFrame, behaviors: tuple[str, ...]) -> dict[str, dict[str, int]]:
    behavior, split = (rows[name].cat.codes.to_numpy() for name in ("behavior", "split"))
    cells = np.bincount(
        behavior.astype(np.int64) * len(SPLITS) + split, minlength=len(behaviors) * len(SPLITS)
    )
    counts = cells.reshape(len(behaviors), len(SPLITS)).tolist()
    return {
        name: {part: count for part, count in zip(SPLITS, found) if count}
        for name, found in zip(behaviors, counts)
    }


def _spread(counts: NDArray[np.int64]) -> dict[str, float]:
    """Pairs per node: mean, median, 90th and 99th percentile, maximum."""
    median, p90, p99 = np.percentile(counts, [50, 90, 99])
    return {
        "mean": round(float(counts.mean()), 4),
        "median": round(float(median), 2),
        "p90": round(float(p90), 2),
        "p99": round(float(p99), 2),
        "max": int(counts.max()),
    }
