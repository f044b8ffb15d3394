"""What pages about one run share: its findings with their snapshots, checked, and which model a part of the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import streamlit as st

from core.catalog.systems import CATALOG
from core.data.dataset import Dataset
from core.errors import DataError, RelScopeError
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status
from core.runs.summary import RunSummary
from dashboard import learned, readers, states
from dashboard.information import Stated, checked
from dashboard.moments import Moment
from dashboard.panels import run_story


@dataclass(frozen=True)
class RunView:
    """One run and the moment that is picked of it. expected: the axes of every finding that the page shows, by key."""

    home: Home
    summary: RunSummary
    run: RunFolder
    recipe: Recipe
    status: Status
    moment: Moment
    expected: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def stated(self, key: str) -> Stated | None:
        """A finding with its snapshots, None where the run has none. Raises RunError if it is damaged."""
        if not readers.has_finding(self.run, key):
            return None
        finding = checked(readers.finding(self.run, key), self.expected[key])
        history = readers.history(self.run, key)
        return Stated(finding, history if learned.fits(finding, history) else None)

    def readable(self, key: str) -> Stated | None:
        """As `stated`, but None for a damaged finding too: where its own section tells of the damage."""
        try:
            return self.stated(key)
        except RelScopeError:
            return None

    def moment_of(self, stated: Stated) -> Moment:
        """Which model a part shows: the picked epoch, or the scored model where the part has no such snapshot."""
        return self.moment if stated.follows(self.moment.epoch) else self.moment.of_scored()

    def stays(self, what: str) -> None:
        """Where an earlier epoch is picked: says that `what` cannot follow."""
        if self.moment.epoch is not None:
            st.caption(
                f":orange-badge[scored model] {what}: this part does not follow the slider to epoch {self.moment.epoch}."
            )


def run_data(home: Home, recipe: Recipe) -> tuple[Dataset | None, str]:
    """The data set that a run was trained on; None and the reason where it is gone or no longer the same."""
    try:
        data = readers.dataset(home, recipe.dataset)
    except DataError:
        return None, "cannot be read"
    if data.info.content_hash == recipe.dataset_hash:
        return data, ""
    return None, "has changed since this run was trained"


def context(view: RunView) -> str:
    """One line: variant, state, result and protocol that the figures belong to."""
    parts = []
    known = CATALOG.get(view.recipe.system)
    if view.recipe.variant and known and view.recipe.variant in known.variants:
        parts.append(f"variant {known.variants[view.recipe.variant].title}")
    if view.status.state != "done":
        parts.append(f"{view.status.state} at epoch {view.status.epoch} of {view.status.epochs}")
    parts += run_story.result_parts(view.run, view.recipe)
    return states.plain(" · ".join(parts))


def absent(view: RunView, what: str, design: str = "") -> None:
    """Why the run has no `what`: by its design where `design` says so, otherwise by its state."""
    reasons = {
        "queued": "the run waits for a free slot",
        "running": "they come with the first snapshot",
        "failed": "the run failed before they were measured",
        "cancelled": "the run was cancelled before they were measured",
        "done": "the run stored none",
    }
    st.caption(design or f"No {what}: {reasons[view.status.state]}.")
