"""Imports from the browser: what is staged, who works on it, what is left of it, and which names are harmless."""

import io
import os
import signal
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.data import import_jobs
from core.data.import_folder import _TOKEN, ImportRequest, ImportStatus, open_job
from core.data.import_jobs import safe_file_name
from core.errors import ConfigError, DataError, RelScopeError
from core.home import Home

REQUEST = ImportRequest(act="check", layout="table", name="tiny", columns={"user": "u", "item": "i"})
WRITES = """
import signal, sys, time
from core.data.import_folder import ImportStatus, open_job
from core.home import Home
from pathlib import Path
import os
job = open_job(Home(Path(sys.argv[1])), sys.argv[2])
job.write_status(ImportStatus(state="running", fraction=0.5, sentence="Reading", pid=os.getpid()))
"""
SLEEPS = WRITES + "time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS
ENDS = WRITES + "job.write_status(ImportStatus(state='done', fraction=1.0))"


def staged(home: Home, *files: tuple[str, bytes]) -> str:
    return import_jobs.stage(home, [(name, io.BytesIO(content)) for name, content in files])


def packed(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def test_an_archive_of_several_files_is_laid_out_and_one_of_a_table_is_left(home):
    several = packed({"x/view.txt": b"0 1\n", "x/train.txt": b"0 2\n", "x/shop.zip": b"PK", "x/.git/a": b"b"})
    job = open_job(home, staged(home, ("shop.zip", several)))
    assert sorted(path.name for path in job.files.iterdir()) == ["shop.zip", "train.txt", "view.txt"]
    assert (job.origin().folder, job.source()) == ("shop.zip", job.files)
    assert (job.files / "shop.zip").read_bytes() == b"PK"
    assert sorted(path.name for path in job.folder.iterdir()) == ["files", "source.json"]
    alone = open_job(home, staged(home, ("shop.zip", packed({"events.csv": b"u,i\n"}))))
    assert (alone.origin().folder, alone.source().name) == ("", "shop.zip")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.csv": b"", "../../b.csv": b""}, "^shop.zip: the member '../../b.csv' points outside"),
        ({"a/x.csv": b"", "b/x.csv": b""}, "^shop.zip: holds two files called 'x.csv'"),
    ],
)
def test_a_bad_archive_is_refused_by_its_name_and_leaves_nothing(home, files, message):
    with pytest.raises(DataError, match=message):
        staged(home, ("shop.zip", packed(files)))
    assert list(home.imports.iterdir()) == []


def started(home: Home, script: str) -> str:
    token = staged(home, ("odd.csv", b"u,i\n1,2\n"))
    import_jobs.start(home, token, REQUEST, [sys.executable, "-c", script, str(home.root), token])
    return token


def wait_for(what, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def left(home: Home) -> list[str]:
    return sorted(path.name for path in home.imports.iterdir()) if home.imports.is_dir() else []


def test_one_file_is_the_source_and_several_are_a_folder(home):
    one = open_job(home, staged(home, ("odd.csv", b"u,i\n")))
    assert one.source().name == "odd.csv"
    assert one.source().read_bytes() == b"u,i\n"
    two = open_job(home, staged(home, ("view.txt", b"1 2\n"), ("train.txt", b"1 2\n")))
    assert two.source().is_dir()
    assert sorted(path.name for path in two.source().iterdir()) == ["train.txt", "view.txt"]
    assert (two.origin().names, two.origin().size) == (("view.txt", "train.txt"), 8)
    assert import_jobs.status(home, two.token) == ImportStatus()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "no file was brought"),
        ([("a/x.csv", b"1"), ("b/X.csv", b"2")], "two of the files are called 'X.csv'"),
        (
            [("x.csv", b"1" * 600), ("y.csv", b"2" * 500)],
            "larger than .*; pack it as .gz, .* give the path of the data",
        ),
    ],
)
def test_what_cannot_be_staged_leaves_nothing(home, monkeypatch, files, said):
    monkeypatch.setattr(import_jobs, "MAX_UPLOAD", 1_000)
    with pytest.raises(DataError, match=said):
        staged(home, *files)
    assert left(home) == []


