"""Two servers on one home: visitors of both submit, cancel, resume, delete, import and reindex at the same time."""

import os
import random
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psutil

from core.bench.browser import server
from core.data.dataset import list_datasets, open_dataset
from core.data.profile import profile
from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import TERMINAL, list_run_folders
from core.runs.index import known_runs, reindex
from core.runs.launch import cancel, ensure_supervisor
from core.runs.requests import pending_requests
from core.runs.summary import summarise
from core.runs.workers import PROJECT_ROOT
from tests.faults import ground
from tests.faults.kills import import_command, text_files
from tests.faults.visitor import Visitor

ACTIONS = (
    ("submit",) * 4
    + ("cancel",) * 3
    + ("resume",) * 2
    + ("delete",) * 2
    + ("look",) * 3
    + ("import", "reindex")
)
PAGES = ("home", "train", "runs", "relations")
GRACE = 4.0  # seconds that a second supervisor or worker may need to find that it is one too many
DRAIN = 180.0


@dataclass
class Tally:
    """What happened. Everything but `actions`, `refused`, `runs` and `datasets` must stay empty or zero."""

    actions: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    runs: int = 0
    datasets: int = 0
    crashes: list[str] = field(default_factory=list)
    supervisors: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    hanging: list[str] = field(default_factory=list)
    index: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    zombies: int = 0

    @property
    def bad(self) -> int:
        lists = (
            self.crashes,
            self.supervisors,
            self.doubles,
            self.corrupt,
            self.hanging,
            self.index,
            self.leftovers,
        )
        return sum(map(len, lists)) + self.zombies


class TwoServers:
    """One campaign of `seconds` on one home."""

    def __init__(self, home: Home, seconds: float, seed: int) -> None:
        self.home, self.tally = home, Tally()
        self._seconds, self._seed = seconds, seed
        self._over = threading.Event()
        self._lock = threading.Lock()

    def go(self) -> dict[str, Any]:
        os.environ.update(ground.environment(self.home))
        ground.prepare(self.home)
        with (
            ground.ended_with_the_block(self.home),
            server(self.home) as (one, _),
            server(self.home) as (two, _),
        ):
            threads = [
                threading.Thread(target=self._visit, args=(number, url))
                for number, url in enumerate((one, two))
            ]
            threads.append(threading.Thread(target=self._watch))
            for thread in threads:
                thread.start()
            self._over.wait(self._seconds)
            self._over.set()
            for thread in threads:
                thread.join()
            self._drain()
            self._look_at_the_end()
        return vars(self.tally) | {"bad": self.tally.bad}

    def _visit(self, number: int, url: str) -> None:
        chance = random.Random(self._seed * 1_000 + number)
        try:
            with Visitor(url, timeout=120.0) as visitor:
                while not self._over.is_set():
                    action = chance.choice(ACTIONS)
                    self._act(action, visitor, chance, number)
                    with self._lock:
                        self.tally.actions[action] += 1
                        self.tally.crashes += visitor.crashes
                    time.sleep(chance.uniform(0.0, 0.5))
        except Exception as error:  # noqa: BLE001 - a visitor who is thrown out is itself a finding
            self.tally.hanging.append(f"visitor {number}: {type(error).__name__}: {error}")
            self._over.set()

    def _act(self, action: str, visitor: Visitor, chance: random.Random, number: int) -> None:
        runs = [run.run_id for run in list_run_folders(self.home)]
        run = chance.choice(runs) if runs else "none"
        if action == "submit":
            system = chance.choice(("lightgcn", "ease", "popularity"))
            visitor.open(
                "train", dataset=ground.DATA, system=system, preset="small", seeds=str(chance.randrange(99))
            )
            self._press(visitor, "Train 1 run")
        elif action in ("cancel", "resume"):
            visitor.open("runs", run=run)
            self._press(visitor, action.title())
        elif action == "delete":
            visitor.open("runs", run=run)
            if visitor.press("Delete"):
                self._press(visitor, "Delete for good")
        elif action == "look":
            visitor.open(chance.choice(PAGES), run=run)
        elif action == "import":
            name = f"import-{chance.randrange(6)}"  # a name that the other server may be importing, too
            command = import_command(self.home, text_files(self.home.root / f"source-{number}", chance), name)
            done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
            if done.returncode and "exists in" not in done.stderr:
                self.tally.corrupt.append(f"import of {name}: {done.stderr[-300:]}")
        else:
            self._reindex()

    def _press(self, visitor: Visitor, label: str) -> None:
        if not visitor.press(label):
            with self._lock:
                self.tally.refused += 1

    def _reindex(self) -> None:
        try:
            reindex(self.home)
        except RelScopeError as error:
            self.tally.hanging.append(str(error))

    def _watch(self) -> None:
        """Count supervisors, and workers of each run, that live side by side for longer than a moment."""
        while not self._over.wait(0.5):
            supervisors, workers = [], Counter[str]()
            for process in ground.family(self.home):
                try:
                    words, age = process.cmdline(), time.time() - process.create_time()
                except psutil.Error:
                    continue
                if age > GRACE and "supervise" in words:
                    supervisors.append(process.pid)
                if age > GRACE and "--resume" in words and process.name() != "sh":
                    workers[words[words.index("--resume") + 1]] += 1
            if len(supervisors) > 1:
                self.tally.supervisors.append(f"{supervisors}")
            self.tally.doubles += [run for run, count in workers.items() if count > 1]

    def _drain(self) -> None:
        """Let the queue come to its end, without the runs that have hardly begun."""
        ensure_supervisor(self.home)
        for run in list_run_folders(self.home):
            if run.state_or_none() == "queued":
                try:
                    cancel(self.home, run.run_id)
                except RelScopeError:
                    continue

        def busy() -> list[str]:
            return [r.run_id for r in list_run_folders(self.home) if r.state_or_none() not in TERMINAL]

        if ground.until(lambda: not busy() and not pending_requests(self.home), DRAIN, 0.5) is None:
            self.tally.hanging += [*busy(), *(p.path.name for p in pending_requests(self.home))]

    def _look_at_the_end(self) -> None:
        folders = {run.run_id: run for run in list_run_folders(self.home)}
        true = {run_id: summarise(run) for run_id, run in folders.items()}
        ground.until(lambda: known_runs(self.home).summaries == true, 10.0)
        indexed = known_runs(self.home).summaries
        self.tally.index += [n for n in true.keys() | indexed.keys() if true.get(n) != indexed.get(n)]
        self.tally.runs = len(folders)
        for run in folders.values():
            self.tally.corrupt += ground.damage_of(run)
        for info in list_datasets(self.home):
            self.tally.datasets += 1
            try:
                profile(open_dataset(self.home, info.name))
            except RelScopeError as error:
                self.tally.corrupt.append(f"{info.name}: {error}")
        self.tally.crashes += ground.uncaught(self.home.root / "server.log")
        self.tally.leftovers += ground.temporary_files(self.home)
        self.tally.zombies = ground.zombies(self.home)
