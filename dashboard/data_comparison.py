"""The key figures of all data sets of a home beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.data.dataset import DatasetInfo
from dashboard.data_profile import behaviors, share_of

Told = Mapping[str, Any]
GRAPH = ("nodes", "edges", "classes")
COMPARED = (
    "data set",
    "users",
    "items",
    "pairs",
    "target",
    "density",
    "test",
    "seen",
    "cold",
    "correlation",
    *GRAPH,
    "repairs",
    "behaviours",
    "kind",
)


def comparison_table(infos: Sequence[DatasetInfo], profiles: Mapping[str, Told | None]) -> pd.DataFrame:
    """One row per data set; where the profile is missing, what the description alone tells."""
    rows = [
        comparison_row(found) if (found := profiles[info.name]) is not None else _described(info)
        for info in infos
    ]
    return pd.DataFrame(rows, columns=COMPARED)


def comparison_row(told: Told) -> dict[str, Any]:
    """The key figures of one data set beside others; NaN for what it does not have."""
    kind = ", ".join(told["kind"]).replace("_", "-").replace("behavior", "behaviour")
    names = behaviors(told)
    graph = {}
    if "nodes" in told:
        graph = {
            "nodes": sum(told["nodes"].values()),
            "edges": sum(told["edges"].values()),
            "classes": told["classes"],
        }
    if not names:
        return {"data set": told["name"], "kind": kind, **graph}
    target, test = names[-1], told["test"]
    return {
        "data set": told["name"],
        "users": told["users"],
        "items": told["items"],
        "pairs": sum(told["scopes"]["all"]["pairs"].values()),
        "target": told["scopes"]["train"]["pairs"][target],
        "density": told["density"][target],
        "test": test["pairs"],
        "seen": share_of(test["seen_under_auxiliary"], test["pairs"]) if len(names) > 1 else np.nan,
        "cold": share_of(test["pairs_absent_from_train_target"], test["pairs"]),
        "correlation": round(told["correlation"]["mean_of_pairs"].get("median", np.nan), 3) + 0.0,
        "repairs": len(told["notes"]) if not told["planted"] else 0,
        "behaviours": " → ".join(names),
        "kind": kind,
        **graph,
    }


def _described(info: DatasetInfo) -> dict[str, Any]:
    """What a description says without a profile."""
    sizes: dict[str, Any] = {"users": info.num_users, "items": info.num_items} if info.behaviors else {}
    return {"data set": info.name, **sizes, **({"nodes": sum(info.nodes.values())} if info.nodes else {})}
