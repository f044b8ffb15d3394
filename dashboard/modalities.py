"""What a fusion takes from every modality, over users and items, their groups and epochs, as tables. Pure.

V nodes of one side, M modalities. Source: MGCN's behaviour-aware fuser.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.findings import STATISTICS, Array
from dashboard.alignment import SPREAD, sides_of
from dashboard.information import SIDES, Stated

# A modality that gets more than this of the attention of nearly every node leaves nothing to the others.
TAKES_ALL = 0.95
# Mean shares that differ by less are told as alike.
CLOSE = 0.01
COLUMNS = ["side", "modality", *SPREAD.values(), "nodes"]
_QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def spread(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """Mean and quantiles of every modality over users and over items: columns COLUMNS. stated: axes node and modality.

    epoch: of a snapshot; the scored model where there is none.
    """
    if stated.follows(epoch):
        table = over_epochs(stated)
        return table[table["epoch"] == epoch][COLUMNS].reset_index(drop=True)
    rows = []
    for side, values in sides_of(stated.finding).items():
        found = np.quantile(values, list(_QUANTILES.values()), axis=0)
        for place, modality in enumerate(stated.labels("modality")):
            quantiles = dict(zip(_QUANTILES, found[:, place].tolist()))
            mean = float(values[:, place].mean(dtype=float))
            rows.append(
                {"side": side, "modality": modality, "mean": mean} | quantiles | {"nodes": len(values)}
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def over_epochs(stated: Stated) -> pd.DataFrame:
    """As `spread`, at every snapshot: the columns of it, epoch first."""
    columns = ["epoch", *COLUMNS]
    if stated.history is None:
        return pd.DataFrame(columns=columns)
    sizes = {side: len(values) for side, values in sides_of(stated.finding).items()}
    groups = list(stated.finding.axes[0].groups)
    told = [SPREAD[statistic] for statistic in STATISTICS]
    rows = [
        {"epoch": int(epoch), "side": side, "modality": modality, "nodes": sizes[side]}
        | dict(zip(told, now[place, groups.index(side)].astype(float).tolist()))
        for epoch, now in zip(stated.history.epochs, stated.history.values)
        for side in SIDES
        for place, modality in enumerate(stated.labels("modality"))
    ]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class TakesAll:
    """A modality that gets more than TAKES_ALL of the attention of at least 95 % of one side's nodes."""

    side: str
    modality: str
    low: float


def takes_all(table: pd.DataFrame) -> list[TakesAll]:
    """Every such side and modality; none where there is one modality alone. table: of `spread`."""
    if table["modality"].nunique() < 2:
        return []
    over = table[table["q05"] > TAKES_ALL]
    return [TakesAll(str(r["side"]), str(r["modality"]), float(r["q05"])) for r in over.to_dict("records")]


@dataclass(frozen=True)
class Lead:
    """The modality with the largest mean of one side. is_even: no mean is far from another."""

    modality: str
    share: float
    is_even: bool


def lead(table: pd.DataFrame, side: str) -> Lead:
    """Who leads on one side. table: of `spread`."""
    part = table[table["side"] == side]
    means = part["mean"].to_numpy(dtype=float)
    place = int(means.argmax())
    return Lead(str(part["modality"].iloc[place]), float(means[place]), bool(np.ptp(means) < CLOSE))


def decided(values: Array) -> float:
    """The share of nodes that give one modality more than TAKES_ALL of their attention. values: [V, M]."""
    return float((values.max(axis=1) > TAKES_ALL).mean())
