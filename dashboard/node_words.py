"""The sentences of the Nodes page, computed from a run. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard import states, words
from dashboard.nodes import sizes_of


def scores_in_short(entry: Mapping[str, Any]) -> str:
    """`Micro-F1 .9012 ± .0032 with 20 labels per class, .9134 ± .0021 with 60`."""
    sizes = sizes_of(entry)
    ends = list(dict.fromkeys([sizes[0], sizes[-1]])) if sizes else []
    metrics, spread = entry.get("metrics", {}), entry.get("spread", {})
    told = [
        f"{words.score(metrics.get(f'micro_f1@{size}'))} ± {words.score(spread.get(f'micro_f1@{size}'))} with {size}"
        for size in ends
        if f"micro_f1@{size}" in metrics
    ]
    if not told:
        return ""
    return "Micro-F1 " + ", ".join([f"{told[0]} labels per class", *told[1:]])


def clusters_in_short(metrics: Mapping[str, Any]) -> str:
    """`k-means finds the classes with NMI .6970`."""
    found = metrics.get("nmi")
    return "" if found is None else f"k-means finds the classes with NMI {words.score(float(found))}"


def attention_in_short(shares: pd.DataFrame) -> str:
    """`the first layer takes 61.2 % from PSP`: the first layer's leading metapath. shares: of `node_learning.metapath_shares`."""
    if shares.empty or shares["label"].nunique() < 2:
        return ""
    first = shares[shares["row"] == shares["row"].iloc[0]]
    row = first.iloc[int(first["value"].argmax())]
    even = 1 / len(first)
    if float(row["value"]) < 1.1 * even:
        return "its first layer weighs all metapaths alike"
    return (
        f"its first layer takes {words.percent(float(row['value']))} from {states.plain(str(row['label']))}"
    )


def sentence(parts: Sequence[str], epoch: int | None) -> str:
    """One sentence of what is known, dated where an earlier epoch is picked."""
    told = [part for part in parts if part]
    if not told:
        return ""
    joined = "; ".join(told)
    return words.sentence(joined) + "." if epoch is None else f"At epoch {epoch}: {joined}."


def confused_sentence(found: tuple[str, str, float] | None) -> str:
    """Which classes are mixed up most."""
    if found is None:
        return "Every test node is put into its class by every classifier."
    true, called, share = found
    return f"Most confused: {words.percent(share)} of **{states.plain(true)}** is taken for **{states.plain(called)}**."


def hardness_sentence(values: Mapping[str, Mapping[str, float]]) -> str:
    """How near both kinds of negatives come, against the positives. values: kind -> statistic -> cosine."""
    if "variational" not in values:
        return ""
    ours, theirs = values["variational"], values["dropout"]
    nearer = "nearer" if ours["max"] > theirs["max"] else "farther"
    positive = f" positives lie at {signed(values['positive']['mean'])}." if "positive" in values else ""
    return (
        f"The nearest variational negative of a node lies at cosine {signed(ours['max'])}, the nearest dropout negative at "
        f"{signed(theirs['max'])}: variational ones come **{nearer}**;{positive}"
    )


def signed(value: float) -> str:
    """A cosine: `0.62`, `−0.08`."""
    return f"{value:.2f}".replace("-", "−")


def noise_sentence(shares: pd.DataFrame, noise: Sequence[str]) -> str:
    """What metapaths that are planted noise get in each layer against an even share; empty without any.

    shares: of `node_learning.metapath_shares`.
    """
    found = shares[shares["label"].isin(list(noise))]
    if found.empty:
        return ""
    names = states.plain(" and ".join(dict.fromkeys(map(str, found["label"]))))
    by_layer = found.groupby("row", sort=False)["value"].sum()
    even = found["label"].nunique() / shares["label"].nunique()
    below = int((by_layer < even).sum())
    told = f"{words.percent(float(by_layer.min()))} to {words.percent(float(by_layer.max()))}"
    return (
        f"{names} walks over a relation that is pure noise. It gets {told} of the attention, below the even share of "
        f"{words.percent(even)} in {below} of {len(by_layer)} layers."
    )
