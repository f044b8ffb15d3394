import json
import os
import signal
import time

import pytest

from core.runs import launch
from core.runs.endings import ending_in_words
from core.runs.processes import identity
from core.runs.requests import pending_requests, write_request
from core.runs.state import supervisor_state
from core.runs.workers import record_path
from tests.core.runs.support import lives, recipe, starts_of, state_of, stepping, until


def test_runs_start_in_order_on_free_slots_and_end_done(home, queued, supervisor):
    runs = [queued(name) for name in ("c", "a", "b")]
    one = supervisor(cpus=1)
    stepping(one, lambda: all(state_of(run) == "done" for run in runs))
    started = [run.status().started for run in runs]
    assert started == sorted(started)
    assert [len(starts_of(run)) for run in runs] == [1, 1, 1]
    assert "epoch 1: loss 0.5" in runs[0].log.read_text()
    stepping(one, lambda: one.is_idle)
    assert not record_path(home, "a").exists()


def test_one_job_per_slot_with_the_slots_threads(home, queued, supervisor):
    runs = [queued(name, "work") for name in ("a", "b", "c")]
    one = supervisor(cpus=2)
    stepping(one, lambda: state_of(runs[0]) == state_of(runs[1]) == "running")
    one.step()
    assert state_of(runs[2]) == "queued"
    assert [starts_of(run)[0].split()[1:] for run in runs[:2]] == [["cpu:0", "1"], ["cpu:1", "1"]]
    state = supervisor_state(home)
    assert [s.run_id for s in state.slots] == ["a", "b"]
    assert [(w.run_id, w.position, w.slots) for w in state.queue] == [("c", 1, ("cpu:0", "cpu:1"))]
    assert launch.queue_position(home, "c") == 1
    assert launch.queue_position(home, "a") is None


def test_gpu_jobs_see_their_gpu_alone_and_cpu_jobs_none(home, queued, supervisor, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        "core.runs.workers.subprocess.Popen", lambda command, env, **_: seen.update(env) or 1 / 0
    )
    one = supervisor(cpus=1, gpus=2)
    for device, expected in (("cuda:1", "1"), ("cpu", "")):
        queued(f"on-{device.replace(':', '')}", device=device)
        with pytest.raises(ZeroDivisionError):
            one.step()
        assert seen["CUDA_VISIBLE_DEVICES"] == expected
        assert seen["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
        record_path(home, f"on-{device.replace(':', '')}").unlink()
        launch.cancel(home, f"on-{device.replace(':', '')}")


def test_a_run_for_a_gpu_fails_at_once_where_there_is_none(home, queued, supervisor):
    run = queued("a", device="cuda")
    supervisor(cpus=1).step()
    assert run.status().state == "failed"
    assert "asks for device cuda and this machine has no GPU" in run.status().error.message
    assert starts_of(run) == []


def test_a_queued_run_is_cancelled_without_being_started(home, queued, supervisor):
    queued("a", "work")
    run = queued("b")
    one = supervisor()
    stepping(one, lambda: state_of(launch.open_run(home, "a")) == "running")
    write_request(home, "cancel", "b")
    one.step()
    assert run.status().state == "cancelled"
    one.step()
    assert pending_requests(home) == []
    assert starts_of(run) == []


def test_a_running_worker_is_told_to_stop_and_writes_its_checkpoint(home, queued, supervisor):
    run = queued("a", "work")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "running")
    write_request(home, "cancel", "a")
    one.step()
    stepping(one, lambda: not one.roster.jobs)
    assert run.status().message == "cancelled at epoch 1"
    assert run.is_resumable
    stepping(one, lambda: not pending_requests(home))


def test_a_hanging_worker_is_killed_after_the_grace(home, queued, supervisor):
    run = queued("a", "hang")
    one = supervisor(grace=0.3)
    stepping(one, lambda: state_of(run) == "running")
    write_request(home, "cancel", "a")
    one.step()
    one.step()
    assert supervisor_state(home).slots[0].cancelling
    stepping(one, lambda: state_of(run) == "cancelled")
    assert not lives(run.status().pid)


def test_a_worker_that_is_killed_fails_and_says_how_to_go_on(home, queued, supervisor):
    run = queued("a", "work")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "running" and "loss" in run.log.read_text())
    run.checkpoints.mkdir()
    (run.checkpoints / "last.pt").write_text("x")
    os.kill(run.status().pid, signal.SIGKILL)
    stepping(one, lambda: state_of(run) == "failed")
    error = run.status().error
    assert error.message == (
        "The worker process was killed by SIGKILL: out of memory, or killed by hand. "
        "Resume continues from the last checkpoint."
    )
    assert error.traceback.endswith("epoch 1: loss 0.5")


