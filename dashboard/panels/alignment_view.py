"""What the page Alignment looks at: one run, what it stored of agreement, modalities and item links, and what is picked."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.catalog.egra import EGRAConfig
from core.catalog.systems import CATALOG
from core.data.dataset import Dataset
from core.errors import RelScopeError, RunError
from core.evaluation.item_groups import ItemRule
from core.findings import Kind
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.summary import RunSummary
from dashboard import longtail_readers, readers, selection, states
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.moments import Moment
from dashboard.neighbors import BEHAVIOR, RAW, ItemGraph
from dashboard.node_groups import NodeGroups, items_by_popularity, users_by_activity
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch
from dashboard.panels.longtail_view import RULES
from dashboard.panels.run_view import RunView, run_data

DEGREE, WEIGHT, QUANTILES, LAMBDA = (
    "alignment_degree",
    "alignment_weight",
    "alignment_weight_quantiles",
    "lambda",
)
ATTENTION, GATE = "modality_attention", "preference_gate"
AXES: dict[str, tuple[str, ...]] = {
    DEGREE: ("node",),
    WEIGHT: ("node",),
    QUANTILES: ("side", "quantile"),
    LAMBDA: ("loss",),
    ATTENTION: ("node", "modality"),
    GATE: ("node", "modality"),
}


@dataclass(frozen=True)
class View(RunView):
    """One run, and what is picked of its findings. rule: how items are cut into groups of popularity."""

    expected = AXES

    rule: ItemRule

    @property
    def egra(self) -> EGRAConfig | None:
        """The run's settings, if it is an EGRA run."""
        config = self.recipe.system_config()
        return config if isinstance(config, EGRAConfig) else None

    @property
    def data(self) -> Dataset | None:
        """The data set that the run was trained on; None where it is gone or has changed since."""
        return run_data(self.home, self.recipe)[0]

    def groups(self) -> dict[str, NodeGroups] | None:
        """Users by activity and items by popularity; None without the data. Raises DataError."""
        data = self.data
        if data is None:
            return None
        counts = longtail_readers.trained_counts(data, self.recipe.fit_on)
        return {
            "user": users_by_activity(counts.users),
            "item": items_by_popularity(counts.items, self.rule),
        }

    def graphs(self) -> list[ItemGraph]:
        """The item graphs that the run stored, the behaviour graph first. Raises RunError if one is damaged."""
        found = []
        for key, (_, kind) in readers.finding_titles(self.run).items():
            if key == BEHAVIOR or (key.startswith(RAW) and kind == Kind.LINK):
                finding = readers.finding(self.run, key)
                if len(finding.axes) != 2:
                    raise RunError(f"{key}: expected links between items; repeat the run to write it again")
                found.append(ItemGraph(finding))
        if len({graph.num_items for graph in found}) > 1:
            raise RunError(
                "item_links: the graphs have different numbers of items; repeat the run to write them again"
            )
        return found


def shows(key: str) -> bool:
    """Whether this page shows the finding `key`."""
    return key in AXES or key == BEHAVIOR or key.startswith(RAW)


def stored_keys(run: RunFolder) -> list[str]:
    """The findings of `run` that this page shows."""
    return [key for key in readers.finding_titles(run) if shows(key)]


def preference(home: Home) -> Callable[[RunSummary], bool]:
    """Which runs the page opens by itself: those that state an alignment, where there are none those that state any of this.

    Only runs of multimodal systems are looked into.
    """
    modal = [
        run.run_id
        for run in readers.runs(home)
        if run.system in CATALOG and CATALOG[run.system].needs_features
    ]
    aligned = {run_id for run_id in modal if readers.has_finding(RunFolder(home.run(run_id)), DEGREE)}
    wanted = aligned or {run_id for run_id in modal if stored_keys(RunFolder(home.run(run_id)))}
    return lambda run: run.run_id in wanted


def load(home: Home, summary: RunSummary) -> View:
    """What the run says of itself, and the controls for all that follows. Raises RunError if recipe or status are damaged."""
    run = open_run(home, summary.run_id)
    recipe = run.recipe()
    first = View(home, summary, run, recipe, run.status(), Moment(run.run_id, None, None), "equal_mass")
    if not stored_keys(run):
        return first
    scored = readers.best_epoch(run, recipe)
    stated = next((found for key in (DEGREE, ATTENTION) if (found := first.readable(key)) is not None), None)
    cells = row("controls", "alignment", (6, 3))
    with cells[0]:
        epoch = pick_epoch(stated.history if stated is not None else None, scored)
    with cells[1]:
        cut = selection.pick(
            "popularity",
            "Cut items by equal",
            list(RULES),
            title=RULES.__getitem__,
            widget="segments",
            help=f"{meaning('popularity group')} Here items never trained stand apart.",
        )
    rule: ItemRule = "equal_number" if cut == "equal_number" else "equal_mass"
    return View(home, summary, run, recipe, first.status, Moment(run.run_id, epoch, scored), rule)


def follow(view: View) -> None:
    """While the run trains: draw the page anew when a snapshot has been written."""
    run_story.follow(view.run, view.status, DEGREE if view.recipe.system == "egra" else ATTENTION)


def nothing(view: View) -> None:
    """Why the run has nothing to show here, and the way to a run that has."""
    if run_story.embeds_nodes(view.summary):
        run_story.nodes_instead(view.summary, "modalities or item links")
        return
    system = CATALOG[view.recipe.system]
    if system.key not in ("egra", "mgcn", "freedom"):
        data = view.data
        fits = data is not None and bool(data.info.modalities)
        states.empty(
            f"{system.title} aligns no modalities and links no items",
            "EGRA does both, MGCN and FREEDOM link items. Pick one of their runs in the sidebar, or train EGRA"
            + (" on the same data." if fits else " on data with item features, such as the demo data."),
            "train",
            "Train EGRA",
            system="egra",
            variant="none",
            **({"dataset": view.recipe.dataset} if fits else {}),
        )
        return
    title, advice = run_story.why_missing(view.status, "findings")
    if view.status.state == "done":
        named = {"system": system.key, "dataset": view.recipe.dataset}
        states.empty(title, advice, "train", f"Train {system.title}", **named)
        return
    said = f" {states.plain(view.status.message[:1].upper() + view.status.message[1:])}." * bool(
        view.status.message
    )
    states.empty(title, advice + said, "runs", "Open the run's page", run=view.run.run_id)


def reconstructed(view: View) -> None:
    """Says plainly whose equations these are, for runs of a system that was rebuilt from a summary."""
    if view.recipe.system == "egra":
        st.caption(
            ":orange-badge[reconstruction] EGRA has no public code and we know the paper by a summary: the equations of "
            "agreement, weights, λ and graphs on this page are this project's reading of it, not the authors' own.",
            help=meaning("reconstruction"),
        )


def grouped_or_told(view: View) -> dict[str, NodeGroups] | None:
    """The groups of nodes; None, with the reason on the page, where the data is gone."""
    try:
        groups = view.groups()
    except RelScopeError as error:
        st.caption(f":orange[{states.plain(str(error))}]")
        return None
    if groups is None:
        st.caption(
            ":orange[The data set is gone or has changed since this run was trained: nodes cannot be grouped by their "
            "training pairs.]"
        )
    return groups
