"""The worker of an import: what it tells while it works, what it leaves behind, and what it says of bad data."""

import io
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from core.data import import_jobs, import_work
from core.data.dataset import list_datasets, open_dataset
from core.data.import_folder import ImportJob, ImportRequest, open_job
from core.detached import PROJECT_ROOT
from core.home import Home
from tests.core.data.importers.graph_folders import acm
from tests.core.data.importers.graph_folders import stored as graph_bytes

COLUMNS = {"user": "Besucher", "item": "Artikel-Nr", "behavior": "Ereignis", "time": "Wann"}
HEADER = "Wann;Besucher;Ereignis;Artikel-Nr\n"
ROWS = "".join(
    f"2024-01-{day:02d}T10:00:00;K{user};{event};{user}-{day}\n"
    for user in range(5)
    for day in range(1, 4)
    for event in ("view", "buy")
)


@pytest.fixture(autouse=True)
def _own_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def asked(home: Home, content: str, **changes) -> ImportJob:
    job = open_job(home, import_jobs.stage(home, [("odd.csv", io.BytesIO(content.encode()))]))
    fields = {"act": "import", "layout": "table", "name": "odd", "columns": COLUMNS, "ids": "text"}
    job.write_request(ImportRequest(**(fields | changes)))
    return job


def left(home: Home) -> list[str]:
    return sorted(path.name for path in home.datasets.iterdir()) if home.datasets.is_dir() else []


def test_an_import_stores_profiles_and_lets_go_of_the_upload(home):
    job = asked(home, HEADER + ROWS)
    assert import_work.work(home, job.token) == 0
    told = import_jobs.status(home, job.token)
    assert (told.state, told.fraction, told.error) == ("done", 1.0, "")
    assert told.summary is not None
    assert (told.summary.users, told.summary.items) == (5, 15)
    assert told.summary.pairs == {"view": {"train": 15}, "buy": {"train": 5, "valid": 5, "test": 5}}
    assert not job.files.exists()
    info = open_dataset(home, "odd").info
    assert info.source == "odd.csv (uploaded)"
    assert str(home.imports) not in (home.dataset("odd") / "dataset.json").read_text()
    assert (home.cache / "profiles" / info.content_hash / "profile.json").exists()


def test_an_archive_of_several_files_is_staged_unpacked(home):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in acm().items():
            archive.writestr(f"acm/{name}", graph_bytes(name, content))
    packed.seek(0)
    job = open_job(home, import_jobs.stage(home, [("acm.zip", packed)]))
    assert job.source() == job.files
    assert sorted(path.name for path in job.files.iterdir()) == sorted(acm())
    assert (job.origin().folder, job.origin().names) == ("acm.zip", tuple(acm()))
    job.write_request(ImportRequest(act="import", layout="heco", name="acm"))
    assert import_work.work(home, job.token) == 0
    told = import_jobs.status(home, job.token).summary
    assert told is not None
    assert told.graph is not None
    assert (told.users, told.pairs, told.graph.nodes["paper"]) == (0, {}, 13)
    assert open_dataset(home, "acm").info.source == "acm.zip (uploaded)"


def test_a_check_stores_nothing_and_keeps_the_upload(home):
    job = asked(home, HEADER + ROWS + ROWS, act="check")
    assert import_work.work(home, job.token) == 0
    told = import_jobs.status(home, job.token)
    assert told.summary is not None
    assert any("repeated" in note for note in told.summary.notes)
    assert job.source().exists()
    assert left(home) == []


