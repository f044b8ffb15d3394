"""The levels of one run: what it stored of them, what the reader looks at, and why a part may be missing."""

from dataclasses import dataclass

import streamlit as st

from core.catalog.hgib import HGIBConfig
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status, open_run
from core.runs.summary import RunSummary
from dashboard import readers, selection, states
from dashboard.glossary import meaning
from dashboard.information import SIDES
from dashboard.layout import row
from dashboard.moments import Moment
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch
from dashboard.panels.run_view import RunView
from dashboard.relations import GROUP_TITLES

ABUNDANCE, SPECTRUM, DEPENDENCE, PRESERVATION = (
    "information_abundance",
    "singular_values",
    "hsic",
    "preservation",
)
KEEP, WEIGHTS, DETECTION, PRECISION = (
    "edge_keep_rate",
    "edge_weight_histogram",
    "noise_detection",
    "pruning_precision",
)
FUSION = ("fusion_attention_1", "fusion_attention_2")
AXES: dict[str, tuple[str, ...]] = {
    ABUNDANCE: ("level", "side"),
    SPECTRUM: ("level", "side", "rank"),
    DEPENDENCE: ("level_pair", "side"),
    PRESERVATION: ("level",),
    KEEP: ("graph", "noise"),
    WEIGHTS: ("graph", "bin"),
    DETECTION: ("graph", "scorer"),
    PRECISION: ("graph", "measure"),
    **dict.fromkeys(FUSION, ("node", "source")),
}
# systems that measure their levels
LEVELLED = ("hgib", "mule")


@dataclass(frozen=True)
class View(RunView):
    """One run, and what is picked of its findings. side: user or item."""

    expected = AXES

    side: str

    @property
    def dims(self) -> int:
        """Dimensions of the tables: how many singular values they have, otherwise as configured."""
        spectrum = self.readable(SPECTRUM)
        if spectrum is not None:
            return spectrum.finding.axis("rank").size
        return int(self.recipe.config.get("dim", 0))

    @property
    def side_title(self) -> str:
        return GROUP_TITLES[self.side]

    @property
    def hgib(self) -> HGIBConfig | None:
        """The run's settings, if it is an HGIB run."""
        config = self.recipe.system_config()
        return config if isinstance(config, HGIBConfig) else None


def is_stored(home: Home, run_id: str) -> bool:
    """Whether the run has levels to show."""
    return readers.has_finding(RunFolder(home.run(run_id)), ABUNDANCE)


def load(home: Home, summary: RunSummary) -> View:
    """What the run says of itself, and the controls for all that follows. Raises RunError if recipe or status are damaged."""
    run = open_run(home, summary.run_id)
    recipe = run.recipe()
    first = View(home, summary, run, recipe, run.status(), Moment(run.run_id, None, None), SIDES[0])
    scored = readers.best_epoch(run, recipe)
    stated = next((found for key in AXES if (found := first.readable(key)) is not None), None)
    side, epoch = SIDES[0], None
    if stated is not None:
        cells = row("controls", "information", (2, 7))
        with cells[0]:
            side = selection.pick(
                "group",
                "Levels of",
                SIDES,
                title=GROUP_TITLES.__getitem__,
                widget="segments",
                help=meaning("level"),
            )
        with cells[1]:
            epoch = pick_epoch(stated.history, scored)
    return View(home, summary, run, recipe, first.status, Moment(run.run_id, epoch, scored), side)


def follow(view: View) -> None:
    """While the run trains: draw the page anew when a snapshot has been written."""
    run_story.follow(view.run, view.status, ABUNDANCE)


def why_no_levels(recipe: Recipe, status: Status) -> tuple[str, str]:
    """Title and advice where a run has no levels to show."""
    if recipe.system not in LEVELLED:
        return (
            "This system has no levels to measure",
            "Only hierarchical models such as HGIB keep a table of embeddings per level. Pick one of their runs in the "
            "sidebar, or train HGIB on the same data.",
        )
    return run_story.why_missing(status, "levels")


def no_levels(view: View) -> None:
    """Why there are no levels, and the way to a run that has some."""
    if run_story.embeds_nodes(view.summary):
        run_story.nodes_instead(view.summary, "levels of users and items")
        st.stop()
    title, advice = why_no_levels(view.recipe, view.status)
    if view.status.state == "done":
        states.empty(
            title, advice, "train", "Train HGIB", system="hgib", dataset=view.recipe.dataset, variant="none"
        )
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=view.run.run_id)
