"""How far behaviour and modalities agree, what the alignment weighs, and how both came about, as tables and in words. Pure.

U users, I items. Source: EGRA's bi-level weights, as this project reconstructs them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import RunError
from core.findings import STATISTICS, Array, Finding
from dashboard import learned, words
from dashboard.information import SIDES, Stated
from dashboard.relations import GROUP_TITLES

# A mean agreement that moves by less stays as it is.
STEADY = 0.01
SPREAD = {"mean": "mean", "q05": "q05", "q25": "q25", "q50": "median", "q75": "q75", "q95": "q95"}
EPOCHS = ["epoch", "side", *SPREAD.values(), "nodes"]


def sides_of(finding: Finding) -> dict[str, Array]:
    """The values of users [U, ...] and of items [I, ...]. finding: its first axis is node. Raises RunError without both."""
    groups, values = finding.axes[0].groups, learned.dense(finding)
    if not all(side in groups and groups[side][1] > groups[side][0] for side in SIDES):
        raise RunError(
            f"{finding.key}: its nodes are not told apart into users and items; repeat the run to write it again"
        )
    return {side: values[slice(*groups[side])] for side in SIDES}


def over_epochs(stated: Stated) -> pd.DataFrame:
    """Mean and quantiles over users and over items at every snapshot: columns EPOCHS. The finding has the node axis alone."""
    if stated.history is None:
        return pd.DataFrame(columns=EPOCHS)
    sizes = {side: len(values) for side, values in sides_of(stated.finding).items()}
    groups = list(stated.finding.axes[0].groups)
    rows = [
        (int(epoch), side, *(float(v) for v in now[groups.index(side)]), sizes[side])
        for epoch, now in zip(stated.history.epochs, stated.history.values)
        for side in SIDES
    ]
    told = [SPREAD[statistic] for statistic in STATISTICS]
    return pd.DataFrame(rows, columns=["epoch", "side", *told, "nodes"])[EPOCHS]


def schedule(stated: Stated | None) -> pd.DataFrame:
    """The alignment loss's weight at every snapshot: columns epoch, value; empty where none was taken."""
    if stated is None or stated.history is None:
        return pd.DataFrame(columns=["epoch", "value"])
    values = stated.history.values.reshape(len(stated.history.epochs), -1)[:, 0]
    return pd.DataFrame({"epoch": stated.history.epochs.astype(int), "value": values.astype(float)})


@dataclass(frozen=True)
class Course:
    """Mean agreement of one side: at the first snapshot (None where none was taken) and now."""

    side: str
    first_epoch: int | None
    first: float
    now: float

    @property
    def verb(self) -> str:
        """`rose`, `fell`, `stayed`."""
        moved = self.now - self.first
        return "stayed" if abs(moved) < STEADY else "rose" if moved > 0 else "fell"


def courses(stated: Stated, epoch: int | None) -> list[Course]:
    """How agreement moved from the first snapshot to that of `epoch`, or to the scored model where there is none."""
    table = over_epochs(stated)
    found = []
    for side, values in sides_of(stated.finding).items():
        own = table[table["side"] == side].set_index("epoch")["mean"]
        first = int(own.index[0]) if len(own) else None
        now = (
            float(own[epoch])
            if epoch is not None and stated.follows(epoch)
            else float(values.mean(dtype=float))
        )
        found.append(Course(side, first, float(own.iloc[0]) if len(own) else now, now))
    return found


def answer(found: list[Course], epoch: int | None, scored: int | None) -> str:
    """Did agreement rise, from what to what, in Markdown."""
    last = epoch if epoch is not None else scored
    start = found[0].first_epoch
    if start is None or start == last:
        now = " and ".join(f"{words.score(c.now)} of {GROUP_TITLES[c.side]}" for c in found)
        when = f" at epoch {last}" if last is not None else ""
        return f"The mean cosine between behaviour and modalities is :primary[{now}]{when}."
    until = f"epoch {last}" if last is not None else "the latest model"
    said = [_course(course) for course in found]
    return f"From epoch {start} to {until}, agreement of {said[0]}, and that of {said[1]}."


def _course(course: Course) -> str:
    whose, first, now = GROUP_TITLES[course.side], words.score(course.first), words.score(course.now)
    if course.verb == "stayed":
        return f"{whose} stayed at :primary[{now}] (it was {first})"
    return f"{whose} :primary[{course.verb} from {first} to {now}]"


def weights_are_alike(finding: Finding) -> bool:
    """Whether every user counts alike in the alignment, and every item."""
    return all(bool(np.ptp(values) < 1e-6) for values in sides_of(finding).values())