def test_a_full_disk_is_told_and_leaves_nothing(home):
    class Full(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(DataError, match=r"No space left on device.*; make room"):
        import_jobs.stage(home, [("x.csv", Full())])
    assert left(home) == []


def test_a_path_is_staged_without_copying(home, tmp_path):
    (tmp_path / "events.csv").write_text("u,i\n")
    job = open_job(home, import_jobs.stage_path(home, f" {tmp_path / 'events.csv'} "))
    assert job.source() == tmp_path / "events.csv"
    assert job.origin().size == 4
    assert not job.files.exists()
    import_jobs.discard(home, job.token)
    assert (tmp_path / "events.csv").exists()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("events.csv", "is not absolute"),
        ("", "is not absolute"),
        ("/no/such", "cannot be read"),
        ("/a\0b", "absolute"),
    ],
)
def test_a_bad_path_leaves_nothing(home, path, said):
    with pytest.raises(DataError, match=said):
        import_jobs.stage_path(home, path)
    assert left(home) == []


def test_a_request_comes_back_and_a_damaged_one_counts_as_none(home):
    job = open_job(home, staged(home, ("x.csv", b"1")))
    assert job.request() is None
    job.write_request(REQUEST)
    assert job.request() == REQUEST
    (job.folder / "request.json").write_text('{"name": 3}')
    assert job.request() is None


def test_progress_and_end_of_a_process_are_read_from_its_status(home):
    token = started(home, ENDS)
    assert import_jobs.status(home, token).state in ("running", "done")
    wait_for(lambda: import_jobs.status(home, token).state == "done")
    wait_for(lambda: not open_job(home, token).is_alive)
    assert import_jobs.status(home, token).fraction == 1.0


def test_a_killed_process_is_told_as_vanished(home):
    token = started(home, SLEEPS)
    wait_for(lambda: import_jobs.status(home, token).pid is not None)
    assert import_jobs.status(home, token).state == "running"
    os.kill(import_jobs.status(home, token).pid or 0, signal.SIGKILL)
    wait_for(lambda: import_jobs.status(home, token).state == "vanished")
    assert import_jobs.status(home, token).sentence == "Reading"


def test_a_process_that_never_wrote_is_told_as_vanished_with_its_words(home):
    token = started(home, "print('no luck')")
    wait_for(lambda: import_jobs.status(home, token).state == "vanished")
    assert open_job(home, token).last_log_lines() == ["no luck"]


def test_a_data_set_written_since_the_start_counts_as_stored(home):
    request = REQUEST.model_copy(update={"act": "import"})
    told = ImportStatus(state="vanished", act="import", started=time.time() - 5)
    assert not import_jobs.has_stored(home, request, told)
    home.dataset("tiny").mkdir(parents=True)
    (home.dataset("tiny") / "dataset.json").write_text("{}")
    assert import_jobs.has_stored(home, request, told)
    assert not import_jobs.has_stored(home, REQUEST, told)
    assert not import_jobs.has_stored(home, request, told.model_copy(update={"started": time.time() + 5}))
    assert not import_jobs.has_stored(home, request.model_copy(update={"name": "../x"}), told)


def test_a_second_start_is_refused_while_one_works(home):
    token = started(home, SLEEPS)
    with pytest.raises(DataError, match="works on this import already"):
        import_jobs.start(home, token, REQUEST, ["true"])
    import_jobs.discard(home, token)


@pytest.mark.parametrize("script", [SLEEPS, DEAF])
def test_discard_ends_the_process_and_removes_everything(home, script, monkeypatch):
    monkeypatch.setattr(import_jobs, "STOP_WITHIN", 1.0)
    token = started(home, script)
    wait_for(lambda: import_jobs.status(home, token).pid is not None)
    pid = import_jobs.status(home, token).pid or 0
    import_jobs.discard(home, token)
    assert left(home) == []
    wait_for(lambda: not Path(f"/proc/{pid}").exists())
    import_jobs.discard(home, token)


def test_stop_keeps_what_was_brought(home):
    token = started(home, SLEEPS)
    wait_for(lambda: import_jobs.status(home, token).pid is not None)
    import_jobs.stop(home, token)
    assert import_jobs.status(home, token).state == "staged"
    assert open_job(home, token).source().exists()


