import math

import pytest

from core.errors import ConfigError, RunError
from core.runs.folder import (
    MetricWriter,
    create_run,
    delete_run,
    latest_rows,
    list_run_folders,
    new_run_id,
    open_run,
    read_metrics,
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


def test_metrics_survive_a_cut_line_and_are_read_from_a_cursor(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert read_metrics(path) == ([], 0)
    writer = MetricWriter(path)
    writer.write(10, 1, {"loss/total": 0.5, "loss/bpr": math.nan})
    writer.close()
    rows, cursor = read_metrics(path)
    assert [(row.step, row.epoch, row.name) for row in rows] == [(10, 1, "loss/total"), (10, 1, "loss/bpr")]
    assert rows[0].value == 0.5
    assert math.isnan(rows[1].value)
    with path.open("a") as file:
        file.write('{"step": 20, "epo')
    assert read_metrics(path, cursor) == ([], cursor)
    writer = MetricWriter(path)
    writer.write(10, 1, {"loss/total": 0.25})
    writer.close()
    later, _ = read_metrics(path, cursor)
    assert [row.value for row in later] == [0.25]
    assert [row.value for row in latest_rows([*rows, *later]) if row.name == "loss/total"] == [0.25]
