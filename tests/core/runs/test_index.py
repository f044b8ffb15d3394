import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest

from core.catalog.systems import CATALOG
from core.errors import RunError
from core.files import write_json
from core.runs import index
from core.runs.folder import create_run, delete_run
from core.runs.index import list_runs, reindex
from core.runs.metrics import MetricWriter
from core.runs.notes import read_notes, write_notes
from core.runs.requests import pending_requests, write_request
from core.runs.scan import Scanner
from core.runs.summary import summarise
from core.runs.valid_curve import ValidCurve
from core.runs.worker import running_now
from tests.core.runs.support import recipe


@pytest.fixture
def finished(home):
    """A run with everything a summary can say."""
    run = create_run(home, recipe(seed=7, dim=8), "finished")
    run.update_status(**running_now() | {"slot": "cuda:0", "device": "cuda:0 H200"})
    writer = MetricWriter(run.metrics)
    for epoch, value in ((2, 0.11), (4, 0.31), (6, 0.23), (4, 0.17)):  # epoch 4 was repeated after a resume
        writer.write(epoch * 10, epoch, {"loss/total": 1.0, "valid/ndcg@10": value, "valid/hr@10": 0.9})
    writer.close()
    run.checkpoints.mkdir()
    (run.checkpoints / "last.pt").write_text("x")
    metrics = {"hr@10": 0.5, "ndcg@10": 0.25}
    others = {"sampled99": {"metrics": {"hr@1": 0.4}}}
    write_json(
        run.path / "result.json", {"protocols": {"full": {"selection": "valid", "metrics": metrics}} | others}
    )
    write_notes(run, "worth a look", ["good ", "good", "of  interest", ""])
    run.update_status(state="done", finished=time.time(), epoch=6)
    return run


def test_a_summary_holds_what_the_folder_says(finished):
    summary = summarise(finished)
    status = finished.status()
    assert summary.model_dump(
        include={"run_id", "state", "system", "dataset", "preset", "variant", "seed", "protocol", "selection"}
    ) == {
        "run_id": "finished",
        "state": "done",
        "system": "lightgcn",
        "dataset": "demo",
        "preset": "small",
        "variant": "",
        "seed": 7,
        "protocol": "full",
        "selection": "valid",
    }
    assert (summary.epoch, summary.epochs) == (6, 40)
    assert (summary.created, summary.started, summary.finished) == (
        status.created,
        status.started,
        status.finished,
    )
    assert (summary.slot, summary.device, summary.host) == ("cuda:0", "cuda:0 H200", status.host)
    assert (summary.main_metric, summary.main_value) == ("ndcg@10", 0.25)
    assert summary.metrics == {"hr@10": 0.5, "ndcg@10": 0.25}
    assert summary.results["sampled99"] == {"hr@1": 0.4}
    assert (summary.best_valid, summary.best_valid_epoch) == (0.23, 6)
    assert (summary.notes, summary.tags) == ("worth a look", ("good", "of interest"))
    assert summary.is_resumable
    assert summary.changes == {"dim": (32, 8)}
    assert not summary.damaged


def test_a_deleted_index_is_rebuilt_with_every_field(home, finished):
    create_run(home, recipe(), "other")
    assert reindex(home) == 2
    before = list_runs(home)
    for path in home.root.glob("index.sqlite*"):
        path.unlink()
    assert list_runs(home) == before
    assert reindex(home) == 2
    assert list_runs(home) == before
    assert before[1] == summarise(finished)
    assert pending_requests(home) == []


def test_the_list_reads_the_index_and_only_what_changed_from_the_folders(home, finished, monkeypatch):
    other = create_run(home, recipe(), "other")
    reindex(home)
    read = []
    monkeypatch.setattr(index, "summarise", lambda run: read.append(run.run_id) or summarise(run))
    assert [run.run_id for run in list_runs(home)] == ["other", "finished"]
    assert read == []
    write_notes(other, "new", [])
    create_run(home, recipe(), "third")
    delete_run(home, "finished")
    listed = list_runs(home)
    assert [(run.run_id, run.notes) for run in listed] == [("third", ""), ("other", "new")]
    assert read == ["third", "other"]


@pytest.mark.parametrize("damage", ["garbage", "empty", "old schema", "bad summary", "folder"])
def test_a_damaged_index_costs_nothing_but_time(home, finished, damage):
    reindex(home)
    before = list_runs(home)
    if damage in ("old schema", "bad summary"):
        with closing(sqlite3.connect(home.index)) as connection, connection:
            connection.execute(
                "pragma user_version = 99" if damage == "old schema" else "update runs set summary = '{}'"
            )
    else:
        index.remove_index(home)
        if damage == "folder":
            home.index.mkdir()
        else:
            home.index.write_text("not a database at all" * 100 if damage == "garbage" else "")
    assert list_runs(home) == before
    if damage != "folder":
        assert reindex(home) == 1
        assert list_runs(home) == before


