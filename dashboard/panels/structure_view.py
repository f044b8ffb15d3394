"""The structure that one run learned: what it stored of hyperedges, attention and branches, and why a part may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.catalog.hypergraph import LGMRecConfig, SRGFormerConfig
from core.data.dataset import Dataset
from core.errors import RunError
from core.findings import Array, Finding
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.summary import RunSummary
from dashboard import histories, longtail_readers, readers, states
from dashboard.histories import Histories
from dashboard.hyperedges import checked_sides
from dashboard.information import Stated
from dashboard.item_facts import item_facts
from dashboard.layout import row
from dashboard.learned import dense
from dashboard.moments import Moment
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch
from dashboard.panels.run_view import RunView, run_data

MEMBERSHIP, ITEMS = "hyperedge_membership", "hyperedge_items"
ATTENDED, ENTROPY = "history_attention", "attention_entropy"
CONTRIBUTION, NORM = "branch_contribution", "branch_norm"
_MOST_HEADS = 64
HEADS = tuple(f"{ATTENDED}_{head + 1}" for head in range(_MOST_HEADS))
AXES: dict[str, tuple[str, ...]] = {
    CONTRIBUTION: ("branch", "side"),
    NORM: ("branch", "side"),
    MEMBERSHIP: ("modality", "node", "hyperedge"),
    ITEMS: ("hyperedge", "item"),
    ENTROPY: ("node",),
    ATTENDED: ("user", "item"),
    **dict.fromkeys(HEADS, ("user", "item")),
}
SYSTEMS = ("srgformer", "lgmrec")


@dataclass(frozen=True)
class View(RunView):
    """One run and its data. data: the data set it was trained on, None where that is gone or has changed, which `changed` says."""

    expected = AXES

    data: Dataset | None
    changed: str

    def names(self, items: int) -> Sequence[str]:
        """A readable name for each of so many items. Raises DataError if the data set is damaged."""
        facts = item_facts(self.data) if self.data else None
        fits = facts is not None and len(facts.names) == items
        return facts.names if facts is not None and fits else [f"item {place}" for place in range(items)]

    def categories(self, items: int) -> Sequence[str] | None:
        """The category of each of so many items, None where the data set has none."""
        facts = item_facts(self.data) if self.data else None
        found = facts.categories if facts else None
        return found if found is not None and len(found) == items else None

    def trained(self, items: int) -> Array | None:
        """Training pairs of each of so many items, None where they cannot be counted."""
        if self.data is None:
            return None
        counts = longtail_readers.trained_counts(self.data, self.recipe.fit_on).items
        return counts if len(counts) == items else None

    def membership(self) -> Stated | None:
        """Raises RunError if it is damaged or does not tell users from items."""
        stated = self.stated(MEMBERSHIP)
        return None if stated is None else checked_sides(stated)

    def histories(self) -> Histories | None:
        """Whole histories of the sampled users, None where the run stored none. Raises RunError if they are damaged."""
        found: list[Finding] = []
        for key in HEADS:
            if (stated := self.stated(key)) is None:
                break
            found.append(stated.finding)
        return histories.histories(found) if found else None

    def entropy(self) -> tuple[Stated, Array, Array] | None:
        """Attention entropy [U] and the length of each history [U], None where the run stored none. Raises RunError if damaged."""
        stated = self.stated(ENTROPY)
        if stated is None:
            return None
        if stated.finding.support is None:
            raise RunError(
                f"{ENTROPY}: the lengths of the histories are missing; repeat the run to write it again"
            )
        return stated, dense(stated.finding).astype(float), stated.finding.support.astype(np.int64)


def is_stored(home: Home, run_id: str) -> bool:
    """Whether the run has any structure to show."""
    run = RunFolder(home.run(run_id))
    return any(readers.has_finding(run, key) for key in (MEMBERSHIP, ATTENDED, CONTRIBUTION))


def load(home: Home, summary: RunSummary) -> View:
    """What the run says of itself, and the slider for all that follows it. Raises RunError if recipe or status are damaged."""
    run = open_run(home, summary.run_id)
    recipe = run.recipe()
    data, changed = run_data(home, recipe)
    first = View(home, summary, run, recipe, run.status(), Moment(run.run_id, None, None), data, changed)
    scored = readers.best_epoch(run, recipe)
    keys = (CONTRIBUTION, MEMBERSHIP, ENTROPY)
    stated = next((found for key in keys if (found := first.readable(key)) is not None), None)
    epoch = None
    if stated is not None:
        with row("controls", "structure", (7, 2))[0]:
            epoch = pick_epoch(stated.history, scored)
    return View(home, summary, run, recipe, first.status, Moment(run.run_id, epoch, scored), data, changed)


def follow(view: View) -> None:
    """While the run trains: draw the page anew when a snapshot has been written."""
    run_story.follow(view.run, view.status, CONTRIBUTION)


def no_structure(view: View) -> None:
    """Why there is nothing to see, and the way to a run that has something."""
    if run_story.embeds_nodes(view.summary):
        run_story.nodes_instead(view.summary, "hyperedges or histories of users")
        return
    if view.recipe.system not in SYSTEMS:
        states.empty(
            "This system learns no hyperedges and no attention over histories",
            "SRGFormer does both, LGMRec learns hyperedges. Pick one of their runs in the sidebar, or train SRGFormer on data "
            "whose items have features.",
            "train",
            "Train SRGFormer",
            system="srgformer",
            variant="none",
        )
        return
    title, advice = run_story.why_missing(view.status, "findings")
    if view.status.state == "done":
        states.empty(
            title,
            advice,
            "train",
            "Train it again",
            system=view.recipe.system,
            dataset=view.recipe.dataset,
            variant="none",
        )
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=view.run.run_id)


def no_hyperedges(view: View) -> str:
    """Why a run has no hyperedges by its settings; empty where it should have some."""
    config = view.recipe.system_config()
    if not isinstance(config, SRGFormerConfig | LGMRecConfig):
        return "Only SRGFormer and LGMRec learn hyperedges."
    weight = config.beta if isinstance(config, SRGFormerConfig) else config.alpha
    if weight:
        return ""
    named = "beta" if isinstance(config, SRGFormerConfig) else "alpha"
    return (
        f"No hyperedges: this run was trained without hypergraphs ({named} is 0, and no loss contrasts them)."
    )


def no_attention(view: View) -> str:
    """Why a run has no attention over histories by its settings; empty where it should have some."""
    config = view.recipe.system_config()
    if not isinstance(config, SRGFormerConfig):
        return "Only SRGFormer has a graph transformer: no attention over histories in this system."
    if config.alpha == 0:
        return "No attention over histories: this run was trained without the graph transformer (alpha is 0)."
    return ""
