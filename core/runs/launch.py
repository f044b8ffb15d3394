"""What pages and the command line ask for: submit, cancel, queue again, and have a supervisor at work."""

from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, create_run, open_run
from core.runs.index import list_runs, queue_order
from core.runs.requests import write_request
from core.runs.state import SupervisorState, supervisor_state
from core.runs.transitions import check_cancellable, check_requeueable, mark_cancelled, mark_queued

__all__ = [
    "SupervisorState",
    "cancel",
    "ensure_supervisor",
    "queue_position",
    "requeue",
    "submit",
    "supervisor_state",
]


def submit(home: Home, recipe: Recipe, run_id: str | None = None) -> RunFolder:
    """Queue `recipe`. Raises RunError if `run_id` is taken."""
    return create_run(home, recipe, run_id)


def cancel(home: Home, run_id: str) -> None:
    """Stop a queued or running run. Raises RunError if there is none or it has ended."""
    run = open_run(home, run_id)
    check_cancellable(run)
    if supervisor_state(home):
        write_request(home, "cancel", run_id)
    elif run.status().state == "queued":
        mark_cancelled(run, "cancelled before it started")


def requeue(home: Home, run_id: str) -> None:
    """Queue a failed or cancelled run again. Raises RunError if it is in another state."""
    run = open_run(home, run_id)
    check_requeueable(run)
    mark_queued(run)


def ensure_supervisor(home: Home) -> None:
    """Start a detached supervisor if none lives. Raises RunError if it does not come up."""


def queue_position(home: Home, run_id: str) -> int | None:
    """Place in the queue, counted from 1; None for a run that is not queued."""
    ids = [summary.run_id for summary in queue_order(list_runs(home))]
    return ids.index(run_id) + 1 if run_id in ids else None