@pytest.mark.parametrize(
    ("behave", "code", "last"),
    [("crash before running", 1, "no such module"), ("exit silently", 3, "epoch 1: loss 0.5")],
)
def test_a_worker_that_ends_without_a_state_fails_with_its_exit_code(queued, supervisor, behave, code, last):
    run = queued("a", behave)
    one = supervisor()
    stepping(one, lambda: state_of(run) == "failed")
    assert f"exit code {code}" in run.status().error.message
    assert "There is no checkpoint" in run.status().error.message
    assert run.status().error.traceback.endswith(last)
    assert not one.roster.jobs


def test_children_that_a_killed_worker_leaves_behind_are_killed(queued, supervisor):
    run = queued("a", "leave a child")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "running")
    child = int((run.path / "child.txt").read_text())
    assert lives(child)
    os.kill(run.status().pid, signal.SIGKILL)
    stepping(one, lambda: state_of(run) == "failed")
    until(lambda: not lives(child))


def test_a_requeued_run_keeps_its_checkpoint_and_loses_its_error(home, queued, supervisor):
    run = queued("a", "exit silently")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "failed")
    run.checkpoints.mkdir()
    (run.checkpoints / "last.pt").write_text("weights")
    (run.path / "behave.txt").write_text("finish")
    created = run.status().created
    write_request(home, "requeue", "a")
    stepping(one, lambda: state_of(run) == "done")
    status = run.status()
    assert (status.error, status.attempts, status.created) == (None, 1, created)
    assert (run.checkpoints / "last.pt").read_text() == "weights"
    assert len(starts_of(run)) == 2


def test_a_run_of_the_command_line_takes_a_slot_and_is_watched(home, queued, supervisor):
    ended = queued("ended", "work")
    one = supervisor(cpus=1)
    stepping(one, lambda: state_of(ended) == "running")
    worker = one.roster.jobs["ended"].child
    one.roster.jobs.clear()
    record_path(home, "ended").unlink()
    os.kill(worker.pid, signal.SIGSTOP)  # else its heartbeat may overwrite what follows
    ended.update_status(slot="")  # as if a shell had started it
    waiting = queued("waiting")
    one.step()
    assert one.roster.jobs["ended"].child is None
    assert supervisor_state(home).slots[0].run_id == "ended"
    assert starts_of(waiting) == []
    os.kill(worker.pid, signal.SIGKILL)
    stepping(one, lambda: state_of(waiting) == "done")
    assert "vanished" in ended.status().error.message
    worker.wait()


def test_a_forged_pid_is_not_signalled_and_its_run_fails(home, queued, supervisor):
    victim = queued("victim", "work")
    one = supervisor(cpus=2)
    stepping(one, lambda: state_of(victim) == "running")
    forged = queued("forged")
    here = victim.status()
    forged.update_status(
        state="running",
        pid=here.pid,
        pid_started=here.pid_started - 100,
        host=here.host,
        heartbeat=time.time(),
    )
    write_request(home, "cancel", "forged")
    stepping(one, lambda: state_of(forged) in ("failed", "cancelled"))
    for _ in range(20):
        one.step()
        time.sleep(0.02)
    assert state_of(victim) == "running"
    assert lives(here.pid)


def test_a_run_of_another_host_is_left_alone_until_it_is_silent(home, queued, supervisor):
    run = queued("a")
    fields = {"state": "running", "pid": os.getpid(), "pid_started": 1.0, "host": "elsewhere"}
    run.update_status(
        **fields, queued=time.time() - 2000, started=time.time() - 2000, heartbeat=time.time() - 800
    )
    one = supervisor()
    write_request(home, "cancel", "a")
    one.step()
    assert run.status().state == "running"
    assert pending_requests(home) == []
    run.update_status(heartbeat=time.time() - 1000)
    one.step()
    assert "host elsewhere gave no sign of life" in run.status().error.message


@pytest.mark.parametrize(
    "garbage", ["", "{", "[]", "null", '{"state": "queued"}', "[" * 100_000, "\x00\xff", '{"state": NaN}']
)
def test_damaged_files_neither_stop_the_loop_nor_hide_the_run(home, queued, supervisor, garbage):
    bad_status, bad_recipe = queued("bad-status"), queued("bad-recipe")
    (bad_status.path / "status.json").write_text(garbage)
    (bad_recipe.path / "recipe.json").write_text(garbage)
    (home.runs / "empty").mkdir()
    good = queued("good")
    one = supervisor()
    stepping(one, lambda: state_of(good) == "done")
    assert bad_recipe.status().state == "failed"
    assert "recipe" in bad_recipe.status().error.message
    assert (bad_status.path / "status.json").read_text() == garbage
    listed = {run.run_id: run for run in launch.list_runs(home)}
    assert {name: run.state for name, run in listed.items()} == {
        "bad-status": "failed",
        "bad-recipe": "failed",
        "empty": "failed",
        "good": "done",
    }
    assert "status.json" in listed["bad-status"].error
    assert listed["bad-recipe"].damaged


