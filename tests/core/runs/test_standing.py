"""Which run stands for which recipe, and that nothing is ever queued or taken twice."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import RunError
from core.home import Home
from core.recipe import make_recipe
from core.runs import launch
from core.runs.folder import create_run, open_run
from core.runs.index import list_runs
from core.runs.lock import claimed
from core.runs.standing import cell_of, known, steps, submit_missing, taken_here
from tests.core.studies.support import HASH, recipes, stored


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


def states(home: Home, plan) -> list[str]:
    return [step.state for step in steps(plan, known(home, plan))]


def test_runs_are_found_by_what_they_train_and_not_by_their_names(home):
    plan = recipes()
    same = make_recipe("copy", HASH, "hgib", preset="paper", overrides=plan[0].config, device="cpu")
    run = stored(home, same)
    assert states(home, plan) == ["done", *["missing"] * 7]
    (first, *_) = steps(plan, known(home, plan))
    assert first.run.run_id == run.run_id


@pytest.mark.parametrize(
    "change",
    [
        {"overrides": {"dim": 8}},
        {"seeds": (1,)},
        {"shares": (0.1, 0.0)},
        {"protocol": "sampled99"},
        {"fit_on": "train+valid"},
        {"selection": "last"},
    ],
)
def test_what_decides_the_training_tells_runs_apart(home, change):
    stored(home, next(r for r in recipes(**change) if r.auxiliary_noise or "shares" not in change))
    assert states(home, recipes()) == ["missing"] * 8


def test_other_content_under_the_same_name_is_other_data(home):
    other = recipes()[0].model_copy(update={"dataset_hash": "cd" * 32})
    stored(home, other)
    assert states(home, recipes()) == ["missing"] * 8


def test_a_recipe_stored_before_a_setting_was_there_counts_with_its_default(home):
    plan = recipes()
    run = stored(home, plan[0])
    content = json.loads((run.path / "recipe.json").read_text())
    del content["auxiliary_noise"], content["config"]["softmax"]
    (run.path / "recipe.json").write_text(json.dumps(content))
    assert states(home, plan)[0] == "done"


def test_a_finished_run_comes_before_a_living_one_and_that_before_a_failed_one(home):
    plan = recipes()
    for state in ("failed", "queued", "running", "cancelled"):
        stored(home, plan[0], state=state, run_id=f"a-{state}")
    (first, *_) = steps(plan, known(home, plan))
    assert first.run.run_id == "a-running"
    stored(home, plan[0], run_id="a-done")
    (first, *_) = steps(plan, known(home, plan))
    assert (first.run.run_id, first.is_open) == ("a-done", False)


def test_damaged_runs_stand_for_nothing(home):
    plan = recipes()
    run = stored(home, plan[0])
    (run.path / "recipe.json").write_text("{")
    assert states(home, plan)[0] == "missing"


def test_missing_runs_are_queued_once_and_ended_ones_again(home, monkeypatch):
    plan, again = recipes(), []
    monkeypatch.setattr(launch, "requeue", lambda home, run_id: again.append(run_id))
    done, failed = stored(home, plan[0]), stored(home, plan[1], state="failed", run_id="failed")
    waiting = stored(home, plan[2], state="queued")
    queued = submit_missing(home, plan)
    assert len(queued.new) == 5
    assert queued.again == ("failed",) == tuple(again)
    assert queued.kept == (done.run_id, waiting.run_id)
    assert [cell_of(open_run(home, r).recipe()) for r in queued.new] == [cell_of(r) for r in plan[3:]]
    failed.update_status(state="queued")
    second = submit_missing(home, plan)
    assert (second.new, second.again, len(second.kept)) == ((), (), 8)


def test_two_contestants_with_equal_settings_share_their_runs(home):
    plan = recipes(overrides={"beta": 0})
    queued = submit_missing(home, plan)
    assert len(queued.new) == 6
    assert submit_missing(home, plan).new == ()


def test_who_submits_at_the_same_time_finds_the_others_runs(home):
    plan = recipes()
    with ThreadPoolExecutor(4) as pool:
        queued = list(pool.map(lambda _: submit_missing(home, plan), range(4)))
    assert sorted(len(one.new) for one in queued) == [0, 0, 0, 8]
    assert len(list_runs(home)) == 8


def test_taking_a_run_here_marks_it_so_that_nobody_else_does(home):
    plan = recipes()
    run = taken_here(home, plan[0])
    assert run.status().state == "running"
    assert taken_here(home, plan[0]) is None
    assert states(home, plan)[0] == "running"


def test_a_stopped_run_is_taken_over_and_a_finished_one_is_not(home):
    plan = recipes()
    stored(home, plan[0], state="cancelled", run_id="stopped")
    stored(home, plan[1], run_id="finished")
    assert taken_here(home, plan[0]).run_id == "stopped"
    assert taken_here(home, plan[1]) is None
    assert len(list_runs(home)) == 2


def test_a_waiting_run_is_left_to_a_supervisor_if_there_is_one(home, monkeypatch):
    plan = recipes()
    create_run(home, plan[0], "waiting")
    monkeypatch.setattr(launch, "supervisor_state", lambda home: object())
    assert taken_here(home, plan[0]) is None
    monkeypatch.setattr(launch, "supervisor_state", lambda home: None)
    assert taken_here(home, plan[0]).run_id == "waiting"


def test_a_run_that_a_worker_still_holds_is_not_taken(home):
    run = stored(home, recipes()[0], state="failed")
    with claimed(run), pytest.raises(RunError, match="another process works"):
        taken_here(home, recipes()[0])
