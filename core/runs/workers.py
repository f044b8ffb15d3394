"""Starting a worker process so that whoever comes after the supervisor can find it again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from core.files import read_json, write_json
from core.home import Home
from core.runs.devices import Slot
from core.runs.folder import RunFolder, this_host
from core.runs.processes import Identity, carriers, identity

Command = Callable[[RunFolder], list[str]]

PROJECT_ROOT = Path(__file__).resolve().parents[2]
TOKEN = "RELSCOPE_LAUNCH"
_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB")


class Launched(BaseModel):
    """Content of `supervisor/launched/<run>.json`: a worker that was, or was about to be, started.

    It is written without a pid before the start and with it after. A supervisor killed in between leaves the token,
    which the worker carries in its environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    slot: str
    token: str
    host: str
    since: float
    pid: int | None = None
    pid_started: float | None = None

    def worker(self) -> Identity | None:
        """The process that was started, living or not; None if none was."""
        if self.pid is not None and self.pid_started is not None:
            return Identity(self.pid, self.pid_started, self.host)
        return next((who for who in carriers(TOKEN, self.token) if _leads_session(who)), None)


@dataclass
class Job:
    """A worker that the supervisor looks after. `child` is None for one that another process started, `token` is empty
    for one started on the command line; `since` is when it was started, `ended` when its run was first seen in a terminal state."""

    run: RunFolder
    who: Identity
    slot: str
    since: float
    token: str = ""
    child: subprocess.Popen[bytes] | None = None
    ended: float | None = None


def worker_command(run: RunFolder) -> list[str]:
    """The command line that starts or continues `run`."""
    home = run.path.parents[1]
    return [sys.executable, "-m", "core", "train", "--resume", run.run_id, "--home", str(home)]


def start_worker(home: Home, run: RunFolder, slot: Slot, command: Command) -> Job:
    """Start the worker of `run` on `slot`, in a session of its own, writing to the run's log. Raises OSError."""
    record = Launched(
        run_id=run.run_id, slot=slot.name, token=uuid4().hex, host=this_host(), since=time.time()
    )
    path = record_path(home, run.run_id)
    write_json(path, record.model_dump())
    try:
        with run.log.open("ab") as log:
            child = subprocess.Popen(
                command(run),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT_ROOT,
                env=worker_environment(slot, record.token),
                start_new_session=True,
            )
    except OSError:
        path.unlink(missing_ok=True)
        raise
    who = identity(child.pid)  # it is our child, so even if it has ended its pid is still taken
    job = Job(run, who, slot.name, record.since, record.token, child)
    known = record.model_copy(update={"pid": who.pid, "pid_started": who.started})
    try:
        write_json(path, known.model_dump())
    except OSError:  # the disk is full: the token in the first record still finds the worker
        return job
    return job


def worker_environment(slot: Slot, token: str) -> dict[str, str]:
    """The environment of a worker on `slot`: it sees that device alone, as `cuda:0`, and that many threads."""
    threads = {f"{library}_NUM_THREADS": str(slot.threads) for library in _THREADS}
    return (
        os.environ
        | threads
        | {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # NVML's order, from which slots take their numbers
            "CUDA_VISIBLE_DEVICES": slot.number if slot.kind == "cuda" else "",
            "PYTHONUNBUFFERED": "1",
            "RELSCOPE_SLOT": slot.name,
            "RELSCOPE_THREADS": str(slot.threads),
            TOKEN: token,
        }
    )


def leftovers(job: Job) -> list[Identity]:
    """Processes that a worker started and left behind in its session."""
    return [who for who in carriers(TOKEN, job.token) if _session(who) == job.who.pid] if job.token else []


def record_path(home: Home, run_id: str) -> Path:
    return home.supervisor / "launched" / f"{run_id}.json"


def launched_records(home: Home) -> list[tuple[Path, Launched | None]]:
    """Every record; None where a file cannot be read as one."""
    folder = home.supervisor / "launched"
    return [(path, _record(path)) for path in sorted(folder.glob("*.json")) if path.name[0] != "."]


def _record(path: Path) -> Launched | None:
    try:
        record = Launched.model_validate(read_json(path))
    except (OSError, ValueError, RecursionError):
        return None
    return record if record.run_id == path.stem else None


def _session(who: Identity) -> int | None:
    try:
        return os.getsid(who.pid)
    except OSError:
        return None


def _leads_session(who: Identity) -> bool:
    return _session(who) == who.pid
