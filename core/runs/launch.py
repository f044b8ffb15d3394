"""What pages and the command line ask for: submit, cancel, queue again, and have a supervisor at work."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from core.detached import start_detached
from core.errors import RunError
from core.home import Home
from core.locks import locked
from core.recipe import Recipe
from core.runs.folder import RunFolder, create_run, open_run, this_host
from core.runs.index import list_runs
from core.runs.queue import queue_order
from core.runs.requests import write_request
from core.runs.state import SupervisorState, supervisor_state
from core.runs.supervise import LONGEST_LOG, settle
from core.runs.transitions import check_cancellable, check_requeueable
from core.runs.workers import TOKEN

__all__ = [
    "SupervisorState",
    "cancel",
    "ensure_supervisor",
    "queue_position",
    "requeue",
    "settle",
    "submit",
    "supervisor_state",
]

START_WITHIN, MOST_STARTS = 30.0, 3


def submit(home: Home, recipe: Recipe, run_id: str | None = None) -> RunFolder:
    """Queue `recipe`; the supervisor finds it. Raises RunError if `run_id` is taken, ConfigError if it is no name."""
    return create_run(home, recipe, run_id)


def cancel(home: Home, run_id: str) -> None:
    """Stop a queued or running run; a running one may take a while to write its checkpoint.

    Without a supervisor this waits for the worker's end, for 20 seconds at most before it is killed. Raises RunError if
    there is no such run, it has ended, or it runs on another host that no supervisor looks after.
    """
    run = open_run(home, run_id)
    check_cancellable(run)
    status = run.status()
    if status.state == "running" and status.host != this_host() and not supervisor_state(home):
        raise RunError(f"run {run_id!r} runs on host {status.host!r}: cancel it there")
    request = write_request(home, "cancel", run_id)
    settle(home)
    if status.state == "queued":
        _await_settled(request)


def requeue(home: Home, run_id: str) -> None:
    """Queue a failed or cancelled run again; it continues from its last checkpoint.

    Raises RunError if there is no such run or it is in another state.
    """
    run = open_run(home, run_id)
    if run.state_or_none() == "running":
        settle(home)  # its worker may have vanished while nobody supervised
    check_requeueable(run)
    request = write_request(home, "requeue", run_id)
    settle(home)
    _await_settled(request)


def ensure_supervisor(home: Home, command: Sequence[str] | None = None) -> None:
    """Start a detached supervisor if none lives, and return once one does; cheap if one does already.

    Several processes may call this at once: one starts it, the others wait. One that is killed before it was seen at work
    is started again. Raises RunError if none comes up.
    """
    if supervisor_state(home):
        return
    with locked(home.supervisor / "starting", wait=START_WITHIN) as mine:
        if supervisor_state(home):
            return
        if not mine:
            raise RunError(f"another process has tried to start the supervisor of {home.root} for too long")
        wanted = command or [sys.executable, "-m", "core", "supervise", "--home", str(home.root)]
        deadline = time.monotonic() + START_WITHIN
        pid, starts, ended = _spawn(home, wanted), 1, False
        while time.monotonic() < deadline:
            ended = not psutil.pid_exists(pid)
            if supervisor_state(home):
                return
            if ended and starts == MOST_STARTS:
                break
            if ended:
                pid, starts = _spawn(home, wanted), starts + 1
            time.sleep(0.05)
    how = f"ended {starts} times while starting" if ended else f"did not start within {START_WITHIN:.0f} s"
    raise RunError(f"the supervisor {how}; its log {_log(home)} ends: {_end_of(_log(home))}")


def queue_position(home: Home, run_id: str) -> int | None:
    """Place in the queue, counted from 1; None for a run that is not queued."""
    ids = [summary.run_id for summary in queue_order(list_runs(home))]
    return ids.index(run_id) + 1 if run_id in ids else None


def _await_settled(request: Path, wait: float = 5.0) -> None:
    deadline = time.monotonic() + wait
    while request.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def _spawn(home: Home, command: Sequence[str]) -> int:
    home.supervisor.mkdir(parents=True, exist_ok=True)
    path = _log(home)
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(path.with_name("log.txt.1"))
    inherited = {name: value for name, value in os.environ.items() if name != TOKEN}
    return start_detached(command, path, inherited)


def _log(home: Home) -> Path:
    return home.supervisor / "log.txt"


def _end_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-500:].strip() or "(empty)"
    except OSError:
        return "(missing)"
