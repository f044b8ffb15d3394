"""What is written about a run whose worker has ended."""

import signal
import time

from core.errors import RunError
from core.files import DISK_FULL_STATUS
from core.runs.folder import TERMINAL, RunFolder, Status
from core.runs.lock import is_claimed
from core.runs.processes import is_alive, recorded_identity, signal_group
from core.runs.transitions import mark_cancelled, mark_failed
from core.runs.workers import Job, leftovers

FRESH = 120.0
SILENT_HOST = 15 * 60.0


def has_ended(job: Job) -> bool:
    """True if the worker's process is gone.

    A worker of another parent that still claims its run and beats is alive even if its start time seems to differ: the
    clock was set.
    """
    if job.child is not None:
        return job.child.poll() is not None
    return not is_alive(job.who) and not (is_claimed(job.run) and _beats(job.run))


def conclude(job: Job, cancelled: bool) -> str:
    """Write the terminal state that an ended worker did not write, and say in words what happened.

    Raises RunError where the status is damaged, OSError where the disk refuses.
    """
    for process in leftovers(job):
        signal_group(process, signal.SIGKILL)
    status = job.run.status()
    if status.state in TERMINAL:
        return f"ended: {status.state}"
    if status.state == "queued" and status.queued > job.since:
        return "ended and was queued again meanwhile"
    if _belongs_to_another(job, status):
        return "is worked on by another process"
    if cancelled:
        mark_cancelled(job.run, "cancelled; the worker was stopped before it could say so itself")
        return "cancelled"
    what = ending_in_words(job.child.returncode if job.child else None)
    mark_failed(job.run, what, "\n".join(job.run.last_log_lines()))
    return f"failed: {what}"


def ending_in_words(returncode: int | None) -> str:
    """How a process ended; None where nobody was there to see it."""
    if returncode is None:
        return "The worker process vanished: killed, out of memory, or a reboot"
    if returncode == DISK_FULL_STATUS:
        return "The worker process ended because the disk was full: make room first"
    if returncode < 0:
        try:
            name = signal.Signals(-returncode).name
        except ValueError:
            name = f"signal {-returncode}"
        hint = ": out of memory, or killed by hand" if name == "SIGKILL" else ""
        return f"The worker process was killed by {name}{hint}"
    return f"The worker process ended with exit code {returncode} and without saying how the run went"


def is_silent(status: Status) -> bool:
    """True if a run of another host, or without a process, gave no sign of life for 15 minutes."""
    last = max(status.heartbeat or 0.0, status.started or 0.0, status.queued)
    return time.time() - last > SILENT_HOST


def _belongs_to_another(job: Job, status: Status) -> bool:
    worker = recorded_identity(status) if status.state == "running" else None
    return worker is not None and worker.pid != job.who.pid and is_alive(worker)


def _beats(run: RunFolder) -> bool:
    try:
        heartbeat = run.status().heartbeat
    except RunError:
        return False
    return heartbeat is not None and time.time() - heartbeat < FRESH
