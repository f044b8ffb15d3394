"""The relations of one run: its findings, what the reader looks at, and why there may be nothing to see."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.catalog.cigf import CIGFConfig
from core.findings import Finding, History
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status
from dashboard import readers, relations, selection, states
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.moments import Moment
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch

ATTENTION = "relation_attention"


@dataclass(frozen=True)
class View:
    """One run's relation findings and what is picked of them.

    epoch: the snapshot to look at, None for the scored model. scored: the epoch of that model, where known.
    """

    run: RunFolder
    recipe: Recipe
    attention: Finding
    history: History | None
    group: str
    epoch: int | None
    scored: int | None

    @property
    def composition(self) -> str:
        return str(self.recipe.config.get("composition", "recursive"))

    @property
    def group_title(self) -> str:
        return relations.GROUP_TITLES[self.group]

    def moment(self, *, follows: bool = True) -> Moment:
        """Which model a section shows. follows: whether it follows the epoch slider."""
        return Moment(self.run.run_id, self.epoch if follows else None, self.scored)

    def when(self, *, follows: bool = True) -> str:
        return self.moment(follows=follows).when()

    def name(self, figure: str, *, follows: bool = True) -> str:
        return self.moment(follows=follows).name(figure)

    def dated(self, table: pd.DataFrame, *, follows: bool = True) -> pd.DataFrame:
        return self.moment(follows=follows).dated(table)

    def stays(self, what: str) -> None:
        """Where an earlier epoch is picked: says that `what` cannot follow."""
        if self.epoch is not None:
            st.caption(
                f":orange-badge[scored model] {what} is stored for the scored model only: "
                f"this part does not follow the slider to epoch {self.epoch}."
            )


def is_stored(home: Home, run_id: str) -> bool:
    """Whether the run has relation attention to show."""
    return readers.has_finding(RunFolder(home.run(run_id)), ATTENTION)


def why_nothing(recipe: Recipe, status: Status) -> tuple[str, str] | None:
    """Title and advice where a run can have no relation attention, or has none yet; None if it should have."""
    if recipe.system != "cigf":
        return (
            "This system does not weigh relations",
            "Only CIGF learns attention over relations. Pick a CIGF run in the sidebar, or train one on the same data.",
        )
    config = recipe.system_config()
    if isinstance(config, CIGFConfig) and config.encoder == "per_behavior":
        return (
            "This variant has no attention",
            "It was trained without CIGCN: each behaviour's graph is convolved on its own, so nothing is weighed. "
            "Pick a run of the full model.",
        )
    if isinstance(config, CIGFConfig) and config.num_layers == 1:
        return (
            "With one layer there is nothing to weigh",
            "Attention begins at order 2 (CIGF, Eq. 8). Train with num_layers 2 or more.",
        )
    advice = {
        "queued": (
            "Not trained yet",
            "The run waits for a free slot. Its relations appear here when it is done.",
        ),
        "running": (
            "Still training",
            "The first findings appear with the first snapshot. Follow the curves meanwhile.",
        ),
        "failed": (
            "The run failed before its findings were written",
            "Its page says why and lets you resume it.",
        ),
        "cancelled": ("The run was cancelled before its findings were written", "Resume it on its page."),
        "done": ("The run is done but has no relation findings", "Its folder lost them; train it again."),
    }
    return advice[status.state]


def load(run: RunFolder) -> tuple[Recipe, Finding] | None:
    """The recipe and attention of `run`, or None after drawing why there is none. Raises RunError if damaged."""
    recipe, status = run.recipe(), run.status()
    if readers.has_finding(run, ATTENTION):
        return recipe, readers.finding(run, ATTENTION)
    title, advice = why_nothing(recipe, status) or ("Nothing to show", "Pick another run.")
    if status.state == "done":
        states.empty(
            title,
            advice,
            "train",
            "Train the full CIGF",
            system="cigf",
            dataset=recipe.dataset,
            variant="none",
        )
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=run.run_id)
    return None


def controls(run: RunFolder, recipe: Recipe, attention: Finding) -> View:
    """One row of controls for everything that follows them: whose attention, and when."""
    history = readers.history(run, ATTENTION)
    scored = readers.best_epoch(run, recipe)
    groups = [g for g, nodes in relations.group_sizes(attention).items() if nodes]
    cells = row("controls", "look", (2, 7))
    with cells[0]:
        group = selection.pick(
            "group", "Attention of", groups, title=relations.GROUP_TITLES.__getitem__, widget="segments"
        )
    with cells[1]:
        epoch = pick_epoch(history, scored)
    return View(run, recipe, attention, history, group, epoch, scored)


def order_control(view: View) -> str:
    """Which order a closer look shows."""
    orders = view.attention.axis("order").labels
    only = " (the only one)" if len(orders) == 1 else ""
    return selection.pick(
        "order", "Order", orders, title=lambda o: o + only, widget="segments", help=meaning("order")
    )


def start_control(view: View) -> str:
    """Which start behaviour a closer look shows."""
    starts = view.attention.axis("start").labels
    return selection.pick(
        "start", "Start behaviour", starts, default=starts[-1], help=meaning("start behaviour")
    )


def context(run: RunFolder, recipe: Recipe) -> str:
    """One line: composition, result, protocol and epoch that the figures belong to."""
    parts = [f"composition {recipe.config.get('composition', '–')}"]
    status = run.status()
    if status.state != "done":
        parts.append(f"{status.state} at epoch {status.epoch} of {status.epochs}: what it had learned so far")
    parts += run_story.result_parts(run, recipe)
    return states.plain(" · ".join(parts))
