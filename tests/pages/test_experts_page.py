"""The Experts page: its answer, its alarms, conflict, groups of users, heads side by side, and every state without them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.data import profile_store
from core.data.dataset import open_dataset
from core.files import write_json
from core.findings import History, load_finding, save_finding, save_history
from core.home import Home
from core.runs.folder import RunFolder
from dashboard import gates
from tests.dashboard import stored_runs
from tests.pages.conftest import texts


@pytest.fixture
def data(home: Home):
    made = stored_runs.tiny_demo(home)
    profile_store.fill(home, open_dataset(home, made.name))
    return made


@pytest.fixture
def done(home: Home, data) -> RunFolder:
    return stored_runs.done_run(home, data)


@pytest.fixture
def tables(monkeypatch) -> dict:
    """What the buttons beneath the figures download, by file name."""
    found: dict = {}
    for place in ("dashboard.drawing", "dashboard.panels.experts_pairs"):
        monkeypatch.setattr(f"{place}.csv_button", lambda table, name: found.update({name: table}))
    return found


def frame_with(app, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def test_the_answer_is_computed_from_the_gates(done, opened) -> None:
    now = gates.gates_of(load_finding(done.findings, "expert_gates"))
    about = gates.task_gate(now, "buy")
    said = texts(opened("experts", run="done-run"))
    assert f"The expert :primary[{about.leaders[0]}] weighs most in *buy*" in said
    assert f"mean gate {100 * about.shares[0]:.1f} %" in said
    assert f"the largest gate for {100 * about.leads:.1f} % of 23 held-out pairs" in said
    assert "an even share would be 25.0 %" in said


def test_the_task_and_the_epoch_of_the_address_are_followed(done, opened, tables) -> None:
    said = texts(opened("experts", run="done-run", task="view", epoch="1"))
    assert "At epoch 1, no expert decides *view*: the gates are flat" in said
    assert "Flat gates" in said
    table = tables["gates-epoch-1-done-run"]
    assert (table["epoch"] == 1).all()
    np.testing.assert_allclose(table["mean"], 0.25)
    texts(opened("experts", run="done-run", task="view"))
    assert (tables["gates-scored-done-run"]["epoch"] == 4).all()


def test_a_task_that_does_not_exist_is_told(done, opened) -> None:
    assert "There is no task 'sell'" in texts(opened("experts", run="done-run", task="sell"))


def stored_gates(run: RunFolder, values) -> None:
    finding = load_finding(run.findings, "expert_gates")
    save_finding(run.findings, replace(finding, values=np.broadcast_to(values, finding.values.shape).copy()))


@pytest.mark.parametrize(
    ("share", "alarm"),
    [
        ([0.0, 0.0, 0.01, 0.99], "Gate collapse"),
        ([0.25, 0.25, 0.25, 0.25], "Flat gates"),
        ([0.1, 0.2, 0.3, 0.4], "One gate for all pairs"),
    ],
)
def test_gates_that_tell_nothing_apart_raise_an_alarm(done, opened, share, alarm) -> None:
    stored_gates(done, share)
    (warning,) = opened("experts", run="done-run").warning
    assert alarm in warning.value
    assert "view, favorite, cart, buy" in warning.value


def test_healthy_gates_raise_no_alarm_and_idle_experts_are_named(done, opened) -> None:
    assert not opened("experts", run="done-run").warning
    rng = np.random.default_rng(3)
    values = rng.dirichlet([0.01, 3, 3, 3], (4, 23))
    stored_gates(done, values)
    app = opened("experts", run="done-run")
    assert "view: less than a tenth of an even share" in texts(app)
    assert "favorite: less" not in texts(app)


def test_conflict_is_counted_over_snapshots_and_shown_at_the_nearest(done, opened, tables) -> None:
    said = texts(opened("experts", run="done-run"))
    assert "Yes: view – favorite; view – cart; view – buy and 3 more pull apart" in said
    assert "negative in 12 of 18 measurements (66.7 %)" in said
    assert "the snapshot nearest to the scored model (epoch 4)" in said
    shown = tables["conflict-epoch-3-done-run"]
    np.testing.assert_allclose(shown["cosine"], -0.2)
    texts(opened("experts", run="done-run", epoch="1"))
    np.testing.assert_allclose(tables["conflict-epoch-1-done-run"]["cosine"], 0.2)


def test_groups_say_metric_protocol_and_size(done, opened, tables) -> None:
    app = opened("experts", run="done-run", experts="groups", metric="hr@10")
    assert "HR@10 by the correlation of a user's behaviours**, sampled99" in texts(app)
    table = tables["groups-hr-at-10-done-run"]
    assert set(table["mean"].dropna()) == {1.0}
    assert (table["high"].dropna() == 1).all()
    assert (table["low"].dropna() < 1).all()
    sizes = frame_with(app, "pairs")
    assert sizes["users"].sum() == table["size"].sum() > 0


def test_lost_results_of_users_are_told(done, opened) -> None:
    (done.path / "per_user.parquet").unlink()
    app = opened("experts", run="done-run", experts="groups")
    assert not app.error
    assert "The results of this run's users are gone" in texts(app)


def test_users_without_every_behaviour_have_no_groups(home, data, done, opened, monkeypatch) -> None:
    profile = profile_store.stored_users(home, data).assign(correlation=float("nan"))
    monkeypatch.setattr("dashboard.readers.user_profile", lambda home, name: profile)
    assert "No user tested here has a defined correlation" in texts(opened("experts", run="done-run"))


def test_groups_wait_for_the_profile_and_say_so(home, opened) -> None:
    stored_runs.done_run(home, stored_runs.tiny_demo(home))
    said = texts(opened("experts", run="done-run", experts="groups"))
    assert "Correlating the behaviours of every user" in said
    assert "by the correlation" not in said


def test_runs_on_one_footing_stand_together_and_others_are_kept_apart(
    home, data, done, opened, tables
) -> None:
    stored_runs.done_run(home, data, "other-run", system="lightgcn_m", protocol="sampled99")
    stored_runs.done_run(home, data, "full-run", system="lightgcn_m", protocol="full")
    elsewhere = stored_runs.tiny_demo(home, "elsewhere").model_copy(update={"content_hash": "f" * 64})
    stored_runs.done_run(home, elsewhere, "far-run")
    app = opened("experts", run="done-run", experts="groups", runs="other-run,full-run,far-run")
    names = set(tables["groups-ndcg-at-10-done-run"]["name"])
    assert len(names) == 2
    assert any("LightGCN_M" in name for name in names)
    said = texts(app)
    assert "scored under full, not under sampled99" in said
    assert "elsewhere (content ffffffff) instead of demo" in said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "../../etc"),
        ("epoch", "2"),
        ("epoch", "-1"),
        ("experts", "everything"),
        ("metric", "hr@99"),
        ("cut", "thirds"),
        ("activity", "none"),
        ("under", "full"),
        ("runs", "../../x"),
    ],
)
def test_an_address_with_a_mistake_is_told_and_shows_the_default(done, opened, field, value) -> None:
    app = opened("experts", run="done-run", **{field: value})
    assert not app.error
    said = texts(app)
    assert "There is no" in said or "there is no such" in said
    assert "by the correlation of a user's behaviours" in said


def test_trends_are_told_per_run(home, data, done, opened) -> None:
    path = done.path / "per_user.parquet"
    frame = pd.read_parquet(path)
    profile = profile_store.stored_users(home, data)
    correlation = frame["user"].map(profile.set_index("user")["correlation"])
    frame["ndcg@10"] = (correlation.fillna(0) - correlation.min()) / (correlation.max() - correlation.min())
    frame["ndcg@10"] = frame["ndcg@10"].clip(0, 1)
    frame.to_parquet(path)
    said = texts(opened("experts", run="done-run", experts="groups"))
    assert "**rises** under CIGF · seed 0, from" in said
    assert "their intervals lie apart" in said


def test_groups_of_users_that_are_all_alike_have_no_interval(done, opened, tables) -> None:
    app = opened("experts", run="done-run", experts="groups", metric="ndcg@10")
    assert tables["groups-ndcg-at-10-done-run"]["low"].isna().any()
    assert "one of them has no interval, its users being all alike" in texts(app)
    assert any("no interval: all alike" in frame.value.to_string() for frame in app.dataframe)


def test_a_run_that_does_not_exist_is_left_out_and_told(done, opened) -> None:
    said = texts(opened("experts", run="done-run", experts="groups", runs="done-run,gone"))
    assert "'gone'" in said


def test_gates_of_groups_count_users(done, opened, tables) -> None:
    opened("experts", run="done-run", experts="groups")
    table = tables["groups-gates-buy-scored-done-run"]
    assert table.groupby("name")["size"].sum().nunique() == 1
    assert 0 < table[table["name"] == "buy"]["size"].sum() <= 23


def test_heads_stand_side_by_side_and_missing_ones_can_be_trained(home, data, done, opened, tables) -> None:
    stored_runs.done_run(
        home, data, "mmoe-run", variant="head_mmoe", overrides={"epochs": 5, "dim": 23}, seed=3
    )
    app = opened("experts", run="done-run", experts="heads")
    table = tables["heads-buy-done-run"]
    assert table["head"].unique().tolist() == ["MESI", "MMOE"]
    assert (table.groupby("head")["mean"].sum().round(6) == 1).all()
    said = texts(app)
    assert "dim 23 instead of 16" in said
    assert "seed 3 instead of 0" in said
    assert "Not trained on this data yet: PLE" in said
    assert "--variant head_ple" in said
    assert "head_mmoe" not in said


def test_pairs_are_listed_by_the_chosen_expert(done, opened, tables) -> None:
    app = opened("experts", run="done-run", experts="pairs", expert="cart")
    table = tables["pairs-buy-cart-scored-done-run"]
    assert len(table) == 23
    assert table["cart"].is_monotonic_decreasing
    shown = frame_with(app, "title")
    assert len(shown) == 20
    np.testing.assert_allclose(shown["cart"], 100 * table["cart"].head(20))
    items = pd.read_parquet(open_dataset(Home(done.path.parents[1]), "demo").folder / "items.parquet")
    assert shown["title"].tolist() == items["title"][table["item"].head(20)].tolist()


def test_evolution_follows_gates_and_entropy(done, opened, tables) -> None:
    opened("experts", run="done-run", experts="evolution", task="cart")
    assert tables["gates-evolution-cart-done-run"]["epoch"].unique().tolist() == [1, 3, 5]
    entropies = tables["gates-entropy-done-run"]
    np.testing.assert_allclose(entropies[entropies["epoch"] == 1]["pair_entropy"], 1, atol=1e-6)


def test_a_head_without_gates_still_shows_conflict_and_groups(home, data, opened) -> None:
    stored_runs.done_run(home, data, "base-run", variant="base")
    app = opened("experts", run="base-run")
    said = texts(app)
    assert "The bilinear head has no gates" in said
    assert "pull apart" in said
    assert "by the correlation of a user's behaviours" in said
    assert [widget.value for widget in app.selectbox if widget.label == "Task"] == ["buy"]


def test_another_system_has_neither_experts_nor_conflict(home, data, opened) -> None:
    stored_runs.done_run(home, data, "lightgcn-run", system="lightgcn")
    said = texts(opened("experts", run="lightgcn-run"))
    assert "This system has no experts" in said
    assert "trains a single task" in said
    assert "by the correlation of a user's behaviours" in said


def test_a_system_with_a_task_per_behavior_shows_its_own_conflict(home, data, opened) -> None:
    run = stored_runs.done_run(home, data, "mbgmn-run", system="mbgmn")
    conflict = replace(stored_runs.conflict_finding(data.behaviors), source="MB-GMN, Section 3")
    save_finding(run.findings, conflict)
    snapshots = History(conflict.key, conflict.kind, conflict.axes, np.array([1]), conflict.values[None])
    save_history(run.findings, snapshots)
    said = texts(opened("experts", run="mbgmn-run"))
    assert "pull apart" in said
    assert "MB-GMN, Section 3; one batch per snapshot" in said
    assert "CIGF, Section 3.3" not in said


def test_a_system_with_a_task_per_behavior_says_why_it_has_no_conflict(home, data, opened) -> None:
    stored_runs.done_run(
        home, data, "mbgmn-run", system="mbgmn", overrides={"epochs": 5, "snapshot_every": 0}
    )
    said = texts(opened("experts", run="mbgmn-run"))
    assert "single task" not in said
    assert "set snapshot_every above 0" in said


@pytest.mark.parametrize("part", ["groups", "evolution", "heads", "pairs"])
@pytest.mark.parametrize("run_id", ["queued-run", "running-run", "failed-run", "lightgcn-run"])
def test_runs_without_gates_say_why_in_every_part(home, data, opened, run_id, part) -> None:
    stored_runs.queued_run(home, data)
    stored_runs.running_run(home, data)
    stored_runs.failed_run(home, data)
    stored_runs.done_run(home, data, "lightgcn-run", system="lightgcn")
    app = opened("experts", run=run_id, experts=part)
    assert not app.error
    said = texts(app)
    expected = {
        "queued-run": "Not trained yet",
        "running-run": "Still training",
        "failed-run": "The run failed before its gates were written",
        "lightgcn-run": "This system has no experts",
    }
    assert expected[run_id] in said
    assert "so far" not in said


def test_an_old_run_without_history_shows_its_last_gates(home, data, done, opened) -> None:
    for key in ("expert_gates", "gradient_conflict"):
        (done.findings / f"{key}.history.npz").unlink()
    write_json(
        done.path / "recipe.json",
        stored_runs.recipe(data, overrides={"epochs": 5, "snapshot_every": 0}).model_dump(mode="json"),
    )
    said = texts(opened("experts", run="done-run", experts="evolution"))
    assert "weighs most in *buy*" in said
    assert "only the trained model is shown" in said
    assert "set snapshot_every above 0" in said


def test_damaged_gates_are_told_with_a_remedy(done, opened) -> None:
    (done.findings / "expert_gates.npz").write_bytes(b"no archive")
    (error,) = opened("experts", run="done-run").error
    assert "repeat the run" in error.value


def test_users_of_changed_data_are_not_told_apart(home, data, done, opened) -> None:
    stored = open_dataset(home, "demo").folder / "dataset.json"
    stored.write_text(stored.read_text().replace(data.content_hash, "e" * 64))
    said = texts(opened("experts", run="done-run", experts="groups"))
    assert "The data set has changed since this run was trained" in said
    assert "told by number only" in texts(opened("experts", run="done-run", experts="pairs"))
