"""Profiles on disk, by content hash: computed once in a process of their own, read by everybody else.

`<home>/cache/profiles/<content hash>/` holds `profile.json`, `users.parquet` (row u describes user u), and while a
process counts, `lock` (held by it) and `status.json` (how far it is, or why it failed). A file that is damaged, or was
written by another version, counts as absent and is computed again.
"""

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.data.dataset import Dataset
from core.data.info import DatasetInfo
from core.data.profile_about import VERSION, described
from core.detached import start_detached
from core.errors import DataError, RelScopeError
from core.files import read_json, write_json, write_with
from core.home import Home
from core.locks import is_held, locked

if TYPE_CHECKING:
    from core.data.profile import Profile

START_WITHIN = 30.0
WAIT = 3600.0


@dataclass(frozen=True)
class Standing:
    """Where the profile of a data set stands. share: of the work done, 0..1, while `running`.

    said: the step that runs, or why it `failed`. absent: nobody has tried yet.
    """

    state: Literal["stored", "running", "failed", "absent"]
    share: float = 0.0
    said: str = ""


def profile_folder(home: Home, content_hash: str) -> Path:
    """Where the profile of the content lives."""
    return home.cache / "profiles" / content_hash


def stored_profile(home: Home, info: DatasetInfo) -> dict[str, Any] | None:
    """The stored profile as `core.data.profile.profile` gives it, and `profiled` (time, seconds); None if there is none
    that is whole and of this version.
    """
    folder = profile_folder(home, info.content_hash)
    try:
        kept = read_json(folder / "profile.json")
        if kept["version"] != VERSION or kept["digest"] != _digest(kept["content"]):
            return None
        rows = kept["user_rows"]
        if rows is not None and pq.read_metadata(folder / "users.parquet").num_rows != rows:
            return None
        return {**described(info), **kept["content"], "profiled": kept["profiled"]}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def stored_users(home: Home, info: DatasetInfo) -> pd.DataFrame | None:
    """Per user: `user`, `correlation` (NaN where undefined), `degree_<behavior>` in training; None if not stored.

    A table that turns out damaged takes the profile with it, so that both are computed again.
    """
    if not info.behaviors or stored_profile(home, info) is None:
        return None
    folder = profile_folder(home, info.content_hash)
    try:
        return pd.read_parquet(folder / "users.parquet")
    except (OSError, ValueError, pa.ArrowException):
        (folder / "profile.json").unlink(missing_ok=True)
        return None


def standing(home: Home, info: DatasetInfo) -> Standing:
    """Whether the profile is stored, being computed, or why it is not."""
    if stored_profile(home, info) is not None:
        return Standing("stored")
    folder = profile_folder(home, info.content_hash)
    status = _status(folder)
    if is_held(folder / "lock"):
        return Standing("running", status.get("share", 0.0), status.get("step", ""))
    if status.get("state") == "starting" and abs(time.time() - status["since"]) < START_WITHIN:
        return Standing("running", 0.0, "starting")
    if stored_profile(home, info) is not None:  # finished since the first look
        return Standing("stored")
    if not status:
        return Standing("absent")
    ended = (
        f"its process ended without a result: {_end_of(folder / 'log.txt')}; try again on the Data page, "
        f"or run `python -m core profile {info.name}` to see why"
    )
    return Standing("failed", said=status.get("message") or ended)


def fill(home: Home, dataset: Dataset) -> dict[str, Any]:
    """The stored profile of `dataset`, computed and stored first if need be; of several callers one computes.

    Raises DataError if a file of the data set is damaged or another process counts for too long, OSError if the cache
    cannot be written.
    """
    info = dataset.info
    if (found := stored_profile(home, info)) is not None:
        return found
    folder = profile_folder(home, info.content_hash)
    with locked(folder / "lock", wait=WAIT) as mine:
        if not mine:
            raise DataError(
                f"another process has been profiling data set {info.name!r} for over {WAIT / 60:.0f} minutes; end it and try again"
            )
        if (found := stored_profile(home, info)) is not None:
            return found
        try:
            _store(folder, *_computed(folder, dataset))
        except RelScopeError as error:
            _write_status(folder, state="failed", message=str(error))
            raise
        (folder / "status.json").unlink(missing_ok=True)
    found = stored_profile(home, info)
    if found is None:
        raise DataError(f"{folder}: what was written cannot be read back; check the disk")
    return found


def start(home: Home, info: DatasetInfo) -> None:
    """Have the profile computed by a process of its own, and return at once. Raises OSError if the cache is read-only."""
    folder = profile_folder(home, info.content_hash)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").unlink(missing_ok=True)
    _write_status(folder, state="starting")
    command = [sys.executable, "-m", "core", "profile", info.name, "--quiet", "--home", str(home.root)]
    start_detached(command, folder / "log.txt")


def _computed(folder: Path, dataset: Dataset) -> "tuple[Profile, float]":
    from core.data.profile import compute  # loads scipy, which readers do without

    began = time.monotonic()

    def progress(share: float, step: str) -> None:
        _write_status(folder, state="running", share=share, step=step)

    progress(0.0, "opening")
    return compute(dataset, progress), time.monotonic() - began


def _store(folder: Path, made: "Profile", seconds: float) -> None:
    """The users first: a profile that can be read is complete."""
    if made.users is not None:
        write_with(folder / "users.parquet", made.users.to_parquet)
    content = json.loads(json.dumps(made.content, allow_nan=False))
    kept = {
        "version": VERSION,
        "digest": _digest(content),
        "user_rows": len(made.users) if made.users is not None else None,
        "profiled": {"at": round(time.time()), "seconds": round(seconds, 2)},
        "content": content,
    }
    write_json(folder / "profile.json", kept)


def _digest(content: Any) -> str:
    """A fingerprint of the JSON value: any damage to a stored profile shows."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write_status(folder: Path, **values: Any) -> None:
    write_json(folder / "status.json", {"version": VERSION, "since": time.time(), **values})


def _status(folder: Path) -> dict[str, Any]:
    """What the last attempt of this version has told; empty if there was none."""
    try:
        status: dict[str, Any] = read_json(folder / "status.json")
        return status if status["version"] == VERSION and float(status["since"]) > 0 else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _end_of(log: Path) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        text = ""
    return text.splitlines()[-1][-300:] if text else "it may have been killed, for want of memory perhaps"
