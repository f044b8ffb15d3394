"""Gradient conflict between tasks as tables: at one snapshot, over all of them, and in a few numbers per pair. Pure."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from core.findings import History

# Median cosines closer to zero than this say that two tasks hardly touch each other. The median, because the first
# snapshots, where all tasks learn what is popular, lie far above all others.
NEAR_ZERO = 0.05
APART, TOGETHER, NEITHER = "pull apart", "pull together", "hardly touch"


def labels_of(history: History) -> tuple[str, ...]:
    """The tasks whose gradients were compared."""
    return next(axis.labels for axis in history.axes if axis.name == "task")


def pair_title(one: str, other: str) -> str:
    return f"{one} – {other}"


def matrix_at(history: History, epoch: int) -> pd.DataFrame:
    """Cosine of each pair of tasks at a snapshot: columns task, other, cosine; the diagonal is left out."""
    place, tasks = [int(known) for known in history.epochs].index(epoch), labels_of(history)
    rows = [
        (one, other, float(history.values[place, a, b]))
        for a, one in enumerate(tasks)
        for b, other in enumerate(tasks)
        if a != b
    ]
    return pd.DataFrame(rows, columns=["task", "other", "cosine"])


def curves(history: History) -> pd.DataFrame:
    """Each pair of tasks once over the epochs: columns pair, epoch, cosine."""
    tasks = labels_of(history)
    rows = [
        (pair_title(tasks[a], tasks[b]), int(epoch), float(history.values[t, a, b]))
        for a, b in combinations(range(len(tasks)), 2)
        for t, epoch in enumerate(history.epochs)
    ]
    return pd.DataFrame(rows, columns=["pair", "epoch", "cosine"])


def reach(history: History) -> float:
    """The largest absolute cosine between two tasks at any snapshot: one colour scale for all epochs."""
    size = len(labels_of(history))
    off = np.abs(history.values[:, ~np.eye(size, dtype=bool)])
    return float(off.max(initial=0.0)) or 1.0


def summary(history: History) -> pd.DataFrame:
    """Per pair of tasks: median, lowest, its epoch, negative (snapshots below 0), snapshots, verdict."""
    rows = []
    for pair, part in curves(history).groupby("pair", sort=False):
        values = part["cosine"].to_numpy()
        median = float(np.median(values))
        verdict = NEITHER if abs(median) < NEAR_ZERO else TOGETHER if median > 0 else APART
        at = int(part["epoch"].iloc[int(values.argmin())])
        rows.append((pair, median, float(values.min()), at, int((values < 0).sum()), len(values), verdict))
    return pd.DataFrame(
        rows, columns=["pair", "median", "lowest", "lowest_epoch", "negative", "snapshots", "verdict"]
    )


@dataclass(frozen=True)
class Overall:
    """All pairs and snapshots together: how many cosines, how many of them negative, pairs that pull apart or together."""

    measured: int
    negative: int
    apart: tuple[str, ...]
    together: tuple[str, ...]
    pairs: int

    @property
    def share(self) -> float:
        return self.negative / self.measured


def overall(table: pd.DataFrame) -> Overall:
    """`table`: as from `summary`, with at least one pair."""
    apart, together = (
        tuple(table.loc[table["verdict"] == verdict, "pair"].tolist()) for verdict in (APART, TOGETHER)
    )
    return Overall(int(table["snapshots"].sum()), int(table["negative"].sum()), apart, together, len(table))


def nearest(history: History, epoch: int | None) -> int:
    """The snapshot closest to `epoch`, the earlier of two; the last one where no epoch is known."""
    epochs = sorted(int(known) for known in history.epochs)
    return epochs[-1] if epoch is None else min(epochs, key=lambda known: (abs(known - epoch), known))
