"""The worker: what a run folder holds after each way to end."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from core.data.dataset import open_dataset
from core.data.ranking import ranking_data
from core.errors import ConfigError, DataError, RunError
from core.findings import list_findings, load_finding
from core.home import Home
from core.protocol import PROTOCOLS, parse_protocol
from core.runs.folder import RunFolder, create_run, open_run
from core.runs.metrics import latest_rows, read_metrics
from core.training import tasks
from core.training import trainer as trainer_module
from core.training.trainer import Stopped
from core.training.worker import evaluate_run, work
from tests.core.models import tiny
from tests.core.training.boards import queued, recipe


def users_of(run: RunFolder) -> pd.DataFrame:
    return pd.read_parquet(run.path / "per_user.parquet")


@pytest.fixture(scope="module")
def done(home: Home) -> RunFolder:
    run = queued(home, "done")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELSCOPE_THREADS", "1")
        work(home, run)
    return run


def test_a_finished_run_is_done_and_says_with_what(home: Home, done: RunFolder):
    status, environment = done.status(), done.environment()
    assert (status.state, status.epoch, status.error, status.threads) == ("done", 5, None, 1)
    assert status.finished >= status.started
    assert status.heartbeat >= status.started
    assert environment["dataset_hash"] == open_dataset(home, "board").info.content_hash
    assert environment["packages"]["torch"] == torch.__version__
    assert environment["command"].startswith("python -m core train cigf board")
    assert "epoch 5/5" in done.log.read_text()


def test_result_and_ranks_agree(home: Home, done: RunFolder):
    entry = done.result()["protocols"]["full"]
    frame = users_of(done)
    board = tiny.checkerboard()
    assert entry["selection"] == "valid"
    assert 1 <= entry["epoch"] <= 5
    assert entry["num_users"] == len(frame) == board.num_users
    for metric in ("hr@5", "ndcg@10", "mrr@20"):
        assert entry["metrics"][metric] == pytest.approx(frame[metric].mean(), rel=1e-5)
    for row in frame.itertuples():
        assert row.items.tolist() == board.test[[row.user]].indices.tolist()
        assert row.num_train == board.train["buy"][[row.user]].nnz
        assert row.seen.tolist() == [True]
        assert row._asdict()["ranks"][0] >= 1
    assert entry["seen"]["pairs"] == 22
    assert entry["unseen"] == {"pairs": 0.0}


def test_the_result_is_that_of_the_selected_epoch(home: Home, done: RunFolder):
    rows = latest_rows(read_metrics(done.metrics)[0])
    valid = {row.epoch: row.value for row in rows if row.name == "valid/ndcg@10"}
    assert valid[done.result()["protocols"]["full"]["epoch"]] == max(valid.values())


def test_findings_and_embeddings_are_those_of_the_selected_epoch(home: Home, done: RunFolder):
    assert list_findings(done.findings) == (
        "expert_gates",
        "gradient_conflict",
        "relation_attention",
        "relation_paths_2",
    )
    state = torch.load(done.checkpoints / "best.pt", weights_only=True)["model"]
    with np.load(done.embeddings / "initial.npz") as arrays:
        assert int(arrays["num_users"]) == 22
        np.testing.assert_array_equal(arrays["values"][:22], state["user_embedding"])
        np.testing.assert_array_equal(arrays["values"][22:], state["item_embedding"])
    levels = {path.stem for path in done.embeddings.glob("*.npz")}
    assert levels == {"initial", "view", "cart", "buy"}
    data = ranking_data(open_dataset(home, "board"))
    model = tiny.built("cigf", data, **done.recipe().config)
    model.load_state_dict(state)
    expected = next(f for f in model.findings() if f.key == "relation_attention")
    np.testing.assert_allclose(
        load_finding(done.findings, "relation_attention").values, expected.values, rtol=1e-6
    )


def test_recommendations_are_for_test_users_and_hide_what_they_have(done: RunFolder):
    board = tiny.checkerboard()
    known = board.train["buy"].toarray() + board.valid.toarray()
    with np.load(done.path / "recommendations.npz") as arrays:
        users, items, scores = arrays["users"], arrays["items"], arrays["scores"]
    assert users.tolist() == list(range(22))
    assert items.shape == scores.shape == (22, 14 - int(known.sum(1).max()))
    assert (np.diff(scores, axis=1) <= 0).all()
    for user, row in zip(users, items):
        assert not known[user, row].any()
        assert len(set(row.tolist())) == len(row)


def test_a_second_protocol_keeps_the_first(home: Home, done: RunFolder):
    before, ranks = done.result()["protocols"]["full"], users_of(done)
    protocol = parse_protocol("sampled99:num_negatives=3")
    entry = evaluate_run(home, done, protocol)
    stored, frame = done.result()["protocols"], users_of(done)
    assert stored == {"full": before, protocol.key: json.loads(json.dumps(entry))}
    assert frame["protocol"].value_counts().to_dict() == {"full": 22, protocol.key: 22}
    again = frame[frame["protocol"] == "full"].reset_index(drop=True)[ranks.columns]
    pd.testing.assert_frame_equal(again, ranks)
    evaluate_run(home, done, protocol)
    assert len(users_of(done)) == 44
    assert done.status().state == "done"


@pytest.mark.parametrize(
    ("system", "changes"),
    [
        ("cigf", {}),
        ("cigf", {"selection": "last", "fit_on": "train+valid"}),
        ("lightgcn", {"selection": "last", "overrides": {"epochs": 40, "patience": 1}}),
        ("lightgcn", {"selection": "test_as_published"}),
        ("ease", {}),
        ("seen_before", {}),
        ("popularity", {}),
    ],
)
def test_evaluating_again_under_the_same_protocol_gives_the_same(home: Home, system, changes):
    run = queued(home, f"again-{system}-{len(str(changes))}", system, **changes)
    first = work(home, run)
    second = evaluate_run(home, run, PROTOCOLS["full"])
    assert second["metrics"] == first["metrics"]
    assert second["epoch"] == first["epoch"]
    assert (first["selection"], first["fit_on"]) == (run.recipe().selection, run.recipe().fit_on)


def test_the_same_recipe_gives_the_same_result(home: Home, done: RunFolder):
    again = work(home, queued(home, "twin"))
    first = done.result()["protocols"]["full"]
    assert again["metrics"] == first["metrics"]
    other = work(home, queued(home, "other", seed=1))
    assert other["metrics"] != first["metrics"]


def test_only_finished_runs_are_evaluated(home: Home):
    with pytest.raises(RunError, match="is queued: only finished"):
        evaluate_run(home, queued(home, "waiting"), PROTOCOLS["full"])


def test_data_that_changed_since_submission_are_refused(home: Home):
    tiny.stored(home, tiny.checkerboard(), "moving")
    run = queued(home, "moved", dataset="moving")
    tiny.stored(home, tiny.checkerboard(users=24), "moving", replace=True)
    with pytest.raises(DataError, match="has changed since this run was submitted"):
        work(home, run)
    assert run.status().state == "failed"
    assert "has changed" in run.status().error.message


def test_a_failure_is_recorded_with_message_and_traceback(home: Home):
    run = queued(home, "too-big", "ease", overrides={"max_items": 3})
    with pytest.raises(ConfigError):
        work(home, run)
    status = run.status()
    assert status.state == "failed"
    assert "raise max_items" in status.error.message
    assert "Traceback" in status.error.traceback
    assert run.result() is None


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("oops"), "ZeroDivisionError: oops"),
        (MemoryError(), "out of memory; lower dim"),
        (torch.OutOfMemoryError("2 GB"), "the GPU ran out of memory"),
    ],
)
def test_an_unexpected_error_still_leaves_a_status(home: Home, monkeypatch, error, message: str):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(tasks, "build", fail)
    run = queued(home, f"fails-{type(error).__name__}")
    with pytest.raises(type(error)):
        work(home, run)
    assert run.status().state == "failed"
    assert message in run.status().error.message


def test_an_interrupt_at_once_cancels(home: Home, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "build", interrupt)
    run = queued(home, "interrupted")
    with pytest.raises(Stopped):
        work(home, run)
    assert run.status().state == "cancelled"
    assert "starts again" in run.status().message


def test_an_auto_run_on_a_slot_whose_gpu_torch_cannot_use_trains_on_the_cpu(home: Home, monkeypatch):
    monkeypatch.setenv("RELSCOPE_SLOT", "cuda:7")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = queued(home, "without-gpu", device="auto")
    work(home, run)
    assert (run.status().state, run.status().device) == ("done", "cpu")


def test_a_protocol_that_cannot_be_carried_out_is_refused_before_training(home: Home):
    run = queued(home, "infeasible", protocol="sampled99:num_negatives=5000")
    with pytest.raises(DataError, match="candidates"):
        work(home, run)
    assert run.status().state == "failed"
    assert not run.metrics.exists()


def test_a_run_told_to_stop_is_cancelled_and_continues_to_the_same_end(home: Home, done: RunFolder):
    run = queued(home, "stopped")

    def stop(progress) -> None:
        if progress.epoch == 2:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Stopped):
        work(home, run, on_epoch=stop)
    status = run.status()
    assert (status.state, status.epoch) == ("cancelled", 2)
    assert status.message == "stopped after epoch 2; it can be resumed"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    entry = work(home, run)
    assert entry["metrics"] == done.result()["protocols"]["full"]["metrics"]
    assert run.status().state == "done"
    assert run.status().message == ""
    assert [e for e, _ in epochs_logged(run)] == [1, 2, 3, 4, 5]


def epochs_logged(run: RunFolder) -> list[tuple[int, float]]:
    rows = latest_rows(read_metrics(run.metrics)[0])
    return [(row.epoch, row.value) for row in rows if row.name == "loss/total"]


def test_a_run_that_another_process_holds_is_left_alone(home: Home, monkeypatch):
    from core.runs.lock import claimed

    run = queued(home, "held")
    with claimed(run), pytest.raises(RunError, match="another process works"):
        work(home, run)
    assert run.status().state == "queued"


def test_sigterm_to_a_training_process_leaves_a_resumable_run(home: Home):
    settings = recipe(home, overrides={"epochs": 100_000, "validate_every": 1000, "snapshot_every": 0})
    sets = [part for key, value in settings.changes().items() for part in ("--set", f"{key}={value[1]}")]
    command = [sys.executable, "-m", "core", "train", "cigf", "board", "--preset", "small", *sets]
    command += ["--protocol", "full", "--device", "cpu", "--run-id", "killed", "--home", str(home.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    path, deadline = home.run("killed") / "metrics.jsonl", time.monotonic() + 60
    while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.split() == ["killed"]
    assert "train --resume killed" in err
    run = open_run(home, "killed")
    status = run.status()
    assert status.state == "cancelled"
    assert run.is_resumable
    content = json.loads((run.path / "recipe.json").read_text())
    content["config"]["epochs"] = status.epoch + 2
    (run.path / "recipe.json").write_text(json.dumps(content))
    work(home, run)
    assert (run.status().state, run.status().epoch) == ("done", status.epoch + 2)
    assert [e for e, _ in epochs_logged(run)] == list(range(1, status.epoch + 3))


def test_checkpoints_are_not_written_every_epoch(home: Home, monkeypatch):
    saved = []
    save = trainer_module.save_checkpoint
    monkeypatch.setattr(
        trainer_module, "save_checkpoint", lambda path, *rest: saved.append(path.stem) or save(path, *rest)
    )
    work(home, create_run(home, recipe(home, selection="last"), "seldom"))
    assert saved == ["last"]
