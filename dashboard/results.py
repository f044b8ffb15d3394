"""Final metrics as tables: per protocol, for all users and for pairs seen and unseen before. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_FIRST = ("hr", "ndcg", "recall", "precision", "mrr", "map")
_EXPOSURE = ("coverage", "gini", "popularity")
_ROWS = {"seen": "pairs seen before", "unseen": "pairs never seen before"}


def metric_order(name: str) -> tuple[bool, bool, int, int, str]:
    """Sorts HR, NDCG and recall before all else, K = 10 before every other, then by K and metric."""
    metric, cut = _parts(name)
    place = _FIRST.index(metric) if metric in _FIRST else len(_FIRST)
    return place > 2, cut != 10, cut, place, metric


def _parts(name: str) -> tuple[str, int]:
    metric, _, cut = name.partition("@")
    return metric, int(cut) if cut.isdigit() else 0


def is_accuracy(name: str) -> bool:
    """Whether `name` is a metric at K that says how right a ranking is, so that more is better."""
    metric, cut = _parts(name)
    return cut > 0 and metric not in _EXPOSURE


def metric_title(name: str) -> str:
    """`ndcg@10` as `NDCG@10`; names without K keep their case."""
    metric, at, cut = name.partition("@")
    titled = (
        metric.upper() if metric in ("hr", "ndcg", "mrr", "map") else metric.replace("_", " ").capitalize()
    )
    return f"{titled}{at}{cut}"


def shown_metrics(main: str) -> list[str]:
    """The metrics to draw over epochs, at the main one's K: `ndcg@10` goes with hit rate and recall, `recall@20` with NDCG."""
    metric, _, cut = main.partition("@")
    others = ("hr", "recall") if metric == "ndcg" else ("ndcg",)
    return [main, *(f"{other}@{cut}" for other in others)]


def result_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """One protocol's accuracy: rows all users, seen, unseen; columns `test on`, `size`, then every metric at K."""
    names = sorted(filter(is_accuracy, result["metrics"]), key=metric_order)
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


def exposure_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """What users were shown, whether right or not: one row per K, columns coverage, Gini, popularity; empty without any."""
    rows: dict[int, dict[str, Any]] = {}
    for name, value in result["metrics"].items():
        metric, cut = _parts(name)
        if metric in _EXPOSURE and cut:
            rows.setdefault(cut, {"first K": cut})[metric] = value
    columns = ["first K", *(name for name in _EXPOSURE if any(name in row for row in rows.values()))]
    return pd.DataFrame([rows[cut] for cut in sorted(rows)], columns=columns)


def seconds_trained(metrics: pd.DataFrame) -> float:
    """Wall clock of all epochs of all attempts."""
    return float(metrics.loc[metrics["name"] == "seconds/epoch", "value"].sum())


def still_improving(valid: pd.DataFrame, metric: str) -> bool:
    """Whether the last of at least three validations was the best one. valid: as from `wide_series(..., "valid/")`."""
    series = valid[valid["name"] == f"valid/{metric}"].dropna(subset="value").sort_values("epoch")
    values = series["value"]
    return len(values) >= 3 and bool(values.iloc[-1] > values.iloc[:-1].max())


def wide_series(metrics: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The rows of metrics.jsonl whose name starts with `prefix`: columns name, epoch, value; one row per epoch.

    Several steps of one epoch are averaged.
    """
    rows = metrics[metrics["name"].str.startswith(prefix)]
    return rows.groupby(["name", "epoch"], sort=False)[["value"]].mean().reset_index()


def stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the same columns beneath each other."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
