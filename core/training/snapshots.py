"""Snapshots: findings as they evolve, stacked over epochs into histories inside the run folder."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.findings import Finding, History, load_history, save_finding, save_history, summary_over_nodes

# Larger findings are stored once, at the end; until then only their history grows.
_MOST_VALUES = 4_000_000


class Snapshots:
    """Keeps the histories of one run; what was written before a resume is continued, later epochs are dropped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, epoch: int, findings: Iterable[Finding]) -> None:
        """Store each finding as it is now and append its summary over nodes to its history."""
        for finding in findings:
            if _size(finding) <= _MOST_VALUES:
                save_finding(self._folder, finding)
            summary = summary_over_nodes(finding)
            if isinstance(summary.values, np.ndarray):
                self._append(epoch, summary, summary.values)

    def _append(self, epoch: int, summary: Finding, values: np.ndarray) -> None:
        epochs, stacked = np.array([epoch]), values[None].astype(np.float32)
        before = load_history(self._folder, summary.key)
        if before is not None and before.axes == summary.axes:
            kept = before.epochs < epoch
            epochs = np.concatenate([before.epochs[kept], epochs])
            stacked = np.concatenate([before.values[kept], stacked])
        save_history(self._folder, History(summary.key, summary.kind, summary.axes, epochs, stacked))


def _size(finding: Finding) -> int:
    return finding.values.size if isinstance(finding.values, np.ndarray) else len(finding.values.index)
