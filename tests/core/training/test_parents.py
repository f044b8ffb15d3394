"""The run that another builds on: what it is, how it is found, and what happens to damaged embeddings."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.errors import RunError
from core.home import Home
from core.recipe import make_recipe, parent_recipe
from core.runs.folder import RunFolder, create_run, delete_run
from core.runs.metrics import read_metrics
from core.runs.standing import taken_here
from core.runs.workers import record_path
from core.training.worker import evaluate_run, work
from tests.core.training.families import (
    EPOCHS,
    PRETRAINING,
    SETTINGS,
    board,
    child,
    items_of,
    losses,
    others,
    same,
    trained,
    wanted,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One per test: what one of them trains, another would find."""
    return board(tmp_path / "home")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    return trained(tmp_path_factory.mktemp("uninterrupted"))


def test_a_missing_parent_is_trained_and_the_child_builds_on_its_items(uninterrupted):
    parent, run = uninterrupted
    assert parent.recipe() == wanted(run)
    assert (parent.recipe().system, parent.recipe().config["epochs"]) == ("mgcn", PRETRAINING)
    for each, epochs in ((parent, PRETRAINING), (run, EPOCHS)):
        status = each.status()
        assert (status.state, status.epoch, status.epochs, status.message) == ("done", epochs, epochs, "")
    assert (run.status().parent, parent.status().parent) == (parent.run_id, None)
    with np.load(run.path / "pretrained.npz") as arrays:
        np.testing.assert_array_equal(arrays["items"], items_of(parent))
        assert str(arrays["run_id"]) == parent.run_id


def test_the_links_of_the_child_are_neighbours_of_the_parents_items(uninterrupted, monkeypatch, tmp_path):
    """Trained again with the parent's embeddings handed over, the child ends alike; with others it does not."""
    parent, run = uninterrupted
    for name, items in (("same", items_of(parent)), ("other", np.eye(14, dtype=np.float32))):
        home = board(tmp_path / name)
        again = child(home)
        np.savez(again.path / "pretrained.npz", items=items, run_id=np.array("by-hand"))
        work(home, again)
        assert again.status().parent == "by-hand"
        assert not others(home, "child")
        assert (losses(again) == losses(run)) == (name == "same")


def test_a_finished_parent_is_used_whatever_its_preset_was_called(home: Home, uninterrupted):
    run = child(home)
    about = wanted(run)
    by_hand = make_recipe(
        about.dataset,
        about.dataset_hash,
        "mgcn",
        preset="paper",
        overrides=about.config,
        protocol="full",
        device="cpu",
    )
    assert (by_hand.preset, by_hand.config) == ("paper", about.config)
    assert about.preset == "small"
    parent = create_run(home, by_hand, "by-hand")
    work(home, parent)
    work(home, run)
    assert not others(home, "child", "by-hand")
    assert run.status().parent == "by-hand"
    same(run, uninterrupted[1])
    work(home, child(home, "sibling", "aligned_first"))
    assert not others(home, "child", "by-hand", "sibling")


@pytest.mark.parametrize("changed", ["seed", "epochs", "system"])
def test_a_run_that_learned_something_else_is_no_parent(home: Home, changed: str):
    run = child(home)
    about = wanted(run)
    overrides = about.config | ({"epochs": PRETRAINING - 1} if changed == "epochs" else {})
    if changed == "system":
        overrides = {"epochs": PRETRAINING, "dim": 4}
    other = make_recipe(
        about.dataset,
        about.dataset_hash,
        "lightgcn" if changed == "system" else "mgcn",
        preset="small",
        overrides=overrides,
        protocol="full",
        seed=7 if changed == "seed" else 0,
        device="cpu",
    )
    work(home, create_run(home, other, "other"))
    work(home, run)
    (parent,) = others(home, "child", "other")
    assert run.status().parent == parent.run_id


def test_a_queued_parent_is_taken_out_of_its_turn(home: Home, monkeypatch):
    monkeypatch.setattr("core.runs.standing.launch.supervisor_state", lambda home: "alive and busy")
    run = child(home)
    create_run(home, wanted(run), "waiting")
    work(home, run)
    assert not others(home, "child", "waiting")
    assert run.status().parent == "waiting"


def test_a_queued_parent_whose_worker_is_on_its_way_is_left_to_it(home: Home, monkeypatch):
    monkeypatch.setattr(
        "core.runs.standing.launch.settle", lambda *about: None
    )  # as beside a living supervisor
    run = child(home)
    create_run(home, wanted(run), "waiting")
    record = record_path(home, "waiting")
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    assert taken_here(home, wanted(run), from_queue=True) is None
    record.unlink()
    taken = taken_here(home, wanted(run), from_queue=True)
    assert taken is not None
    assert taken.run_id == "waiting"


