"""Who may act: one lock per home for its supervisor, one per run for its worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import RunError
from core.home import Home
from core.locks import locked
from core.runs.folder import RunFolder
from core.runs.sweep import sweep_run


class Busy(RunError):
    """Another process works on the run."""


def supervisor_lock(home: Home) -> Path:
    """Held by the supervisor for its life, and for a moment by whoever acts in its absence."""
    return home.supervisor / "lock"


@contextmanager
def claimed(run: RunFolder) -> Iterator[None]:
    """What a worker holds while it works on `run`: no second worker can start. Half-written files of earlier ones go.

    Raises Busy if another process works on the run.
    """
    with locked(_claim(run), wait=1.0) as mine:
        if not mine:
            raise Busy(f"another process works on run {run.run_id!r}: cancel it first, or wait for its end")
        sweep_run(run)
        yield


def is_claimed(run: RunFolder) -> bool:
    """True while a worker of this host holds `run`, whatever the clock and its pid say."""
    if not _claim(run).exists():
        return False
    with locked(_claim(run)) as mine:
        return not mine


def _claim(run: RunFolder) -> Path:
    return run.path / "worker.lock"
