"""Which run a run builds on, and which build on it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import RelScopeError
from core.recipe import Recipe, parent_recipe
from core.runs.summary import RunSummary


@dataclass(frozen=True)
class Lineage:
    """parent_id: as the run tells, empty where it builds on none. parent: None where that run is gone. children: the runs
    that build on this one, the latest first."""

    parent_id: str
    parent: RunSummary | None
    children: tuple[RunSummary, ...]

    @property
    def is_empty(self) -> bool:
        return not self.parent_id and not self.children


def lineage(runs: Sequence[RunSummary], run_id: str) -> Lineage:
    """The lineage of `run_id` among `runs`, the latest first; empty for a run that is not among them."""
    known = {run.run_id: run for run in runs}
    parent_id = known[run_id].parent if run_id in known else ""
    return Lineage(parent_id, known.get(parent_id), tuple(run for run in runs if run.parent == run_id))


def wanted_parent(recipe: Recipe) -> Recipe | None:
    """The recipe of the run that `recipe` builds on; None where it builds on none, or its preset has left the catalog."""
    try:
        return parent_recipe(recipe)
    except RelScopeError:
        return None


def main_value(run: RunSummary | None, protocol: str, metric: str) -> float | None:
    """`metric` of `run` under `protocol`, None where it was not measured."""
    return run.results.get(protocol, {}).get(metric) if run is not None else None
