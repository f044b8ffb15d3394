"""A heterogeneous graph's profile in sentences and tables: nodes, relations, metapaths, classes and label settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashboard import words
from dashboard.data_profile import share_of

Told = Mapping[str, Any]
PARTS = {"train": "training", "val": "validation", "test": "test"}
# how far above chance a metapath's homophily must lie to say something about the classes
NOTABLE = 0.05
_SHOWN = 3


def answer(told: Told) -> str:
    """What the graph is, in one sentence."""
    return (
        f"A graph for node classification: {words.count(sum(told['nodes'].values()), 'node')} of "
        f"{words.count(len(told['nodes']), 'type')}, {words.count(sum(told['edges'].values()), 'edge')}, "
        f"{told['classes']:,} classes of {told['target_type']}."
    )


def lesson(told: Told) -> str:
    """What the metapaths say about the classes; empty where no metapath joins two labelled nodes."""
    table = metapath_table(told).dropna(subset=["homophily"]).sort_values("homophily", ascending=False)
    chance, target = told["homophily_by_chance"], told["target_type"]
    if table.empty or chance is None:
        return ""
    shares = [f"{name} {words.percent(share)}" for name, share in zip(table["metapath"], table["homophily"])]
    listed = ", ".join(shares[:_SHOWN]) + (", ..." if len(shares) > _SHOWN else "")
    text = (
        f"Of the pairs that a metapath joins, so many are of one class: {listed}; of any two {target} nodes "
        f"{words.percent(chance)}."
    )
    best, worst = table.iloc[0], table.iloc[-1]
    if best["homophily"] < chance + NOTABLE:
        return f"{text} No metapath says much about the classes: features must."
    if best["alone"]:
        text += (
            f" {best['metapath']} says most about them, and joins {best['alone']:,} of {told['nodes'][target]:,} nodes to no "
            "other."
        )
    if len(table) > 1 and worst["homophily"] < chance + NOTABLE:
        text += f" {worst['metapath']} hardly differs from chance."
    return text


def node_table(told: Told) -> pd.DataFrame:
    """Per node type: nodes, those without any edge, dimensions of its features (NaN without) and the share of them that is
    not zero, whether it is the target.
    """
    rows = [
        {
            "type": kind,
            "nodes": count,
            "without an edge": told["isolated"][kind],
            "features": told["node_features"].get(kind, [0, np.nan])[1],
            "not zero": told["node_feature_density"].get(kind, np.nan),
            "target": kind == told["target_type"],
        }
        for kind, count in told.get("nodes", {}).items()
    ]
    return pd.DataFrame(rows, columns=["type", "nodes", "without an edge", "features", "not zero", "target"])


def relation_table(told: Told) -> pd.DataFrame:
    """Per relation: the types it joins, edges, and edges per node of either type."""
    rows = []
    for name, count in told.get("edges", {}).items():
        source, destination = told["edge_ends"][name]
        rows.append(
            {
                "relation": name,
                "joins": f"{source} – {destination}",
                "edges": count,
                "per source": share_of(count, told["nodes"][source]),
                "per destination": share_of(count, told["nodes"][destination]),
            }
        )
    return pd.DataFrame(rows, columns=["relation", "joins", "edges", "per source", "per destination"])


def metapath_table(told: Told) -> pd.DataFrame:
    """Per metapath: its walk, pairs joined (self-loops included), their share of all pairs, homophily (NaN where no two
    labelled nodes are joined), and nodes joined to no other.
    """
    rows = [
        {
            "metapath": name,
            "walk": " – ".join(facts["walk"]),
            "pairs": told["metapaths"][name],
            "density": facts["density"],
            "homophily": np.nan if facts["homophily"] is None else facts["homophily"],
            "alone": facts["alone"],
        }
        for name, facts in told.get("metapath_facts", {}).items()
    ]
    columns = ["metapath", "walk", "pairs", "density", "homophily", "alone"]
    return pd.DataFrame(rows, columns=columns)


def class_table(told: Told) -> pd.DataFrame:
    """Per class: its nodes and their share of the labelled ones; the nodes without a label last, where there are any."""
    labelled = sum(told["class_sizes"])
    rows = [
        {"class": name, "nodes": size, "share": share_of(size, labelled)}
        for name, size in zip(told["class_names"], told["class_sizes"])
    ]
    if told["unlabelled"]:
        rows.append({"class": "no label", "nodes": told["unlabelled"], "share": np.nan})
    return pd.DataFrame(rows, columns=["class", "nodes", "share"])


def setting_table(told: Told) -> pd.DataFrame:
    """Per label setting: nodes that train, validate and test."""
    sizes: dict[int, dict[str, int]] = {}
    for name, size in told["node_splits"].items():
        part, _, number = name.rpartition("_")
        sizes.setdefault(int(number), {})[PARTS.get(part, part)] = size
    rows = [{"labels per class": number, **found} for number, found in sorted(sizes.items())]
    return pd.DataFrame(rows, columns=["labels per class", *PARTS.values()])


def labelled(told: Told) -> str:
    """`20, 40 and 60`: the numbers of labels per class that can be trained on."""
    numbers = [str(number) for number in setting_table(told)["labels per class"]]
    return (
        " and ".join([", ".join(numbers[:-1]), numbers[-1]])
        if len(numbers) > 1
        else "".join(numbers) or "none"
    )
