"""Homes, parents and children ready to train, and whether two runs ended alike."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.home import Home
from core.recipe import Recipe, parent_recipe
from core.runs.folder import RunFolder, create_run, list_run_folders
from core.runs.metrics import latest_rows, read_metrics
from core.training.worker import work
from tests.core.models import tiny
from tests.core.training.boards import recipe

EPOCHS, PRETRAINING = 3, 5
SETTINGS = {
    "dim": 4,
    "epochs": EPOCHS,
    "pretrain_epochs": PRETRAINING,
    "batch_size": 64,
    "neighbors": 3,
    "link_neighbors": 3,
    "validate_every": 1,
    "snapshot_every": 0,
}


def board(path: Path) -> Home:
    home = Home(path)
    tiny.stored(home, tiny.checkerboard())
    return home


def child(home: Home, run_id: str = "child", variant: str | None = None, **changes: Any) -> RunFolder:
    own = SETTINGS | changes.pop("overrides", {})
    return create_run(home, recipe(home, "egra", overrides=own, variant=variant, **changes), run_id)


def wanted(run: RunFolder) -> Recipe:
    found = parent_recipe(run.recipe())
    assert found is not None
    return found


def others(home: Home, *known: str) -> list[RunFolder]:
    return [run for run in list_run_folders(home) if run.run_id not in known]


def trained(path: Path) -> tuple[RunFolder, RunFolder]:
    """A parent and its child that nothing came between, in a home of their own."""
    home = board(path)
    run = child(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELSCOPE_THREADS", "1")
        work(home, run)
    (parent,) = others(home, "child")
    return parent, run


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def stop_in_epoch(
    monkeypatch: pytest.MonkeyPatch, kind: type, epoch: int, stop: Callable[[], None] = terminate
) -> None:
    """`stop` is called as that epoch begins, once."""
    begin, sent = kind.begin_epoch, []

    def begin_epoch(self: Any, now: int, epochs: int) -> None:
        begin(self, now, epochs)
        if now == epoch and not sent:
            sent.append(now)
            stop()

    monkeypatch.setattr(kind, "begin_epoch", begin_epoch)


def losses(run: RunFolder) -> list[tuple[int, float]]:
    rows = latest_rows(read_metrics(run.metrics)[0])
    return [(row.epoch, row.value) for row in rows if row.name == "loss/total"]


def items_of(run: RunFolder) -> np.ndarray:
    with np.load(run.embeddings / "final.npz") as arrays:
        return arrays["values"][int(arrays["num_users"]) :]


def learned(run: RunFolder) -> dict[str, Any]:
    """All that a run ends with: its measures, losses and parameters."""
    state = torch.load(run.checkpoints / "last.pt", weights_only=True)["model"]
    entry = run.result()["protocols"]["full"]
    return {"metrics": entry["metrics"], "epoch": entry["epoch"], "losses": losses(run), "state": state}


def same(one: RunFolder, other: RunFolder) -> None:
    """Asserts that two runs ended alike, bit for bit."""
    ours, theirs = learned(one), learned(other)
    first, second = ours.pop("state"), theirs.pop("state")
    assert ours == theirs
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
