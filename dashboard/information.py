"""What HGIB's levels keep, as tables: abundance and spectra, dependence on the level before, what is left of the output. Pure.

Levels form a hierarchy of depths: the initial table, the graph of all behaviours, one graph per behaviour, their components
(pairs that did or did not reach the target), and the output that fuses them. Source: HGIB, Sections 4.3, 4.5 and 5.8.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import RunError
from core.findings import Array, Finding, History
from dashboard import learned

INITIAL, UNIFIED, OUTPUT = "initial", "all behaviours", "output"
DEPTHS = ("initial table", "all behaviours", "single behaviours", "components", "output")
SIDES = ("user", "item")
_BETWEEN = " > "
# A mean that moves by less than this part of itself from one depth to the next stays as it is.
STEADY = 0.01
FALLS, RISES, STAYS = "falls", "rises", "stays"
# Singular values below this part of the largest are padding or rounding.
_NO_VALUE = 1e-6


@dataclass(frozen=True, eq=False)
class Stated:
    """A finding and its snapshots, where the run took some that fit it."""

    finding: Finding
    history: History | None

    def follows(self, epoch: int | None) -> bool:
        """Whether there is a snapshot at `epoch`."""
        return epoch is not None and self.history is not None and epoch in self.history.epochs

    def values(self, epoch: int | None) -> Array:
        """The values at the snapshot of `epoch`, those of the finding where there is none."""
        if self.follows(epoch) and self.history is not None:
            at: Array = self.history.values[[int(known) for known in self.history.epochs].index(epoch or 0)]
            return at
        return learned.dense(self.finding)

    def labels(self, axis: str) -> tuple[str, ...]:
        return learned.labels_of(self.finding.axis(axis))


def checked(finding: Finding, axes: tuple[str, ...]) -> Finding:
    """`finding`, if it has these axes, none of them empty, and users and items as sides. Raises RunError."""
    sides = [axis.labels for axis in finding.axes if axis.name == "side"]
    fits = tuple(axis.name for axis in finding.axes) == axes and all(axis.size for axis in finding.axes)
    if not fits or any(labels != SIDES for labels in sides):
        have = ", ".join(f"{axis.name} ({axis.size})" for axis in finding.axes)
        raise RunError(
            f"{finding.key}: expected the axes {', '.join(axes)}, got {have or 'none'}; repeat the run to write it again"
        )
    return finding


def depth(level: str) -> int:
    """How deep a level lies: its place in DEPTHS. Behaviours have names without spaces, components are made of two."""
    named = {INITIAL: 0, UNIFIED: 1, OUTPUT: 4}
    return named.get(level, 3 if " and " in level or " without " in level else 2)


def parent(level: str, levels: tuple[str, ...]) -> str:
    """The level that `level` refines, among `levels`; empty for the first, and for the output, which fuses several."""
    at = depth(level)
    if at in (0, 4):
        return ""
    behavior = level.split(" ")[0]
    if at == 3 and behavior in levels:
        return behavior
    return UNIFIED if at > 1 and UNIFIED in levels else INITIAL


def abundance_table(stated: Stated, side: str, epoch: int | None) -> pd.DataFrame:
    """Columns level, depth, value (information abundance), parent, of_parent (the parent's value, NaN without one)."""
    levels = stated.labels("level")
    values = stated.values(epoch)[:, SIDES.index(side)].astype(float)
    of = dict(zip(levels, values.tolist()))
    parents = [parent(level, levels) for level in levels]
    return pd.DataFrame(
        {
            "level": levels,
            "depth": [depth(level) for level in levels],
            "value": values,
            "parent": parents,
            "of_parent": [of.get(name, np.nan) for name in parents],
        }
    )


def dependence_table(stated: Stated, side: str, epoch: int | None) -> pd.DataFrame:
    """HSIC of each level with the one before it: columns level, depth, value, parent."""
    parents, levels = zip(*(_pair(label) for label in stated.labels("level_pair")))
    values = stated.values(epoch)[:, SIDES.index(side)].astype(float)
    depths = [depth(level) for level in levels]
    return pd.DataFrame({"level": levels, "depth": depths, "value": values, "parent": parents})


def _pair(label: str) -> tuple[str, str]:
    before, _, after = label.partition(_BETWEEN)
    return before, after or before


def preservation_table(stated: Stated, epoch: int | None) -> pd.DataFrame:
    """What each level loses of the output: columns level, depth, value (nats), guessing (nats), lost (value of guessing).

    Guessing among M pairs costs ln M nats for users and ln M for items; NaN where M is not known.
    """
    levels, values = stated.labels("level"), stated.values(epoch).astype(float)
    support = stated.finding.support
    pairs = np.full(len(values), np.nan) if support is None else np.asarray(support, dtype=float)
    guessing = 2 * np.log(np.where(pairs > 1, pairs, np.nan))
    depths = [depth(level) for level in levels]
    return pd.DataFrame(
        {
            "level": levels,
            "depth": depths,
            "value": values,
            "guessing": guessing,
            "lost": values / guessing,
            "pairs": pairs,
        }
    )


def spectrum_table(stated: Stated, side: str, epoch: int | None) -> pd.DataFrame:
    """Singular values over the largest: columns level, depth, rank, value; what is nil is left out."""
    levels = stated.labels("level")
    values = stated.values(epoch)[:, SIDES.index(side)].astype(float)
    ranks = values.shape[1]
    table = pd.DataFrame(
        {
            "level": np.repeat(np.array(levels, dtype=object), ranks),
            "depth": np.repeat([depth(level) for level in levels], ranks),
            "rank": np.tile(np.arange(1, ranks + 1), len(levels)),
            "value": values.ravel(),
        }
    )
    return table[table["value"] > _NO_VALUE].reset_index(drop=True)


@dataclass(frozen=True)
class Drop:
    """How far a level's spectrum falls. ranks: singular values that are not nil; smallest: the least of them, over the largest."""

    level: str
    ranks: int
    smallest: float


def drops(spectra: pd.DataFrame) -> list[Drop]:
    """One per level, the one that falls furthest first. spectra: as from `spectrum_table`."""
    found = [
        Drop(str(level), len(values), float(values.min()))
        for level, values in spectra.groupby("level", sort=False)["value"]
    ]
    return sorted(found, key=lambda drop: (drop.ranks, drop.smallest))


def by_depth_over_epochs(stated: Stated, side: str | None = None) -> pd.DataFrame:
    """Mean over the levels of each depth, at every snapshot: columns epoch, depth, mean, low, high (smallest and largest level), levels."""
    if stated.history is None:
        return pd.DataFrame(columns=["epoch", "depth", "mean", "low", "high", "levels"])
    values = stated.history.values.astype(float)
    values = values[:, :, SIDES.index(side)] if side is not None else values
    axis = stated.finding.axes[0]
    names = [_pair(label)[1] for label in axis.labels] if axis.name == "level_pair" else list(axis.labels)
    depths = np.array([depth(name) for name in names])
    rows = [
        (int(epoch), int(at), float(now.mean()), float(now.min()), float(now.max()), len(now))
        for at in np.unique(depths)
        for epoch, now in zip(stated.history.epochs, values[:, depths == at])
    ]
    return pd.DataFrame(rows, columns=["epoch", "depth", "mean", "low", "high", "levels"])


@dataclass(frozen=True)
class Step:
    """From one depth to the next: the mean value over the levels of each, and whether it falls, rises or stays."""

    start: str
    end: str
    before: float
    after: float
    verdict: str

    @property
    def change(self) -> float:
        """Relative to `before`."""
        return self.after / self.before - 1 if self.before else 0.0


def steps(table: pd.DataFrame) -> list[Step]:
    """Every step between depths that are there. table: columns depth and value."""
    means = table.groupby("depth", sort=True)["value"].mean()
    found = []
    for (start, before), (end, after) in zip(means.items(), list(means.items())[1:]):
        moved = float(after - before)
        steady = abs(moved) <= STEADY * abs(float(before))
        verdict = STAYS if steady else FALLS if moved < 0 else RISES
        found.append(
            Step(DEPTHS[int(str(start))], DEPTHS[int(str(end))], float(before), float(after), verdict)
        )
    return found


def extreme(table: pd.DataFrame, column: str, *, least: bool = False) -> dict[str, Any]:
    """The row with the largest (or least) number in `column`, the first of several. table: not empty."""
    values = table[column].to_numpy(dtype=float)
    place = int(np.nanargmin(values) if least else np.nanargmax(values))
    return {str(name): value for name, value in table.iloc[place].items()}


def step_table(found: list[Step]) -> pd.DataFrame:
    """Columns step, before, after, change (relative), verdict."""
    rows = [
        (f"{step.start} → {step.end}", step.before, step.after, step.change, step.verdict) for step in found
    ]
    return pd.DataFrame(rows, columns=["step", "before", "after", "change", "verdict"])


def falling(found: list[Step]) -> str:
    """The verdict on HGIB's Figure 6: `holds`, `holds in part`, `does not hold`; empty without a step."""
    if not found:
        return ""
    down = sum(step.verdict == FALLS for step in found)
    return "holds" if down == len(found) else "does not hold" if down == 0 else "holds in part"
