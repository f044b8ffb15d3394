"""Truncated and scrambled files: readers raise the project's errors, pages show no exception, the list of runs goes on."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from core.bench.browser import server
from core.data.dataset import list_datasets, open_dataset
from core.data.profile import profile
from core.data.ranking import ranking_data
from core.errors import RelScopeError
from core.findings import load_finding, load_history
from core.home import Home
from core.runs.folder import RunFolder, open_run
from core.runs.index import list_runs, reindex
from core.runs.launch import ensure_supervisor, submit
from core.runs.metrics import read_metrics
from core.runs.notes import read_notes, write_notes
from core.runs.state import supervisor_state
from core.training.checkpoint import load_model
from dashboard import readers
from dashboard.navigation import SECTIONS
from tests.faults import ground
from tests.faults.visitor import Visitor

LEFT_ALONE = (".lock", "lock", "starting", "log.txt", "server.log")


@dataclass
class Tally:
    """What was damaged. `problems` must stay empty."""

    damaged: int = 0
    by_file: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    pages: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def bad(self) -> int:
        return len(self.problems)


def go(folder: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Damage one file of a sound home, look at everything, put it back; `rounds` times."""
    tally, chance = Tally(), random.Random(seed)
    home = Home(folder / "home")
    os.environ.update(ground.environment(home))
    ground.prepare(home)
    log = folder / "server.log"
    with ground.ended_with_the_block(home):
        runs = [submit(home, ground.recipe(home, system, 1)) for system in ("cigf", "lightgcn_m")]
        ensure_supervisor(home)
        if not ground.until(lambda: all(run.state_or_none() == "done" for run in runs), 120.0):
            raise RuntimeError(f"the runs did not finish: {[run.status() for run in runs]}")
        write_notes(runs[0], "notes", ["tag"])
        with server(home, log) as (url, _):
            for number in range(rounds):
                path = chance.choice(files_of(home))
                look_at_damage(home, runs, path, chance, tally)
                if number % 2 == 0:
                    _damage(path, chance)
                    _visit(url, runs, chance, tally, path)
                    _restore(path)
        for run in runs:
            tally.problems += ground.damage_of(run)
    tally.problems += ground.uncaught(log)
    return vars(tally) | {"bad": tally.bad}


def files_of(home: Home) -> list[Path]:
    found = [home.index, home.supervisor / "state.json"]
    found += [path for root in (home.runs, home.datasets) for path in root.rglob("*") if path.is_file()]
    return [p for p in found if p.exists() and not p.name.endswith(LEFT_ALONE) and not p.name.startswith(".")]


def look_at_damage(
    home: Home, runs: list[RunFolder], path: Path, chance: random.Random, tally: Tally
) -> None:
    how = _damage(path, chance)
    tally.damaged += 1
    tally.by_file[path.name if path.is_relative_to(home.datasets) else _kind(path)] += 1
    try:
        for what, read in _readers(home, runs[0]) + _readers(home, runs[1]):
            try:
                read()
            except RelScopeError:
                tally.refused += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, a reader must not raise it
                tally.problems.append(f"{path.name} {how}: {what}: {type(error).__name__}: {error}"[:400])
        names = {summary.run_id for summary in list_runs(home)}
        if names != {run.run_id for run in runs}:
            tally.problems.append(f"{path.name} {how}: the list of runs is {names}")
        if reindex(home) != len(runs):
            tally.problems.append(f"{path.name} {how}: the index was not rebuilt")
    finally:
        _restore(path)


def _kind(path: Path) -> str:
    return path.suffix if path.parent.name in ("findings", "embeddings", "checkpoints") else path.name


def _readers(home: Home, run: RunFolder) -> list[tuple[str, Callable[[], object]]]:
    """Everything that pages, the command line and workers read of a run and its data."""

    def model() -> object:
        return load_model(run.checkpoints / "last.pt", torch.nn.Linear(1, 1))

    keys = sorted(path.stem for path in run.findings.glob("*.json"))
    return [
        ("status", run.status),
        ("recipe", run.recipe),
        ("result", run.result),
        ("environment", run.environment),
        ("log", run.last_log_lines),
        ("metrics", lambda: read_metrics(run.metrics)),
        ("metrics on pages", lambda: readers.metrics(run)),
        ("notes", lambda: read_notes(run)),
        ("checkpoint", model),
        *((f"finding {key}", lambda key=key: load_finding(run.findings, key)) for key in keys),
        *((f"history {key}", lambda key=key: load_history(run.findings, key)) for key in keys),
        ("per user", lambda: readers.per_user(run)),
        ("recommendations", lambda: readers.recommendations(run)),
        ("supervisor", lambda: supervisor_state(home)),
        ("data sets", lambda: list_datasets(home)),
        ("data set", lambda: open_dataset(home, ground.DATA)),
        ("profile", lambda: profile(open_dataset(home, ground.DATA))),
        ("matrices", lambda: ranking_data(open_dataset(home, ground.DATA))),
        ("titles", lambda: readers.titles(open_dataset(home, ground.DATA))),
        ("run", lambda: open_run(home, run.run_id)),
    ]


def _visit(url: str, runs: list[RunFolder], chance: random.Random, tally: Tally, path: Path) -> None:
    pages = [name for entries in SECTIONS.values() for name, _, _ in entries]
    chosen = {"runs", "relations", chance.choice(pages)}
    both = ",".join(run.run_id for run in runs)
    with Visitor(url) as visitor:
        for page in sorted(chosen):
            visitor.open(page, run=chance.choice(runs).run_id, runs=both, dataset=ground.DATA)
            tally.pages += 1
            tally.problems += [f"{path.name}: page {page}: {crash}" for crash in visitor.crashes]
            if not visitor.titles:
                tally.problems.append(f"{path.name}: page {page} shows nothing")


def _damage(path: Path, chance: random.Random) -> str:
    """Cut the file short, empty it, or scramble some bytes; the sound one is kept beside it."""
    shutil.copy2(path, _kept(path))
    content = bytearray(path.read_bytes())
    how = chance.choice(("cut", "cut", "emptied", "scrambled"))
    if how == "cut":
        content = content[: chance.randrange(len(content) + 1)]
    elif how == "emptied":
        content = bytearray()
    else:
        for place in chance.sample(range(len(content)), min(len(content), chance.choice((1, 8, 64)))):
            content[place] = chance.randrange(256)
    path.write_bytes(content)
    return how


def _restore(path: Path) -> None:
    _kept(path).replace(path)


def _kept(path: Path) -> Path:
    return path.with_name(f".{path.name}.kept")
