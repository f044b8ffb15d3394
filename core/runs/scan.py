"""Noticing which run folders changed, with a few stat calls each and no reading."""

import os
from dataclasses import dataclass, field

from core.home import Home
from core.runs.folder import RunFolder, list_run_folders
from core.runs.summary import RunSummary, summarise
from core.runs.valid_curve import ValidCurve

_WATCHED = ("recipe.json", "status.json", "result.json", "notes.json", "checkpoints/last.pt")


def signature(run: RunFolder) -> str:
    """A text that changes whenever a file behind the summary is replaced, written, or removed."""
    parts = []
    for name in _WATCHED:
        try:
            about = os.stat(f"{run.path}/{name}")  # noqa: PTH116 - five times faster than building Path objects
        except OSError:
            parts.append("-")
        else:
            # A checkpoint counts by its presence alone: it is rewritten often and its content is not summarised.
            content = f"{about.st_mtime_ns}.{about.st_ino}.{about.st_size}"
            parts.append("+" if name.startswith("checkpoints") else content)
    return "|".join(parts)


@dataclass
class Scanner:
    """The summaries of all runs of a home, kept up to date by `refresh`."""

    home: Home
    signatures: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, RunSummary] = field(default_factory=dict)
    _curves: dict[str, ValidCurve] = field(default_factory=dict)

    def refresh(self) -> tuple[set[str], set[str]]:
        """Summarise what changed; the ids of new or changed runs, and of those that are gone."""
        changed = set()
        runs = list_run_folders(self.home)
        for run in runs:
            seen = signature(run)
            if self.signatures.get(run.run_id) != seen:
                self._summarise(run, seen)
                changed.add(run.run_id)
        gone = self.signatures.keys() - {run.run_id for run in runs}
        for run_id in gone:
            self.signatures.pop(run_id, None)
            self.summaries.pop(run_id, None)
            self._curves.pop(run_id, None)
        return changed, gone

    def _summarise(self, run: RunFolder, seen: str) -> None:
        curve = self._curves.setdefault(run.run_id, ValidCurve())
        summary = summarise(run, curve)
        if summary.state != "running":
            del self._curves[run.run_id]
        self.summaries[run.run_id] = summary
        self.signatures[run.run_id] = seen
