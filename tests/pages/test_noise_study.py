"""The noise study on the page of a run: nothing yet, half done, done, failed, and what its button queues."""

import pytest

from core.data.dataset import DatasetInfo, open_dataset
from core.data.planted import write_demo
from core.errors import RunError
from core.home import Home
from core.recipe import Recipe
from core.runs import launch
from core.runs.folder import open_run
from core.runs.index import list_runs
from core.studies.noise import CONTESTANTS, contestant, noise_study
from dashboard.panels.noise_study import study_recipes
from tests.core.studies import support
from tests.dashboard import stored_runs
from tests.pages.conftest import texts

# what each contestant keeps of its metric at 40 % noise, whatever the seed, and a little more or less by seed
KEPT = {"hgib": 0.9, "without_gre": 0.7, "without_comp": 0.895, "lightgcn_m": 0.8}


@pytest.fixture
def data(home: Home) -> DatasetInfo:
    return stored_runs.tiny_demo(home)


@pytest.fixture
def run(home: Home, data: DatasetInfo) -> None:
    """The picked run: HGIB with three epochs, seed 0, no noise."""
    support.stored(home, plan(data)[0], 0.5, run_id="picked")


def plan(data: DatasetInfo, **changes) -> tuple[Recipe, ...]:
    return noise_study(data, overrides={"epochs": 3}, **changes)


def value(recipe: Recipe) -> float:
    lost = (1 - KEPT[contestant(recipe).key]) * recipe.auxiliary_noise / 0.4
    return (0.5 + 0.02 * recipe.seed) * (1 - lost * (1 + 0.01 * recipe.seed))


def study(opened):
    return opened("information", run="picked", information="study")


def button(app, label: str):
    return next(widget for widget in app.button if widget.label.startswith(label))


def labels(app) -> list[str]:
    return [widget.label for widget in app.button]


def table(app):
    return next(frame.value for frame in app.dataframe if "95 % of the loss" in frame.value.columns)


def test_a_study_of_one_run_says_what_is_missing(run, opened) -> None:
    app = study(opened)
    said = texts(app)
    assert "1 of 48 runs is done; 47 were never started." in said
    assert "with epochs=3 where a system has it" in said
    assert "there is no loss to compare with" in said
    assert table(app).to_numpy().tolist()[0][:4] == ["HGIB", "0 %", 1, ".5000"]
    assert "Train the 47 missing runs" in labels(app)


def test_without_any_finished_run_it_says_what_it_would_do(home, data, opened) -> None:
    support.stored(home, plan(data)[0], state="failed", run_id="picked")
    said = texts(study(opened))
    assert "No run of this study is done yet." in said
    assert "0 of 48 runs are done; 1 failed or was stopped, 47 were never started." in said


def test_a_whole_study_is_answered_and_has_no_button(home, data, run, opened) -> None:
    for recipe in plan(data)[1:]:
        support.stored(home, recipe, value(recipe))
    app = study(opened)
    said = texts(app)
    assert "With 40 % random auxiliary pairs HGIB loses 10.1 % of its NDCG@10" in said
    assert "**Edge refinement helps against noise**" in said
    assert "LightGCN_M loses 10.1 percentage points more than HGIB" in said
    assert "48 of 48 runs are done." in said
    assert not [label for label in labels(app) if label.startswith("Train the")]
    assert len(table(app)) == 4 * len(CONTESTANTS)


def test_other_shares_and_seeds_count_where_they_have_runs(home, data, run, opened) -> None:
    for recipe in plan(data, shares=(0.0, 0.8), seeds=(7, 8)):
        support.stored(home, recipe, value(recipe))
    rows = table(study(opened))
    assert set(rows["noise"]) == {"0 %", "80 %"}
    assert rows["seeds"].tolist()[:2] == [3, 2]


@pytest.mark.parametrize(
    "change", [{"protocol": "sampled99"}, {"selection": "last"}, {"fit_on": "train+valid"}]
)
def test_runs_on_another_footing_are_left_out(home, data, run, opened, change) -> None:
    for recipe in plan(data, **change):
        support.stored(home, recipe, 0.9)
    assert "1 of 48 runs is done" in texts(study(opened))


