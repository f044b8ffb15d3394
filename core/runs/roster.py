"""The workers that run on this host: finding them again, stopping them, and concluding those that ended."""

import signal
import time
from collections.abc import Iterable
from pathlib import Path

from core.errors import RunError
from core.home import Home
from core.runs.devices import Slot
from core.runs.endings import conclude, has_ended, is_silent
from core.runs.folder import TERMINAL, RunFolder, this_host
from core.runs.lock import is_claimed
from core.runs.processes import recorded_identity, signal_group
from core.runs.requests import Request
from core.runs.summary import RunSummary
from core.runs.transitions import mark_cancelled, mark_failed
from core.runs.trouble import Trouble
from core.runs.workers import Command, Job, Launched, launched_records, record_path, start_worker

LINGER = 60.0


class Roster:
    """Living workers by run id. grace: seconds between SIGTERM and SIGKILL."""

    def __init__(self, home: Home, trouble: Trouble, command: Command, grace: float) -> None:
        self.home = home
        self.jobs: dict[str, Job] = {}
        self._trouble = trouble
        self._command = command
        self._grace = grace
        self._told: dict[str, float] = {}  # run id -> when its worker was told to stop

    def is_stopping(self, run_id: str | None) -> bool:
        return run_id in self._told

    def close(self) -> None:
        """Let go of the workers without ending them: a successor adopts them."""
        for job in self.jobs.values():
            if job.child is not None and job.child.poll() is None:
                job.child.returncode = 0  # else Popen warns that nobody waited for it
        self.jobs.clear()

    def adopt(self, summaries: Iterable[RunSummary]) -> None:
        """Add workers that an earlier supervisor or a command line started."""
        for path, record in launched_records(self.home):
            if path.stem not in self.jobs:
                with self._trouble.guard(f"adopt {path.stem}"):
                    self._adopt_launched(path, record)
        for summary in summaries:
            if summary.stored_state == "running" and summary.run_id not in self.jobs:
                with self._trouble.guard(f"adopt {summary.run_id}"):
                    self._adopt_running(RunFolder(self.home.run(summary.run_id)))

    def _adopt_launched(self, path: Path, record: Launched | None) -> None:
        here = record is not None and record.host == this_host()
        worker = record.worker() if record and here else None
        if record and worker:
            run = RunFolder(self.home.run(record.run_id))
            self.jobs[record.run_id] = Job(run, worker, record.slot, record.since, record.token)
            self._trouble.say(f"adopted {record.run_id} on {record.slot}, process {worker.pid}")
        elif record is None or here or self._is_over(record):
            path.unlink(missing_ok=True)  # nothing was started, or nothing of it is left

    def _is_over(self, record: Launched) -> bool:
        """True if another host's run has ended, or went silent."""
        try:
            status = RunFolder(self.home.run(record.run_id)).status()
        except RunError:
            return True
        return status.state in TERMINAL or is_silent(status)

    def _adopt_running(self, run: RunFolder) -> None:
        status = run.status()
        worker = recorded_identity(status)
        if status.state != "running":
            return
        if worker and worker.is_here:
            self.jobs[run.run_id] = Job(run, worker, status.slot, status.started or status.queued)
        elif is_silent(status):
            where = f" of host {status.host}" if status.host else ""
            mark_failed(run, f"The worker{where} gave no sign of life for 15 minutes")

    def start(self, run: RunFolder, slot: Slot) -> None:
        """Start `run` unless it has left the queue meanwhile, or another process or host already has it."""
        taken = run.run_id in self.jobs or record_path(self.home, run.run_id).exists() or is_claimed(run)
        if taken or run.status().state != "queued":
            return
        job = start_worker(self.home, run, slot, self._command)
        self.jobs[run.run_id] = job
        self._trouble.say(f"started {run.run_id} on {slot.name}, process {job.who.pid}")

    def cancel(self, request: Request) -> bool:
        """Pursue a cancellation; True once there is nothing left to do. Raises RunError where it cannot be done.

        Called every round until then: the request stays, so that a successor goes on with it.
        """
        run = RunFolder(self.home.run(request.run_id))
        status = run.status()
        if status.state in TERMINAL or request.time < status.queued:
            return True
        job = self.jobs.get(run.run_id)
        if status.state == "queued" and (job.since < status.queued if job else not is_claimed(run)):
            mark_cancelled(run, "cancelled before it started")
            self._trouble.say(f"{run.run_id} is cancelled")
            return True
        if job:
            self._stop(job)
        elif status.state == "running" and status.host != this_host():
            raise RunError(f"{run.run_id}: the worker runs on host {status.host}; cancel it there")
        return False

    def forget_stopped(self, pursued: set[str]) -> None:
        """Forget whom it told to stop, but for the runs whose cancellation is still pursued."""
        self._told = {run_id: told for run_id, told in self._told.items() if run_id in pursued}

    def _stop(self, job: Job) -> None:
        run_id = job.run.run_id
        if run_id not in self._told:
            signal_group(job.who, signal.SIGTERM)
            self._told[run_id] = time.monotonic()
            self._trouble.say(f"told {run_id} to stop")
        elif time.monotonic() - self._told[run_id] > self._grace and not has_ended(job):
            signal_group(job.who, signal.SIGKILL)
            self._trouble.say(f"killed {run_id}: it did not stop within {self._grace:.0f} s")

    def look_after(self, summaries: dict[str, RunSummary]) -> None:
        """Conclude the workers that ended, and let go of those that went on to something else."""
        for run_id, job in list(self.jobs.items()):
            with self._trouble.guard(f"conclude {run_id}"):
                summary = summaries.get(run_id)
                if has_ended(job):
                    self._conclude(job)
                elif summary is None or summary.stored_state in TERMINAL:
                    self._end_lingering(job)

    def _conclude(self, job: Job) -> None:
        run_id = job.run.run_id
        try:
            outcome = conclude(job, cancelled=run_id in self._told)
        except RunError as error:
            outcome = f"ended, and cannot be marked: {error}"
        record_path(self.home, run_id).unlink(missing_ok=True)
        del self.jobs[run_id]
        self._trouble.say(f"{run_id} {outcome}")

    def _end_lingering(self, job: Job) -> None:
        """A worker that has said its last word must leave; a process of the command line may have other work."""
        if not job.token:
            del self.jobs[job.run.run_id]
            return
        job.ended = job.ended or time.monotonic()
        if time.monotonic() - job.ended > LINGER:
            signal_group(job.who, signal.SIGKILL)
