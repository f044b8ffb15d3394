"""The Relations page: what follows the epoch slider, what says that it cannot, and honest answers per variant."""

from dataclasses import replace

import numpy as np
import pytest

from core.findings import History, load_finding, save_finding, save_history
from core.home import Home
from core.runs.folder import RunFolder
from dashboard.panels import user_picker
from tests.dashboard import stored_runs
from tests.pages.conftest import texts


@pytest.fixture
def done(home: Home) -> RunFolder:
    """A finished run whose paths have snapshots too: at epoch 1 they are the negative of what they become."""
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    paths = load_finding(run.findings, "relation_paths_2")
    save_finding(run.findings, replace(paths, note="Support is extrapolated from 128 targets."))
    values = np.stack([-paths.values, 0 * paths.values, paths.values])
    save_history(run.findings, History(paths.key, paths.kind, paths.axes, np.array([1, 3, 5]), values))
    return run


def downloads(app) -> list[str]:
    return [widget.proto.id for widget in app.get("download_button")]


def table_with(app, column: str):
    return next(frame.value for frame in app.dataframe if column in frame.value.columns)


def test_answer_paths_and_spread_follow_the_slider(done, opened) -> None:
    app = opened("relations", run="done-run", epoch="1")
    said = texts(app)
    assert "At epoch 1 :primary" in said
    assert "16 paths from the users, at epoch 1" in said
    assert "side by side, at epoch 1" in said
    assert "weighs most for" not in said
    now = table_with(opened("relations", run="done-run"), "pairs")
    early = table_with(app, "pairs")
    assert early["path"].tolist() == now["path"].tolist()[::-1]


def test_files_of_a_snapshot_are_named_and_dated(done, opened) -> None:
    early = opened("relations", run="done-run", epoch="1")
    scored = opened("relations", run="done-run")
    assert any("attention-user-epoch-1-done-run" in name for name in downloads(early))
    assert any("attention-user-scored-done-run" in name for name in downloads(scored))
    assert not set(downloads(early)) & {name for name in downloads(scored) if "instances" not in name}


@pytest.mark.parametrize(("epoch", "stored"), [("1", 1), ("scored", 4)])
def test_every_table_says_its_epoch_and_how_many_nodes_stand_behind_it(
    epoch, stored, done, opened, monkeypatch
) -> None:
    tables = {}
    monkeypatch.setattr("dashboard.drawing.csv_button", lambda table, name: tables.update({name: table}))
    opened("relations", run="done-run", epoch=epoch)
    assert len(tables) == 3
    assert all(set(table["epoch"]) == {stored} for table in tables.values())
    attention = next(table for name, table in tables.items() if name.startswith("attention"))
    assert set(attention["nodes"]) == {211}


def test_paths_without_snapshots_say_that_they_stay(done, opened) -> None:
    (done.findings / "relation_paths_2.history.npz").unlink()
    said = texts(opened("relations", run="done-run", epoch="3"))
    assert "16 paths from the users, of the scored model" in said
    assert "does not follow the slider to epoch 3" in said


def test_segments_and_instances_say_that_they_stay_and_whom_they_show(done, opened) -> None:
    said = texts(opened("relations", run="done-run", epoch="3", detail="segments", group="item"))
    assert said.count("does not follow the slider to epoch 3") == 2
    assert "users, not items" in said
    assert "**followers** buy what similar users bought: their decisive relation is co-purchase" in said
    assert "segments weigh their decisive relation more than all other users do" in said


def test_nothing_claims_to_stay_while_the_scored_model_is_shown(done, opened) -> None:
    for detail in ("spread", "segments"):
        assert "does not follow" not in texts(opened("relations", run="done-run", detail=detail))


@pytest.mark.parametrize(
    ("variant", "said"),
    [("attention_global", "One weight for all by design"), ("attention_node", "By design")],
)
def test_variants_with_shared_attention_answer_with_ties(variant, said, done, home, opened) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home, "again"), "shared-run", variant=variant)
    attention = load_finding(run.findings, "relation_attention")
    alike = np.broadcast_to(attention.values[-1:], attention.values.shape).copy()
    if variant == "attention_global":
        alike[:] = alike[:, :, :, :1]
    save_finding(run.findings, replace(attention, values=alike))
    app = opened("relations", run="shared-run")
    assert "favorite › any]" in texts(app)
    assert "4 paths tie" in texts(app)
    assert said in texts(app)
    assert not app.warning
    cannot = "segments cannot differ" in texts(opened("relations", run="shared-run", detail="segments"))
    assert cannot == (variant == "attention_global")


def test_extrapolated_support_is_shown_with_two_digits(done, opened) -> None:
    pairs = table_with(opened("relations", run="done-run"), "pairs")["pairs"]
    assert all(text.startswith("≈ ") for text in pairs)
    assert all(len(text.removeprefix("≈ ").replace(",", "").strip("0")) <= 2 for text in pairs)


@pytest.fixture
def absent(done) -> int:
    """A user without test items, and so without stored recommendations."""
    with np.load(done.path / "recommendations.npz") as stored:
        known = set(stored["users"].tolist())
    return next(user for user in range(211) if user not in known)


def test_every_user_can_be_picked_by_number_or_id_and_none_stands_in_for_another(
    done, absent, opened
) -> None:
    app = opened("relations", run="done-run")
    box = app.selectbox(key="pick:user")
    assert [name.split(" · ")[0] for name in box.options] == [f"user {user}" for user in range(211)]
    box.select(str(absent)).run()
    assert f"User {absent} has no test items" in texts(app)
    assert app.query_params["user"] == str(absent)


def test_a_user_beyond_the_data_is_refused_with_a_notice(done, opened) -> None:
    assert "There is no user 999" in texts(opened("relations", run="done-run", user="999"))


def test_among_very_many_users_one_is_asked_for_by_number(done, absent, opened, monkeypatch) -> None:
    monkeypatch.setattr(user_picker, "MOST_LISTED", 10)
    app = opened("relations", run="done-run", user="5")
    box = app.number_input(key="pick:user")
    assert box.value == 5
    box.set_value(absent).run()
    assert f"User {absent} has no test items" in texts(app)


def test_instances_carry_notes_and_the_reason_for_three_hops(done, opened) -> None:
    app = opened("relations", run="done-run", path="view > view > view")
    assert "note" in table_with(app, "instance").columns
    assert "the last two behaviours are the same" in texts(app)


def test_order_one_is_explained(done, opened) -> None:
    app = opened("relations", run="done-run")
    assert "order 1 has no attention" in texts(app)
    assert "Order 1 is absent" in app.selectbox(key="pick:order").help


def test_the_demo_card_promises_what_the_page_shows(done, opened) -> None:
    said = texts(opened("home"))
    assert "Under a minute" in said
    assert "found out" not in said
