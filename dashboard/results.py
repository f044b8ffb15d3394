"""Final metrics as tables: of rankings for all users and for pairs seen and unseen before, of node embeddings by label
setting. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_FIRST = ("hr", "ndcg", "recall", "precision", "mrr", "map")
_OF_NODES = {
    "micro_f1": "Micro-F1",
    "macro_f1": "Macro-F1",
    "auc": "AUC",
    "nmi": "NMI",
    "ari": "ARI",
}
_CLUSTERING = ("nmi", "ari")
_EXPOSURE = ("coverage", "gini", "popularity")
_ROWS = {"seen": "pairs seen before", "unseen": "pairs never seen before"}


def metric_order(name: str) -> tuple[bool, bool, int, int, str]:
    """Sorts HR, NDCG and recall before all else, K = 10 before every other, then by K and metric; of nodes the means over
    label settings first."""
    metric, cut = _parts(name)
    if is_of_nodes(name):
        return False, cut > 0, cut, list(_OF_NODES).index(metric), metric
    place = _FIRST.index(metric) if metric in _FIRST else len(_FIRST)
    return place > 2, cut != 10, cut, place, metric


def _parts(name: str) -> tuple[str, int]:
    metric, _, cut = name.partition("@")
    return metric, int(cut) if cut.isdigit() else 0


def is_of_nodes(name: str) -> bool:
    """Whether `name` is a metric of node embeddings, not of a ranking."""
    return _parts(name)[0] in _OF_NODES


def is_clustering(name: str) -> bool:
    """Whether `name` says how well clusters of node embeddings follow the classes."""
    return _parts(name)[0] in _CLUSTERING


def is_accuracy(name: str) -> bool:
    """Whether `name` is a metric that says how right a ranking at K, or node embeddings are, so that more is better."""
    metric, cut = _parts(name)
    return is_of_nodes(name) or (cut > 0 and metric not in _EXPOSURE)


def beside(main: str, names: Sequence[str]) -> list[str]:
    """Those of `names` with the K, or the labels per class, of `main`."""
    return [name for name in names if _parts(name)[1] == _parts(main)[1]]


def metric_title(name: str) -> str:
    """`ndcg@10` as `NDCG@10`, `micro_f1@20` (20 labels per class) as `Micro-F1@20`; names without K keep their case."""
    metric, at, cut = name.partition("@")
    titled = _OF_NODES.get(metric) or (
        metric.upper() if metric in ("hr", "ndcg", "mrr", "map") else metric.replace("_", " ").capitalize()
    )
    return f"{titled}{at}{cut}"


def shown_metrics(main: str) -> list[str]:
    """The metrics to draw over epochs, at the main one's K: `ndcg@10` goes with hit rate and recall, `recall@20` with NDCG."""
    metric, _, cut = main.partition("@")
    if is_of_nodes(main):
        return [main, "macro_f1"]
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


def setting_title(name: str) -> str:
    """Under which label setting a metric of nodes is measured: `with 20 labels per class`."""
    if is_clustering(name):
        return "over all labelled nodes"
    cut = _parts(name)[1]
    return f"with {cut} labels per class" if cut else "mean over label settings"


def setting_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """One protocol's node classification, a row per label setting and one for their mean: columns `labels per class`, `train`,
    `validate`, `test` (nodes), then Micro-F1, Macro-F1 and AUC with the standard deviation over classifiers after each."""
    sizes: Mapping[str, Sequence[int]] = result.get("settings") or {}
    cuts = sorted({_parts(name)[1] for name in result["metrics"] if is_of_nodes(name)} - {0})
    metrics = [name for name in _OF_NODES if name not in _CLUSTERING]
    rows = []
    for cut in [*cuts, 0]:
        nodes = sizes.get(str(cut), ())
        row: dict[str, Any] = {"labels per class": str(cut) if cut else "mean"}
        row |= {
            part: int(count) if count is not None else None
            for part, count in zip(("train", "validate", "test"), [*nodes, None, None, None])
        }
        for metric in metrics:
            name = f"{metric}@{cut}" if cut else metric
            row[metric_title(metric)] = result["metrics"].get(name)
            row[f"± {metric_title(metric)}"] = (result.get("spread") or {}).get(name)
        rows.append(row)
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


def still_falling(losses: pd.DataFrame) -> bool:
    """Whether the training loss was lowest at the last of at least three epochs. losses: as from `wide_series(..., "loss/")`."""
    values = losses[losses["name"] == "loss/total"].dropna(subset="value").sort_values("epoch")["value"]
    return len(values) >= 3 and bool(values.iloc[-1] < values.iloc[:-1].min())


def wide_series(metrics: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """The rows of metrics.jsonl whose name starts with `prefix`: columns name, epoch, value; one row per epoch.

    Several steps of one epoch are averaged.
    """
    rows = metrics[metrics["name"].str.startswith(prefix)]
    return rows.groupby(["name", "epoch"], sort=False)[["value"]].mean().reset_index()


def stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the same columns beneath each other."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
