"""Locks: who holds one, who can hand it on, and who can tell."""

import sys
import time

from core.detached import start_detached
from core.locks import handed_on, is_held, locked


def test_a_lock_is_held_in_its_block_alone(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    with locked(path) as mine:
        assert mine
        assert is_held(path)
        with locked(path) as other:
            assert not other
        with handed_on(path) as handle:
            assert handle is None
    assert not is_held(path)


def test_asking_twice_at_once_finds_nobody(tmp_path):
    path = tmp_path / "lock"
    with locked(path):
        pass
    assert [is_held(path) for _ in range(3)] == [False] * 3


def test_a_process_that_inherits_a_lock_holds_it_until_it_ends(tmp_path):
    path, go = tmp_path / "lock", tmp_path / "go"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)"
    with handed_on(path) as handle:
        assert handle is not None
        start_detached([sys.executable, "-c", wait], tmp_path / "log.txt", handles=[handle])
    assert is_held(path)
    go.touch()
    deadline = time.monotonic() + 20
    while is_held(path) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_held(path)