def test_the_button_asks_and_queues_what_is_missing_once(home, data, run, opened) -> None:
    support.stored(home, plan(data)[1], state="queued", run_id="waiting")
    app = study(opened)
    button(app, "Train the 46 missing runs").click().run()
    said = texts(app)
    assert "46 runs join the queue: 4 systems, noise of 0 %, 10 %, 20 %, 40 %, seeds 0, 1, 2" in said
    assert "of training, one after another" not in said  # three systems have no run to judge by
    assert len(list_runs(home)) == 2
    button(app, "Queue 46 runs").click().run()
    assert not app.exception
    assert [toast.value for toast in app.toast] == ["46 runs are queued."]
    assert len(list_runs(home)) == 48
    recipes = [open_run(home, summary.run_id).recipe() for summary in list_runs(home)]
    assert {(r.auxiliary_noise, r.seed, contestant(r).key) for r in recipes} == {
        (r.auxiliary_noise, r.seed, contestant(r).key) for r in plan(data)
    }
    assert {r.config["epochs"] for r in recipes} == {3}
    again = study(opened)
    assert not [label for label in labels(again) if label.startswith("Train the")]
    assert "47 wait" in " ".join(bar.text for bar in again.get("progress")) or "47 wait" in texts(again)


def test_the_time_it_takes_is_told_by_the_runs_of_each_system(home, data, run, opened) -> None:
    for recipe in plan(data)[1:4]:
        support.stored(home, recipe, 0.5).update_status(started=1.0, finished=12.0)
    app = study(opened)
    button(app, "Train the 44 missing runs").click().run()
    # 11 runs of HGIB at 2 s, 33 of the others at 11 s
    assert "takes about 6 min 25 s of training" in texts(app)


def test_the_picked_run_is_a_part_of_its_study_whatever_the_list_of_runs_says(
    home, data, run, opened, monkeypatch
) -> None:
    support.stored(home, noise_study(data, overrides={"learning_rate": 0.0123})[0], 0.4, run_id="old")
    stale = [run.model_copy(update={"changes": {}}) for run in list_runs(home)]
    monkeypatch.setattr("dashboard.readers.runs", lambda home: stale)
    app = opened("information", run="old", information="study")
    assert "with learning\\_rate=0.0123 where a system has it" in texts(app)
    assert "1 of 48 runs is done" in texts(app)


def test_two_tabs_queue_no_run_twice(home, run, opened) -> None:
    one, other = study(opened), study(opened)
    for app in (one, other):
        button(app, "Train the 47 missing runs").click().run()
    for app in (one, other):
        button(app, "Queue 47 runs").click().run()
    assert len(list_runs(home)) == 48
    assert [toast.value for toast in other.toast] == ["0 runs are queued."]


def test_not_now_queues_nothing(home, run, opened) -> None:
    app = study(opened)
    button(app, "Train the 47 missing runs").click().run()
    button(app, "Not now").click().run()
    assert len(list_runs(home)) == 1


def test_what_failed_is_listed_with_its_reason_and_goes_on(home, data, run, opened, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(launch, "requeue", lambda home, run_id: asked.append(run_id))
    failed = support.stored(home, plan(data)[1], state="failed", run_id="broken")
    failed.update_status(error={"message": "loss became NaN; lower learning_rate"})
    app = study(opened)
    assert "loss became NaN; lower learning\\_rate" in texts(app)
    button(app, "Train the 47 missing runs").click().run()
    assert "1 of them failed or was stopped before and goes on from the last checkpoint." in texts(app)
    button(app, "Queue 47 runs").click().run()
    assert asked == ["broken"]


def test_a_supervisor_that_does_not_start_is_told(home, run, opened, monkeypatch) -> None:
    app = study(opened)
    button(app, "Train the 47 missing runs").click().run()

    def refuses(home: Home) -> None:
        raise RunError("the supervisor did not start; see its log")

    monkeypatch.setattr(launch, "ensure_supervisor", refuses)
    button(app, "Queue 47 runs").click().run()
    assert any("supervisor did not start" in error.value for error in app.error)


def test_on_data_that_changed_results_stay_and_nothing_can_be_trained(home, run, opened) -> None:
    write_demo(home, "demo", num_users=223, num_items=131, replace=True)
    app = study(opened)
    assert "The missing runs cannot be trained: the data set has changed" in texts(app)
    assert len(table(app)) == 1
    assert not [label for label in labels(app) if label.startswith("Train the")]


def test_a_run_of_another_system_leads_to_the_study_of_its_preset(home, data) -> None:
    stored_runs.done_run(home, data, "other", overrides={"epochs": 5})
    own = open_run(home, "other").recipe()
    info = open_dataset(home, "demo").info
    assert study_recipes(own) == noise_study(info, protocol=own.protocol.key, preset=own.preset)
