"""Ending what a journey started, by process and not by name."""

import psutil

from core.home import Home
from core.runs.state import supervisor_state


def end_supervisor(home: Home) -> None:
    """End the supervisor of `home` and its workers."""
    state = supervisor_state(home)
    if state is None:
        return
    supervisor = psutil.Process(state.pid)
    family = [supervisor, *supervisor.children(recursive=True)]
    for process in family:
        process.terminate()
    for process in psutil.wait_procs(family, timeout=10)[1]:
        process.kill()
