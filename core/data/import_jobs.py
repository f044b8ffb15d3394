"""Imports that the browser asks for: bring data, have a process check or import them, ask how far it is, tidy up."""

import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from core.data.import_folder import ImportJob, ImportRequest, ImportStatus, Source, open_job
from core.data.importers.archives import packed_files, safe_file_name, unpack
from core.data.importers.limits import DEFAULT_LIMITS, DEFAULT_MAX_MB, MEGABYTE
from core.data.writing import restore_interrupted
from core.detached import start_detached
from core.errors import ConfigError, DataError
from core.files import write_json
from core.home import Home
from core.locks import handed_on

MAX_UPLOAD = DEFAULT_MAX_MB * MEGABYTE
A_DAY = 86_400.0
STOP_WITHIN = 10.0
_CHUNK = 1 << 20


def stage(home: Home, files: Iterable[tuple[str, BinaryIO]], layout: str = "auto", folder: str = "") -> str:
    """Store uploads, given as (name, content), and return the token of the new import. layout: what they are. folder: the
    name of the folder that held them. An archive of several files is unpacked.

    Raises DataError, leaving nothing behind, if there are none, two share a name, or they exceed MAX_UPLOAD together.
    """
    token = secrets.token_hex(16)
    building = home.imports / f".{token}.part"
    names: list[str] = []
    size = 0
    try:
        (building / "files").mkdir(parents=True)
        for given, content in files:
            name = safe_file_name(given)
            if name.lower() in (known.lower() for known in names):
                raise DataError(f"two of the files are called {name!r}; rename one of them")
            names.append(name)
            size += _copied(content, building / "files" / name, MAX_UPLOAD - size)
        if not names:
            raise DataError("no file was brought; choose one or several files")
        if len(names) == 1 and (unpacked := _unpacked(building / "files", names[0])):
            folder, names = names[0], unpacked
        record = Source(path=None, names=tuple(names), size=size, layout=layout, folder=folder)
        write_json(building / "source.json", record.model_dump())
        building.rename(home.imports / token)
    except OSError as error:
        raise DataError(
            f"{home.imports}: the upload cannot be stored ({error.strerror}); make room on the disk, or give the "
            "path of the data on this machine"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return token


def stage_path(home: Home, path: str, layout: str = "auto") -> str:
    """Like `stage` for data that lie on this machine already; nothing is copied. Raises DataError."""
    source = Path(path.strip()).expanduser() if path.strip() else Path()
    if not source.is_absolute() or "\0" in path:
        raise DataError(f"path {path!r} is not absolute; write it from the root, such as /data/events.csv")
    try:
        is_folder = source.is_dir()
        names = sorted(entry.name for entry in source.iterdir()) if is_folder else [source.name]
        size = 0 if is_folder else source.stat().st_size
    except OSError as error:
        raise DataError(
            f"{source}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    token = secrets.token_hex(16)
    record = Source(path=str(source), names=tuple(names), size=size, layout=layout)
    try:
        write_json(home.imports / token / "source.json", record.model_dump())
    except OSError as error:
        raise DataError(
            f"{home.imports}: cannot be written ({error.strerror}); check the disk and its permissions"
        ) from error
    return token


def status(home: Home, token: str) -> ImportStatus:
    """How far the import is. Raises as `open_job`."""
    job = open_job(home, token)
    told = job.stored_status()
    if told.state == "running" and not job.is_alive:
        told = job.stored_status()  # it may have ended between the two looks
        if told.state == "running":
            return told.model_copy(update={"state": "vanished"})
    return told


def has_stored(home: Home, request: ImportRequest, told: ImportStatus) -> bool:
    """Whether an import that ended without a word had stored its data set by then."""
    try:
        written = (home.dataset(request.name) / "dataset.json").stat().st_mtime
    except (OSError, ConfigError):
        return False
    return request.act == "import" and written >= told.started


def start(home: Home, token: str, request: ImportRequest, command: Sequence[str] | None = None) -> None:
    """Begin what `request` asks in a process of its own that outlives this one.

    Raises as `open_job`, and DataError if a process works on the import already.
    """
    job = open_job(home, token)
    worker = [sys.executable, "-m", "core", "import-job", token, "--home", str(home.root)]
    begun = ImportStatus(state="running", act=request.act, sentence="Starting", started=time.time())
    try:
        with handed_on(job.lock, wait=1.0) as lock:
            if lock is None:
                raise DataError("a process works on this import already; wait for its end, or stop it")
            job.log.unlink(missing_ok=True)
            job.write_request(request)
            job.write_status(begun)
            start_detached(command or worker, job.log, handles=[lock])
    except OSError as error:
        raise DataError(
            f"{job.folder}: the import cannot begin ({error.strerror}); check the disk and its permissions"
        ) from error


def stop(home: Home, token: str) -> None:
    """End the import's process, if there is one; what was brought stays, and so does the word of what was stored.

    Raises as `open_job`.
    """
    job = open_job(home, token)
    deadline = time.monotonic() + STOP_WITHIN
    told = False
    while job.is_alive:
        pid = job.stored_status().pid
        late = time.monotonic() > deadline
        if pid is not None and (late or not told):
            _signal(pid, signal.SIGKILL if late else signal.SIGTERM)
            told = True
        if time.monotonic() > deadline + STOP_WITHIN:
            raise DataError(
                f"the process of import {token[:8]} does not end; is it running on another machine? Stop it there"
            )
        time.sleep(0.05)
    asked = job.request()
    if asked is not None and has_stored(home, asked, job.stored_status()):
        return
    try:
        (job.folder / "status.json").unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{job.folder}: cannot be changed ({error.strerror}); check the disk and its permissions"
        ) from error


def discard(home: Home, token: str) -> None:
    """End the import and remove all it brought; an import that is gone is none to complain about."""
    try:
        stop(home, token)
    except DataError:
        if (home.imports / token).is_dir():
            raise
        return
    if not _is_removed(home.imports / token):
        raise DataError(f"{home.imports / token}: cannot be removed; check the disk and its permissions")


def drop_files(job: ImportJob) -> None:
    """Remove the uploads of an import that is done; its outcome stays readable."""
    shutil.rmtree(job.files, ignore_errors=True)


def purge(home: Home, older_than: float = A_DAY) -> list[str]:
    """Remove imports that nobody touched for `older_than` seconds, and data sets that a killed import left half written.

    Returns what was removed.
    """
    restore_interrupted(home)
    before = time.time() - older_than
    old = [path for path in _entries(home.imports) if _touched(path) < before]
    gone = [path for path in old if not ImportJob(path).is_alive]
    halves = [*_entries(home.datasets, ".*.part"), *_entries(home.datasets, ".*.old")]
    gone += [path for path in halves if _touched(path) < before and not _may_be_wanted(path)]
    return [path.name for path in gone if _is_removed(path)]


def _unpacked(folder: Path, name: str) -> list[str]:
    """The names of the files that now lie in `folder` instead of the archive `name`; empty if it is no archive of several.

    Raises DataError, in which the archive goes by its name.
    """
    archive = folder.parent / name  # one of its files may be called like it
    try:
        if not (packed := packed_files(folder / name, DEFAULT_LIMITS)):
            return []
        (folder / name).rename(archive)
        names = unpack(archive, packed, folder, DEFAULT_LIMITS)
    except DataError as error:
        said = str(error).replace(f"{folder}{os.sep}", "").replace(f"{folder.parent}{os.sep}", "")
        raise DataError(said) from error
    archive.unlink()
    return names


def _copied(content: BinaryIO, path: Path, room: int) -> int:
    """Copy `content` piece by piece; its size in bytes."""
    size = 0
    with path.open("xb") as file:
        while piece := content.read(_CHUNK):
            size += len(piece)
            if size > room:
                raise DataError(
                    f"the upload is larger than {MAX_UPLOAD // MEGABYTE} MB; pack it as .gz, save it as Parquet, or "
                    "give the path of the data on this machine"
                )
            file.write(piece)
    return size


def _signal(pid: int, number: signal.Signals) -> None:
    """The lock is held, and by that process alone: its pid cannot have been given to another."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _entries(folder: Path, pattern: str = "*") -> list[Path]:
    return [path for path in sorted(folder.glob(pattern)) if path.is_dir()] if folder.is_dir() else []


def _may_be_wanted(path: Path) -> bool:
    """Whether a replaced data set lies here whose name is still missing, since the disk refused to give it back."""
    name = path.name[1:].rsplit(".", 2)[0]
    return (path / "previous").exists() and not path.with_name(name).exists()


def _touched(path: Path) -> float:
    """When anything directly inside `path` changed last."""
    times = []
    for entry in (path, *path.glob("*")):
        try:
            times.append(entry.stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)


def _is_removed(path: Path) -> bool:
    """Remove a folder and say whether it is gone; renamed first, so that nobody sees half of it."""
    doomed = path.with_name(f".{path.name.strip('.')}.{secrets.token_hex(4)}.deleted")
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    shutil.rmtree(doomed, ignore_errors=True)
    return True
