"""What a data set holds beside interactions, as tables: features of items, and the heterogeneous graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashboard.data_profile import share_of

Told = Mapping[str, Any]


def feature_table(told: Told) -> pd.DataFrame:
    """Per modality: rows, dimensions, numbers that are not finite, rows of zeros and their share, mean norm."""
    rows = [
        {"modality": name, **checks, "zero_share": share_of(checks["zero_rows"], checks["rows"])}
        for name, checks in told.get("modality_checks", {}).items()
    ]
    columns = ["modality", "rows", "dims", "not_finite", "zero_rows", "zero_share", "mean_norm"]
    return pd.DataFrame(rows, columns=columns)


def node_table(told: Told) -> pd.DataFrame:
    """Per node type of a heterogeneous graph: nodes, dimensions of its features (NaN without), whether it is the target."""
    rows = [
        {
            "type": kind,
            "nodes": count,
            "features": told["node_features"].get(kind, [0, np.nan])[1],
            "target": kind == told["target_type"],
        }
        for kind, count in told.get("nodes", {}).items()
    ]
    return pd.DataFrame(rows, columns=["type", "nodes", "features", "target"])


def edge_table(told: Told) -> pd.DataFrame:
    """Per relation: what it joins and how many edges; per metapath: pairs of target nodes that it joins."""
    relations = [
        {"name": name, "joins": " – ".join(told["edge_ends"][name]), "entries": count, "kind": "relation"}
        for name, count in told.get("edges", {}).items()
    ]
    walks = [
        {"name": name, "joins": " – ".join([told["target_type"]] * 2), "entries": count, "kind": "metapath"}
        for name, count in told.get("metapaths", {}).items()
    ]
    return pd.DataFrame([*relations, *walks], columns=["kind", "name", "joins", "entries"])


def labelled(told: Told) -> str:
    """The labelled splits in words, the settings of each part side by side: `train 80 / 160 / 240; val ...`."""
    sizes: dict[str, list[tuple[str, int]]] = {}
    for name, size in told["node_splits"].items():
        part, _, setting = name.partition("_")
        sizes.setdefault(part, []).append((setting, size))
    usual = ["train", "val", "test"]
    parts = [*(part for part in usual if part in sizes), *(part for part in sizes if part not in usual)]
    return (
        "; ".join(f"{part} {' / '.join(f'{size:,}' for _, size in sorted(sizes[part]))}" for part in parts)
        or "none"
    )
