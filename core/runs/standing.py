"""How recipes stand: which of them have a run already, which are missing, and how the missing ones are queued.

A study is a tuple of recipes, whatever question it asks; run folders are the truth about what is done.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from core.errors import RelScopeError, RunError
from core.home import Home
from core.locks import locked
from core.recipe import Recipe
from core.runs import launch
from core.runs.folder import RunFolder, create_run, open_run
from core.runs.index import list_runs
from core.runs.lock import claimed
from core.runs.summary import RunSummary
from core.runs.worker import running_now
from core.runs.workers import record_path

ALIVE = ("queued", "running")
_PREFERRED = ("done", "running", "queued", "cancelled", "failed")
_PATIENCE = 60.0
_NO_GRACE = 0.0  # a worker that waits for another must hear that it should stop


class Cell(NamedTuple):
    """What one run of a study stands for. footprint: everything else that decides what is learned."""

    footprint: str
    share: float
    seed: int


@dataclass(frozen=True)
class Step:
    """A recipe and the run that carries it out, if there is one."""

    recipe: Recipe
    run: RunSummary | None

    @property
    def state(self) -> str:
        """The run's state, or `missing`."""
        return self.run.state if self.run else "missing"

    @property
    def is_open(self) -> bool:
        """True if nothing has done it and nothing is about to."""
        return self.state not in ("done", *ALIVE)


@dataclass(frozen=True)
class Queued:
    """Run ids. new: made now. again: failed or stopped before, queued again to go on. kept: done, running or waiting."""

    new: tuple[str, ...]
    again: tuple[str, ...]
    kept: tuple[str, ...]


def cell_of(recipe: Recipe) -> Cell:
    """Equal cells, equal training: device, data set's name, preset and variant are names or places and do not count.

    Raises ConfigError if the recipe's settings do not fit this version.
    """
    about = {
        "system": recipe.system,
        "config": recipe.system_config().model_dump(),
        "data": recipe.dataset_hash,
        "protocol": recipe.protocol.key,
        "fit_on": recipe.fit_on,
        "selection": recipe.selection,
    }
    return Cell(json.dumps(about, sort_keys=True), recipe.auxiliary_noise, recipe.seed)


def known(
    home: Home, recipes: Sequence[Recipe], runs: Sequence[RunSummary] | None = None
) -> dict[Cell, RunSummary]:
    """For every cell with a footprint of `recipes`, whatever its share and seed, the run that stands for it.

    A finished run comes before a living one, that before one to be resumed; of equals the latest counts. runs: summaries
    of all runs, read if not given. Damaged runs stand for nothing.
    """
    wanted = {cell_of(recipe).footprint for recipe in recipes}
    likely = {_outline(recipe) for recipe in recipes}
    found: dict[Cell, RunSummary] = {}
    for run in list_runs(home) if runs is None else runs:
        if run.damaged or _outline(run) not in likely:
            continue
        try:
            cell = cell_of(RunFolder(home.run(run.run_id)).recipe())
        except RelScopeError:
            continue
        if cell.footprint in wanted and (cell not in found or _merit(run) > _merit(found[cell])):
            found[cell] = run
    return found


def steps(recipes: Sequence[Recipe], cells: Mapping[Cell, RunSummary]) -> tuple[Step, ...]:
    """One step per distinct cell of `recipes`, in their order."""
    distinct = {cell_of(recipe): recipe for recipe in reversed(recipes)}
    return tuple(Step(recipe, cells.get(cell)) for cell, recipe in reversed(distinct.items()))


def submit_missing(home: Home, recipes: Sequence[Recipe]) -> Queued:
    """Queue what has no run, and again what failed or was stopped. Whoever else asks meanwhile finds these runs and adds
    none of his own. Raises RunError where a run cannot be queued again."""
    new, again, kept = [], [], []
    with _one_at_a_time(home):
        for step in steps(recipes, known(home, recipes)):
            if step.run is None:
                new.append(launch.submit(home, step.recipe).run_id)
            elif step.is_open:
                launch.requeue(home, step.run.run_id)
                again.append(step.run.run_id)
            else:
                kept.append(step.run.run_id)
    return Queued(tuple(new), tuple(again), tuple(kept))


def taken_here(home: Home, recipe: Recipe, *, from_queue: bool = False) -> RunFolder | None:
    """The run of `recipe`, made or taken over by the calling process, which must train it; its state is running.

    None where it is done, or somebody else trains it or is about to: a queued run is taken only from a queue that no
    supervisor looks after, or with `from_queue`, for who cannot wait until it is its turn. An unfinished run under another
    name of the data, or for another device, stays as it is and a new one is made. Raises RunError if a worker still holds the run.
    """
    with _one_at_a_time(home):
        launch.settle(home, *([_NO_GRACE] if from_queue else []))
        (step,) = steps([recipe], known(home, [recipe]))
        if step.run is None or (step.is_open and not _is_placed_alike(step.run, recipe)):
            return create_run(home, recipe, None, running_now())
        if from_queue and record_path(home, step.run.run_id).exists():  # its worker is on its way
            return None
        waits = step.state == "queued" and (from_queue or launch.supervisor_state(home) is None)
        if not (step.is_open or waits):
            return None
        run = open_run(home, step.run.run_id)
        with claimed(run):
            run.update_status(**running_now())
        return run


@contextmanager
def _one_at_a_time(home: Home) -> Iterator[None]:
    with locked(home.root / "studies" / "lock", wait=_PATIENCE) as mine:
        if not mine:
            raise RunError("another process has been submitting a study for too long; try again")
        yield


def _is_placed_alike(run: RunSummary, recipe: Recipe) -> bool:
    """Whether an unfinished run would go on with data and a device that the recipe knows: names do not count in a cell."""
    return run.dataset == recipe.dataset and run.device_wanted == recipe.device


def _outline(about: Recipe | RunSummary) -> tuple[str, ...]:
    """What a summary tells of a footprint: saves reading most recipes."""
    protocol = about.protocol if isinstance(about.protocol, str) else about.protocol.key
    return about.system, about.dataset_hash, protocol, about.fit_on, about.selection


def _merit(run: RunSummary) -> tuple[int, bool, float]:
    return -_PREFERRED.index(run.state), run.is_resumable, run.created
