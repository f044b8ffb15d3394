"""Which process is meant: a pid counts only together with its start time and its host."""

import os
import signal
from dataclasses import dataclass

import psutil

from core.errors import RunError
from core.runs.folder import Status, this_host

# psutil adds the start time since boot to the boot time, which moves by up to a second when the clock is corrected.
TOLERANCE = 1.5


@dataclass(frozen=True)
class Identity:
    """A process: its pid, its start (unix seconds) and its host. A recycled pid has another start."""

    pid: int
    started: float
    host: str

    @property
    def is_here(self) -> bool:
        return self.host == this_host()


def identity(pid: int | None = None) -> Identity:
    """The identity of a living process of this host, by default the caller's. Raises RunError if there is none."""
    number = os.getpid() if pid is None else pid
    try:
        return Identity(number, psutil.Process(number).create_time(), this_host())
    except (psutil.Error, ValueError, OverflowError) as error:
        raise RunError(f"there is no process {number} on {this_host()}; it has ended") from error


def recorded_identity(status: Status) -> Identity | None:
    """The worker that a run's status names, or None where it names none completely."""
    if status.pid is None or status.pid_started is None or not status.host:
        return None
    return Identity(status.pid, status.pid_started, status.host)


def is_alive(who: Identity) -> bool:
    """True if exactly this process lives on this host. A zombie is dead; so is, seen from here, another host's."""
    if not who.is_here or who.pid <= 0:
        return False
    try:
        process = psutil.Process(who.pid)
        same = abs(process.create_time() - who.started) <= TOLERANCE
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OverflowError):
        return False


def signal_group(who: Identity, sig: signal.Signals) -> bool:
    """Signal `who` and, if it leads its process group, the whole group; False if nothing was signalled.

    The identity is checked immediately before. init, this process and this process's own group are never signalled.
    """
    if who.pid <= 1 or who.pid == os.getpid():
        return False
    try:
        leads = os.getpgid(who.pid) == who.pid and os.getpgrp() != who.pid
        if not is_alive(who):
            return False
        if leads:
            os.killpg(who.pid, sig)
        else:
            os.kill(who.pid, sig)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    return True


def carriers(variable: str, value: str) -> list[Identity]:
    """Living processes of this user and host whose environment holds `variable=value`: a worker and its children."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.environ().get(variable) != value:
                continue
            who = Identity(process.pid, process.create_time(), this_host())
        except (psutil.Error, OSError):
            continue
        if is_alive(who):
            found.append(who)
    return found
