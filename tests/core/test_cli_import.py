"""Importing on the command line: the report, the dry run, and exit codes that scripts rely on."""

from pathlib import Path

import pytest

from core import cli
from core.data.importers.limits import MEGABYTE
from tests.core.data.importers.graph_folders import acm, tables, write_folder

EVENTS = "who,what,how\nanna,x,view\nanna,x,buy\nanna,y,buy\nbert,y,buy\n"
ASKED = ["--map", "user=who,item=what,behavior=how", "--ids", "text"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    return path


def run(tmp_path: Path, *arguments: str) -> int:
    return cli.main(["import", *arguments, "--home", str(tmp_path / "home")])


def test_an_import_prints_what_was_stored(tmp_path, source, capsys):
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "imported shop: 2 users, 2 items; layout table; split: random, seed 0"
    assert [line.split() for line in printed[1:3]] == [
        ["view", "1", "train"],
        ["buy", "2", "train", "1", "test"],
    ]
    assert "  - buy: 1 pairs held out for test (random, seed 0)" in printed


def test_a_dry_run_prints_the_same_and_stores_nothing(tmp_path, source, capsys):
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED, "--dry-run") == 0
    dry = capsys.readouterr().out
    assert not (tmp_path / "home").exists()
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED) == 0
    assert dry.replace("checked, nothing stored:", "imported shop:") == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "shop"], "no column is clearly the user; its columns are: who, what, how"),
        (
            ["--name", "shop", *ASKED[:2]],
            "row 2: user id 'anna' is no whole number; read ids as text with --ids text",
        ),
        (["--name", "shop", "--map", "user=who"], "names no item column"),
        (
            ["--name", "shop", *ASKED, "--target", "share"],
            "no rows of the target behavior 'share'; found: buy, view",
        ),
        (["--name", "../../x", *ASKED], "data set name '../../x' is not allowed"),
        (["--name", "/tmp/x", *ASKED], "data set name '/tmp/x' is not allowed"),
        (["--name", ".hidden", *ASKED], "data set name '.hidden' is not allowed"),
    ],
)
def test_refusals_name_the_remedy_and_leave_nothing(tmp_path, source, capsys, arguments, message):
    assert run(tmp_path, "table", str(source), *arguments) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not (tmp_path / "home").exists()


def test_an_existing_name_needs_replace(tmp_path, source, capsys):
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED) == 0
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED) == 1
    assert "'shop' exists" in capsys.readouterr().err
    assert run(tmp_path, "auto", str(source), "--name", "shop", *ASKED, "--replace") == 0


def test_max_size_bounds_the_source(tmp_path, capsys):
    path = tmp_path / "large.csv"
    path.write_text(EVENTS + "carl,z,buy\n" * (MEGABYTE // 10))
    assert run(tmp_path, "auto", str(path), "--name", "shop", *ASKED, "--max-size", "1") == 1
    assert (
        "large.csv: holds 1 MB, more than the 1 MB allowed; raise the limit with --max-size 2"
        in capsys.readouterr().err
    )
    assert run(tmp_path, "auto", str(path), "--name", "shop", *ASKED, "--max-size", "2") == 0


@pytest.mark.parametrize("size", ["0", "-1", "many", "1.5", "9" * 30])
def test_a_size_is_a_whole_number_of_megabytes(tmp_path, source, capsys, size):
    with pytest.raises(SystemExit) as caught:
        run(tmp_path, "auto", str(source), "--name", "shop", f"--max-size={size}")
    assert caught.value.code == 2
    assert "expected whole megabytes" in capsys.readouterr().err


def test_names_of_runs_cannot_leave_the_home(tmp_path, capsys):
    home = ["--home", str(tmp_path / "home")]
    assert cli.main(["demo-data", "--users", "60", "--items", "50", *home]) == 0
    for run_id in ("../../x", "/tmp/x", "a/b", ".hidden", "a..b"):
        for command in ("train", "submit"):
            assert cli.main([command, "popularity", "demo", "--run-id", run_id, *home]) == 2
            assert f"run id {run_id!r} is not allowed" in capsys.readouterr().err
    assert not (tmp_path / "home" / "runs").exists()
    assert not (tmp_path / "x").exists()


def test_a_graph_is_reported_listed_and_profiled(tmp_path, capsys):
    source = write_folder(tmp_path / "acm", acm())
    assert run(tmp_path, "heco", str(source), "--name", "acm") == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == (
        "imported acm: 23 nodes of 3 types, target type paper; layout heco; split: source's label settings 2"
    )
    assert printed[1].split() == ["nodes", "13", "paper,", "7", "author,", "3", "subject"]
    assert cli.main(["datasets", "--home", str(tmp_path / "home")]) == 0
    assert " ".join(capsys.readouterr().out.split()) == "acm 23 nodes 3 types target type paper"
    assert cli.main(["profile", "acm", "--json", "--home", str(tmp_path / "home")]) == 0
    assert '"edges": {"pa": 16, "ps": 13}' in capsys.readouterr().out


def test_target_type_and_metapaths_are_options(tmp_path, capsys):
    source = write_folder(tmp_path / "library", tables())
    asked = [
        "--name",
        "library",
        "--target-type",
        "paper",
        "--metapaths",
        "PVP=paper,venue,paper",
        "--dry-run",
    ]
    assert run(tmp_path, "hetero", str(source), *asked) == 0
    assert "metapaths  57 PVP" in capsys.readouterr().out
    assert run(tmp_path, "hetero", str(source), "--name", "x", "--metapaths", "P=paper,venue") == 1
    assert "goes from paper to venue, expected from paper back to paper" in capsys.readouterr().err
