"""One run that embeds nodes: what it stored of scores, votes, clusters and findings, and why a part may be missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.data.dataset import Dataset
from core.errors import RunError
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.summary import RunSummary
from dashboard import node_readers, nodes, readers, states
from dashboard.layout import row
from dashboard.moments import Moment
from dashboard.panels import run_story
from dashboard.panels.epoch_slider import pick_epoch
from dashboard.panels.run_view import RunView, run_data

ATTENTION, PASSES = "semantic_attention", "semantic_attention_passes"
KL, MEAN, SCALE = "kl", "latent_mean", "latent_scale"
HARDNESS, FALSE, TABLES = "negative_hardness", "false_negatives", "negative_tables"
MASKS, RESTORED = "mask_rate", "reconstruction"
AXES: dict[str, tuple[str, ...]] = {
    ATTENTION: ("layer", "metapath"),
    PASSES: ("layer", "pass", "metapath"),
    KL: ("node",),
    MEAN: ("node", "dim"),
    SCALE: ("node", "dim"),
    HARDNESS: ("negative", "statistic"),
    FALSE: ("negative", "counted"),
    TABLES: ("negative",),
    MASKS: ("part",),
    RESTORED: ("feature_group",),
}


@dataclass(frozen=True)
class View(RunView):
    """One run and its data. data: the data set it was trained on, None where that is gone or has changed, which `changed` says."""

    expected = AXES

    data: Dataset | None
    changed: str

    def entry(self) -> Mapping[str, Any] | None:
        """The run's result under its own protocol; None before it is scored. Raises RunError if it is damaged."""
        found = readers.results(self.run).get(self.recipe.protocol.key)
        if found is not None and not (found.get("settings") and found.get("repeats")):
            raise RunError(f"{self.run.run_id}: result.json has no label settings; evaluate the run again")
        return found

    def votes(self, size: int) -> pd.DataFrame | None:
        """Votes of one label setting, see `nodes.votes_of`; None before the run is scored."""
        table, entry = node_readers.per_node(self.run), self.entry()
        if table is None or entry is None:
            return None
        return nodes.votes_of(table, self.recipe.protocol.key, size, len(nodes.class_titles(entry)))

    def names(self, count: int) -> Sequence[str]:
        """A readable name for each of so many nodes."""
        return node_readers.node_names(self.data, count)


def is_stored(home: Home, run_id: str) -> bool:
    """Whether the run has anything of nodes to show."""
    run = RunFolder(home.run(run_id))
    return node_readers.is_scored(run) or readers.has_finding(run, ATTENTION)


def load(home: Home, summary: RunSummary) -> View:
    """What the run says of itself, and the slider for all that follows it. Raises RunError if recipe or status are damaged."""
    run = open_run(home, summary.run_id)
    recipe = run.recipe()
    data, changed = run_data(home, recipe)
    first = View(home, summary, run, recipe, run.status(), Moment(run.run_id, None, None), data, changed)
    scored = readers.best_epoch(run, recipe)
    stated = next((found for key in (ATTENTION, KL) if (found := first.readable(key)) is not None), None)
    epoch = None
    if stated is not None:
        with row("controls", "nodes", (7, 2))[0]:
            epoch = pick_epoch(stated.history, scored)
    return View(home, summary, run, recipe, first.status, Moment(run.run_id, epoch, scored), data, changed)


def follow(view: View) -> None:
    """While the run trains: draw the page anew when a snapshot has been written."""
    run_story.follow(view.run, view.status, ATTENTION)


def nothing_yet(view: View) -> None:
    """Why there is nothing to see, and the way to a run that has something."""
    if view.recipe.protocol.task != "nodes":
        states.empty(
            "This system ranks items and classifies no nodes",
            "HGCVAE, HAN and others embed the labelled nodes of a graph. Pick one of their runs in the sidebar, or train HGCVAE on "
            "data with typed nodes.",
            "train",
            "Train HGCVAE",
            system="hgcvae",
            variant="none",
        )
        return
    title, advice = run_story.why_missing(view.status, "scores of nodes")
    if view.status.state == "done":
        states.empty(
            title,
            advice,
            "train",
            "Train it again",
            system=view.recipe.system,
            dataset=view.recipe.dataset,
        )
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=view.run.run_id)
