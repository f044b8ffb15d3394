"""kill -9 of the worker, the supervisor and the server, each while a real run trains: nothing written is lost."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from core.bench.browser import server
from core.data.dataset import open_dataset
from core.data.planted import write_demo
from core.home import Home
from core.recipe import make_recipe
from core.runs.folder import RunFolder
from core.runs.index import list_runs, reindex
from core.runs.launch import cancel, ensure_supervisor, requeue, submit, supervisor_state
from core.runs.metrics import latest_rows, read_metrics
from dashboard.navigation import page_file
from tests.journeys.processes import end_supervisor

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    write_demo(home)
    yield home
    end_supervisor(home)


def submitted(home: Home, epochs: int) -> RunFolder:
    info = open_dataset(home, "demo").info
    overrides = {"epochs": epochs, "validate_every": epochs, "snapshot_every": 0}
    return submit(home, make_recipe("demo", info.content_hash, "cigf", planted=True, overrides=overrides))


def wait_for(what: Callable[[], bool], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def trains_past(run: RunFolder, epoch: int) -> bool:
    status = run.status()
    return status.state == "running" and status.epoch >= epoch and run.is_resumable


def epochs_written(run: RunFolder) -> list[int]:
    rows, _ = read_metrics(run.metrics)
    return sorted(row.epoch for row in latest_rows(rows) if row.name == "loss/total")


def kill_9(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def finish(home: Home, run: RunFolder) -> None:
    """Cut the long run short without waiting for its last epoch."""
    cancel(home, run.run_id)
    wait_for(lambda: run.status().state == "cancelled")


def test_a_killed_worker_leaves_a_run_that_says_so_and_resumes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submitted(home, epochs=400)
    ensure_supervisor(home)
    wait_for(lambda: trains_past(run, 12))
    before = epochs_written(run)
    kill_9(run.status().pid)
    wait_for(lambda: run.status().state == "failed")

    error = run.status().error
    assert error is not None
    assert "killed" in error.message
    assert before == list(range(1, len(before) + 1))
    assert set(before) <= set(epochs_written(run))
    monkeypatch.setenv("RELSCOPE_HOME", str(home.root))
    page = AppTest.from_file(str(page_file("runs")), default_timeout=60)
    page.query_params["run"] = run.run_id
    page.run()
    assert not page.exception
    said = " ".join(str(getattr(e, "value", "")) for e in [*page.error, *page.markdown, *page.warning])
    assert "killed" in said

    requeue(home, run.run_id)
    wait_for(lambda: trains_past(run, len(before) + 1))
    finish(home, run)
    assert epochs_written(run) == list(range(1, run.status().epoch + 1))


def test_a_killed_supervisor_does_not_disturb_its_worker_and_is_replaced(home: Home) -> None:
    run = submitted(home, epochs=400)
    ensure_supervisor(home)
    wait_for(lambda: trains_past(run, 5))
    first, worker = supervisor_state(home), run.status().pid
    assert first is not None
    kill_9(first.pid)
    seen = run.status().epoch
    wait_for(lambda: trains_past(run, seen + 3))

    ensure_supervisor(home)
    second = supervisor_state(home)
    assert second is not None
    assert second.pid != first.pid
    wait_for(
        lambda: any(slot.run_id == run.run_id for s in [supervisor_state(home)] if s for slot in s.slots)
    )
    assert run.status().pid == worker
    finish(home, run)
    assert epochs_written(run) == list(range(1, run.status().epoch + 1))


def test_a_killed_server_does_not_disturb_the_run(home: Home) -> None:
    with server(home) as (_, process):
        run = submitted(home, epochs=400)
        ensure_supervisor(home)
        wait_for(lambda: trains_past(run, 3))
        process.kill()
        process.wait(10)
    seen = run.status().epoch
    wait_for(lambda: trains_past(run, seen + 3))
    assert psutil.pid_exists(run.status().pid or 0)
    finish(home, run)


def test_a_deleted_index_is_rebuilt_from_the_folders(home: Home) -> None:
    run = submitted(home, epochs=3)
    ensure_supervisor(home)
    wait_for(lambda: run.status().state == "done")
    before = list_runs(home)
    for path in home.root.glob("index.sqlite*"):
        path.unlink()
    assert reindex(home) == 1
    assert list_runs(home) == before
    assert before[0].metrics["ndcg@10"] > 0
