"""Helpers of these tests: waiting, fake workers, slots and recipes."""

import sys
import time
from pathlib import Path

from core.errors import RunError
from core.recipe import make_recipe
from core.runs.devices import Slot
from core.runs.processes import identity, is_alive

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def until(condition, wait=15.0):
    """Wait for `condition` and return its value; fail the test if it stays false."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def fake_worker(run):
    return [sys.executable, str(HERE / "fake_worker.py"), str(run.path)]


def slots(cpus=1, gpus=0):
    made = [Slot(name=f"cuda:{n}", kind="cuda", title="Fake GPU", threads=2) for n in range(gpus)]
    made += [Slot(name=f"cpu:{n}", kind="cpu", title="CPU", threads=1) for n in range(cpus)]
    return tuple(made)


def recipe(system="lightgcn", device="cpu", seed=0, **overrides):
    return make_recipe(
        "demo", "0" * 16, system, planted=True, seed=seed, device=device, overrides=overrides or None
    )


def stepping(supervisor, condition, wait=15.0):
    """Step until `condition` holds."""

    def step():
        supervisor.step()
        return condition()

    return until(step, wait)


def starts_of(run):
    path = run.path / "starts.txt"
    return path.read_text().splitlines() if path.exists() else []


def state_of(run):
    return run.status().state


def lives(pid):
    try:
        return is_alive(identity(pid))
    except RunError:
        return False
