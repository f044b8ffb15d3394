"""Kills at random moments: of workers, supervisors, both, servers and imports, while real models train."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from core.bench.browser import server
from core.data.dataset import list_datasets, open_dataset
from core.data.profile import profile
from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import TERMINAL, RunFolder, open_run
from core.runs.index import list_runs, reindex
from core.runs.launch import ensure_supervisor, requeue, submit
from core.runs.state import supervisor_state
from core.runs.sweep import leftovers
from core.runs.workers import PROJECT_ROOT
from tests.faults import ground
from tests.faults.visitor import GONE, Visitor

VICTIMS = ("worker",) * 9 + ("supervisor",) * 4 + ("both",) * 3 + ("server",) * 2 + ("import",) * 2
AIMS = ("moment",) * 5 + ("start", "checkpoint", "finding", "result")
PATIENCE = 90.0


@dataclass
class Tally:
    """What became of the kills; everything below `resumed` must stay empty. missed: victims that were gone already."""

    kills: int = 0
    missed: int = 0
    by_victim: Counter[str] = field(default_factory=Counter)
    by_aim: Counter[str] = field(default_factory=Counter)
    finished: int = 0
    resumed: int = 0
    lost: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    dishonest: list[str] = field(default_factory=list)
    hanging: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    zombies: int = 0

    @property
    def bad(self) -> int:
        lists = (self.lost, self.corrupt, self.dishonest, self.hanging, self.differing, self.leftovers)
        return sum(map(len, lists)) + self.zombies


class Kills:
    """One campaign on one home; two lanes kill and resume runs of their own at the same time."""

    def __init__(self, home: Home, kills: int, seed: int) -> None:
        self.home, self.tally = home, Tally()
        self._wanted, self._seed = kills, seed
        self._lock, self._supervisor_lock = threading.Lock(), threading.Lock()
        self._references: dict[tuple[str, int], dict[str, str]] = {}
        self._runs: list[str] = []

    def go(self) -> dict[str, Any]:
        os.environ.update(ground.environment(self.home))
        ground.prepare(self.home)
        with ground.ended_with_the_block(self.home):
            self._learn_references()
            lanes = [threading.Thread(target=self._lane, args=(number,)) for number in range(2)]
            for lane in lanes:
                lane.start()
            for lane in lanes:
                lane.join()
            self._look_at_the_end()
        return vars(self.tally) | {"bad": self.tally.bad}

    def _learn_references(self) -> None:
        runs = {kind: submit(self.home, ground.recipe(self.home, *kind)) for kind in ground.VARIETY}
        ensure_supervisor(self.home)
        for kind, run in runs.items():
            if not ground.until(lambda run=run: run.state_or_none() == "done", PATIENCE):
                raise RuntimeError(f"the undisturbed run {run.run_id} did not finish: {run.status()}")
            self._references[kind] = ground.outcome(run)

    def _lane(self, number: int) -> None:
        chance = random.Random(self._seed * 1_000 + number)
        try:
            while self.tally.kills < self._wanted:
                victim = chance.choice(VICTIMS)
                if victim == "import":
                    self._import(chance, number)
                else:
                    self._run_to_the_end(chance, victim)
        except Exception as error:  # noqa: BLE001 - a lane that dies is itself a finding
            self.tally.hanging.append(f"lane {number} ended: {type(error).__name__}: {error}")

    def _run_to_the_end(self, chance: random.Random, victim: str) -> None:
        """Submit a run and kill around it, resuming it each time, until it is done; then compare it."""
        kind = chance.choice(ground.VARIETY)
        run = submit(self.home, ground.recipe(self.home, *kind))
        with self._lock:
            self._runs.append(run.run_id)
        self._ensure_supervisor()
        rounds = chance.randint(1, 4)
        while rounds and self.tally.kills < self._wanted:
            rounds -= 1
            if not self._aimed(chance, run):
                break
            self._kill(victim, run, chance)
            self._check(run, victim)
            if run.state_or_none() in ("failed", "cancelled"):
                self._resume(run)
            victim = chance.choice([v for v in VICTIMS if v != "import"])
        self._finish(run, kind)

    def _aimed(self, chance: random.Random, run: RunFolder) -> bool:
        """Wait for a moment of the run's life; False if the run ended before it came."""
        aim = chance.choice(AIMS)
        until = time.monotonic() + (chance.uniform(0.0, 7.0) if aim == "moment" else PATIENCE)
        wanted = {"checkpoint": run.checkpoints, "finding": run.findings, "result": run.path}.get(aim)
        while time.monotonic() < until:
            state = run.state_or_none()
            if state in TERMINAL:
                return False
            if aim == "start" and state == "running":
                break
            if wanted and _is_being_written(wanted):
                break
            time.sleep(0.002 if wanted else 0.02)
        with self._lock:
            self.tally.by_aim[aim] += 1
        return True

    def _kill(self, victim: str, run: RunFolder, chance: random.Random) -> None:
        died = 0
        if victim == "server":
            self._kill_a_server(run, chance)
            died += 1
        if victim in ("supervisor", "both"):
            state = supervisor_state(self.home)
            died += _kill_9(state.pid if state else None)
        if victim in ("worker", "both"):
            try:
                died += _kill_9(run.status().pid)
            except RelScopeError:
                self.tally.corrupt.append(f"{run.run_id}: status unreadable before the kill")
        self._count(victim, died > 0)

    def _count(self, victim: str, died: bool) -> None:
        """Only a signal that met a living process is a kill."""
        with self._lock:
            self.tally.kills += died
            self.tally.missed += not died
            self.tally.by_victim[victim] += died
            if died and not self.tally.kills % 20:
                print(f"{self.tally.kills} kills, {self.tally.bad} bad", file=sys.stderr, flush=True)

    def _kill_a_server(self, run: RunFolder, chance: random.Random) -> None:
        """Kill a real server while a visitor's press on Cancel or Resume is under way."""
        with server(self.home) as (url, process):
            killer = threading.Timer(chance.uniform(0.0, 1.5), process.kill)
            killer.start()
            try:
                with Visitor(url) as visitor:
                    while True:
                        visitor.open("runs", run=run.run_id)
                        visitor.press("Cancel") or visitor.press("Resume")
            except GONE:
                killer.join()

    def _check(self, run: RunFolder, victim: str) -> None:
        """After a kill: somebody supervises again, the folder is whole, and the state becomes honest."""
        self._ensure_supervisor()
        if not run.path.is_dir():
            self.tally.lost.append(run.run_id)
            return
        self.tally.corrupt += ground.damage_of(run)
        if not ground.until(lambda: _is_honest(run), 45.0):
            self.tally.dishonest.append(f"{run.run_id} after {victim}: {run.status()}")

    def _resume(self, run: RunFolder) -> None:
        try:
            requeue(self.home, run.run_id)
        except RelScopeError as error:
            if run.state_or_none() in ("failed", "cancelled"):
                self.tally.hanging.append(f"{run.run_id} cannot be resumed: {error}")
            return
        with self._lock:
            self.tally.resumed += 1

    def _finish(self, run: RunFolder, kind: tuple[str, int]) -> None:
        """Bring the run to its end, whatever it takes, and compare it with the undisturbed one."""
        deadline = time.monotonic() + PATIENCE
        while run.state_or_none() != "done" and time.monotonic() < deadline:
            self._ensure_supervisor()
            if run.state_or_none() in ("failed", "cancelled"):
                self._resume(run)
            time.sleep(0.1)
        if run.state_or_none() != "done":
            self.tally.hanging.append(f"{run.run_id}: {run.status()}")
            return
        self.tally.corrupt += ground.damage_of(run)
        wrong = ground.differences(self._references[kind], ground.outcome(run))
        if wrong:
            self.tally.differing.append(f"{run.run_id} ({kind}): {wrong}")
        with self._lock:
            self.tally.finished += 1

    def _import(self, chance: random.Random, lane: int) -> None:
        """Kill an import: the data set is there and whole, or not there at all; then import it again."""
        name = f"import-{lane}"
        source = text_files(self.home.root / f"source-{lane}", chance)
        command = import_command(self.home, source, name)
        had_one = self.home.dataset(name).exists()  # then the import that is killed replaces it
        process = subprocess.Popen(
            [*command, "--replace"] if had_one else command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.3, 3.0))
        died = process.poll() is None
        process.kill()
        process.wait()
        self._count("import", died)
        if had_one and name not in {info.name for info in list_datasets(self.home)}:
            self.tally.lost.append(f"{name}: a killed import that replaces took the data set along")
        if not self.home.dataset(name).exists():
            again = subprocess.run(
                command,
                cwd=PROJECT_ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            if again.returncode:
                self.tally.lost.append(f"{name}: {again.stderr}")
        try:
            profile(open_dataset(self.home, name))
        except RelScopeError as error:
            self.tally.corrupt.append(f"data set {name}: {error}")

    def _ensure_supervisor(self) -> None:
        with self._supervisor_lock:
            ensure_supervisor(self.home)

    def _look_at_the_end(self) -> None:
        self._ensure_supervisor()
        listed = {summary.run_id: summary for summary in list_runs(self.home)}
        self.tally.lost += [f"{name} is not listed" for name in self._runs if name not in listed]
        reindex(self.home)
        again = {summary.run_id: summary for summary in list_runs(self.home)}
        self.tally.corrupt += [f"index differs: {n}" for n in listed if listed[n] != again.get(n)]
        for name in self._runs:
            if name in again and again[name].state == "done":
                kept = leftovers(open_run(self.home, name).path)
                self.tally.leftovers += [str(path.relative_to(self.home.root)) for path in kept]
        self.tally.zombies = ground.zombies(self.home)


def _is_honest(run: RunFolder) -> bool:
    """True if the state is ended, or queued, or running with a worker that lives."""
    try:
        status = run.status()
    except RelScopeError:
        return False
    if status.state != "running":
        return True
    return status.pid is not None and psutil.pid_exists(status.pid) and not _is_zombie(status.pid)


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _is_being_written(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(e.name.endswith(".part") and not e.name.startswith(".status") for e in entries)
    except OSError:
        return False


def _kill_9(pid: int | None) -> bool:
    """Whether there was a process to kill."""
    if pid is None or not psutil.pid_exists(pid) or _is_zombie(pid):
        return False
    try:
        process = psutil.Process(pid)
        process.kill()
    except psutil.NoSuchProcess:
        return False
    # On a busy machine a killed process lives on for a moment, and who asks then is told that it is at work.
    if not ground.until(lambda: not process.is_running() or _is_zombie(pid), PATIENCE):
        raise RuntimeError(f"process {pid} survived SIGKILL for {PATIENCE:.0f} s")
    return True


def import_command(home: Home, source: Path, name: str) -> list[str]:
    command = [sys.executable, "-m", "core", "import", "behavior-text", str(source), "--name", name]
    return [*command, "--home", str(home.root)]


def text_files(folder: Path, chance: random.Random) -> Path:
    folder.mkdir(exist_ok=True)
    if not (folder / "train.txt").exists():
        for file, rows in (("view.txt", 60_000), ("train.txt", 20_000)):
            pairs = {(chance.randrange(2_003), chance.randrange(1_009)) for _ in range(rows)}
            (folder / file).write_text("".join(f"{user} {item}\n" for user, item in sorted(pairs)))
        (folder / "test.txt").write_text("".join(f"{user} {user % 1_009}\n" for user in range(0, 2_003, 2)))
    return folder
