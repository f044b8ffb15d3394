"""A home that cannot be written: pages still read, and what would write says what to do."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.bench.browser import server
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.launch import ensure_supervisor, submit
from dashboard.navigation import SECTIONS
from tests.faults import ground
from tests.faults.mounts import NoMountError, read_only
from tests.faults.visitor import Visitor


@dataclass
class Tally:
    """What was seen. `problems` must stay empty; `skipped` says why nothing was done."""

    pages: int = 0
    actions: int = 0
    said: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def bad(self) -> int:
        return len(self.problems)


def go(folder: Path) -> dict[str, Any]:
    """Open every page of a read-only home in a real server, and press the buttons that would write."""
    tally = Tally()
    home = Home(folder / "home")
    os.environ.update(ground.environment(home))
    ground.prepare(home)
    with ground.ended_with_the_block(home):
        done = submit(home, ground.recipe(home, "cigf", 1))
        failed = submit(home, ground.recipe(home, "lightgcn_m", 1))
        ensure_supervisor(home)
        if not ground.until(lambda: done.state_or_none() == failed.state_or_none() == "done", 120.0):
            raise RuntimeError(f"the runs did not finish: {done.status()}, {failed.status()}")
        failed.update_status(state="failed")
    try:
        with read_only(home.root, folder / "seen") as seen:
            _look(Home(seen), folder / "server.log", done, failed, tally)
    except NoMountError as error:
        tally.skipped = str(error)
    return vars(tally) | {"bad": tally.bad}


def _look(home: Home, log: Path, done: RunFolder, failed: RunFolder, tally: Tally) -> None:
    pages = [name for entries in SECTIONS.values() for name, _, _ in entries]
    with server(home, log) as (url, _), Visitor(url) as visitor:
        for page in pages:
            visitor.open(page, run=done.run_id, runs=f"{done.run_id},{failed.run_id}", dataset=ground.DATA)
            tally.pages += 1
            if not visitor.titles or visitor.crashes:
                tally.problems.append(f"{page}: {visitor.titles} {visitor.crashes}")
        for page, label, params in (
            ("train", "Train 1 run", {"dataset": ground.DATA, "system": "popularity"}),
            ("home", "Train CIGF on the demo data", {}),
            ("runs", "Resume", {"run": failed.run_id}),
        ):
            visitor.open(page, **params)
            pressed = visitor.press(label)
            tally.actions += 1
            tally.said += visitor.alerts
            if not pressed or visitor.crashes or not any("writable" in alert for alert in visitor.alerts):
                tally.problems.append(f"{page}, {label}: {pressed} {visitor.alerts} {visitor.crashes}")
        visitor.open("runs", run=failed.run_id)
        visitor.press("Delete")
        visitor.press("Delete for good")
        tally.actions += 1
        tally.said += visitor.alerts
        if visitor.crashes or not any("writable" in alert for alert in visitor.alerts):
            tally.problems.append(f"delete: {visitor.alerts} {visitor.crashes}")
    tally.problems += ground.uncaught(log)
