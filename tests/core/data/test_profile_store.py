"""Profiles on disk: counted once per content, counted again when damaged or old, and never twice at once."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import cli
from core.data import profile as counting
from core.data import profile_store as store
from core.data.dataset import open_dataset, write_dataset
from core.data.planted import write_demo
from core.data.profile import profile
from core.errors import DataError
from core.locks import locked

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def dataset(home):
    write_demo(home, num_users=100, num_items=90)
    return open_dataset(home, "demo")


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """Names of the data sets that were counted, in order."""
    names: list[str] = []
    compute = counting.compute

    def counting_compute(dataset, progress=lambda share, step: None):
        names.append(dataset.info.name)
        return compute(dataset, progress)

    monkeypatch.setattr(counting, "compute", counting_compute)
    return names


def folder(home, dataset) -> Path:
    return store.profile_folder(home, dataset.info.content_hash)


def test_what_is_stored_is_the_profile(home, dataset, counted) -> None:
    assert store.stored_profile(home, dataset.info) is None
    told = store.fill(home, dataset)
    profiled = told.pop("profiled")
    assert told == json.loads(json.dumps(profile(dataset)))
    assert profiled["seconds"] >= 0
    assert store.fill(home, dataset) == {**told, "profiled": profiled}
    assert counted == ["demo", "demo"]  # once by `fill`, once by `profile`
    assert sorted(path.name for path in folder(home, dataset).iterdir()) == [
        "lock",
        "profile.json",
        "users.parquet",
    ]


def test_users_are_stored_row_by_row(home, dataset) -> None:
    assert store.stored_users(home, dataset.info) is None
    store.fill(home, dataset)
    pd.testing.assert_frame_equal(
        store.stored_users(home, dataset.info), counting.compute(dataset).users, check_exact=True
    )


def test_two_names_of_one_content_share_the_counting_but_not_the_notes(home, content, counted) -> None:
    rows = [(0, 1, "view", "train"), (0, 1, "buy", "train"), (2, 3, "buy", "test")]
    for name in ("one", "two"):
        write_dataset(home, name, content(rows))
    told = [store.fill(home, open_dataset(home, name)) for name in ("one", "two")]
    assert [t["name"] for t in told] == ["one", "two"]
    assert counted == ["one"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: (f / "profile.json").write_text("{"),
        lambda f: (f / "profile.json").write_text("[]"),
        lambda f: (f / "profile.json").write_bytes((f / "profile.json").read_bytes()[:-30]),
        lambda f: (f / "profile.json").write_text((f / "profile.json").read_text().replace("1", "2", 1)),
        lambda f: (f / "profile.json").write_text(
            (f / "profile.json").read_text().replace('"pairs": ', '"pairs": 9', 1)
        ),
        lambda f: (f / "profile.json").unlink(),
        lambda f: (f / "users.parquet").unlink(),
        lambda f: (f / "users.parquet").write_bytes((f / "users.parquet").read_bytes()[:100]),
    ],
)
def test_a_damaged_file_is_counted_again(damage, home, dataset, counted) -> None:
    whole = store.fill(home, dataset)
    damage(folder(home, dataset))
    assert store.stored_profile(home, dataset.info) is None
    again = store.fill(home, dataset)
    del whole["profiled"], again["profiled"]
    assert again == whole
    assert len(counted) == 2


def test_a_users_table_that_is_damaged_inside_takes_the_profile_with_it(home, dataset) -> None:
    store.fill(home, dataset)
    path = folder(home, dataset) / "users.parquet"
    content = bytearray(path.read_bytes())
    content[4:400] = b"\x00" * 396
    path.write_bytes(bytes(content))
    assert store.stored_users(home, dataset.info) is None
    assert store.standing(home, dataset.info).state == "absent"
    store.fill(home, dataset)
    assert len(store.stored_users(home, dataset.info)) == 100


def test_another_version_is_counted_again(home, dataset, counted, monkeypatch) -> None:
    store.fill(home, dataset)
    monkeypatch.setattr(store, "VERSION", store.VERSION + 1)
    assert store.stored_profile(home, dataset.info) is None
    store.fill(home, dataset)
    assert store.stored_profile(home, dataset.info) is not None
    assert len(counted) == 2


def test_two_processes_at_once_count_once(home, dataset) -> None:
    command = [sys.executable, "-m", "core", "profile", "demo", "--json", "--home", str(home.root)]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [child.communicate(timeout=120) for child in both]
    assert [child.returncode for child in both] == [0, 0], told
    first, second = (json.loads(out) for out, _ in told)
    assert first == second
    assert store.stored_profile(home, dataset.info) == first


def test_who_waits_for_another_process_takes_its_result(home, dataset, counted, monkeypatch) -> None:
    with locked(folder(home, dataset) / "lock") as mine:
        assert mine
        assert store.standing(home, dataset.info).state == "running"
        monkeypatch.setattr(store, "WAIT", 0.05)
        with pytest.raises(DataError, match="another process"):
            store.fill(home, dataset)
    assert counted == []


def test_a_start_counts_in_a_process_of_its_own(home, dataset, counted) -> None:
    store.start(home, dataset.info)
    assert store.standing(home, dataset.info).state in ("running", "stored")
    deadline = time.monotonic() + 60
    while store.standing(home, dataset.info).state == "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert store.standing(home, dataset.info) == store.Standing("stored")
    assert (folder(home, dataset) / "log.txt").read_text() == ""
    assert counted == []


def test_progress_is_told_while_it_counts(home, dataset, monkeypatch) -> None:
    seen = []
    compute = counting.compute

    def watched(dataset, progress):
        def watch(share, step):
            progress(share, step)
            seen.append(store.standing(home, dataset.info))

        return compute(dataset, watch)

    monkeypatch.setattr(counting, "compute", watched)
    store.fill(home, dataset)
    assert {now.state for now in seen} == {"running"}
    shares = [now.share for now in seen]
    assert shares == sorted(shares)
    assert len(set(shares)) > 4
    assert "reading the interactions" in [now.said for now in seen]


def test_a_failure_is_remembered_with_its_reason_until_it_succeeds(home, dataset) -> None:
    path = dataset.folder / "interactions.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(DataError, match=r"interactions.parquet"):
        store.fill(home, dataset)
    now = store.standing(home, dataset.info)
    assert now.state == "failed"
    assert "import the data set again" in now.said
    path.write_bytes(whole)
    store.fill(home, dataset)
    assert store.standing(home, dataset.info) == store.Standing("stored")


def test_a_process_that_vanished_is_a_failure_with_the_end_of_its_log(home, dataset, monkeypatch) -> None:
    monkeypatch.setattr(store, "start_detached", lambda command, log: log.write_text("Trace\nKilled: 9\n"))
    store.start(home, dataset.info)
    assert store.standing(home, dataset.info) == store.Standing("running", 0.0, "starting")
    monkeypatch.setattr(store, "START_WITHIN", 0.0)
    now = store.standing(home, dataset.info)
    assert now.state == "failed"
    assert "its process ended without a result: Killed: 9; try again" in now.said


def test_a_failure_of_an_earlier_version_does_not_count(home, dataset, monkeypatch) -> None:
    store._write_status(folder(home, dataset), state="failed", message="long ago")
    assert store.standing(home, dataset.info).state == "failed"
    monkeypatch.setattr(store, "VERSION", store.VERSION + 1)
    assert store.standing(home, dataset.info).state == "absent"


def test_a_data_set_without_interactions_has_a_profile_and_no_users(home, content, monkeypatch) -> None:
    made = content([(0, 1, "buy", "train")], behaviors=("buy",))
    bare = made.__class__(
        provenance=made.provenance.__class__(("multimodal",), "by hand", "test", 1, "none"),
        behaviors=(),
        interactions=made.interactions,
        users=made.users,
        items=made.items,
        features={"text": np.ones((7, 3), np.float32)},
    )
    write_dataset(home, "features", bare)
    dataset = open_dataset(home, "features")
    assert store.fill(home, dataset)["modalities"] == {"text": [7, 3]}
    assert store.stored_users(home, dataset.info) is None
    assert store.standing(home, dataset.info).state == "stored"


def test_demo_data_and_profile_fill_the_cache(home, capsys) -> None:
    made = ["demo-data", "--users", "90", "--items", "80", "--home", str(home.root)]
    assert cli.main(made) == 0
    info = open_dataset(home, "demo").info
    assert store.standing(home, info) == store.Standing("stored")
    (store.profile_folder(home, info.content_hash) / "profile.json").unlink()
    capsys.readouterr()
    assert cli.main(["profile", "demo", "--quiet", "--home", str(home.root)]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["profile", "demo", "--home", str(home.root)]) == 0
    assert json.loads(capsys.readouterr().out) == store.stored_profile(home, info)


def test_where_nothing_can_be_kept_the_profile_is_printed_all_the_same(home, dataset, capsys) -> None:
    home.cache.mkdir(parents=True, exist_ok=True)
    (home.cache / "profiles").write_text("in the way")
    assert cli.main(["profile", "demo", "--home", str(home.root)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["users"] == 100
    assert "not kept" in err


@pytest.mark.real_data
def test_taobao_is_counted_as_its_readme_says(home, real) -> None:
    from core.data.importers.registry import import_dataset

    import_dataset(home, "behavior-text", real("taobao"), "taobao")
    told = store.fill(home, open_dataset(home, "taobao"))
    assert told["test"]["seen_under"] == {"view": 12_650, "cart": 3_381}
    assert told["test"]["pairs_absent_from_train_target"] == 222
    assert told["test"]["items_absent_from_train_target"] == 145
