"""Sweeping: what a killed writer left goes, what somebody may still write stays."""

import os

from core.runs.launch import submit
from core.runs.lock import claimed
from core.runs.sweep import leftovers, sweep
from tests.core.runs.support import recipe


def written(path, age=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    past = path.stat().st_mtime - age
    os.utime(path, (past, past))
    return path


def test_old_temporary_files_and_folders_go_and_young_ones_stay(home):
    run = submit(home, recipe(), "a")
    old = written(run.checkpoints / ".last.pt.x.part", age=200.0)
    young = written(run.path / ".result.json.y.part")
    inside = written(home.datasets / ".mine.z.part" / "interactions.parquet", age=200.0)
    os.utime(inside.parent, (0, 0))
    deleted = home.runs / ".b.0.deleted"
    deleted.mkdir()
    os.utime(deleted, (0, 0))
    kept = written(run.path / "notes.part", age=200.0)
    assert set(sweep(home, older_than=100.0)) == {old, inside.parent, deleted}
    assert list(leftovers(home.root)) == [young]
    assert kept.exists()


def test_a_folder_that_is_still_written_into_stays(home):
    inside = written(home.datasets / ".mine.z.part" / "interactions.parquet")
    os.utime(inside.parent, (0, 0))
    assert sweep(home, older_than=100.0) == []
    assert inside.exists()


def test_a_worker_removes_what_earlier_ones_left_but_nothing_of_the_page_or_the_supervisor(home):
    run = submit(home, recipe(), "a")
    half = written(run.checkpoints / ".last.pt.x.part")
    others = {written(run.path / ".status.json.x.part"), written(run.path / ".notes.json.x.part")}
    with claimed(run):
        assert not half.exists()
        assert set(leftovers(run.path)) == others
    assert run.status().state == "queued"
