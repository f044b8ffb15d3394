"""Parents and children that are stopped, fail, go on, or are trained by somebody else."""

import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.errors import DataError, RunError
from core.home import Home
from core.models.egra import EGRA
from core.models.mgcn import MGCN
from core.protocol import parse_protocol
from core.runs.folder import RunFolder, create_run, delete_run
from core.runs.lock import Busy, claimed
from core.runs.worker import running_now
from core.training import parents, tasks
from core.training.trainer import Stopped
from core.training.worker import evaluate_run, work
from tests.core.training.families import (
    PRETRAINING,
    board,
    child,
    losses,
    others,
    same,
    stop_in_epoch,
    terminate,
    trained,
    wanted,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One per test: what one of them trains, another would find."""
    return board(tmp_path / "home")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    return trained(tmp_path_factory.mktemp("uninterrupted"))


def test_a_parent_that_stopped_half_way_is_resumed(home: Home, uninterrupted, monkeypatch):
    run = child(home)
    parent = create_run(home, wanted(run), "half")
    stop_in_epoch(monkeypatch, MGCN, 2)
    with pytest.raises(Stopped):
        work(home, parent)
    assert (parent.status().state, parent.status().epoch) == ("cancelled", 2)
    work(home, run)
    assert not others(home, "child", "half")
    assert parent.status().state == "done"
    assert "resumed after epoch 2" in parent.log.read_text()
    assert [epoch for epoch, _ in losses(parent)] == [1, 2, 3, 4, 5]
    same(parent, uninterrupted[0])
    same(run, uninterrupted[1])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DataError("the features are wrong"), "the features are wrong"),
        (ZeroDivisionError("by nought"), "ZeroDivisionError: by nought"),
        (PermissionError("not yours"), "PermissionError: not yours"),
    ],
)
def test_a_failing_parent_fails_the_child_and_is_named(home: Home, monkeypatch, error: Exception, told: str):
    build = tasks.build

    def fail(key: str, *rest: Any) -> Any:
        if key == "mgcn":
            raise error
        return build(key, *rest)

    run = child(home)
    monkeypatch.setattr(tasks, "build", fail)
    with pytest.raises(RunError):
        work(home, run)
    (parent,) = others(home, "child")
    for each in (run, parent):
        assert each.status().state == "failed"
    assert parent.status().error.message == told
    assert run.status().error.message == f"its parent run {parent.run_id} failed: {told}"
    assert run.status().parent == parent.run_id
    monkeypatch.setattr(tasks, "build", build)
    work(home, run)
    assert not others(home, "child", parent.run_id)
    assert [each.status().state for each in (run, parent)] == ["done", "done"]


@pytest.mark.parametrize("by", ["signal", "caller"])
def test_a_stop_during_pretraining_cancels_both_and_both_go_on(
    home: Home, uninterrupted, monkeypatch, by: str
):
    run, asked = child(home), threading.Event()
    stop_in_epoch(monkeypatch, MGCN, 3, terminate if by == "signal" else asked.set)
    with pytest.raises(Stopped):
        work(home, run, stopping=None if by == "signal" else asked)
    (parent,) = others(home, "child")
    assert (parent.status().state, parent.status().epoch, parent.is_resumable) == ("cancelled", 3, True)
    assert (run.status().state, run.status().epoch, run.status().parent) == ("cancelled", 0, parent.run_id)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    work(home, run)
    assert not others(home, "child", parent.run_id)
    same(parent, uninterrupted[0])
    same(run, uninterrupted[1])


def test_a_child_goes_on_and_is_evaluated_without_its_parent(home: Home, uninterrupted, monkeypatch):
    run = child(home)
    stop_in_epoch(monkeypatch, EGRA, 2)
    with pytest.raises(Stopped):
        work(home, run)
    (parent,) = others(home, "child")
    assert (run.status().state, run.status().epoch, parent.status().state) == ("cancelled", 2, "done")
    delete_run(home, parent.run_id)
    work(home, run)
    assert not others(home, "child")
    assert run.status().parent == parent.run_id
    same(run, uninterrupted[1])
    before = run.result()["protocols"]["full"]["metrics"]
    evaluate_run(home, run, parse_protocol("sampled99:num_negatives=3"))
    assert evaluate_run(home, run, run.recipe().protocol)["metrics"] == before


def held_elsewhere(home: Home, run: RunFolder) -> RunFolder:
    return create_run(home, wanted(run), "elsewhere", running_now())


def test_a_stop_while_somebody_else_trains_the_parent_cancels_the_child(home: Home, monkeypatch):
    monkeypatch.setattr(parents, "_SECONDS_BETWEEN_LOOKS", 0.05)
    run = child(home)
    parent, stopping = held_elsewhere(home, run), threading.Event()
    timer = threading.Timer(0.3, stopping.set)
    with claimed(parent):
        timer.start()
        with pytest.raises(Stopped, match="trained by another process"):
            work(home, run, stopping=stopping)
    timer.join()
    assert run.status().state == "cancelled"
    assert parent.status().state == "running"
    assert not others(home, "child", "elsewhere")


def test_a_parent_that_somebody_else_trains_is_waited_for(home: Home, uninterrupted, monkeypatch):
    """Its end is made by copying the files of one that is done."""
    monkeypatch.setattr(parents, "_SECONDS_BETWEEN_LOOKS", 0.05)
    run, looks = child(home), []
    parent, done = held_elsewhere(home, run), uninterrupted[0]
    known = parents.known

    def look(*about: Any) -> Any:
        looks.append(time.monotonic())
        if len(looks) == 3:
            parent.embeddings.mkdir()
            (parent.embeddings / "final.npz").write_bytes((done.embeddings / "final.npz").read_bytes())
            parent.update_status(state="done")
        return known(*about)

    monkeypatch.setattr(parents, "known", look)
    with claimed(parent):
        work(home, run)
    assert len(looks) == 3
    assert run.status().parent == "elsewhere"
    same(run, uninterrupted[1])


def test_a_child_says_whom_it_waits_for_and_does_not_start_again_what_was_cancelled(home: Home, monkeypatch):
    monkeypatch.setattr(parents, "_SECONDS_BETWEEN_LOOKS", 0.05)
    run, said = child(home), []
    parent, known = held_elsewhere(home, run), parents.known

    def look(*about: Any) -> Any:
        said.append(run.status())
        if len(said) == 4:
            parent.update_status(state="cancelled")
        return known(*about)

    monkeypatch.setattr(parents, "known", look)
    with claimed(parent), pytest.raises(RunError, match="elsewhere was cancelled while it was waited for"):
        work(home, run)
    assert (said[2].parent, said[2].message) == ("elsewhere", "waits for run elsewhere, which pretrains")
    assert not others(home, "child", "elsewhere")
    assert run.status().state == "failed"


def test_a_parent_that_somebody_else_takes_first_is_waited_for(home: Home, monkeypatch):
    """Between being found and being claimed it got a worker of its own."""
    monkeypatch.setattr(parents, "_SECONDS_BETWEEN_LOOKS", 0.05)
    run, tries = child(home), []

    def busy(*about: Any, **how: Any) -> Any:
        tries.append(about)
        if len(tries) < 3:
            raise Busy("another process works on run 'elsewhere'")
        return taken(*about, **how)

    taken = parents.taken_here
    monkeypatch.setattr(parents, "taken_here", busy)
    work(home, run)
    assert len(tries) == 3
    assert run.status().state == "done"


def test_an_open_parent_under_another_name_of_the_data_is_left_alone(home: Home):
    """It could not go on: the data set of that name may be gone."""
    run = child(home)
    other = wanted(run).model_copy(update={"dataset": "gone", "device": "cuda"})
    create_run(home, other, "stale").update_status(state="cancelled")
    work(home, run)
    (parent,) = others(home, "child", "stale")
    assert run.status().parent == parent.run_id
    assert RunFolder(home.run("stale")).status().state == "cancelled"


def test_warnings_after_pretraining_still_reach_the_childs_log(home: Home, monkeypatch):
    begin = EGRA.begin_epoch

    def begin_epoch(self: EGRA, epoch: int, epochs: int) -> None:
        warnings.warn(f"look at epoch {epoch}", stacklevel=1)
        begin(self, epoch, epochs)

    monkeypatch.setattr(EGRA, "begin_epoch", begin_epoch)
    run = child(home)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        work(home, run)
    assert "look at epoch 2" in run.log.read_text()
    (parent,) = others(home, "child")
    assert f"epoch {PRETRAINING}/{PRETRAINING}" in run.log.read_text()  # the parent's lines, too
    assert "look at epoch" not in parent.log.read_text()
