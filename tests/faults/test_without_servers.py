"""What the campaign shows with disks and processes, shown here by injected errors: quick, and without root."""

import errno
import os
import random
from pathlib import Path

import pytest

from core.errors import RelScopeError
from core.files import read_json, write_json
from core.home import Home
from core.runs.folder import RunFolder, create_run, list_run_folders
from core.runs.notes import read_notes, write_notes
from core.runs.sweep import leftovers
from tests.dashboard import stored_runs
from tests.faults import damage


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nothing reaches the disk."""

    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("core.files.os.fsync", refuse)


def test_a_good_file_survives_a_full_disk(tmp_path, full, monkeypatch) -> None:
    path = tmp_path / "status.json"
    path.write_text('{"state": "running"}')
    with pytest.raises(OSError, match="No space left"):
        write_json(path, {"state": "done"})
    assert read_json(path) == {"state": "running"}
    assert list(leftovers(tmp_path)) == []


def test_a_run_that_cannot_be_stored_leaves_nothing(home, monkeypatch, request) -> None:
    data = stored_runs.tiny_demo(home)
    request.getfixturevalue("full")
    with pytest.raises(OSError, match="No space left"):
        create_run(home, stored_runs.recipe(data), "a")
    assert list_run_folders(home) == []
    assert list(leftovers(home.root)) == []


def test_notes_survive_a_full_disk(home, request) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    write_notes(run, "before", ["kept"])
    request.getfixturevalue("full")
    with pytest.raises((OSError, RelScopeError), match="No space left"):
        write_notes(run, "after", [], expected=read_notes(run))
    assert read_notes(run).notes == "before"


def test_an_import_that_cannot_be_stored_leaves_nothing(home, request) -> None:
    request.getfixturevalue("full")
    with pytest.raises((OSError, RelScopeError), match="No space left"):
        stored_runs.tiny_demo(home)
    assert not home.dataset("demo").exists()
    assert list(leftovers(home.root)) == []


def test_damaged_files_raise_nothing_but_the_projects_errors(home, monkeypatch) -> None:
    monkeypatch.setenv("RELSCOPE_HOME", str(home.root))
    monkeypatch.setattr("tests.faults.ground.DATA", "demo")
    data = stored_runs.tiny_demo(home)
    runs = [stored_runs.done_run(home, data), stored_runs.done_run(home, data, "other-run")]
    chance, tally = random.Random(11), damage.Tally()
    files = damage.files_of(home)
    for _ in range(30):
        damage.look_at_damage(home, runs, chance.choice(files), chance, tally)
    assert tally.problems == []
    assert tally.damaged == 30
    assert tally.refused > 0
    assert all(RunFolder(run.path).status().state == "done" for run in runs)
