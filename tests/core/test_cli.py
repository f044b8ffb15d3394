"""The command line: names, exit codes, the first and last line that scripts read."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import cli
from core.home import Home
from core.runs.folder import list_run_folders, open_run

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--set", "users_per_epoch=64", "--epochs", "2", "--set", "validate_every=1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    assert cli.main(["demo-data", "--home", str(folder), "--users", "200", "--items", "150"]) == 0
    return Home(folder)


def run(home: Home, *arguments: str) -> int:
    return cli.main([*arguments, "--home", str(home.root)])


def test_train_prints_the_run_id_first_and_metrics_last(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(home, "train", "cigf", "demo", "--run-id", "first", "--seed", "3", *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "first"
    told = json.loads(lines[-1])
    assert told["run"] == "first"
    assert 0 <= told["ndcg@10"] <= told["hr@10"] <= 1
    recipe = open_run(home, "first").recipe()
    assert (recipe.preset, recipe.seed, recipe.config["epochs"]) == ("small", 3, 2)


def test_an_existing_run_id_is_refused_and_untouched(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, "train", "popularity", "demo", "--run-id", "taken")
    before = (home.run("taken") / "status.json").read_bytes()
    capsys.readouterr()
    assert run(home, "train", "popularity", "demo", "--run-id", "taken") == 1
    assert "exists already" in capsys.readouterr().err
    assert (home.run("taken") / "status.json").read_bytes() == before


def test_evaluate_adds_a_protocol_to_a_finished_run(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, "train", "seen_before", "demo", "--run-id", "counted")
    capsys.readouterr()
    assert run(home, "evaluate", "counted", "--protocol", "full:mask_valid=false") == 0
    assert json.loads(capsys.readouterr().out)["protocol"]["mask_valid"] is False
    result = open_run(home, "counted").result()
    assert result is not None
    assert sorted(result["protocols"]) == ["full", "full:mask_valid=false"]


def test_lists_are_readable_as_json(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, "train", "popularity", "demo", "--run-id", "listed")
    capsys.readouterr()
    assert run(home, "systems", "--json") == 0
    assert {"key", "title", "paper", "presets", "variants"} <= set(json.loads(capsys.readouterr().out)[0])
    assert run(home, "runs", "--json") == 0
    assert "listed" in [row["run_id"] for row in json.loads(capsys.readouterr().out)]
    assert run(home, "show", "listed", "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"]["state"] == "done"
    assert run(home, "profile", "demo") == 0
    assert json.loads(capsys.readouterr().out)["users"] == 200
    assert run(home, "datasets", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "demo"
    assert run(home, "reindex") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "cigf"], "expected a system and a data set"),
        (["train", "cgif", "demo"], "unknown system 'cgif'"),
        (["train", "cigf", "nowhere"], "nowhere"),
        (["train", "cigf", "demo", "--preset", "huge"], "no preset 'huge'"),
        (["train", "cigf", "demo", "--variant", "without_everything"], "no variant"),
        (["train", "cigf", "demo", "--set", "depth=3"], "depth"),
        (["train", "cigf", "demo", "--epochs", "0"], "epochs"),
        (["train", "cigf", "demo", "--protocol", "sampled"], "unknown protocol"),
        (
            ["train", "cigf", "demo", "--fit-on", "train+valid", "--selection", "valid"],
            "leaves no validation data",
        ),
        (["train", "cigf", "demo", "--device", "tpu"], "device"),
        (["train", "cigf", "demo", "--run-id", "../../x"], "not allowed"),
        (["train", "cigf", "demo", "--seed", "-1"], "seed"),
        (["train", "cigf", "../demo"], "not allowed"),
        (["profile", "nowhere"], "nowhere"),
        (["show", "nothing"], "there is no run"),
        (["cancel", "nothing"], "there is no run"),
        (["train", "--resume", "nothing"], "there is no run"),
        (["import", "behavior-text", "nowhere", "--name", "x"], "nowhere"),
        (["bench", "speed"], "unknown benchmark"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason_and_leave_nothing(
    home: Home, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    before = [folder.run_id for folder in list_run_folders(home)]
    assert run(home, *arguments) in (1, 2)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert said in error
    assert [folder.run_id for folder in list_run_folders(home)] == before


@pytest.mark.parametrize(
    "spelled",
    [
        ["cigf", "demo", "--set", "num_layers=1", "dim=3"],
        ["--set", "num_layers=1", "--set", "dim=3", "cigf", "demo"],
        ["cigf", "--set=num_layers=1", "--set=dim=3", "demo"],
        ["--set=num_layers=1", "cigf", "demo", "--set=dim=3"],
        ["--set", "num_layers=1", "dim=3", "cigf", "--device", "cpu", "demo"],
        ["--protocol", "full", "cigf", "demo", "--set", "num_layers=1", "dim=3"],
    ],
    ids=[
        "after one",
        "before the names",
        "between the names",
        "around the names",
        "among the names",
        "behind",
    ],
)
def test_settings_may_follow_one_set_or_several(home: Home, spelled: list[str]) -> None:
    name = f"spelled-{spelled[0].strip('-').partition('=')[0]}-{len(spelled)}"
    assert run(home, "train", *spelled, "--run-id", name, *QUICK) == 0
    config = open_run(home, name).recipe().config
    assert (config["num_layers"], config["dim"], config["epochs"]) == (1, 3, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "cigf", "demo", "again"], "unrecognized arguments: again"),
        (
            ["train", "cigf", "demo", "--set", "num_layers"],
            "unrecognized arguments: num_layers; --set takes key=value",
        ),
        (["train", "cigf", "--sed", "1", "demo"], "unrecognized arguments: --sed 1"),
        (["show", "a", "b"], "unrecognized arguments: b"),
        (["bench", "sparse", "demo"], "unrecognized arguments: demo"),
    ],
)
def test_what_no_command_takes_is_named(home, capsys, arguments: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(home, *arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_run_may_be_called_like_its_data(home: Home) -> None:
    assert run(home, "train", "--run-id", "demo", "cigf", "demo", *QUICK) == 0
    assert open_run(home, "demo").recipe().system == "cigf"


def test_resume_takes_nothing_else(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "train", "--resume", "first", "--epochs", "50") == 2
    assert "takes nothing else" in capsys.readouterr().err


def test_an_interrupt_while_starting_leaves_a_cancelled_run(home: Home) -> None:
    command = [
        sys.executable,
        "-m",
        "core",
        "train",
        "cigf",
        "demo",
        "--run-id",
        "early",
        "--home",
        str(home.root),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "early"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert open_run(home, "early").status().state == "cancelled"


@pytest.mark.parametrize("name", ["sparse", "cigf", "evaluate"])
def test_a_benchmark_ends_in_json_with_ratio_and_both_times(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("core.bench.sparse.NODES", 101)
    monkeypatch.setattr("core.bench.sparse.EDGES", 1009)
    assert run(home, "bench", name, "--dataset", "demo") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["ratio"] == pytest.approx(told["reference_seconds"] / told["seconds"])


def test_threads_wait_without_spinning(home: Home) -> None:
    script = "import os, runpy, sys; sys.argv = ['core', 'datasets']; runpy.run_module('core', run_name='x'); print(os.environ['OMP_WAIT_POLICY'])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "PASSIVE"


def test_resume_refuses_a_finished_run(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, "train", "popularity", "demo", "--run-id", "finished")
    capsys.readouterr()
    assert run(home, "train", "--resume", "finished") == 2
    assert "done already" in capsys.readouterr().err


def test_a_failed_run_exits_with_1_and_says_why(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    diverging = ["--set", "learning_rate=10", "--set", "score_scale=1e38", "--set", "l2=0"]
    assert run(home, "train", "cigf", "demo", "--run-id", "diverged", *QUICK, *diverging) == 1
    assert "diverged" in capsys.readouterr().err
    status = open_run(home, "diverged").status()
    assert status.state == "failed"
    assert status.error is not None
    assert "lower" in status.error.message


def test_the_module_runs_as_a_program(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "datasets", "--home", str(home.root)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("demo")
