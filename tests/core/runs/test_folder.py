import errno
from pathlib import Path

import pytest

from core.errors import ConfigError, RunError
from core.runs.folder import (
    create_run,
    delete_run,
    list_run_folders,
    new_run_id,
    open_run,
)
from tests.core.runs.support import recipe


def test_a_new_run_is_queued_with_its_recipe(home):
    run = create_run(home, recipe(seed=3))
    assert run.recipe() == recipe(seed=3)
    status = run.status()
    assert (status.state, status.epochs, status.attempts) == ("queued", 40, 0)
    assert open_run(home, run.run_id) == run
    assert run.result() is None
    assert run.last_log_lines() == []
    assert new_run_id(recipe()) != new_run_id(recipe())
    noisy = recipe().model_copy(update={"auxiliary_noise": 0.125, "dataset": "d" * 60})
    assert "-n12.5-s0-" in new_run_id(noisy)
    assert len(new_run_id(noisy)) <= 80


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "a..b", "x" * 81])
def test_names_that_are_no_run_ids_are_refused(home, name):
    if name:
        with pytest.raises(ConfigError, match="not allowed"):
            create_run(home, recipe(), name)
    with pytest.raises(ConfigError, match="not allowed"):
        open_run(home, name)


def test_a_run_is_deleted_unless_it_may_still_run(home):
    run = create_run(home, recipe(), "a")
    with pytest.raises(RunError, match="is queued: cancel it"):
        delete_run(home, "a")
    (run.path / "status.json").write_text("{")
    delete_run(home, "a")
    with pytest.raises(RunError, match="there is no run 'a'"):
        open_run(home, "a")
    assert list(home.runs.iterdir()) == []


def test_folders_are_listed_damaged_or_not_and_strangers_are_not(home):
    assert list_run_folders(home) == []
    create_run(home, recipe(), "b")
    (home.runs / "a").mkdir()
    (home.runs / ".b.part").mkdir()
    (home.runs / "no run").mkdir()
    (home.runs / "file").write_text("")
    assert [run.run_id for run in list_run_folders(home)] == ["b", "a"]


def test_a_run_that_the_disk_does_not_let_go_says_what_to_do(home, monkeypatch):
    run = create_run(home, recipe(), "a", {"state": "done"})

    def refuse(self, target):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match=r"Read-only file system.*make .* writable"):
        delete_run(home, "a")
    assert run.status().state == "done"


def test_an_empty_run_id_is_refused(home) -> None:
    with pytest.raises(ConfigError, match="run id '' is not allowed"):
        create_run(home, recipe(), "")
