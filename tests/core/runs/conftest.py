import os
import signal
import subprocess
import sys

import psutil
import pytest

from core.home import Home
from core.runs.devices import Devices
from core.runs.launch import submit
from core.runs.processes import identity, signal_group
from core.runs.supervisor import Supervisor
from tests.core.runs.support import HERE, ROOT, fake_worker, recipe, slots


@pytest.fixture
def home(tmp_path):
    """A home; whatever still runs for it when the test ends is killed and reaped."""
    home = Home(tmp_path / "home")
    yield home
    for process in psutil.process_iter():
        try:
            ours = str(tmp_path) in " ".join(process.cmdline()) and process.pid != os.getpid()
        except psutil.Error:
            continue
        if ours:
            signal_group(identity(process.pid), signal.SIGKILL)
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            os.waitpid(child.pid, os.WNOHANG)


@pytest.fixture
def queued(home):
    """queued("a", behave="work") submits run `a`, whose fake worker will behave so."""

    def submitted(run_id, behave="finish", system="lightgcn", device="cpu"):
        run = submit(home, recipe(system, device), run_id)
        (run.path / "behave.txt").write_text(behave)
        return run

    return submitted


@pytest.fixture
def supervisor(home):
    """supervisor(cpus=2) is a Supervisor of fake workers, stepped by the test."""
    made = []

    def of(cpus=1, gpus=0, grace=0.5, starts=True):
        made.append(
            Supervisor(home, fake_worker, lambda: Devices(slots(cpus, gpus)), grace=grace, starts=starts)
        )
        return made[-1]

    yield of
    for one in made:
        for job in list(one.roster.jobs.values()):
            signal_group(job.who, signal.SIGKILL)
            if job.child:
                job.child.wait()


@pytest.fixture
def supervisor_process(home):
    """supervisor_process() starts fake_supervisor.py and waits until it has the lock."""
    started = []

    def start(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, str(HERE / "fake_supervisor.py"), str(home.root), *arguments],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stderr=subprocess.PIPE,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()
