"""Which model a view shows: the scored one, the latest of a run that is not scored yet, or what it was at an earlier epoch.

Said in titles, tables and file names.
"""

from dataclasses import dataclass

import pandas as pd

SCORED, LATEST = "scored", "latest"


@dataclass(frozen=True)
class Moment:
    """A run at an epoch. epoch: of a snapshot, None for the scored model. scored: the epoch of that model, if known."""

    run_id: str
    epoch: int | None
    scored: int | None

    def when(self) -> str:
        """`at epoch 12`, `of the scored model`, `of the latest snapshot`."""
        if self.epoch is not None:
            return f"at epoch {self.epoch}"
        return "of the scored model" if self.scored else "of the latest snapshot"

    def mark(self) -> tuple[int | None, str]:
        """The epoch that a figure over epochs marks, and what the mark says: `scored`, `epoch 12`."""
        return (self.scored, SCORED) if self.epoch is None else (self.epoch, f"epoch {self.epoch}")

    def name(self, figure: str) -> str:
        """File name of a figure and its data: what, of which epoch, of which run."""
        moment = f"epoch-{self.epoch}" if self.epoch is not None else self._undated
        return f"{figure}-{moment}-{self.run_id}"

    def dated(self, table: pd.DataFrame) -> pd.DataFrame:
        """`table` with the epoch it belongs to as its first column."""
        epoch = self.epoch if self.epoch is not None else self.scored
        dated = table.copy()
        dated.insert(0, "epoch", epoch if epoch is not None else self._undated)
        return dated

    @property
    def _undated(self) -> str:
        return SCORED if self.scored else LATEST

    def of_scored(self) -> "Moment":
        """The scored model of the same run."""
        return Moment(self.run_id, None, self.scored)
