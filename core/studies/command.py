"""What `study` does on the command line, whatever the question: train or queue what is missing, and tell what is known."""

import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.data.info import DatasetInfo
from core.home import Home
from core.recipe import Recipe
from core.runs import launch
from core.runs.standing import Cell, known, steps, submit_missing
from core.runs.summary import RunSummary
from core.runs.worker import stop_signals
from core.studies import grid, noise, noise_results
from core.studies.here import train_missing


@dataclass(frozen=True)
class Study:
    """Recipes with a plan to compare them. in_words: a recipe for people. measured: recipes and their runs as a table.
    lines, told: that table for a terminal, and for scripts."""

    name: str
    recipes: tuple[Recipe, ...]
    in_words: Callable[[Recipe], str]
    measured: Callable[[Sequence[Recipe], Mapping[Cell, RunSummary]], pd.DataFrame]
    lines: Callable[[pd.DataFrame, str], list[str]]
    told: Callable[[pd.DataFrame], dict[str, Any]]


def grid_of(
    info: DatasetInfo, system: str | None, seeds: Sequence[int] | None, shared: Mapping[str, Any]
) -> Study:
    """The grid of `system` (HGIB's by default). Raises ConfigError as `grid_study` does."""
    recipes = grid.grid_study(info, system or "hgib", seeds=seeds or grid.SEEDS, **shared)
    return Study("grid", recipes, grid.in_words, grid.measured, grid.lines, grid.told)


def noise_of(
    info: DatasetInfo,
    shares: Sequence[float] | None,
    seeds: Sequence[int] | None,
    shared: Mapping[str, Any],
) -> Study:
    """The noise study. Raises ConfigError as `noise_study` does."""
    recipes = noise.noise_study(info, shares=shares or noise.SHARES, seeds=seeds or noise.SEEDS, **shared)
    results = noise_results
    return Study("noise", recipes, noise.in_words, results.measured, results.lines, results.told)


def train_here(home: Home, study: Study) -> int:
    """Train what is missing in this process; exit status 1 if a run failed, 130 if it was stopped."""
    with stop_signals() as stopping:  # before torch is imported: an import can swallow an interrupt
        trained = train_missing(
            home, study.recipes, stopping, lambda line: print(line, flush=True), study.in_words
        )
    if trained.stopped:
        print("stopped: the same command goes on with what is missing", file=sys.stderr)
        return 128 + signal.SIGINT
    _tell(home, study, {"trained": list(trained.done), "failed": trained.failed})
    return 1 if trained.failed else 0


def queue(home: Home, study: Study) -> int:
    """Queue what is missing, print the ids of these runs, and see to it that a supervisor trains them."""
    queued = submit_missing(home, study.recipes)
    for run_id in (*queued.new, *queued.again):
        print(run_id, flush=True)
    if any(step.state == "queued" for step in steps(study.recipes, known(home, study.recipes))):
        launch.ensure_supervisor(home)
    _tell(home, study, {"queued": list(queued.new), "queued_again": list(queued.again)})
    return 0


def _tell(home: Home, study: Study, about: Mapping[str, Any]) -> None:
    """What is measured so far as a table, and everything as one line of JSON."""
    cells, protocol = known(home, study.recipes), study.recipes[0].protocol
    table = study.measured(study.recipes, cells)
    if len(table):
        print("\n".join(study.lines(table, protocol.main_metric)))
    states = [step.state for step in steps(study.recipes, cells)]
    counts = {state: states.count(state) for state in sorted(set(states))}
    first = {"study": study.name, "dataset": study.recipes[0].dataset, "protocol": protocol.key}
    print(json.dumps({**first, "metric": protocol.main_metric, "runs": counts, **about, **study.told(table)}))
