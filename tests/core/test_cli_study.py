"""`study noise` and `--auxiliary-noise` on the command line: what is queued, trained, told, and refused."""

import json
from pathlib import Path

import pytest

from core import cli
from core.home import Home
from core.runs import launch
from core.runs.folder import list_run_folders, open_run

PLAN = ["study", "noise", "demo", "--seeds", "0", "--shares", "0", "0.2"]
QUICK = ["--epochs", "1", "--set", "dim=2", "snapshot_every=0", "batch_size=512"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(launch, "ensure_supervisor", lambda home: None)
    monkeypatch.setenv("RELSCOPE_THREADS", "1")
    assert cli.main(["demo-data", "--home", str(tmp_path), "--users", "200", "--items", "120"]) == 0
    return Home(tmp_path)


def run(home: Home, *arguments: str) -> int:
    return cli.main([*arguments, "--home", str(home.root)])


def test_the_study_is_queued_once(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, *PLAN, *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    told = json.loads(lines[-1])
    ids = {folder.run_id for folder in list_run_folders(home)}
    assert set(lines[1:-1]) | {lines[0]} >= ids
    assert (len(ids), set(told["queued"]), told["runs"]) == (8, ids, {"queued": 8})
    recipes = [open_run(home, run_id).recipe() for run_id in told["queued"]]
    assert {recipe.config["epochs"] for recipe in recipes} == {1}
    assert [recipe.auxiliary_noise for recipe in recipes] == [0.0] * 4 + [0.2] * 4
    capsys.readouterr()
    assert run(home, *PLAN, *QUICK) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["queued"] == []
    assert len(list_run_folders(home)) == 8


def test_the_study_here_trains_tells_and_reuses(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "train", "lightgcn_m", "demo", "--run-id", "before", *QUICK) == 0
    capsys.readouterr()
    assert run(home, *PLAN, *QUICK, "--here") == 0
    out = capsys.readouterr().out.splitlines()
    told = json.loads(out[-1])
    assert told["runs"] == {"done": 8}
    assert len(told["trained"]) == 7
    assert [row["contestant"] for row in told["rows"]] == [
        key for key in ("hgib", "without_gre", "without_comp", "lightgcn_m") for _ in range(2)
    ]
    assert out[0].startswith("[1/8] HGIB, 0 % noise, seed 0: ")
    assert any(line.startswith("HGIB without edge refinement     20 %") for line in out)
    value = open_run(home, "before").result()["protocols"]["full"]["metrics"]["ndcg@10"]
    assert told["rows"][-2]["mean"] == pytest.approx(value, abs=1e-9)
    assert run(home, *PLAN, *QUICK, "--here") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["trained"] == []
    assert run(home, "runs") == 0
    assert capsys.readouterr().out.count("20 % noise") == 4


def test_a_run_with_noise_keeps_its_share(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "submit", "mf", "demo", "--auxiliary-noise", "0.25", "--seed", "3") == 0
    name = capsys.readouterr().out.splitlines()[-1]
    recipe = open_run(home, name).recipe()
    assert (recipe.auxiliary_noise, recipe.seed) == (0.25, 3)
    assert "-n25-s3-" in name
    assert run(home, "train", "--resume", name, "--auxiliary-noise", "0.5") == 2
    assert "takes nothing else" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "noise", "nowhere"], "nowhere"),
        ([*PLAN, "--shares", "0.1", "0.2"], "add 0 to the shares"),
        ([*PLAN, "--shares", "0", "2"], "auxiliary_noise"),
        ([*PLAN, "--seeds", "1", "1"], "given twice"),
        ([*PLAN, "--preset", "huge"], "no preset 'huge'"),
        ([*PLAN, "--set", "depth=3"], "no system of the study has a setting 'depth'"),
        ([*PLAN, "--set", "depth"], "it takes key=value"),
        (["train", "mf", "demo", "--auxiliary-noise", "1.5"], "auxiliary_noise"),
        (["train", "mf", "demo", "--auxiliary-noise", "nan"], "auxiliary_noise"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason_and_leave_nothing(
    home: Home, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(home, *arguments) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert not list_run_folders(home)


def test_a_study_that_does_not_exist_is_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(home, "study", "silence", "demo")
    assert ended.value.code == 2
    assert "silence" in capsys.readouterr().err


def test_a_grid_is_queued_once_per_point(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "study", "grid", "demo", *QUICK) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["study"], told["runs"], told["rows"]) == ("grid", {"queued": 16}, [])
    recipes = [open_run(home, run_id).recipe() for run_id in told["queued"]]
    assert {(r.system, r.config["dim"]) for r in recipes} == {("hgib", 2)}
    assert len({(r.config["alpha"], r.config["beta"]) for r in recipes}) == 16
    assert run(home, "study", "grid", "demo", "--set", "alpha=2") == 2
    assert "do not set it" in capsys.readouterr().err
    assert run(home, "study", "grid", "demo", "--shares", "0", "0.2") == 2
    assert "study grid takes no --shares" in capsys.readouterr().err
    assert run(home, "study", "noise", "demo", "--system", "hgib") == 2
    assert "study noise takes no --system" in capsys.readouterr().err
