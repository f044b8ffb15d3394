"""The experts of one run: what it stored of gates and conflict, what the reader looks at, and why a part may be missing."""

from dataclasses import dataclass

import streamlit as st

from core.catalog.cigf import CIGFConfig
from core.findings import Finding, History
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status, open_run
from core.runs.summary import RunSummary
from dashboard import gates, readers, selection, states
from dashboard.glossary import meaning
from dashboard.heads import HEADS
from dashboard.layout import row
from dashboard.moments import Moment
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch

GATES, CONFLICT = "expert_gates", "gradient_conflict"


@dataclass(frozen=True)
class View:
    """One run's gates and conflict, as far as it has them, and what is picked of them.

    history: snapshots of the gates, if they fit the finding. conflict_source: where the measure of conflict comes from. task: empty where the run tells no tasks apart.
    """

    summary: RunSummary
    run: RunFolder
    recipe: Recipe
    status: Status
    finding: Finding | None
    history: History | None
    conflict: History | None
    conflict_source: str
    task: str
    moment: Moment

    @property
    def now(self) -> gates.Gates:
        """The gates at the picked epoch. Only for runs that have gates."""
        assert self.finding is not None
        if self.moment.epoch is not None and self.history is not None:
            return gates.gates_at(self.finding, self.history, self.moment.epoch)
        return gates.gates_of(self.finding)

    def stays(self, what: str) -> None:
        """Where an earlier epoch is picked: says that `what` cannot follow."""
        if self.moment.epoch is not None:
            st.caption(
                f":orange-badge[scored model] {what} belong to the scored model only: "
                f"this part does not follow the slider to epoch {self.moment.epoch}."
            )


def is_stored(home: Home, run_id: str) -> bool:
    """Whether the run has gates to show."""
    return readers.has_finding(RunFolder(home.run(run_id)), GATES)


def load(home: Home, summary: RunSummary) -> View:
    """Read what the run stored, and draw the controls for all that follows. Raises RunError if a file is damaged."""
    run = open_run(home, summary.run_id)
    recipe = run.recipe()
    finding = readers.finding(run, GATES) if readers.has_finding(run, GATES) else None
    history, conflict = readers.history(run, GATES), readers.history(run, CONFLICT)
    history = history if finding is not None and gates.fits(finding, history) else None
    if finding is not None:
        tasks = finding.axis("task").labels
    else:
        tasks = next((axis.labels for axis in conflict.axes if axis.name == "task"), ()) if conflict else ()
    scored = readers.best_epoch(run, recipe)
    task, epoch = "", None
    if tasks:
        cells = row("controls", "experts", (2, 7))
        with cells[0]:
            task = selection.pick("task", "Task", tasks, default=tasks[-1], help=meaning("task"))
        with cells[1]:
            epoch = pick_epoch(history if finding is not None else conflict, scored)
    moment = Moment(run.run_id, epoch, scored)
    source = readers.finding(run, CONFLICT).source if readers.has_finding(run, CONFLICT) else ""
    return View(summary, run, recipe, run.status(), finding, history, conflict, source, task, moment)


def head_title(recipe: Recipe) -> str:
    """The head of a CIGF run in words, empty for other systems."""
    config = recipe.system_config()
    if not isinstance(config, CIGFConfig):
        return ""
    title = HEADS.get(config.head, config.head.replace("_", " "))
    return title + (" as released" if config.head != "mesi" and config.head_form == "as_released" else "")


def context(view: View) -> str:
    """One line: head, state, result and protocol that the figures belong to."""
    head = head_title(view.recipe)
    parts = [f"head {head}"] if head else []
    if view.status.state != "done":
        at = f"{view.status.state} at epoch {view.status.epoch} of {view.status.epochs}"
        parts.append(at + (": what it had learned so far" if view.finding is not None else ""))
    parts += run_story.result_parts(view.run, view.recipe)
    return states.plain(" · ".join(parts))


def why_no_gates(recipe: Recipe, status: Status) -> tuple[str, str]:
    """Title and advice where a run has no gates to show."""
    config = recipe.system_config()
    if not isinstance(config, CIGFConfig):
        return (
            "This system has no experts",
            "Only CIGF with the heads MESI, MMOE or PLE mixes experts. How well groups of users are served is shown below.",
        )
    if config.head not in HEADS:
        return (
            f"The {config.head.replace('_', ' ')} head has no gates",
            "It scores every task without experts to choose from. Gradient conflict and groups of users are shown below.",
        )
    return run_story.why_missing(status, "gates")


def no_gates(view: View) -> None:
    """Why there are no gates, and the way to a run that has some."""
    if run_story.embeds_nodes(view.summary):
        run_story.nodes_instead(view.summary, "experts or tasks")
        st.stop()
    title, advice = why_no_gates(view.recipe, view.status)
    if view.status.state == "done":
        address = {"system": "cigf", "dataset": view.recipe.dataset, "variant": "none"}
        states.empty(title, advice, "train", "Train CIGF with MESI", **address)
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=view.run.run_id)


def follow(view: View) -> None:
    """While the run trains: draw the page anew when a snapshot has been written."""
    run_story.follow(view.run, view.status, CONFLICT)
