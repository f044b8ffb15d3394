"""A disk that fills up under training, imports and pages, and is given room again."""

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.bench.browser import server
from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.launch import ensure_supervisor, requeue, submit
from core.runs.summary import read_notes
from core.runs.workers import PROJECT_ROOT
from tests.faults import ground
from tests.faults.kills import import_command, text_files
from tests.faults.mounts import NoMountError, fill, small_disk
from tests.faults.visitor import Visitor

MEGABYTES = 64
ROOM = ("space", "disk")


@dataclass
class Tally:
    """What was seen. `problems` must stay empty; `skipped` says why nothing was done."""

    rounds: int = 0
    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def bad(self) -> int:
        return len(self.problems)


def go(folder: Path, rounds: int) -> dict[str, Any]:
    """Fill a disk of 64 MB under a training run `rounds` times, each time a little later in its life."""
    tally = Tally()
    try:
        with small_disk(folder, MEGABYTES):
            home = Home(folder / "home")
            os.environ.update(ground.environment(home))
            ground.prepare(home)
            with ground.ended_with_the_block(home):
                reference = _reference(home)
                for number in range(rounds):
                    _training(home, tally, reference, 0.4 * number)
                    tally.rounds += 1
                _imports(home, tally)
                _pages(home, tally)
    except NoMountError as error:
        tally.skipped = str(error)
    return vars(tally) | {"bad": tally.bad}


def _reference(home: Home) -> dict[str, str]:
    run = submit(home, ground.recipe(home, "cigf", 1))
    ensure_supervisor(home)
    if not ground.until(lambda: run.state_or_none() == "done", 120.0):
        raise RuntimeError(f"the undisturbed run did not finish: {run.status()}")
    return ground.outcome(run)


def _training(home: Home, tally: Tally, reference: dict[str, str], later: float) -> None:
    run = submit(home, ground.recipe(home, "cigf", 1))
    ensure_supervisor(home)
    ground.until(lambda: run.status().epoch > 0 or run.metrics.exists(), 60.0)
    time.sleep(later)
    filler = fill(home.root)
    ground.until(lambda: not _works(run), 60.0)
    tally.problems += ground.damage_of(run)
    filler.unlink()
    if not ground.until(lambda: run.state_or_none() in ("failed", "done"), 60.0):
        tally.problems.append(f"{run.run_id}: still {run.status().state} a minute after there was room again")
        return
    if run.state_or_none() == "failed":
        error = run.status().error
        tally.said.append(error.message if error else "")
        requeue(home, run.run_id)
        ensure_supervisor(home)
    if (
        not ground.until(lambda: run.state_or_none() in ("failed", "done"), 120.0)
        or run.state_or_none() != "done"
    ):
        tally.problems.append(f"{run.run_id}: not finished after it was resumed: {run.status()}")
        return
    tally.problems += ground.damage_of(run)
    tally.problems += [
        f"{run.run_id}: {what} differs" for what in ground.differences(reference, ground.outcome(run))
    ]
    tally.problems += [str(path) for path in ground.leftovers(run.path)]


def _works(run: RunFolder) -> bool:
    status = run.status()
    return status.state == "queued" or (status.state == "running" and _lives(status.pid))


def _lives(pid: int | None) -> bool:
    return (
        pid is not None
        and Path(f"/proc/{pid}/stat").exists()
        and " Z " not in Path(f"/proc/{pid}/stat").read_text()
    )


def _imports(home: Home, tally: Tally) -> None:
    import random

    source = text_files(home.root.parent / "source", random.Random(0))
    filler = fill(home.root)
    command = import_command(home, source, "full")
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    filler.unlink()
    tally.said.append(done.stderr.strip())
    if done.returncode == 0 or "Traceback" in done.stderr or not any(word in done.stderr for word in ROOM):
        tally.problems.append(f"import on a full disk: exit status {done.returncode}, {done.stderr[-300:]}")
    tally.problems += [str(path) for path in ground.leftovers(home.datasets)]
    again = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if again.returncode:
        tally.problems.append(f"import after there was room again: {again.stderr[-300:]}")


def _pages(home: Home, tally: Tally) -> None:
    """Submitting from a page on a full disk: a box with the remedy, no half-made run."""
    before = sorted(path.name for path in home.runs.iterdir())
    log = home.root.parent / "server.log"
    with server(home, log) as (url, _), Visitor(url) as visitor:
        filler = fill(home.root)
        visitor.open("train", dataset=ground.DATA, system="lightgcn", preset="small")
        visitor.press("Train 1 run")
        tally.said += visitor.alerts
        if not any("disk" in alert for alert in visitor.alerts) or visitor.crashes:
            tally.problems.append(f"page on a full disk: {visitor.alerts} {visitor.crashes}")
        filler.unlink()
        if sorted(path.name for path in home.runs.iterdir()) != before:
            tally.problems.append("a run that could not be submitted left something behind")
        visitor.open("train", dataset=ground.DATA, system="popularity")
        if not visitor.press("Train 1 run") or visitor.alerts:
            tally.problems.append(f"page after there was room again: {visitor.alerts}")
    tally.problems += ground.uncaught(log)
    for path in home.runs.iterdir():
        try:
            read_notes(RunFolder(path))
        except RelScopeError as error:
            tally.problems.append(str(error))
