"""Locks that the kernel lets go of when their holder dies: one per home, one per run."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import RunError
from core.home import Home
from core.runs.folder import RunFolder


@contextmanager
def locked(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Hold the lock file `path` in the block; yields False if somebody else still held it after `wait` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _acquired(handle, wait)
    finally:
        os.close(handle)


def _acquired(handle: int, wait: float) -> bool:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)


def supervisor_lock(home: Home) -> Path:
    """Held by the supervisor for its life, and for a moment by whoever acts in its absence."""
    return home.supervisor / "lock"


@contextmanager
def claimed(run: RunFolder) -> Iterator[None]:
    """What a worker holds while it works on `run`: no second worker can start.

    Raises RunError if another process works on the run.
    """
    with locked(_claim(run), wait=1.0) as mine:
        if not mine:
            raise RunError(
                f"another process works on run {run.run_id!r}: cancel it first, or wait for its end"
            )
        yield


def is_claimed(run: RunFolder) -> bool:
    """True while a worker of this host holds `run`, whatever the clock and its pid say."""
    if not _claim(run).exists():
        return False
    with locked(_claim(run)) as mine:
        return not mine


def _claim(run: RunFolder) -> Path:
    return run.path / "worker.lock"
