"""The SQLite index of runs: a cache of their summaries that may be deleted at any time.

The supervisor, or whoever holds its lock, is the one writer. Readers compare each row's signature with the folder, so a
stale, partial, damaged or missing index costs time and never truth.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

from pydantic import ValidationError

from core.catalog.systems import CATALOG
from core.errors import RunError
from core.home import Home
from core.locks import locked
from core.runs.folder import list_run_folders
from core.runs.lock import supervisor_lock
from core.runs.requests import pending_requests, write_request
from core.runs.scan import Scanner, signature
from core.runs.summary import RunSummary, summarise

_SCHEMA = """
create table runs (
    run_id text primary key,
    state text not null,
    system text not null,
    dataset text not null,
    created real not null,
    signature text not null,
    summary text not null
) without rowid
"""


@cache
def index_version() -> int:
    """Differs where summaries would: in their fields, or in the presets that `changes` compares a run with. A positive
    number of 31 bits."""
    presets = {
        key: [entry.resolve(name).model_dump() for name in entry.presets] for key, entry in CATALOG.items()
    }
    about = json.dumps([_SCHEMA, sorted(RunSummary.model_fields), presets], sort_keys=True, default=str)
    return zlib.crc32(about.encode()) & 0x7FFFFFFF or 1


def list_runs(home: Home) -> list[RunSummary]:
    """Summaries of every run, the latest created first. Damaged folders are listed as failed; nothing is raised for them."""
    stored = _stored_rows(home)
    found = []
    for run in list_run_folders(home):
        row = stored.get(run.run_id)
        summary = _summary(row[1]) if row and row[0] == signature(run) else None
        summary = summary or summarise(run)
        if not summary.damaged or run.path.is_dir():  # a run may be deleted while it is listed
            found.append(summary)
    return sorted(found, key=lambda summary: (summary.created, summary.run_id), reverse=True)


def reindex(home: Home, wait: float = 60.0) -> int:
    """Rebuild the index from the folders and return the number of runs in it.

    A running supervisor does the work. Raises RunError if it has not after `wait` seconds, OSError if the disk refuses.
    """
    request = write_request(home, "reindex")
    deadline = time.monotonic() + wait
    while request.exists():
        with locked(supervisor_lock(home)) as mine:
            if mine:
                rebuild(home, Scanner(home))
                for pending in pending_requests(home):
                    if pending.request and pending.request.verb == "reindex":
                        pending.settle()
                break
        if time.monotonic() > deadline:
            raise RunError(
                f"the supervisor has not rebuilt the index within {wait:.0f} s; "
                f"see {home.supervisor / 'log.txt'}, or end the supervisor and try again"
            )
        time.sleep(0.05)
    return len(_stored_rows(home))


def known_runs(home: Home) -> Scanner:
    """A scanner that need only read what changed since the index was written."""
    scanner = Scanner(home)
    for run_id, (seen, text) in _stored_rows(home).items():
        summary = _summary(text)
        if summary:
            scanner.signatures[run_id] = seen
            scanner.summaries[run_id] = summary
    return scanner


def rebuild(home: Home, scanner: Scanner) -> int:
    """Replace the index by one made from the folders; the caller holds the lock. Raises OSError, sqlite3.Error."""
    remove_index(home)
    scanner.refresh()
    update(home, scanner, set(scanner.summaries), set())
    return len(scanner.summaries)


def update(home: Home, scanner: Scanner, changed: set[str], gone: set[str]) -> None:
    """Write the rows of `changed`, or of all runs into a new or foreign index; the caller holds the lock.

    Raises OSError, sqlite3.Error.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    try:
        _write(home, scanner, changed, gone)
    except sqlite3.DatabaseError as error:
        if isinstance(
            error, sqlite3.OperationalError
        ):  # locked, or the disk is full: the index itself is sound
            raise
        remove_index(home)
        _write(home, scanner, changed, gone)


def is_missing(home: Home) -> bool:
    return not home.index.exists()


def remove_index(home: Home) -> None:
    for suffix in ("", "-wal", "-shm"):
        home.index.with_name(home.index.name + suffix).unlink(missing_ok=True)


def _write(home: Home, scanner: Scanner, changed: set[str], gone: set[str]) -> None:
    with _writable(home) as (connection, is_new):
        wanted = set(scanner.summaries) if is_new else changed & set(scanner.summaries)
        connection.executemany("delete from runs where run_id = ?", [(run_id,) for run_id in gone])
        connection.executemany(
            "insert or replace into runs values (?, ?, ?, ?, ?, ?, ?)",
            [_row(scanner.summaries[run_id], scanner.signatures[run_id]) for run_id in sorted(wanted)],
        )


@contextmanager
def _writable(home: Home) -> Iterator[tuple[sqlite3.Connection, bool]]:
    """A connection in one transaction, and whether its table was created just now."""
    with closing(sqlite3.connect(home.index, timeout=5.0)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        with connection:
            is_new = connection.execute("pragma user_version").fetchone()[0] != index_version()
            if is_new:
                connection.execute("drop table if exists runs")
                connection.execute(_SCHEMA)
                connection.execute(f"pragma user_version = {index_version()}")
            yield connection, is_new


def _row(summary: RunSummary, seen: str) -> tuple[str, str, str, str, float, str, str]:
    about = (summary.run_id, summary.state, summary.system, summary.dataset, summary.created)
    return (*about, seen, summary.model_dump_json())


def _stored_rows(home: Home) -> dict[str, tuple[str, str]]:
    """run id -> (signature, summary as JSON); empty where the index is missing, damaged or of another version."""
    if is_missing(home):
        return {}
    try:
        with closing(sqlite3.connect(f"{home.index.as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            if connection.execute("pragma user_version").fetchone()[0] != index_version():
                return {}
            rows = connection.execute("select run_id, signature, summary from runs").fetchall()
    except sqlite3.Error:
        return {}
    return {run_id: (seen, summary) for run_id, seen, summary in rows}


def _summary(text: str) -> RunSummary | None:
    try:
        return RunSummary.model_validate_json(text)
    except ValidationError:
        return None
