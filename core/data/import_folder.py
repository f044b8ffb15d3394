"""The folder of one import that the browser asked for: what was brought, what is asked of it, how far it is.

`<home>/imports/<token>/` holds `files/` (uploads under harmless names), `source.json`, `draft.json` (the form), `request.json`
(what the worker was asked), `status.json`, `log.txt` and `lock`. The worker holds the lock from before its start to its end, so that whoever finds the lock free
knows that it is gone, however it ended.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.data.graph_summary import GraphSummary
from core.data.splits import SplitRule
from core.errors import ConfigError, DataError
from core.files import read_json, write_json
from core.home import Home
from core.locks import is_held

_TOKEN = re.compile(r"[0-9a-f]{32}")

Act = Literal["check", "import"]
State = Literal["staged", "running", "done", "failed", "vanished"]


class ImportRequest(BaseModel):
    """What to do with the source; the fields are the arguments of `core.data.importers.registry.import_dataset`.

    columns: user, item, behavior, time -> name of the column; None where the layout needs no mapping.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    act: Act = "check"
    layout: str = "auto"
    name: str
    columns: dict[str, str] | None = None
    ids: Literal["whole", "text"] = "whole"
    features: Literal["as-given", "unit", "standard"] = "as-given"
    target_type: str | None = None
    metapaths: str | None = None
    behaviors: tuple[str, ...] | None = None
    target: str | None = None
    split: SplitRule | None = None
    seed: int = Field(default=0, ge=0)
    replace: bool = False


class ImportSummary(BaseModel):
    """What an import would store or has stored. pairs: behaviour -> split -> rows. graph: None for data without one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: int
    items: int
    pairs: dict[str, dict[str, int]]
    split_rule: str
    notes: tuple[str, ...] = ()
    graph: GraphSummary | None = None


class ImportStatus(BaseModel):
    """Content of `status.json`; times are unix seconds. `vanished` is never stored: a reader finds it out.

    mendable: what failed can be put right in the form, so the uploads were kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State = "staged"
    act: Act = "check"
    fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    sentence: str = ""
    started: float = 0.0
    finished: float | None = None
    pid: int | None = None
    summary: ImportSummary | None = None
    error: str = ""
    mendable: bool = True


class Source(BaseModel):
    """Content of `source.json`. path: where the data lies on this machine, None for uploads; size in bytes.

    folder: the folder or archive that held the uploads, if they came in one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str | None
    names: tuple[str, ...]
    size: int
    layout: str = "auto"
    folder: str = ""


@dataclass(frozen=True)
class ImportJob:
    """Paths and files of one import."""

    folder: Path

    @property
    def token(self) -> str:
        return self.folder.name

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    def origin(self) -> Source:
        """Where the data came from. Raises DataError if the record is missing or damaged."""
        try:
            return Source.model_validate(read_json(self.folder / "source.json"))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(
                f"{self.folder / 'source.json'}: cannot be read ({error}); start the import over"
            ) from error

    def source(self) -> Path:
        """What an importer reads: the path given, the one file brought, or the folder of several."""
        origin = self.origin()
        if origin.path is not None:
            return Path(origin.path)
        return self.files / origin.names[0] if len(origin.names) == 1 else self.files

    def request(self) -> ImportRequest | None:
        """What was asked of a process last, or None before anything was. A damaged record counts as none."""
        return self._request("request.json")

    def write_request(self, request: ImportRequest) -> None:
        write_json(self.folder / "request.json", request.model_dump(mode="json"))

    def draft(self) -> ImportRequest | None:
        """What the form says, kept so that a reload restores it."""
        return self._request("draft.json")

    def write_draft(self, request: ImportRequest) -> None:
        """Keep what the form says, unless it is kept already. Raises DataError if the disk does not take it."""
        if self.draft() == request:
            return
        try:
            write_json(self.folder / "draft.json", request.model_dump(mode="json"))
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written ({error.strerror}); check the disk and its permissions"
            ) from error

    def _request(self, name: str) -> ImportRequest | None:
        try:
            return ImportRequest.model_validate(read_json(self.folder / name))
        except (OSError, ValueError, RecursionError):
            return None

    def write_status(self, status: ImportStatus) -> None:
        write_json(self.folder / "status.json", status.model_dump(mode="json"))

    def stored_status(self) -> ImportStatus:
        """What `status.json` says; without one nothing was asked yet."""
        try:
            return ImportStatus.model_validate(read_json(self.folder / "status.json"))
        except FileNotFoundError:
            return ImportStatus()
        except (OSError, ValueError, RecursionError) as error:
            return ImportStatus(state="failed", error=f"status.json cannot be read ({error}); start over")

    @property
    def is_alive(self) -> bool:
        """True while a process works on the import, whatever its pid and the clock say."""
        return is_held(self.lock)

    def last_log_lines(self, count: int = 8) -> list[str]:
        """The end of what the process printed."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 16_384))
                return file.read().decode("utf-8", "replace").splitlines()[-count:]
        except OSError:
            return []

    def plain(self, text: str) -> str:
        """`text` with uploads called by their names, without the folder that they lie in for now."""
        return text.replace(f"{self.files}{os.sep}", "").replace(str(self.files), "the uploaded files")


def open_job(home: Home, token: str) -> ImportJob:
    """The import of `token`. Raises ConfigError for what is no token, DataError if there is no such import."""
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"{token[:40]!r} names no import; start over on the Import page")
    folder = home.imports / token
    if not folder.is_dir():
        raise DataError(f"the import {token[:8]} is no longer kept; bring the data again")
    return ImportJob(folder)