@pytest.mark.parametrize(
    ("content", "changes", "said", "mendable"),
    [
        (HEADER + ROWS, {"columns": COLUMNS | {"user": "Kunde"}}, "no column 'Kunde'.*correct --map", True),
        (HEADER + ROWS, {"ids": "whole"}, "K0.*--ids text", True),
        (HEADER + ROWS, {"target": "cart"}, "'cart'.*--target", True),
        (HEADER + ROWS + "2024-01-01T10:00:00;;view;1\n", {}, "row 32.*missing", False),
        ("PAR1" + ROWS, {}, "Parquet", False),
    ],
)
def test_bad_data_is_told_and_only_kept_where_the_form_can_help(home, content, changes, said, mendable):
    for act in ("check", "import"):
        job = asked(home, content, act=act, **changes)
        assert import_work.work(home, job.token) == 1
        told = import_jobs.status(home, job.token)
        assert told.state == "failed"
        assert told.error.startswith("odd.csv: ")
        assert re.search(said, told.error), told.error
        assert told.mendable == mendable
        assert job.files.exists() == mendable
        assert left(home) == []


def test_a_request_that_is_missing_is_told(home):
    job = asked(home, HEADER + ROWS)
    (job.folder / "request.json").unlink()
    assert import_work.work(home, job.token) == 1
    assert "start the import over" in import_jobs.status(home, job.token).error


def test_an_error_that_nobody_foresaw_is_told_and_logged(home, monkeypatch, capsys):
    def broken(*args, **options):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(import_work, "import_dataset", broken)
    job = asked(home, HEADER + ROWS)
    assert import_work.work(home, job.token) == 1
    assert "unexpected ZeroDivisionError (by zero)" in import_jobs.status(home, job.token).error
    assert "Traceback" in capsys.readouterr().err


def test_progress_is_written_seldom_and_within_bounds(home, monkeypatch):
    job = asked(home, HEADER + ROWS)
    teller = import_work.Teller(job, import_jobs.status(home, job.token))
    written = []
    monkeypatch.setattr(ImportJob, "write_status", lambda job, told: written.append(told))
    for step in range(1000):
        teller.progress(step / 500, f"reading {job.files}/odd.csv")
    assert 1 <= len(written) <= 3
    assert written[0].sentence == "reading odd.csv"
    assert all(0 <= told.fraction <= 1 for told in written)


def test_a_stopped_import_leaves_no_half_data_set(home, monkeypatch):
    def slow(*args, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("core.data.writing.DatasetWriter.finish", slow)
    job = asked(home, HEADER + ROWS)
    assert import_work.work(home, job.token) == 1
    assert "was stopped" in import_jobs.status(home, job.token).error
    assert left(home) == []
    assert job.files.exists()


@pytest.mark.parametrize(
    "moment", ["core.data.writing.DatasetWriter._take_name", "core.data.import_work.drop_files"]
)
def test_an_import_stopped_after_it_stored_is_done(home, monkeypatch, moment):
    module, _, name = moment.rpartition(".")
    genuine = pkgutil.resolve_name(moment)

    def stopped_after(given) -> None:
        genuine(given)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(f"{module}.{name}", stopped_after)
    job = asked(home, HEADER + ROWS)
    assert import_work.work(home, job.token) == 0
    told = import_jobs.status(home, job.token)
    assert (told.state, told.error) == ("done", "")
    assert told.summary is not None
    assert told.summary.users == 5
    assert left(home) == ["odd"]
    assert not job.files.exists()
    import_jobs.stop(home, job.token)
    assert import_jobs.status(home, job.token) == told


def test_an_import_stopped_before_it_replaced_is_not_done(home, monkeypatch):
    assert import_work.work(home, asked(home, HEADER + ROWS).token) == 0
    first = open_dataset(home, "odd").info

    def stopped(writer, provenance) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("core.data.writing.DatasetWriter.finish", stopped)
    job = asked(home, HEADER + ROWS, replace=True)
    assert import_work.work(home, job.token) == 1
    assert import_jobs.status(home, job.token).state == "failed"
    assert job.files.exists()
    assert open_dataset(home, "odd").info == first


def test_the_command_that_the_page_starts_does_the_work(home):
    job = asked(home, HEADER + ROWS)
    command = [sys.executable, "-m", "core", "import-job", job.token, "--home", str(home.root)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [info.name for info in list_datasets(home)] == ["odd"]
