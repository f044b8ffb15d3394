"""What a run learned, on its page: every kind of finding, from the address, closed where a page of its own tells more."""

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.findings import Axis, Finding, History, Kind, Links, save_finding, save_history, summary_over_nodes
from core.home import Home
from core.runs.folder import RunFolder
from dashboard import readers
from dashboard.panels import run_learned
from tests.dashboard import stored_runs
from tests.pages.conftest import texts

BEHAVIORS = stored_runs.BEHAVIORS
SHARES = np.array([0.1, 0.2, 0.6, 0.1])


@pytest.fixture
def run(home: Home) -> RunFolder:
    """A run of a baseline that stored nothing yet."""
    return stored_runs.done_run(home, stored_runs.tiny_demo(home), "base", system="mbgcn")


@pytest.fixture
def tables(monkeypatch) -> dict:
    """What the buttons beneath figures and tables download, by file name."""
    found: dict = {}
    for place in ("dashboard.drawing", "dashboard.panels.run_links"):
        monkeypatch.setattr(f"{place}.csv_button", lambda table, name: found.update({name: table}))
    return found


def importance(key: str = "behavior_importance", title: str = "Importance") -> Finding:
    axes = (Axis.labelled("behavior", BEHAVIORS),)
    return Finding(key, title, "MBGCN, Section 3", Kind.SHARE, axes, SHARES, None, "Learned for all alike.")


def attention(users: int, items: int) -> Finding:
    """Users of the first behaviour attend to cart alone, everybody else evenly."""
    values = np.full((4, 3, users + items, 4), 0.25)
    values[0, :, :users] = [0.0, 0.0, 1.0, 0.0]
    axes = (
        Axis.labelled("behavior", BEHAVIORS),
        Axis.labelled("order", ("1", "2", "3")),
        Axis("node", users + items, groups={"user": (0, users), "item": (users, users + items)}),
        Axis.labelled("relation", BEHAVIORS),
    )
    return Finding("behavior_attention", "Attention", "MB-GMN", Kind.SHARE, axes, values)


def store_with_history(run: RunFolder, finding: Finding) -> None:
    """The finding, and two snapshots of it: turned around at epoch 2, as it is at epoch 4."""
    save_finding(run.findings, finding)
    now = summary_over_nodes(finding)
    values = np.stack([np.flip(now.values, 0), now.values])
    save_history(run.findings, History(finding.key, now.kind, now.axes, np.array([2, 4]), values))


def section_titles(app) -> list[str]:
    return [box.label for box in app.expander]


def test_bars_are_answered_and_open_by_themselves(run, opened, tables) -> None:
    save_finding(run.findings, importance())
    said = texts(opened("runs", run="base"))
    assert "**Cart weighs most: 60.0 %**, view least: 10.0 %." in said
    assert "MBGCN, Section 3; of the scored model" in said
    assert "Learned for all alike." in said
    table = tables["behavior_importance-scored-base"]
    assert table["behavior"].tolist() == list(BEHAVIORS)
    assert table["value"].tolist() == SHARES.tolist()


def test_the_address_picks_the_finding_and_its_epoch(run, opened, tables) -> None:
    save_finding(run.findings, importance("a_first", "First"))
    store_with_history(run, importance("b_second", "Second"))
    app = opened("runs", run="base", finding="b_second", epoch="2")
    assert next(box.value for box in app.selectbox if box.label == "Finding") == "b_second"
    table = tables["b_second-epoch-2-base"]
    np.testing.assert_allclose(table["value"], SHARES[::-1])
    assert (table["epoch"] == 2).all()
    assert "**Favorite weighs most: 60.0 %**" in texts(app)


@pytest.mark.parametrize("asked", ["gone", "../../etc/passwd", "expert_gates"])
def test_a_finding_that_does_not_exist_is_told(asked, run, opened) -> None:
    save_finding(run.findings, importance())
    app = opened("runs", run="base", finding=asked)
    assert any("There is no finding" in note.value for note in app.caption)
    assert "Cart weighs most" in texts(app)


def test_further_axes_are_picked_one_by_one(run, home, opened, tables) -> None:
    info = open_dataset(home, "demo").info
    store_with_history(run, attention(info.num_users, info.num_items))
    app = opened("runs", run="base")
    assert [box.label for box in app.selectbox if box.label in ("Behaviour", "Order", "Relation")] == [
        "Behaviour",
        "Order",
    ]
    said = texts(app)
    assert f"Over {info.num_users:,} users, **cart weighs most: 43.8 %**" in said
    assert f"over {info.num_items:,} items, **all are alike**, at 25.0 %" in said
    app = opened("runs", run="base", axis_1="0")
    assert "**cart weighs most: 100.0 %**" in texts(app)
    assert tables["behavior_attention-behavior-0-scored-base"]["q95"].max() == 1
    opened("runs", run="base", epoch="2", axis_1="3", axis_2="1")
    table = tables["behavior_attention-behavior-3-order-1-epoch-2-base"]
    cart = table[(table["group"] == "user") & (table["relation"] == "cart")].iloc[0]
    assert (cart["value"], cart["q05"]) == (1, 1)
    said = texts(opened("runs", run="base", epoch="2", axis_1="mean"))
    assert "snapshots keep no spread of a mean" in said


