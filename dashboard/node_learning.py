"""What a node model's snapshots say over the epochs: attention over metapaths, negatives, masks, divergence. Pure.

Every table has the columns epoch, name, mean, low, high that figures over epochs draw.
"""

import numpy as np
import pandas as pd

from core.findings import STATISTICS, Array, Finding, History
from dashboard.information import Stated

_COLUMNS = ["epoch", "name", "mean", "low", "high"]


def metapath_shares(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """Attention of every layer over metapaths, as cells: columns row (layer), label (metapath), value, support (NaN)."""
    values = stated.values(epoch)
    layers, metapaths = stated.labels("layer"), stated.labels("metapath")
    rows = [
        (layer, metapath, float(values[place, column]), np.nan)
        for place, layer in enumerate(layers)
        for column, metapath in enumerate(metapaths)
    ]
    return pd.DataFrame(rows, columns=["row", "label", "value", "support"])


def shares_over_epochs(stated: Stated, layer: str) -> pd.DataFrame:
    """One layer's attention per metapath over the epochs."""
    if stated.history is None:
        return pd.DataFrame(columns=_COLUMNS)
    place = stated.labels("layer").index(layer)
    return _lines(stated.history, stated.history.values[:, place], stated.labels("metapath"))


def leading(table: pd.DataFrame) -> tuple[str, str, float] | None:
    """The layer that decides most by one metapath, the metapath and its share. table: of `metapath_shares`."""
    if table.empty:
        return None
    row = table.iloc[int(table["value"].argmax())]
    return str(row["row"]), str(row["label"]), float(row["value"])


def statistic_over_epochs(stated: Stated, axis: str, other: str, chosen: str) -> pd.DataFrame:
    """One position `chosen` of the axis `other` over the epochs, a line per position of `axis`."""
    if stated.history is None:
        return pd.DataFrame(columns=_COLUMNS)
    names = [a.name for a in stated.finding.axes]
    place = stated.labels(other).index(chosen)
    values = np.take(stated.history.values, place, axis=1 + names.index(other))
    return _lines(stated.history, values, stated.labels(axis))


def parts_over_epochs(stated: Stated, axis: str) -> pd.DataFrame:
    """A finding with one axis over the epochs, a line per position."""
    if stated.history is None:
        return pd.DataFrame(columns=_COLUMNS)
    return _lines(stated.history, stated.history.values, stated.labels(axis))


def divergence_over_epochs(stated: Stated) -> pd.DataFrame:
    """KL divergence over the epochs: mean over nodes, and the middle half as low and high."""
    history = stated.history
    if history is None or history.values.ndim != 3:
        return pd.DataFrame(columns=_COLUMNS)
    at = {name: history.values[:, 0, place] for place, name in enumerate(STATISTICS)}
    return pd.DataFrame(
        {
            "epoch": history.epochs.astype(int),
            "name": "KL",
            "mean": at["mean"],
            "low": at["q25"],
            "high": at["q75"],
        }
    )


def now(stated: Stated, epoch: int | None) -> Array:
    """The values at the picked epoch, or of the scored model."""
    return stated.values(epoch)


def dims_of(finding: Finding) -> int:
    """How many dims the latent normals have."""
    return finding.axis("dim").size


def mean_divergence(stated: Stated, epoch: int | None) -> float:
    """Mean KL divergence of all nodes, in nats, at the picked epoch or of the scored model."""
    values = stated.values(epoch)
    return float(values[0, STATISTICS.index("mean")]) if stated.follows(epoch) else float(np.mean(values))


def _lines(history: History, values: Array, names: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        (int(epoch), name, float(row[place]), np.nan, np.nan)
        for epoch, row in zip(history.epochs, values, strict=True)
        for place, name in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS)
