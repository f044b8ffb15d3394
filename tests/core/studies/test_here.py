"""A study in this process: in order, on after a failure, and on from where it was stopped. Training is faked."""

import threading

import pytest

from core.errors import RunError
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.index import list_runs
from core.studies import here
from core.studies.here import train_missing
from core.studies.noise import in_words
from core.training import console
from core.training.trainer import Stopped
from tests.core.studies.support import recipes, stored


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def trained(monkeypatch) -> list[str]:
    """Seeds, shares and systems in the order in which they were trained."""
    seen: list[str] = []

    def fake(home: Home, run: RunFolder, stopping: threading.Event) -> dict:
        assert run.status().state == "running"
        seen.append(in_words(run.recipe()))
        run.update_status(state="done")
        return {}

    monkeypatch.setattr(console, "train_with_bar", fake)
    return seen


def told(home: Home, plan, stopping=None):
    said: list[str] = []
    return train_missing(home, plan, stopping or threading.Event(), said.append, in_words), said


def test_what_is_missing_is_trained_in_order_and_never_again(home, trained):
    plan = recipes()
    stored(home, plan[1])
    ended, said = told(home, plan)
    assert trained == [in_words(recipe) for place, recipe in enumerate(plan) if place != 1]
    assert len(ended.done) == len(said) == 7
    assert said[0].startswith("[1/8] HGIB, 0 % noise, seed 0: ")
    assert said[0].endswith(ended.done[0])
    again, _ = told(home, plan)
    assert again.done == ()
    assert len(list_runs(home)) == 8


def test_a_failure_is_told_and_the_others_go_on(home, trained, monkeypatch):
    plan, works = recipes(), console.train_with_bar

    def fails(home: Home, run: RunFolder, stopping: threading.Event) -> dict:
        recipe = run.recipe()
        if recipe.variant == "without_gre" and not recipe.auxiliary_noise:
            run.update_status(state="failed")
            raise RunError("training diverged")
        if recipe.variant == "without_comp" and not recipe.auxiliary_noise:
            run.update_status(state="failed")
            raise ValueError("odd")
        return works(home, run, stopping)

    monkeypatch.setattr(console, "train_with_bar", fails)
    ended, said = told(home, plan)
    assert len(ended.done) == 6
    assert sorted(ended.failed.values()) == ["ValueError: odd", "training diverged"]
    assert "failed: training diverged" in said
    monkeypatch.setattr(console, "train_with_bar", works)
    again, _ = told(home, plan)
    assert again.done == tuple(ended.failed)
    assert len(list_runs(home)) == 8


def test_a_stop_ends_it_and_the_same_call_goes_on(home, trained, monkeypatch):
    plan, works, stopping = recipes(), console.train_with_bar, threading.Event()

    def stops(home: Home, run: RunFolder, stopping: threading.Event) -> dict:
        if len(trained) == 2:
            run.update_status(state="cancelled")
            stopping.set()
            raise Stopped("stopped after epoch 1")
        return works(home, run, stopping)

    monkeypatch.setattr(console, "train_with_bar", stops)
    ended, _ = told(home, plan, stopping)
    assert ended.stopped
    assert len(ended.done) == 2
    assert told(home, plan, stopping)[0].stopped
    monkeypatch.setattr(console, "train_with_bar", works)
    again, _ = told(home, plan)
    assert len(again.done) == 6
    assert trained == [in_words(recipe) for recipe in plan]
    assert len(list_runs(home)) == 8


def test_a_full_disk_ends_it(home, monkeypatch):
    def refuses(home: Home, run: RunFolder, stopping: threading.Event) -> dict:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(console, "train_with_bar", refuses)
    with pytest.raises(OSError, match="No space"):
        told(home, recipes())
    assert len(list_runs(home)) == 1


def test_a_run_that_is_held_by_somebody_does_not_stop_the_others(home, trained, monkeypatch):
    plan, takes = recipes(), here.taken_here

    def held(home: Home, recipe):
        if recipe == plan[2]:
            raise RunError("another process is at work on it")
        return takes(home, recipe)

    monkeypatch.setattr(here, "taken_here", held)
    ended, said = told(home, plan)
    assert ended.failed == {in_words(plan[2]): "another process is at work on it"}
    assert len(ended.done) == len(plan) - 1
    assert any("another process" in line for line in said)
