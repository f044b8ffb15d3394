import os
import subprocess
import sys

import pytest

from core.errors import RunError
from core.runs.folder import create_run
from core.runs.lock import claimed, is_claimed
from core.runs.processes import identity
from core.runs.worker import device_given, running_now
from tests.core.runs.support import ROOT, recipe, starts_of, stepping


def test_a_run_has_one_worker_at_a_time(home, queued):
    run = queued("a")
    assert not is_claimed(run)
    with claimed(run):
        assert is_claimed(run)
        with pytest.raises(RunError, match="another process works on run 'a'"), claimed(run):
            pass
    assert not is_claimed(run)


def test_a_claim_ends_with_its_process(home, queued):
    run = queued("a")
    script = (
        "import sys, time; from pathlib import Path; from core.runs.folder import RunFolder;"
        "from core.runs.lock import claimed; held = claimed(RunFolder(Path(sys.argv[1]))); held.__enter__();"
        "print('held', flush=True); time.sleep(30)"
    )
    command = [sys.executable, "-c", script, str(run.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert is_claimed(run)
        holder.kill()
    assert not is_claimed(run)


def test_a_claimed_run_is_not_started(home, queued, supervisor):
    run = queued("a")
    one = supervisor()
    with claimed(run):
        one.step()
        assert starts_of(run) == []
    stepping(one, lambda: run.status().state == "done")


def test_a_claim_that_beats_outlives_a_clock_that_was_set(home, queued, supervisor):
    run = create_run(home, recipe(), "a", running_now() | {"pid_started": identity().started - 3600})
    one = supervisor()
    with claimed(run):
        one.step()
        assert run.status().state == "running"
    one.step()
    assert run.status().state == "failed"


def test_a_foreground_run_begins_as_running_and_is_not_queued(home, supervisor, monkeypatch):
    monkeypatch.setenv("RELSCOPE_SLOT", "cpu:0")
    monkeypatch.setenv("RELSCOPE_THREADS", "3")
    run = create_run(home, recipe(), "a", running_now())
    status = run.status()
    assert (status.state, status.pid, status.slot, status.threads) == ("running", os.getpid(), "cpu:0", 3)
    one = supervisor()
    one.step()
    assert starts_of(run) == []
    assert run.status().state == "running"


@pytest.mark.parametrize(("slot", "device"), [("cuda:3", "cuda:0"), ("cpu:1", "cpu"), ("", None)])
def test_a_worker_sees_the_gpu_of_its_slot_as_the_first(monkeypatch, slot, device):
    monkeypatch.setenv("RELSCOPE_SLOT", slot)
    assert device_given() == device
