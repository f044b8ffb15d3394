"""Final metrics as tables: per protocol, for all users and for pairs seen and unseen before. Pure functions."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

_ROWS = {"seen": "pairs seen before", "unseen": "pairs never seen before"}


def metric_order(name: str) -> tuple[str, int]:
    """Sorts `hr@5, hr@10, ndcg@5, ...`: by metric, then by K as a number."""
    metric, _, cut = name.partition("@")
    return metric, int(cut) if cut.isdigit() else 0


def metric_title(name: str) -> str:
    """`ndcg@10` as `NDCG@10`; names without K keep their case."""
    metric, at, cut = name.partition("@")
    titled = (
        metric.upper() if metric in ("hr", "ndcg", "mrr", "map") else metric.replace("_", " ").capitalize()
    )
    return f"{titled}{at}{cut}"


def result_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """One protocol's result: rows all users, seen, unseen; columns `test on`, `size`, then every metric at K."""
    names = sorted((name for name in result["metrics"] if "@" in name), key=metric_order)
    rows: list[dict[str, Any]] = [
        {"test on": "all", "size": f"{int(result.get('num_users', 0)):,} users"}
        | {metric_title(name): result["metrics"][name] for name in names}
    ]
    for part, title in _ROWS.items():
        values = result.get(part)
        if values:
            measured = {metric_title(name): values.get(name) for name in names}
            rows.append({"test on": title, "size": f"{int(values.get('pairs', 0)):,} pairs"} | measured)
    return pd.DataFrame(rows)


def other_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """Metrics without a K, such as coverage."""
    return {name: value for name, value in result["metrics"].items() if "@" not in name}


def wide_series(metrics: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The rows of metrics.jsonl whose name starts with `prefix`: columns name, epoch, value; one row per epoch.

    Several steps of one epoch are averaged.
    """
    rows = metrics[metrics["name"].str.startswith(prefix)]
    return rows.groupby(["name", "epoch"], sort=False)[["value"]].mean().reset_index()