def test_the_supervisor_keeps_the_index_and_settles_reindex(home, finished, supervisor):
    one = supervisor()
    one.step()
    assert index._stored_rows(home).keys() == {"finished"}
    create_run(home, recipe(device="cuda"), "other")
    one.step()
    assert index._stored_rows(home).keys() == {"finished", "other"}
    delete_run(home, "finished")
    one.step()
    assert index._stored_rows(home).keys() == {"other"}
    index.remove_index(home)
    one.step()
    assert index._stored_rows(home).keys() == {"other"}
    home.index.write_text("garbage" * 1000)
    write_request(home, "reindex")
    one.step()
    assert index._stored_rows(home).keys() == {"other"}
    assert pending_requests(home) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"protocols": {"full": {}}}', '{"protocols": 3}', "[" * 100_000]
)
def test_a_damaged_result_is_listed_as_a_failure(home, finished, text):
    (finished.path / "result.json").write_text(text)
    (finished.path / "notes.json").write_text(text)
    summary = list_runs(home)[0]
    assert (summary.state, summary.damaged, summary.notes) == ("failed", True, "")
    assert "result.json cannot be read" in summary.error
    assert summary.dataset == "demo"


def test_metrics_that_are_not_finite_are_left_out(finished):
    (finished.path / "result.json").write_text(
        '{"protocols": {"full": {"metrics": {"hr@10": NaN, "ndcg@10": null}}}}'
    )
    summary = summarise(finished)
    assert (summary.metrics, summary.main_value, summary.damaged) == ({}, None, False)


def test_too_many_or_too_long_tags_and_notes_are_refused(finished):
    for notes, tags in (("", ["t" * 41]), ("", [str(n) for n in range(21)]), ("n" * 20_001, [])):
        with pytest.raises(RunError, match=r"shorten|another tag"):
            write_notes(finished, notes, tags)
    assert read_notes(finished).tags == ("good", "of interest")


def test_a_validation_curve_is_read_on_from_where_it_ended(tmp_path):
    path = tmp_path / "metrics.jsonl"
    curve = ValidCurve()
    assert curve.read_on(path, "hr@10").best() == (None, None)
    row = {"step": 1, "epoch": 1, "name": "valid/hr@10", "value": 0.25, "time": 0.0}
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | {"epoch": 2, "value": 0.75})[:-3])
    assert curve.read_on(path, "hr@10").best() == (1, 0.25)
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | {"epoch": 2, "value": 0.75}) + "\n{\n")
    assert curve.read_on(path, "hr@10").best() == (2, 0.75)
    path.write_text(json.dumps(row | {"epoch": 3, "value": None}) + "\n")
    assert curve.read_on(path, "hr@10").best() == (None, None)


def test_a_scanner_forgets_runs_that_are_gone(home, finished):
    scanner = Scanner(home)
    assert scanner.refresh() == ({"finished"}, set())
    assert scanner.refresh() == (set(), set())
    delete_run(home, "finished")
    assert scanner.refresh() == (set(), {"finished"})
    assert scanner.summaries == {}


def test_a_scanner_starts_from_what_the_index_knows(home, finished):
    other = create_run(home, recipe(), "other")
    reindex(home)
    delete_run(home, "finished")
    write_notes(other, "new", [])
    create_run(home, recipe(), "third")
    scanner = index.known_runs(home)
    assert scanner.refresh() == ({"other", "third"}, {"finished"})
    assert scanner.summaries["other"] == summarise(other)


def test_an_index_of_other_presets_is_read_no_more(home, finished, monkeypatch):
    """`changes` compares with the presets: after an upgrade that moves one, stored rows say what is no longer true."""
    reindex(home)
    assert list_runs(home)[0].changes["dim"][0] != 3
    entry = CATALOG[finished.recipe().system]
    moved = replace(entry, presets={name: {**patch, "dim": 3} for name, patch in entry.presets.items()})
    monkeypatch.setitem(CATALOG, entry.key, moved)
    index.index_version.cache_clear()
    try:
        assert list_runs(home)[0].changes["dim"] == (3, 8)
        reindex(home)
        assert list_runs(home)[0].changes["dim"] == (3, 8)
    finally:
        index.index_version.cache_clear()
