"""Supervisors as processes: killed, doubled, started by many at once."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from core.errors import RunError
from core.runs import launch
from core.runs.devices import Devices
from core.runs.state import supervisor_state
from core.runs.supervise import settle, supervise
from core.runs.workers import TOKEN, Launched, record_path
from tests.core.runs.support import (
    HERE,
    ROOT,
    fake_worker,
    lives,
    slots,
    starts_of,
    state_of,
    stepping,
    until,
)


def test_a_worker_outlives_a_killed_supervisor_and_is_adopted(home, queued, supervisor_process):
    run, waiting = queued("a", "work"), queued("b")
    first = supervisor_process()
    until(lambda: state_of(run) == "running")
    first.kill()
    first.wait()
    pid = run.status().pid
    assert lives(pid)
    assert supervisor_state(home) is None
    supervisor_process()
    state = until(lambda: supervisor_state(home))
    assert state.slots[0].run_id == "a"
    time.sleep(0.5)
    assert lives(pid)
    assert (len(starts_of(run)), len(starts_of(waiting))) == (1, 0)
    launch.cancel(home, "a")
    until(lambda: state_of(run) == "cancelled")
    until(lambda: state_of(waiting) == "done")
    assert len(starts_of(run)) == 1


def test_a_worker_that_died_while_no_supervisor_lived_is_marked_failed(home, queued, supervisor_process):
    run = queued("a", "work")
    first = supervisor_process()
    until(lambda: state_of(run) == "running")
    first.kill()
    first.wait()
    os.kill(run.status().pid, signal.SIGKILL)
    supervisor_process()
    until(lambda: state_of(run) == "failed")
    assert "vanished: killed, out of memory, or a reboot" in run.status().error.message
    assert run.status().error.traceback == "epoch 1: loss 0.5"
    assert len(starts_of(run)) == 1


def test_a_worker_is_found_by_its_token_if_the_supervisor_died_while_starting_it(home, queued, supervisor):
    run = queued("a", "work")
    record = Launched(run_id="a", slot="cpu:0", token="t0ken", host=os.uname().nodename, since=time.time())
    record_path(home, "a").parent.mkdir(parents=True)
    record_path(home, "a").write_text(record.model_dump_json())
    child = subprocess.Popen(
        fake_worker(run), env=os.environ | {TOKEN: "t0ken"}, start_new_session=True, stdout=subprocess.DEVNULL
    )
    one = supervisor()
    stepping(one, lambda: "a" in one.roster.jobs)
    stepping(one, lambda: state_of(run) == "running")
    assert one.roster.jobs["a"].who.pid == child.pid
    assert len(starts_of(run)) == 1
    child.kill()
    child.wait()


def test_a_start_that_never_happened_is_made_up_for(home, queued, supervisor):
    run = queued("a")
    record = Launched(run_id="a", slot="cpu:0", token="t0ken", host=os.uname().nodename, since=time.time())
    record_path(home, "a").parent.mkdir(parents=True)
    record_path(home, "a").write_text(record.model_dump_json())
    (record_path(home, "a").with_name("b.json")).write_text("{")
    stepping(supervisor(), lambda: state_of(run) == "done")
    assert len(starts_of(run)) == 1


def test_a_second_supervisor_refuses_politely(home, supervisor_process):
    first = supervisor_process()
    until(lambda: supervisor_state(home))
    second = supervisor_process()
    assert second.wait(15) == 1
    message = second.stderr.read().decode()
    assert message.startswith("refused: a supervisor already looks after")
    assert "Traceback" not in message
    assert first.poll() is None
    assert supervisor_state(home).pid == first.pid


def test_sigterm_ends_the_supervisor_and_not_its_worker(home, queued, supervisor_process):
    run = queued("a", "work")
    first = supervisor_process()
    until(lambda: state_of(run) == "running")
    first.terminate()
    assert first.wait(15) == 0
    assert lives(run.status().pid)
    assert not (home.supervisor / "state.json").exists()
    assert "the supervisor leaves" in (home.supervisor / "log.txt").read_text()
    assert first.stderr.read() == b""
    launch.cancel(home, "a")  # nobody supervises: this waits for the worker's end
    assert run.status().message == "cancelled at epoch 1"


def test_a_cold_start_by_six_processes_gives_one_supervisor(home):
    script = (
        "import sys; from pathlib import Path; from core.home import Home; from core.runs.launch import *;"
        "home = Home(Path(sys.argv[1]));"
        "ensure_supervisor(home, [sys.executable, sys.argv[2], sys.argv[1]]); print(supervisor_state(home).pid)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, str(home.root), str(HERE / "fake_supervisor.py")]
    starters = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) for _ in range(6)
    ]
    pids = {starter.communicate(timeout=30)[0] for starter in starters}
    assert len(pids) == 1
    pid = int(pids.pop())
    assert (home.supervisor / "log.txt").read_text().count("refused") == 0
    launch.ensure_supervisor(home, ["/bin/false"])  # one lives: nothing is started
    assert supervisor_state(home).pid == pid
    os.kill(pid, signal.SIGTERM)
    until(lambda: not lives(pid))


def test_a_supervisor_that_does_not_come_up_is_reported_with_its_log(home, monkeypatch):
    with pytest.raises(RunError, match=r"ended 3 times while starting.*: sorry\nsorry\nsorry$"):
        launch.ensure_supervisor(home, ["/bin/echo", "sorry"])  # nobody waits out the 30 seconds
    monkeypatch.setattr(launch, "START_WITHIN", 0.3)
    (home.supervisor / "log.txt").unlink()
    with pytest.raises(RunError, match=r"did not start within.*: slow$"):  # a slow one is not started twice
        launch.ensure_supervisor(home, ["/bin/sh", "-c", "echo slow; sleep 3"])


def test_a_supervisor_that_is_killed_before_anybody_saw_it_is_started_again(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    marker = tmp_path / "killed"
    dies_once = f'[ -e "{marker}" ] && exec "$@"; touch "{marker}"; kill -9 $$'
    command = [
        "/bin/sh",
        "-c",
        dies_once,
        "sh",
        sys.executable,
        str(HERE / "fake_supervisor.py"),
        str(home.root),
    ]
    launch.ensure_supervisor(home, command)
    assert marker.exists()
    pid = supervisor_state(home).pid
    os.kill(pid, signal.SIGTERM)
    until(lambda: not lives(pid))


def test_an_idle_supervisor_leaves_and_one_with_work_stays(home, queued):
    run = queued("a")
    supervise(home, 0.05, idle_exit=0.2, command=fake_worker, devices=lambda: Devices(slots()))
    assert run.status().state == "done"
    assert supervisor_state(home) is None


def test_one_round_and_an_event_end_it_too(home):
    supervise(home, once=True, devices=lambda: Devices(slots()))
    stop = threading.Event()
    thread = threading.Thread(
        target=supervise, args=(home, 0.05), kwargs={"stop": stop, "devices": lambda: Devices(slots())}
    )
    thread.start()
    until(lambda: supervisor_state(home))
    settle(home)  # returns at once: a supervisor lives
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_the_state_of_a_dead_or_damaged_supervisor_is_none(home, supervisor):
    assert supervisor_state(home) is None
    one = supervisor()
    one.step()
    state = supervisor_state(home)
    assert state.pid == os.getpid()
    path = home.supervisor / "state.json"
    path.write_text(state.model_copy(update={"pid_started": state.pid_started - 60}).model_dump_json())
    assert supervisor_state(home) is None
    path.write_text("{")
    assert supervisor_state(home) is None
    elsewhere = {"host": "elsewhere", "heartbeat": time.time() - 30}
    path.write_text(state.model_copy(update=elsewhere).model_dump_json())
    assert supervisor_state(home).host == "elsewhere"
    elsewhere["heartbeat"] -= 60
    path.write_text(state.model_copy(update=elsewhere).model_dump_json())
    assert supervisor_state(home) is None


def test_a_run_that_vanished_unsupervised_can_be_queued_again(home, queued, supervisor):
    run = queued("a")
    run.update_status(state="running", pid=os.getpid(), pid_started=1.0, host=os.uname().nodename)
    launch.requeue(home, "a")
    assert (run.status().state, run.status().attempts) == ("queued", 1)


def test_a_supervisor_refuses_while_another_lives_even_without_its_lock(home, supervisor):
    supervisor().step()  # it lives in this process, and holds no lock
    with pytest.raises(RunError, match="a supervisor already looks after"):
        supervise(home, once=True)
