"""How well a run's embeddings tell classes apart, as tables: scores by label setting, confusion, clusters, nodes. Pure.

C classes, n nodes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.errors import RunError

METRICS = {"micro_f1": "Micro-F1", "macro_f1": "Macro-F1", "auc": "AUC"}
QUALITIES = {"nmi": "NMI", "ari": "ARI"}
RIGHT, DIVIDED, WRONG = "all right", "divided", "all wrong"


def sizes_of(entry: Mapping[str, Any]) -> list[int]:
    """The label settings of a result, labelled nodes per class in rising order."""
    return sorted(int(size) for size in entry.get("settings", {}))


def class_title(name: str) -> str:
    """`class 2` for classes that go by number, their name otherwise."""
    return f"class {name}" if name.isdecimal() else name


def class_titles(entry: Mapping[str, Any]) -> list[str]:
    """A title per class. Raises RunError where the result names none."""
    classes = entry.get("classes")
    if not isinstance(classes, Sequence) or not classes:
        raise RunError("the result names no classes; evaluate the run again")
    return [class_title(str(name)) for name in classes]


def score_table(entry: Mapping[str, Any]) -> pd.DataFrame:
    """One row per label setting and metric: labels, metric, mean, deviation, low, q25, median, q75, high, classifiers."""
    rows = []
    for size in sizes_of(entry):
        for key, title in METRICS.items():
            values = np.asarray(entry.get("repeats", {}).get(f"{key}@{size}", []), dtype=float)
            if len(values):
                low, q25, median, q75, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
                rows.append(
                    (size, title, values.mean(), values.std(), low, q25, median, q75, high, len(values))
                )
    columns = ["labels", "metric", "mean", "deviation", "low", "q25", "median", "q75", "high", "classifiers"]
    return pd.DataFrame(rows, columns=columns)


def cluster_scores(entry: Mapping[str, Any]) -> pd.DataFrame:
    """NMI and ARI: columns quality, mean, deviation, low, high, clusterings."""
    rows = []
    for key, title in QUALITIES.items():
        values = np.asarray(entry.get("repeats", {}).get(key, []), dtype=float)
        if len(values):
            rows.append((title, values.mean(), values.std(), values.min(), values.max(), len(values)))
    return pd.DataFrame(rows, columns=["quality", "mean", "deviation", "low", "high", "clusterings"])


def votes_of(per_node: pd.DataFrame, protocol: str, size: int, classes: int) -> pd.DataFrame:
    """The test nodes of one setting: node, label, predicted, right (share of classifiers that are), votes_0, votes_1, ...

    Raises RunError where votes and classes do not fit.
    """
    part = per_node[(per_node["protocol"] == protocol) & (per_node["labels_per_class"] == size)]
    votes = np.array(part["votes"].tolist(), dtype=float).reshape(len(part), -1 if len(part) else classes)
    if len(part) and (votes.shape[1] != classes or part["label"].max() >= classes):
        raise RunError(
            f"votes for {votes.shape[1]} classes where the result names {classes}; evaluate the run again"
        )
    label = part["label"].to_numpy()
    total = np.maximum(votes.sum(1), 1)
    table = part[["node", "label", "predicted"]].reset_index(drop=True)
    table["right"] = votes[np.arange(len(part)), label] / total
    for place in range(classes):
        table[f"votes_{place}"] = votes[:, place] / total
    return table


def confusion(votes: pd.DataFrame, titles: Sequence[str]) -> pd.DataFrame:
    """Of each true class (row) the share of its test nodes that classifiers put into each class (label): columns row, label,
    value, support (test nodes of the class), nodes (mean number over classifiers)."""
    rows = []
    for true, row in enumerate(titles):
        part = votes[votes["label"] == true]
        for place, label in enumerate(titles):
            share = float(part[f"votes_{place}"].mean()) if len(part) else 0.0
            rows.append((row, label, share, len(part), share * len(part)))
    return pd.DataFrame(rows, columns=["row", "label", "value", "support", "nodes"])


def class_table(votes: pd.DataFrame, titles: Sequence[str]) -> pd.DataFrame:
    """Per class: test nodes, precision, recall and F1 from the mean confusion of all classifiers."""
    share = confusion(votes, titles)
    counts = share["nodes"].to_numpy().reshape(len(titles), len(titles))
    right, true, called = counts.diagonal(), counts.sum(1), counts.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall, f1 = right / called, right / true, 2 * right / (true + called)
    return pd.DataFrame(
        {
            "class": titles,
            "test nodes": true.round().astype(int),
            "precision": precision,
            "recall": recall,
            "F1": f1,
        }
    )


def confused(table: pd.DataFrame) -> tuple[str, str, float] | None:
    """The pair of classes that is confused most, true class first, and the share; None where nothing is. table: of `confusion`."""
    off = table[table["row"] != table["label"]]
    if off.empty or off["value"].max() == 0:
        return None
    row = off.iloc[int(off["value"].argmax())]
    return str(row["row"]), str(row["label"]), float(row["value"])


def cluster_table(clusters: pd.DataFrame, protocol: str, titles: Sequence[str]) -> pd.DataFrame:
    """Of each cluster (row) the share of each class (label), clusters ordered by their leading class: columns row, label, value,
    support (nodes of the cluster), nodes."""
    part = clusters[clusters["protocol"] == protocol]
    counts = pd.crosstab(part["cluster"], part["label"]).reindex(columns=range(len(titles)), fill_value=0)
    order = sorted(counts.index, key=lambda c: (int(counts.loc[c].to_numpy().argmax()), -counts.loc[c].max()))
    rows = []
    for cluster in order:
        found = counts.loc[cluster]
        size = int(found.sum())
        for place, label in enumerate(titles):
            rows.append((f"cluster {cluster + 1}", label, found[place] / size, size, int(found[place])))
    return pd.DataFrame(rows, columns=["row", "label", "value", "support", "nodes"])


def purity(table: pd.DataFrame) -> float:
    """Share of nodes that have their cluster's leading class. table: of `cluster_table`."""
    total = table["nodes"].sum()
    return float(table.groupby("row")["nodes"].max().sum() / total) if total else 0.0


def node_table(
    places: pd.DataFrame,
    labels: pd.Series,
    clusters: pd.Series,
    votes: pd.DataFrame,
    titles: Sequence[str],
    names: Sequence[str],
) -> pd.DataFrame:
    """One row per mapped node: node, name, x, y, class, cluster, verdict and right (share of classifiers that are; NaN where it
    was not tested), predicted.

    labels: node -> class number. clusters: node -> cluster number. votes: of `votes_of`. names: of each node.
    """
    table = places.copy()
    nodes = table["node"].to_numpy()
    table["name"] = [names[node] if node < len(names) else str(node) for node in nodes]
    table["class"] = [
        titles[c] if 0 <= c < len(titles) else "none" for c in labels.reindex(nodes, fill_value=-1)
    ]
    table["cluster"] = [
        f"cluster {c + 1}" if c >= 0 else "none" for c in clusters.reindex(nodes, fill_value=-1)
    ]
    by_node = votes.set_index("node")
    table["right"] = by_node["right"].reindex(nodes).to_numpy()
    predicted = by_node["predicted"].reindex(nodes)
    table["predicted"] = [titles[int(p)] if p == p else "" for p in predicted]
    table["verdict"] = [_verdict(right) for right in table["right"]]
    return table


def _verdict(right: float) -> str:
    if right != right:
        return "not tested"
    return RIGHT if right == 1 else WRONG if right == 0 else DIVIDED
