"""The run folder: everything that came out of one recipe, and the only thing a page reads.

The submitter creates it in state `queued`; the worker alone writes it while it lives; the supervisor writes the
terminal state of a worker that vanished; `notes.json` belongs to the page.
"""

import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from core.errors import ConfigError, RunError
from core.files import read_json, write_json
from core.home import Home, checked_name
from core.recipe import Recipe, load_recipe

State = Literal["queued", "running", "done", "failed", "cancelled"]
TERMINAL: tuple[State, ...] = ("done", "failed", "cancelled")


class Failure(BaseModel):
    """Why a run failed: one sentence for the page, the traceback for who wants it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: str
    traceback: str = ""


class Status(BaseModel):
    """Content of `status.json`. Times are unix seconds; `pid` counts only together with `pid_started` on `host`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    created: float
    queued: float
    started: float | None = None
    finished: float | None = None
    heartbeat: float | None = None
    host: str = ""
    pid: int | None = None
    pid_started: float | None = None
    slot: str = ""
    device: str = ""
    threads: int | None = None
    epoch: int = 0
    epochs: int = 0
    attempts: int = 0
    parent: str | None = None
    error: Failure | None = None
    message: str = ""


@dataclass(frozen=True)
class RunFolder:
    """Paths and files of one run."""

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def findings(self) -> Path:
        return self.path / "findings"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def embeddings(self) -> Path:
        return self.path / "embeddings"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def recipe(self) -> Recipe:
        """The recipe. Raises RunError where it is missing or damaged."""
        try:
            return load_recipe(self.path / "recipe.json")
        except RecursionError as error:
            raise RunError(
                f"{self.run_id}: recipe.json cannot be read ({error}); clone the run from another one"
            ) from error

    def status(self) -> Status:
        """The current status. Raises RunError where it is missing or damaged."""
        try:
            return Status.model_validate(read_json(self.path / "status.json"))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.run_id}: there is no status.json; the run folder is incomplete, delete it"
            ) from error
        except (ValueError, RecursionError, OSError) as error:
            raise RunError(
                f"{self.run_id}: status.json cannot be read ({error}); requeue or delete the run"
            ) from error

    def state_or_none(self) -> State | None:
        """The current state, or None where the status is missing or damaged."""
        try:
            return self.status().state
        except RunError:
            return None

    def write_status(self, status: Status) -> None:
        write_json(self.path / "status.json", status.model_dump())

    def update_status(self, **changes: Any) -> Status:
        """Write the status with `changes` applied and return it."""
        status = Status.model_validate(self.status().model_dump() | changes)
        self.write_status(status)
        return status

    def result(self) -> dict[str, Any] | None:
        """Final test metrics, or None while there are none: {"protocols": {key: {...}}}. Raises RunError if damaged."""
        return self._optional("result.json")

    def environment(self) -> dict[str, Any] | None:
        """What the run was made with, or None before it began. Raises RunError if damaged."""
        return self._optional("environment.json")

    def _optional(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        try:
            content: dict[str, Any] = read_json(path)
            return content
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError, OSError) as error:
            raise RunError(
                f"{self.run_id}: {name} cannot be read ({error}); delete that file, then evaluate the run again"
            ) from error

    @property
    def is_resumable(self) -> bool:
        """True if a checkpoint exists from which training can continue."""
        return (self.checkpoints / "last.pt").exists()

    @property
    def has_ranks(self) -> bool:
        """True if ranks of test items are stored, by which results can be told apart by item and user."""
        return (self.path / "per_user.parquet").exists()

    def last_log_lines(self, count: int = 20) -> list[str]:
        """The end of the log; at most the last 64 KiB are read."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 65_536))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]


def create_run(
    home: Home, recipe: Recipe, run_id: str | None = None, initial: Mapping[str, Any] | None = None
) -> RunFolder:
    """A new run folder, in state `queued` unless `initial` says otherwise. Raises RunError if `run_id` is taken.

    initial: fields of the first status, `core.runs.worker.running_now()` for a run that the caller trains itself.
    """
    name = new_run_id(recipe) if run_id is None else run_id
    final = home.run(name)
    if final.exists():
        raise RunError(f"run {name!r} exists already: choose another --run-id, resume it or delete it")
    building = home.runs / f".{name}.{uuid4().hex}.part"
    building.mkdir(parents=True)
    try:
        now = time.time()
        write_json(building / "recipe.json", recipe.model_dump())
        first = {"state": "queued", "created": now, "queued": now}
        first |= {"epochs": int(recipe.config.get("epochs", 0)), **(initial or {})}
        RunFolder(building).write_status(Status.model_validate(first))
        building.rename(final)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if final.exists():
            raise RunError(
                f"run {name!r} exists already: choose another --run-id, resume it or delete it"
            ) from error
        raise
    return RunFolder(final)


def new_run_id(recipe: Recipe) -> str:
    """A readable id that is unique and sorts by time: `20250131-142501-cigf-base-demo-s0-3f9a`, with 20 % random
    auxiliary pairs `20250131-142501-cigf-base-demo-n20-s0-3f9a`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    middle = "-".join(filter(None, (recipe.system, recipe.variant, recipe.dataset[:24])))
    noise = f"-n{100 * recipe.auxiliary_noise:.3g}" if recipe.auxiliary_noise else ""
    return f"{stamp}-{middle[: 44 - len(noise)].rstrip('.-')}{noise}-s{recipe.seed}-{uuid4().hex[:4]}"


def open_run(home: Home, run_id: str) -> RunFolder:
    """The folder of an existing run. Raises RunError if there is none."""
    path = home.run(run_id)
    if not path.is_dir():
        raise RunError(f"there is no run {run_id!r} in {home.runs}; `python -m core runs` lists them")
    return RunFolder(path)


def list_run_folders(home: Home) -> list[RunFolder]:
    """Every run folder of the home, damaged ones included, newest name first."""
    try:
        with os.scandir(home.runs) as entries:
            names = sorted((e.name for e in entries if e.is_dir() and _is_run_id(e.name)), reverse=True)
    except FileNotFoundError:
        return []
    return [RunFolder(home.runs / name) for name in names]


def _is_run_id(name: str) -> bool:
    try:
        return checked_name(name, "run id") == name
    except ConfigError:
        return False


def delete_run(home: Home, run_id: str) -> None:
    """Delete a run that is not running or queued. Raises RunError otherwise, or where the disk refuses."""
    run = open_run(home, run_id)
    state = run.state_or_none()  # without one there is nothing to resume, and the folder may go
    if state is not None and state not in TERMINAL:
        raise RunError(f"run {run_id!r} is {state}: cancel it before deleting it")
    doomed = run.path.with_name(f".{run_id}.{uuid4().hex}.deleted")
    try:
        run.path.rename(doomed)
    except FileNotFoundError as error:
        raise RunError(f"there is no run {run_id!r} any more; somebody else has deleted it") from error
    except OSError as error:
        raise RunError(
            f"run {run_id!r} cannot be deleted ({error.strerror}); make {home.root} writable and try again"
        ) from error
    shutil.rmtree(doomed, ignore_errors=True)


def this_host() -> str:
    return socket.gethostname()