def test_requests_with_garbage_are_removed_and_the_loop_goes_on(home, queued, supervisor):
    folder = home.supervisor / "requests"
    folder.mkdir(parents=True)
    bodies = ["", "{", "[]", '{"verb": "explode"}', "[" * 2000, "x" * 5000]
    bodies += [
        json.dumps({"verb": "cancel", "run_id": name, "time": 1e12}) for name in ("../../etc", "unknown")
    ]
    for number, body in enumerate(bodies):
        (folder / f"{number}.json").write_text(body)
    (folder / "folder.json").mkdir()
    run = queued("a")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "done")
    assert [p.name for p in folder.iterdir()] == ["folder.json"]


def test_an_old_cancellation_does_not_hit_a_requeued_run(home, queued, supervisor):
    run = queued("a")
    run.update_status(queued=time.time() + 5)
    write_request(home, "cancel", "a")
    stepping(supervisor(), lambda: state_of(run) == "done")


def test_a_full_disk_delays_the_work_and_loses_none(home, queued, supervisor, monkeypatch):
    run = queued("a", "work")
    one = supervisor()

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("core.runs.workers.write_json", full)
        one.step()
    assert starts_of(run) == []
    assert one.trouble.delay(0.5) > 0.5
    stepping(one, lambda: state_of(run) == "running")
    os.kill(run.status().pid, signal.SIGKILL)
    one.roster.jobs["a"].child.wait()
    with monkeypatch.context() as patch:
        patch.setattr("core.runs.folder.write_json", full)
        patch.setattr("core.runs.state.write_json", full)
        one.step()
        assert "No space left" in one.trouble.current
    stepping(one, lambda: state_of(run) == "failed")
    one.step()
    assert one.trouble.delay(0.5) == 0.5


def test_without_a_supervisor_requests_are_settled_directly_and_nothing_starts(home, queued):
    run = queued("a")
    launch.cancel(home, "a")
    assert run.status().state == "cancelled"
    launch.requeue(home, "a")
    assert (run.status().state, run.status().attempts) == ("queued", 1)
    assert pending_requests(home) == []
    assert starts_of(run) == []
    assert supervisor_state(home) is None


def test_what_does_not_fit_the_state_is_refused(home, queued):
    run = queued("a")
    with pytest.raises(launch.RunError, match="is queued: only failed or cancelled"):
        launch.requeue(home, "a")
    run.update_status(state="done")
    with pytest.raises(launch.RunError, match="is done already"):
        launch.cancel(home, "a")
    with pytest.raises(launch.RunError, match="there is no run 'b'"):
        launch.cancel(home, "b")
    with pytest.raises(launch.RunError, match="exists already"):
        launch.submit(home, recipe(), "a")
    me = identity()
    run.update_status(state="running", pid=me.pid, pid_started=me.started, host="elsewhere")
    with pytest.raises(launch.RunError, match="runs on host 'elsewhere'"):
        launch.cancel(home, "a")


def test_a_run_with_a_damaged_status_can_be_queued_again(home, queued):
    run = queued("a")
    (run.path / "status.json").write_text("{")
    launch.requeue(home, "a")
    assert (run.status().state, run.status().epochs) == ("queued", 40)


def test_endings_are_told_in_words():
    assert "vanished" in ending_in_words(None)
    assert "SIGSEGV" in ending_in_words(-11)
    assert "signal 99" in ending_in_words(-99)
    assert "exit code 2" in ending_in_words(2)


def test_a_worker_whose_folder_is_damaged_meanwhile_works_on(home, queued, supervisor, monkeypatch):
    run = queued("a", "work")
    one = supervisor()
    stepping(one, lambda: state_of(run) == "running")
    monkeypatch.setattr("core.runs.roster.LINGER", 0.0)
    (run.path / "result.json").write_text("{")
    for _ in range(3):
        one.step()
    assert launch.list_runs(home)[0].damaged
    assert lives(run.status().pid)
    (run.path / "result.json").unlink()
    os.kill(run.status().pid, signal.SIGSTOP)  # else its heartbeat may overwrite what follows
    run.update_status(state="done")  # said, but it does not leave
    pid = run.status().pid
    stepping(one, lambda: not lives(pid))
