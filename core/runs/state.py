"""What the supervisor says about itself in `supervisor/state.json`, for pages and for its successor."""

import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.files import read_json, write_json
from core.home import Home
from core.runs.devices import Slot
from core.runs.processes import Identity, is_alive

SILENT_AFTER = 60.0


class SlotState(BaseModel):
    """A slot and the run on it. `cancelling`: it was told to stop and has not stopped yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: Slot
    run_id: str | None = None
    cancelling: bool = False


class Waiting(BaseModel):
    """A queued run, its place (counted from 1) and the slots it can use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    position: int
    slots: tuple[str, ...] = ()


class SupervisorState(BaseModel):
    """The supervisor's process, its slots and its queue. Times are unix seconds; `trouble` is what it retries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    pid_started: float
    host: str
    since: float
    heartbeat: float
    slots: tuple[SlotState, ...] = ()
    queue: tuple[Waiting, ...] = ()
    note: str = ""
    trouble: str = ""

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.pid_started, self.host)


def supervisor_state(home: Home) -> SupervisorState | None:
    """The state of the living supervisor, or None if none lives. A supervisor of another host lives while its heartbeat is fresh."""
    try:
        state = SupervisorState.model_validate(read_json(_path(home)))
    except (OSError, ValueError):
        return None
    fresh = time.time() - state.heartbeat < SILENT_AFTER
    lives = is_alive(state.identity) if state.identity.is_here else fresh
    return state if lives else None


def write_state(home: Home, state: SupervisorState) -> None:
    write_json(_path(home), state.model_dump(mode="json"))


def clear_state(home: Home) -> None:
    _path(home).unlink(missing_ok=True)


def _path(home: Home) -> Path:
    return home.supervisor / "state.json"
