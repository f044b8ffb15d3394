"""Removing what killed writers left behind: hidden files and folders that never got their final name.

Readers never see them; they only fill the disk.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from core.home import Home
from core.runs.folder import RunFolder

A_DAY = 86_400.0
_ENDINGS = (".part", ".deleted")
_OF_OTHERS = (".status.json.", ".notes.json.")  # written by others than the worker while it works


def sweep_run(run: RunFolder) -> None:
    """Remove half-written files of earlier workers; the caller holds the run, so that nobody writes them now."""
    for path in leftovers(run.path):
        if not path.name.startswith(_OF_OTHERS):
            _remove(path)


def sweep(home: Home, older_than: float = A_DAY) -> list[Path]:
    """Remove what nobody has written to for `older_than` seconds, and return it. What the disk refuses stays."""
    before = time.time() - older_than
    old = [path for path in leftovers(home.root) if _last_written(path) <= before]
    for path in old:
        _remove(path)
    return old


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporary files and folders beneath `folder`, whether or not somebody still writes them."""
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in [*files, *folders] if _is_temporary(name))
        folders[:] = [name for name in folders if not _is_temporary(name)]


def _is_temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(_ENDINGS)


def _last_written(path: Path) -> float:
    """The latest change of a file, or of anything in a folder; now, where it vanishes meanwhile."""
    try:
        return max(entry.stat().st_mtime for entry in (path, *path.rglob("*")))
    except OSError:
        return time.time()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:  # a read-only disk: nothing depends on it
        return