@pytest.mark.parametrize("damage", ["empty", "short", "other", "flag"])
def test_damaged_embeddings_are_told_with_a_remedy_that_works(home: Home, uninterrupted, damage: str):
    run = child(home)
    shutil.copytree(uninterrupted[1].path, run.path, dirs_exist_ok=True)
    parent = create_run(home, wanted(run), uninterrupted[0].run_id)
    shutil.copytree(uninterrupted[0].path, parent.path, dirs_exist_ok=True)
    path = run.path / "pretrained.npz"
    whole = path.read_bytes()
    flag = whole.index(b"PK\x01\x02") + 8  # of the first file in the archive's directory: it is not encrypted
    if damage == "other":
        np.savez(path, something=np.zeros(3))
    else:
        encrypted = whole[:flag] + b"\x01" + whole[flag + 1 :]
        path.write_bytes({"empty": b"", "short": whole[:100], "flag": encrypted}[damage])
    said = r"pretrained\.npz: the pretrained embeddings cannot be read .*; delete the file and resume the run"
    with pytest.raises(RunError, match=said):
        evaluate_run(home, run, run.recipe().protocol)
    with pytest.raises(RunError, match=said):
        work(home, run)
    assert run.status().state == "failed"
    assert "Traceback" in run.status().error.traceback
    path.unlink()
    work(home, run)
    assert not others(home, "child", parent.run_id)
    assert run.status().parent == parent.run_id
    same(run, uninterrupted[1])


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_parent_without_readable_embeddings_is_named(home: Home, uninterrupted, damage: str):
    run = child(home)
    parent = create_run(home, wanted(run), "parent")
    shutil.copytree(uninterrupted[0].path, parent.path, dirs_exist_ok=True)
    path = parent.embeddings / "final.npz"
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        RunError, match=r"final\.npz: .* cannot be read .*; delete run parent, and it is trained again"
    ):
        work(home, run)
    assert not (run.path / "pretrained.npz").exists()
    delete_run(home, "parent")
    work(home, run)
    same(run, uninterrupted[1])


@pytest.mark.parametrize("variant", ["without_ebg", "random_ebg", "raw_feature_ebg"])
def test_variants_that_build_on_nothing_train_no_parent(home: Home, variant: str):
    run = child(home, variant=variant)
    assert parent_recipe(run.recipe()) is None
    work(home, run)
    assert not others(home, "child")
    assert (run.status().state, run.status().parent) == ("done", None)
    assert not (run.path / "pretrained.npz").exists()


@pytest.mark.parametrize(
    ("variant", "system"), [("backbone_freedom", "freedom"), ("backbone_lightgcn", "lightgcn")]
)
def test_other_backbones_pretrain_too(home: Home, variant: str, system: str):
    run = child(home, variant=variant)
    work(home, run)
    (parent,) = others(home, "child")
    assert parent.recipe().system == system
    assert parent.status().epochs == PRETRAINING
    with np.load(run.path / "pretrained.npz") as arrays:
        np.testing.assert_array_equal(arrays["items"], items_of(parent))


def test_the_option_epochs_sets_those_of_the_child_alone(home: Home, capsys):
    settings = SETTINGS | {"epochs": 40, "pretrain_epochs": 2}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command = ["train", "egra", "board", "--preset", "small", "--protocol", "full", "--device", "cpu", *sets]
    assert cli.main([*command, "--epochs", "1", "--run-id", "child", "--home", str(home.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], json.loads(lines[-1])["run"]) == ("child", "child")
    (parent,) = others(home, "child")
    assert RunFolder(home.run("child")).status().epochs == 1
    assert (parent.status().epochs, parent.status().epoch) == (2, 2)


@pytest.mark.parametrize(
    ("selection", "fit_on", "expected"),
    [
        ("valid", "train", "valid"),
        ("last", "train", "last"),
        ("last", "train+valid", "last"),
        ("test_as_published", "train", "valid"),
        ("test_as_published", "train+valid", "last"),
    ],
)
def test_parents_are_asked_for_the_same_but_never_select_on_test(
    home: Home, selection, fit_on, expected: str
):
    run = child(home, selection=selection, fit_on=fit_on, seed=5, preset="paper", protocol="mmrec")
    about, own = wanted(run), run.recipe()
    assert about.selection == expected
    for name in (
        "dataset",
        "dataset_hash",
        "fit_on",
        "seed",
        "device",
        "protocol",
        "auxiliary_noise",
        "preset",
    ):
        assert getattr(about, name) == getattr(own, name)
    assert parent_recipe(about) is None


def test_a_parent_looks_at_no_test_pair_while_it_trains(home: Home):
    run = child(home, selection="test_as_published")
    work(home, run)
    (parent,) = others(home, "child")
    names = [{row.name.split("/")[0] for row in read_metrics(each.metrics)[0]} for each in (parent, run)]
    assert "test" not in names[0]
    assert "valid" in names[0]
    assert "test" in names[1]


def test_a_preset_that_the_parents_system_lacks_falls_back_to_its_paper(monkeypatch, home: Home):
    run = child(home)
    about = run.recipe().model_copy(update={"preset": "unknown-to-mgcn"})
    found = parent_recipe(about)
    assert found is not None
    assert found.preset == "paper"
