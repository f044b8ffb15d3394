"""The changes of state that somebody other than the worker writes."""

import time

from core.errors import RunError
from core.runs.folder import TERMINAL, Failure, RunFolder, Status
from core.runs.lock import is_claimed

REQUEUEABLE = ("failed", "cancelled")


def mark_failed(run: RunFolder, what: str, traceback: str = "") -> Status:
    """Write state failed; the message goes on with what Resume will do. Raises RunError, OSError."""
    then = (
        "Resume continues from the last checkpoint."
        if run.is_resumable
        else "There is no checkpoint: Resume starts it from the beginning."
    )
    failure = Failure(message=f"{what.rstrip('.')}. {then}", traceback=traceback)
    return run.update_status(state="failed", finished=time.time(), error=failure.model_dump(), message="")


def mark_cancelled(run: RunFolder, message: str) -> Status:
    """Write state cancelled. Raises RunError, OSError."""
    return run.update_status(state="cancelled", finished=time.time(), message=message)


def mark_queued(run: RunFolder) -> Status:
    """Queue a failed or cancelled run again; checkpoints, log and metrics stay, so it continues.

    A damaged status is written anew. Raises RunError if the run is in another state or a worker still holds it.
    """
    check_requeueable(run)
    now = time.time()
    try:
        old = run.status()
    except RunError:
        created = (run.path / "recipe.json").stat().st_mtime
        epochs = int(run.recipe().config.get("epochs", 0))
        old = Status(state="failed", created=created, queued=now, epochs=epochs)
    new = Status(
        state="queued",
        created=old.created,
        queued=now,
        epoch=old.epoch,
        epochs=old.epochs,
        attempts=old.attempts + 1,
        parent=old.parent,
    )
    run.write_status(new)
    return new


def check_requeueable(run: RunFolder) -> None:
    """Raises RunError where `run` cannot be queued again: wrong state, unreadable recipe, or a hidden living worker.

    A worker that has written its terminal state may still be on its way out: the queue waits for its claim.
    """
    run.recipe()
    try:
        state = run.status().state
    except RunError as error:
        if is_claimed(run):
            raise RunError(f"{error}, and a process still works on it: cancel that process first") from error
        return
    if state not in REQUEUEABLE:
        raise RunError(f"run {run.run_id!r} is {state}: only failed or cancelled runs can be resumed")


def check_cancellable(run: RunFolder) -> None:
    """Raises RunError where there is nothing to cancel."""
    state = run.status().state
    if state in TERMINAL:
        raise RunError(f"run {run.run_id!r} is {state} already: there is nothing to cancel")
