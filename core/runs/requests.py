"""Requests to the supervisor: one small file each, written by pages and the command line, removed when settled."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from core.errors import ConfigError
from core.files import read_json, write_json
from core.home import Home, checked_name

LARGEST = 4096


class Request(BaseModel):
    """What is asked, about which run (reindex: none), and when (unix seconds)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: Literal["cancel", "requeue", "reindex"]
    run_id: str = ""
    time: float


@dataclass(frozen=True)
class Pending:
    """A request file; `request` is None where the file says nothing usable, `problem` then says why."""

    path: Path
    request: Request | None
    problem: str = ""

    def settle(self) -> None:
        self.path.unlink(missing_ok=True)


def write_request(home: Home, verb: Literal["cancel", "requeue", "reindex"], run_id: str = "") -> Path:
    """Leave a request; it keeps until somebody who holds the lock settles it."""
    request = Request(verb=verb, run_id=run_id, time=time.time())
    path = _folder(home) / f"{time.time_ns():020d}-{verb}-{uuid4().hex[:8]}.json"
    write_json(path, request.model_dump())
    return path


def pending_requests(home: Home) -> list[Pending]:
    """Requests that nobody has settled yet, oldest first."""
    if not _folder(home).is_dir():
        return []
    names = sorted(p for p in _folder(home).glob("*.json") if not p.name.startswith(".") and p.is_file())
    return [pending for path in names if (pending := _read(path))]


def _read(path: Path) -> Pending | None:
    try:
        if path.stat().st_size > LARGEST:
            return Pending(path, None, f"expected a file of at most {LARGEST} bytes")
        request = Request.model_validate(read_json(path))
        if request.verb != "reindex":
            checked_name(request.run_id, "run id")
        return Pending(path, request)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        return Pending(path, None, str(error).replace("\n", " "))


def _folder(home: Home) -> Path:
    return home.supervisor / "requests"
