"""Lock files that the kernel lets go of when their holder dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, wait: float = 0.0) -> Iterator[bool]:
    """Hold the lock file `path` in the block; yields False if somebody else still held it after `wait` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _opened(path)
    try:
        yield _acquired(handle, wait)
    finally:
        os.close(handle)


@contextmanager
def handed_on(path: Path, wait: float = 0.0) -> Iterator[int | None]:
    """Like `locked`, but yields the handle, or None: a process that inherits it keeps the lock until it ends."""
    handle = _opened(path)
    try:
        yield handle if _acquired(handle, wait) else None
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """True while any process holds the lock file `path`. Asking disturbs nobody who asks at the same time."""
    try:
        handle = os.open(
            path, os.O_RDONLY | os.O_CLOEXEC
        )  # so that it can be asked on a disk that is read-only
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


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
