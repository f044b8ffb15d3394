"""Which run stands for which head, what else differs, and the recipe of a missing one."""

import numpy as np
import pytest

from core.home import Home
from core.runs.summary import RunSummary
from dashboard import heads
from dashboard.gates import Gates
from tests.dashboard import stored_runs


def run(run_id: str, head: str = "mesi", form: str = "paper", created: float = 1.0, **fields) -> RunSummary:
    changes = dict(fields.pop("changes", {}))
    if head != "mesi":
        changes["head"] = ("mesi", head)
    if form != "paper":
        changes["head_form"] = ("paper", form)
    about = {"state": "done", "system": "cigf", "dataset_hash": "a", "preset": "small", "fit_on": "train"}
    return RunSummary(run_id=run_id, created=created, changes=changes, **(about | fields))


def test_head_titles() -> None:
    assert heads.head_title(run("one")) == "MESI"
    assert heads.head_title(run("one", "mmoe")) == "MMOE"
    assert heads.head_title(run("one", "ple", "as_released")) == "PLE as released"
    assert heads.head_title(run("one", "bilinear")) == ""
    assert heads.head_title(run("one", system="lightgcn")) == ""


def test_the_run_that_differs_least_stands_for_its_head_then_the_latest() -> None:
    own = run("own", seed=3)
    near = run("near", "mmoe", created=5.0, seed=3)
    nearer = run("nearer", "mmoe", created=7.0, seed=3)
    far = run("far", "mmoe", created=9.0, seed=3, changes={"dim": (16, 23), "epochs": (60, 3)})
    other_seed = run("seed", "mmoe", created=9.0, seed=4)
    elsewhere = run("else", "ple", dataset_hash="b")
    running = run("running", "ple", state="running")
    found = heads.stands(own, [far, near, nearer, other_seed, elsewhere, running, own])
    assert [(stand.title, stand.run.run_id) for stand in found] == [("MESI", "own"), ("MMOE", "nearer")]
    assert found[1].differing == ()
    assert heads.missing(found) == ["ple"]


def test_what_else_differs_is_said_in_words() -> None:
    own = run("own", changes={"dim": (16, 23)})
    other = run("other", "ple", seed=2, changes={"epochs": (60, 3)})
    assert heads.differing(own, other) == (
        "seed 2 instead of 0",
        "dim 16 instead of 23",
        "epochs 3 instead of 60",
    )
    assert heads.differing(own, run("noisy", auxiliary_noise=0.2, changes={"dim": (16, 23)})) == (
        "auxiliary_noise 0.2 instead of 0.0",
    )
    assert heads.differing(own, run("paper", preset="paper")) == ("preset paper instead of small",)


def test_settings_of_the_head_itself_are_no_difference() -> None:
    other = run("other", "ple", "as_released", changes={"ple_experts": (1, 2)})
    assert heads.differing(run("own"), other) == ()


def test_heads_stand_in_one_order_with_both_readings() -> None:
    own = run("p", "ple")
    found = heads.stands(own, [run("m2", "mmoe", "as_released"), run("m1", "mmoe"), run("e"), own])
    assert [stand.title for stand in found] == ["MESI", "MMOE", "MMOE as released", "PLE"]
    assert heads.missing(found) == []


@pytest.mark.parametrize("head", ["mmoe", "ple", "mesi"])
def test_the_recipe_of_a_missing_head_changes_nothing_else(tmp_path, head) -> None:
    data = stored_runs.tiny_demo(Home(tmp_path))
    own = stored_runs.recipe(
        data,
        variant="head_ple_as_released",
        seed=5,
        overrides={"dim": 23, "ple_experts": 2},
        auxiliary_noise=0.2,
    )
    other = heads.recipe_with(own, head)
    assert (other.config["head"], other.config["head_form"], other.config["ple_experts"]) == (
        head,
        "paper",
        1,
    )
    ignored = ("head", "head_form", "ple_experts")
    assert {k: v for k, v in other.config.items() if k not in ignored} == {
        k: v for k, v in own.config.items() if k not in ignored
    }
    assert (other.seed, other.protocol, other.dataset_hash) == (5, own.protocol, own.dataset_hash)
    assert other.auxiliary_noise == 0.2


def test_side_by_side_tables_hold_the_task_of_every_head_that_has_it() -> None:
    values = np.random.default_rng(3).dirichlet([1, 1, 1], (2, 5))
    one = Gates(("view", "buy"), ("a", "b", "c"), np.arange(5), np.arange(5), values)
    other = Gates(("view",), ("x", "y", "z"), np.arange(5), np.arange(5), values[:1])
    table = heads.gates_side_by_side({"MESI": one, "MMOE": other}, "buy")
    assert table["head"].unique().tolist() == ["MESI"]
    np.testing.assert_allclose(table["mean"], values[1].mean(axis=0))
    about = heads.entropies({"MESI": one, "MMOE": other}, "view")
    assert about["head"].tolist() == ["MESI", "MMOE"]
    assert about["share"].tolist() == pytest.approx([values[0].mean(axis=0).max()] * 2)


def test_a_run_without_gates_does_not_stand_for_its_head() -> None:
    own, other = run("failed", state="failed"), run("other")
    assert [stand.run.run_id for stand in heads.stands(own, [other])] == ["other"]
    assert heads.missing(heads.stands(own, [])) == ["mesi", "mmoe", "ple"]
