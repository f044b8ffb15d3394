"""Ground for fault campaigns: a home with tiny planted data, short real trainings, and what their results are bit for bit."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import torch

from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.errors import RelScopeError
from core.findings import load_finding, load_history
from core.home import Home
from core.recipe import Recipe, make_recipe
from core.runs.folder import RunFolder
from core.runs.metrics import latest_rows, read_metrics
from core.runs.state import supervisor_state
from core.runs.summary import summarise
from core.runs.sweep import leftovers

DATA = "tiny"
SYSTEMS = {"cigf": {"epochs": 60, "validate_every": 6, "snapshot_every": 12}, "lightgcn_m": {"epochs": 200}}
VARIETY = [(system, seed) for system in SYSTEMS for seed in (1, 2)]


def prepare(home: Home) -> None:
    write_demo(home, DATA, num_users=211, num_items=131)


def recipe(home: Home, system: str, seed: int, **overrides: Any) -> Recipe:
    """A training of a few seconds on the CPU."""
    info = open_dataset(home, DATA).info
    return make_recipe(
        DATA,
        info.content_hash,
        system,
        planted=True,
        preset="small",
        overrides=SYSTEMS[system] | overrides,
        seed=seed,
        device="cpu",
    )


def until(what: Callable[[], Any], seconds: float, pause: float = 0.05) -> Any:
    """The first true value of `what`, or None after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        if time.monotonic() > deadline:
            return None
        time.sleep(pause)
    return value


def damage_of(run: RunFolder) -> list[str]:
    """What cannot be read in a run folder although somebody wrote it; empty for a sound one."""
    found = [summary.error] if (summary := summarise(run)).damaged else []
    readers: list[Callable[[], object]] = [run.recipe, run.status, run.result, run.environment]
    readers += [
        lambda path=path: load_finding(run.findings, path.stem) for path in run.findings.glob("*.json")
    ]
    readers += [
        lambda path=path: load_history(run.findings, path.name.removesuffix(".history.npz"))
        for path in run.findings.glob("*.history.npz")
    ]
    readers += [lambda path=path: pq.read_table(path) for path in run.path.glob("*.parquet")]
    arrays = [*run.embeddings.glob("*.npz"), *run.path.glob("*.npz")]
    readers += [lambda path=path: _arrays(path) for path in arrays]
    readers += [
        lambda path=path: torch.load(path, weights_only=True) for path in run.checkpoints.glob("*.pt")
    ]
    for read in readers:
        try:
            read()
        except FileNotFoundError:
            continue  # deleted meanwhile
        except (RelScopeError, OSError, ValueError, RuntimeError, EOFError, KeyError) as error:
            found.append(f"{run.run_id}: {type(error).__name__}: {error}")
    return found


def outcome(run: RunFolder) -> dict[str, str]:
    """name -> digest of everything that a run found out and that does not depend on the time of day."""
    found: dict[str, str] = {}
    result = run.result() or {}
    entries = {
        k: {n: v for n, v in e.items() if n != "seconds"} for k, e in result.get("protocols", {}).items()
    }
    found["result"] = repr(sorted(entries.items()))
    rows = latest_rows(read_metrics(run.metrics)[0])
    curves = {(r.name, r.epoch, r.step): r.value for r in rows if r.name.startswith(("loss/", "valid/"))}
    found["metrics"] = repr(sorted(curves.items()))
    found["per_user"] = repr(pq.read_table(run.path / "per_user.parquet").to_pydict())
    for path in sorted([*run.findings.glob("*.npz"), *run.embeddings.glob("*.npz"), *run.path.glob("*.npz")]):
        found[path.name] = repr([(k, v.dtype, v.tobytes()) for k, v in sorted(_arrays(path).items())])
    for path in sorted(run.checkpoints.glob("*.pt")):
        model = torch.load(path, weights_only=True)["model"]
        found[path.name] = repr([(name, value.numpy().tobytes()) for name, value in model.items()])
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in found.items()}


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Names under which two outcomes differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def uncaught(log: Path) -> list[str]:
    """Lines of a server's log that tell of an error which no page expected."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [f"{line} {after}" for line, after in zip(lines, [*lines[1:], ""]) if "Uncaught" in line]


def temporary_files(home: Home) -> list[str]:
    return [str(path.relative_to(home.root)) for path in leftovers(home.root)]


def family(home: Home) -> list[psutil.Process]:
    """Living processes that work on `home`."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline() if process.pid != os.getpid() else []
            if str(home.root) in words or process.environ().get("RELSCOPE_FAULTS_HOME") == str(home.root):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.pid not in (os.getpid(), os.getppid())]


def zombies(home: Home) -> int:
    """Dead children that a living process of `home` does not collect within three seconds."""

    def dead() -> list[int]:
        found = []
        for process in family(home):
            try:
                found += [c.pid for c in process.children() if c.status() == psutil.STATUS_ZOMBIE]
            except psutil.Error:
                continue
        return found

    return 0 if until(lambda: not dead(), 3.0, 0.2) else len(dead())


@contextmanager
def ended_with_the_block(home: Home) -> Iterator[None]:
    """Whatever still works on `home` is killed at the end, supervisor first."""
    try:
        yield
    finally:
        state = supervisor_state(home)
        if state:
            psutil.Process(state.pid).kill()
        for _ in range(3):
            for process in family(home):
                try:
                    process.kill()
                except psutil.Error:
                    continue
            time.sleep(0.1)


def environment(home: Home) -> dict[str, str]:
    """For processes of the campaign: one thread each, so that results do not depend on what else runs."""
    return {
        "RELSCOPE_HOME": str(home.root),
        "RELSCOPE_FAULTS_HOME": str(home.root),
        "RELSCOPE_CPU_SLOTS": "2",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
