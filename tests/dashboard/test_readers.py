"""Cached readers: what is new appears, what is cached is not read twice, and caches stay small."""

import pytest

from core.errors import RunError
from core.home import Home
from core.runs.folder import delete_run
from core.runs.metrics import MetricWriter, read_metrics
from core.runs.requests import write_request
from dashboard import readers
from dashboard.metric_tails import MetricTails
from tests.dashboard import stored_runs


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


def append(path, **values: float) -> None:
    writer = MetricWriter(path)
    writer.write(1, 1, values)
    writer.close()


def test_a_tail_reads_on_from_its_cursor(tmp_path) -> None:
    tails, path = MetricTails(), tmp_path / "metrics.jsonl"
    append(path, a=1.0)
    assert [row.value for row in tails.rows(path)] == [1.0]
    append(path, b=2.0)
    assert [row.name for row in tails.rows(path)] == ["a", "b"]


def test_the_epoch_of_a_running_run_is_that_of_its_newest_row(home) -> None:
    data = stored_runs.tiny_demo(home)
    run = stored_runs.running_run(home, data)
    assert readers.epoch_now(run, 1, started=stored_runs.NOW) == 3
    after = max(row.time for row in read_metrics(run.metrics)[0]) + 1
    assert readers.epoch_now(run, 1, started=after) == 1


def test_runs_that_were_told_to_stop_are_known_before_anyone_reacts(home) -> None:
    assert readers.cancelling(home) == set()
    write_request(home, "cancel", "some-run")
    write_request(home, "requeue", "other-run")
    assert readers.cancelling(home) == {"some-run"}


def test_a_row_written_again_after_a_resume_counts_once(tmp_path) -> None:
    tails, path = MetricTails(), tmp_path / "metrics.jsonl"
    append(path, a=1.0)
    tails.rows(path)
    append(path, a=5.0)
    assert [row.value for row in tails.rows(path)] == [5.0]


def test_a_file_that_shrank_is_read_anew(tmp_path) -> None:
    tails, path = MetricTails(), tmp_path / "metrics.jsonl"
    append(path, a=1.0, b=2.0)
    tails.rows(path)
    path.unlink()
    append(path, c=3.0)
    assert [row.name for row in tails.rows(path)] == ["c"]


def test_only_so_many_tails_are_kept(tmp_path) -> None:
    tails = MetricTails(limit=3)
    for number in range(7):
        append(tmp_path / f"{number}.jsonl", a=float(number))
        tails.rows(tmp_path / f"{number}.jsonl")
    assert len(tails._tails) == 3


def test_a_finding_is_read_again_only_when_its_file_changed(home) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    first = readers.finding(run, "relation_attention")
    assert readers.finding(run, "relation_attention") is first
    stored_runs.save_finding(run.findings, stored_runs.attention_finding(211, 131, ["2"], seed=9))
    assert readers.finding(run, "relation_attention") is not first


def test_damaged_files_are_run_errors(home) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    (run.path / "per_user.parquet").write_bytes(b"no parquet")
    (run.path / "recommendations.npz").write_bytes(b"no zip")
    with pytest.raises(RunError, match="repeat the run"):
        readers.per_user(run)
    with pytest.raises(RunError, match="repeat the run"):
        readers.recommendations(run)


def test_a_new_run_is_listed_at_once_and_a_deleted_one_is_gone(home) -> None:
    data = stored_runs.tiny_demo(home)
    assert readers.runs(home) == []
    stored_runs.failed_run(home, data, "one")
    assert [run.run_id for run in readers.runs(home)] == ["one"]
    delete_run(home, "one")
    assert readers.runs(home) == []


def test_items_without_titles_are_numbered(home) -> None:
    stored_runs.tiny_demo(home)
    data = readers.dataset(home, "demo")
    assert len(readers.titles(data)) == data.info.num_items
    items = data.items().drop(columns="title")
    items.to_parquet(data.folder / "items.parquet")
    assert readers.titles(data)[5] == "item 5"


def test_one_metric_per_user_of_one_protocol(home) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    everything = readers.per_user(run)
    only = readers.user_metric(run, "sampled99", "ndcg@10")
    assert only["user"].tolist() == sorted(everything["user"])
    assert only["value"].tolist() == [0.5] * len(everything)
    assert readers.user_metric(run, "full", "ndcg@10") is None
    unscored = stored_runs.queued_run(home, stored_runs.tiny_demo(home, "other"))
    assert readers.user_metric(unscored, "sampled99", "ndcg@10") is None


def test_damaged_results_per_user_are_refused_when_one_metric_is_read(home) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    (run.path / "per_user.parquet").write_bytes(b"no parquet")
    with pytest.raises(RunError, match="resume or repeat"):
        readers.user_metric(run, "sampled99", "ndcg@10")