def test_a_position_that_does_not_exist_is_told(run, home, opened) -> None:
    info = open_dataset(home, "demo").info
    save_finding(run.findings, attention(info.num_users, info.num_items))
    app = opened("runs", run="base", axis_2="17")
    assert any("There is no order '17'" in note.value for note in app.caption)


def test_cells_are_drawn_of_two_axes_and_probes_are_the_latest_snapshot(run, opened, tables) -> None:
    axes = (Axis.labelled("source", (*BEHAVIORS, "shared")), Axis.labelled("task", BEHAVIORS))
    values = np.arange(20.0).reshape(5, 4) / 10
    store_with_history(run, Finding("transfer", "Loss", "MB-GMN", Kind.AMOUNT, axes, values))
    save_history(
        run.findings, History("transfer", Kind.AMOUNT, axes, np.array([2, 3]), np.stack([values, values]))
    )
    said = texts(opened("runs", run="base"))
    assert "**The largest is source shared, task buy: 1.9000**" in said
    assert "of the latest snapshot" in said
    assert list(tables["transfer-latest-base"]) == ["epoch", "source", "task", "value"]


def neighbors(num_items: int) -> Finding:
    """Item 3 is linked to 5 and 4; nothing else is linked."""
    indptr = np.where(np.arange(num_items + 1) > 3, 2, 0)
    links = Links(indptr, np.array([4, 5]), np.array([0.25, 0.75]))
    axes = (Axis("item", num_items), Axis("neighbor", num_items))
    return Finding("item_neighbors", "Nearest items", "ItemKNN", Kind.LINK, axes, links, np.array([2, 9]))


def test_links_are_a_table_with_titles(run, home, opened, tables) -> None:
    data = open_dataset(home, "demo")
    save_finding(run.findings, neighbors(data.info.num_items))
    titles = readers.titles(data)
    app = opened("runs", run="base")
    assert f"**{titles[3]} is linked most to {titles[5]}**: 0.7500, support 9; 2 links in all." in texts(app)
    table = tables["item_neighbors-3-base"]
    assert table["number"].tolist() == [5, 4]
    assert table["name"].tolist() == [titles[5], titles[4]]


def test_an_item_is_found_by_title_or_number(run, home, opened) -> None:
    data = open_dataset(home, "demo")
    save_finding(run.findings, neighbors(data.info.num_items))
    title = readers.titles(data)[3]
    for wanted in ("3", title.upper()):
        assert f"**{title} is linked most" in texts(opened("runs", run="base", linked=wanted))
    assert "with links is called so: zeppelin" in texts(opened("runs", run="base", linked="zeppelin"))


def test_items_of_changed_data_go_by_number(run, home, opened) -> None:
    num_items = open_dataset(home, "demo").info.num_items
    save_finding(run.findings, neighbors(num_items))
    stored_runs.write_demo(home, "demo", num_users=211, num_items=num_items, seed=9, replace=True)
    said = texts(opened("runs", run="base"))
    assert "has changed since this run was trained" in said
    assert "**item 3 is linked most to item 5**" in said


def test_clouds_of_points_are_only_named(run, opened) -> None:
    axes = (Axis("node", 5), Axis("dim", 2))
    save_finding(run.findings, Finding("means", "Latent means", "HGIB", Kind.POINT, axes, np.zeros((5, 2))))
    app = opened("runs", run="base")
    assert "not drawn here: Latent means" in texts(app)
    assert not any(box.label == "Finding" for box in app.selectbox)


def test_a_damaged_finding_is_told_and_the_rest_of_the_page_goes_on(run, opened) -> None:
    save_finding(run.findings, importance())
    (run.findings / "behavior_importance.npz").write_bytes(b"no archive")
    app = opened("runs", run="base")
    assert any("cannot be read" in box.value for box in app.error)
    assert "Settings, and how to repeat this run" in section_titles(app)
    (run.findings / "behavior_importance.json").write_text("{")
    assert any("cannot be read" in box.value for box in opened("runs", run="base").error)


def test_without_findings_of_its_own_there_is_no_section(run, home, opened) -> None:
    assert "What it learned" not in section_titles(opened("runs", run="base"))
    stored_runs.done_run(home, open_dataset(home, "demo").info)
    assert "What it learned" not in section_titles(opened("runs", run="done-run"))


def test_beside_pages_of_its_own_the_section_stays_closed_and_unread(home, opened, monkeypatch) -> None:
    run = stored_runs.done_run(home, stored_runs.tiny_demo(home))
    save_finding(run.findings, importance())
    drawn: list[str] = []
    monkeypatch.setattr(run_learned, "_pick_and_draw", lambda home, run, recipe, stored: drawn.extend(stored))
    assert "What it learned" in section_titles(opened("runs", run="done-run"))
    assert drawn == []
    opened("runs", run="done-run", finding="behavior_importance")
    assert drawn == ["behavior_importance"]
