"""The supervisor as a process: one per home, from taking the lock to letting it go."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from types import FrameType

from core.errors import RunError
from core.home import Home
from core.locks import locked
from core.runs.devices import Devices, find_devices
from core.runs.lock import supervisor_lock
from core.runs.requests import pending_requests
from core.runs.state import clear_state, supervisor_state
from core.runs.supervisor import GRACE, Supervisor
from core.runs.sweep import sweep
from core.runs.trouble import log
from core.runs.workers import Command, worker_command

LONGEST_LOG = 1_000_000
PATIENCE = 30.0


def supervise(
    home: Home,
    poll: float = 0.5,
    once: bool = False,
    idle_exit: float | None = None,
    *,
    command: Command = worker_command,
    devices: Callable[[], Devices] = find_devices,
    grace: float = GRACE,
    stop: threading.Event | None = None,
) -> None:
    """Supervise `home` until SIGTERM, SIGINT or `stop`; workers live on and the next supervisor adopts them.

    poll: seconds between rounds. once: a single round. idle_exit: leave after so many seconds with nothing to do.
    Raises RunError if another supervisor is at work, ConfigError if RELSCOPE_CPU_SLOTS is unusable.
    """
    ending = stop or threading.Event()
    with _sole_supervisor(home), _logging(home), _ending_on_signals(ending):
        supervisor = Supervisor(home, command, devices, grace)
        try:
            for path in sweep(home):
                log.info("removed %s, which nobody finished writing", path)
            _rounds(supervisor, ending, poll, once, idle_exit)
        finally:
            supervisor.close()
            clear_state(home)
            log.info("the supervisor leaves")


def settle(home: Home, grace: float = GRACE) -> None:
    """Settle what is asked for while no supervisor lives; with one, return at once. Starts no run.

    Takes up to `grace` seconds where a worker must be stopped. Raises OSError if the disk refuses.
    """
    deadline = time.monotonic() + grace + 5.0
    while time.monotonic() < deadline and not supervisor_state(home):
        with locked(supervisor_lock(home)) as mine:
            if mine:
                supervisor = Supervisor(home, grace=grace, starts=False)
                while time.monotonic() < deadline:
                    supervisor.step()
                    if not pending_requests(home):
                        break
                    time.sleep(0.1)
                supervisor.close()
                return
        time.sleep(0.05)


def _rounds(
    supervisor: Supervisor, ending: threading.Event, poll: float, once: bool, idle_exit: float | None
) -> None:
    busy = time.monotonic()
    while not ending.is_set():
        supervisor.step()
        with supervisor.trouble.guard("look for work"):
            if not supervisor.is_idle:
                busy = time.monotonic()
        if once or (idle_exit is not None and time.monotonic() - busy > idle_exit and supervisor.leaves()):
            return
        ending.wait(supervisor.trouble.delay(poll))


@contextmanager
def _sole_supervisor(home: Home) -> Iterator[None]:
    """Hold the home's lock. Whoever holds it for a moment to settle a request is waited for."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with locked(supervisor_lock(home), wait=0.2) as mine:
            other = supervisor_state(home)
            if mine and other is None:
                yield
                return
        if other:  # it may live on even if the lock was free: somebody deleted the lock file, or the disk has no locks
            raise RunError(
                f"a supervisor already looks after {home.root}: process {other.pid} on {other.host}; nothing to do"
            )
        if time.monotonic() > deadline:
            raise RunError(
                f"another process has held {supervisor_lock(home)} for {PATIENCE:.0f} s: end it and try again"
            )


@contextmanager
def _ending_on_signals(ending: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _logging(home: Home) -> Iterator[None]:
    """Log to `supervisor/log.txt`, which keeps at most two megabytes together with its predecessor."""
    handler = RotatingFileHandler(
        home.supervisor / "log.txt", maxBytes=LONGEST_LOG, backupCount=1, delay=True, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
