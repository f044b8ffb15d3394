"""What a worker process says about itself when it begins, and how it hears that it should stop."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from core.runs.processes import identity


def running_now() -> dict[str, Any]:
    """Fields of the status of a run that the calling process begins or continues now.

    Slot and threads are those the supervisor gave; both are empty on the command line. Pass them to `create_run` as
    `initial`, so that no supervisor takes a foreground run for a queued one, or to `update_status` inside `claimed`.
    """
    me = identity()
    threads = os.environ.get("RELSCOPE_THREADS", "")
    now = time.time()
    return {
        "state": "running",
        "pid": me.pid,
        "pid_started": me.started,
        "host": me.host,
        "slot": os.environ.get("RELSCOPE_SLOT", ""),
        "threads": int(threads) if threads.isdecimal() else None,
        "started": now,
        "heartbeat": now,
        "finished": None,
        "error": None,
        "message": "",
    }


def device_given() -> str | None:
    """The device a supervised worker must use, whatever its recipe asks: it sees its slot's GPU alone, as `cuda:0`.

    None on the command line, where the recipe's device counts.
    """
    slot = os.environ.get("RELSCOPE_SLOT", "")
    return ("cuda:0" if slot.startswith("cuda") else "cpu") if slot else None


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM set the event; a second SIGINT interrupts at once."""
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if stopping.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