def test_purge_removes_what_is_old_and_idle(home):
    old, young, busy = (staged(home, ("x.csv", b"1")) for _ in range(3))
    import_jobs.start(home, busy, REQUEST, [sys.executable, "-c", SLEEPS, str(home.root), busy])
    wait_for(lambda: import_jobs.status(home, busy).pid is not None)
    half, whole = home.datasets / ".tiny.abc.part", home.datasets / "tiny"
    replaced, lost = home.datasets / ".tiny.def.old", home.datasets / ".gone.v2.ghi.old"
    for folder in (half, whole, replaced / "previous", lost / "previous"):
        folder.mkdir(parents=True)
    two_days = time.time() - 2 * import_jobs.A_DAY
    for folder in (home.imports / old, home.imports / busy, half, whole, replaced, lost):
        for path in (*folder.rglob("*"), folder):
            os.utime(path, (two_days, two_days))
    assert import_jobs.purge(home) == [old, ".tiny.abc.part", ".tiny.def.old"]
    assert (home.datasets / "gone.v2").is_dir()
    assert left(home) == sorted([young, busy])
    assert whole.is_dir()
    import_jobs.discard(home, busy)


def test_a_disk_that_takes_nothing_is_told_and_breaks_no_page(home, monkeypatch):
    token = staged(home, ("x.csv", b"1"))
    job = open_job(home, token)

    def refuse(*args, **options):
        raise OSError(30, "Read-only file system")

    for name in (
        "core.data.import_folder.write_json",
        "core.data.import_jobs.write_json",
        "pathlib.Path.rename",
    ):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert import_jobs.purge(home, older_than=-60) == []
    acts = (
        lambda: job.write_draft(REQUEST),
        lambda: import_jobs.start(home, token, REQUEST, ["true"]),
        lambda: import_jobs.stop(home, token),
        lambda: import_jobs.discard(home, token),
        lambda: import_jobs.stage_path(home, "/"),
    )
    for act in acts:
        with pytest.raises(DataError, match="check the disk and its permissions"):
            act()
    assert import_jobs.status(home, token).state == "staged"


def test_a_status_that_is_damaged_is_a_failure_with_a_remedy(home):
    job = open_job(home, staged(home, ("x.csv", b"1")))
    (job.folder / "status.json").write_text("{")
    told = import_jobs.status(home, job.token)
    assert told.state == "failed"
    assert told.error.endswith("start over")


def test_messages_call_uploads_by_their_names(home):
    job = open_job(home, staged(home, ("odd.csv", b"1")))
    assert job.plain(f"{job.files}/odd.csv: row 3: bad; {job.files}: fits nothing") == (
        "odd.csv: row 3: bad; the uploaded files: fits nothing"
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[0-9a-f]{30,34}\n?", fullmatch=True)))
def test_any_token_is_refused_with_a_remedy_unless_it_is_one(home, token):
    for act in (import_jobs.status, import_jobs.stop, open_job):
        with pytest.raises(RelScopeError, match=r"start over|bring the data again"):
            act(home, token)
    if not _TOKEN.fullmatch(token):
        with pytest.raises(ConfigError):
            import_jobs.discard(home, token)
    assert left(home) == []


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=400))
def test_any_file_name_becomes_one_harmless_component(given_name):
    name = safe_file_name(given_name)
    assert name
    assert not set(name) & set("/\\\0\n\r")
    assert name not in (".", "..")
    assert name[0] not in ".-"
    assert len(os.fsencode(name)) <= 255
    assert safe_file_name(name) == name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Daten\\view.txt", "view.txt"),
        ("folder/train_mat_view.npz", "train_mat_view.npz"),
        (".hidden", "hidden"),
        ("Bestellungen März 2024.csv.gz", "Bestellungen_März_2024.csv.gz"),
        ("x" * 300 + ".csv.gz", "x" * 53 + ".csv.gz"),
        ("..", "upload"),
        ("", "upload"),
    ],
)
def test_file_names_keep_what_importers_look_at(given_name, name):
    assert safe_file_name(given_name) == name
