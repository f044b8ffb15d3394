import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from core.errors import RunError
from core.runs.processes import Identity, carriers, identity, is_alive, signal_group
from tests.core.runs.support import until

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(30)"]


@pytest.fixture
def sleeper():
    child = subprocess.Popen(SLEEP, start_new_session=True, env=os.environ | {"MARK": "sleeper-7"})
    yield child
    child.kill()
    child.wait()


def test_a_process_is_alive_until_it_ends_and_a_zombie_is_dead(sleeper):
    who = identity(sleeper.pid)
    assert is_alive(who)
    sleeper.kill()
    until(lambda: not is_alive(who))
    assert sleeper.returncode is None  # nobody has waited for it: it is a zombie
    with pytest.raises(RunError, match="no process"):
        identity(2**22 + 5)


@pytest.mark.parametrize(
    "forged",
    [
        lambda who: replace(who, started=who.started - 5),
        lambda who: replace(who, started=who.started + 5),
        lambda who: replace(who, started=0.0),
        lambda who: replace(who, host="elsewhere"),
        lambda who: replace(who, pid=10**30),
        lambda who: replace(who, pid=-who.pid),
        lambda who: replace(who, pid=0),
        lambda who: replace(who, pid=1),
    ],
)
def test_a_forged_or_recycled_pid_is_never_signalled(sleeper, monkeypatch, forged):
    who = forged(identity(sleeper.pid))

    def forbidden(*_):
        raise AssertionError("a signal was sent")

    monkeypatch.setattr(os, "kill", forbidden)
    monkeypatch.setattr(os, "killpg", forbidden)
    assert not is_alive(who) or who.pid == 1
    assert not signal_group(who, signal.SIGKILL)
    monkeypatch.undo()
    assert sleeper.poll() is None


def test_the_caller_and_its_group_are_never_signalled(monkeypatch):
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("a signal was sent"))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a signal was sent"))
    assert not signal_group(identity(), signal.SIGTERM)


def test_a_leader_is_signalled_with_its_group_and_a_member_alone(sleeper):
    member = subprocess.Popen(SLEEP, process_group=None)  # in our group, which must survive
    assert signal_group(identity(member.pid), signal.SIGTERM)
    assert member.wait(10) == -signal.SIGTERM
    script = (
        "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'import time; time.sleep(30)'])"
    )
    leader = subprocess.Popen(
        [sys.executable, "-S", "-c", script], start_new_session=True, env=os.environ | {"MARK": "group-11"}
    )
    group = until(lambda: (found := carriers("MARK", "group-11")) and len(found) == 2 and found)
    assert signal_group(identity(leader.pid), signal.SIGTERM)
    assert leader.wait(10) == -signal.SIGTERM
    until(lambda: not any(map(is_alive, group)))
    assert sleeper.poll() is None


def test_carriers_are_found_by_their_environment(sleeper):
    assert until(lambda: carriers("MARK", "sleeper-7")) == [identity(sleeper.pid)]
    assert carriers("MARK", "sleeper-8") == []


def test_an_identity_names_pid_start_and_host():
    me = identity()
    assert me == Identity(os.getpid(), me.started, os.uname().nodename)
