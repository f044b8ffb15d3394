"""Findings of every kind as tables, against loops over single values."""

import numpy as np
import pytest

from core.errors import RunError
from core.findings import Axis, Finding, History, Kind, Links, summary_over_nodes
from dashboard import learned
from dashboard.learned import Form

BEHAVIORS = ("view", "cart", "buy")
USERS, ITEMS = 7, 11
EPOCHS = (2, 5)


def shares(seed: int, *shape: int):
    return np.random.default_rng(seed).dirichlet(np.full(shape[-1], 0.7), shape[:-1])


def finding(kind, axes, values, support=None) -> Finding:
    return Finding("stated", "Stated", "Paper, Eq. 1", kind, axes, values, support, "How to read it.")


@pytest.fixture
def bars() -> Finding:
    return finding(Kind.SHARE, (Axis.labelled("behavior", BEHAVIORS),), shares(1, 3), np.array([50, 30, 20]))


@pytest.fixture
def cells() -> Finding:
    axes = (
        Axis.labelled("order", ("1", "2")),
        Axis.labelled("source", (*BEHAVIORS, "x", "shared")),
        Axis.labelled("task", BEHAVIORS),
    )
    values = np.random.default_rng(2).normal(size=(2, 5, 3))
    return finding(Kind.SIGNED, axes, values, np.arange(30).reshape(2, 5, 3))


@pytest.fixture
def nodes() -> Finding:
    """Axes start (3), order (2), node (18), relation (5)."""
    axes = (
        Axis.labelled("start", BEHAVIORS),
        Axis.labelled("order", ("1", "2")),
        Axis("node", USERS + ITEMS, groups={"user": (0, USERS), "item": (USERS, USERS + ITEMS)}),
        Axis.labelled("relation", ("a", "b", "c", "d", "e")),
    )
    return finding(Kind.SHARE, axes, shares(3, 3, 2, USERS + ITEMS, 5))


@pytest.fixture
def links() -> Finding:
    """Row 0: columns 2 and 1; row 1: none; row 2: column 0 alone, with most support."""
    values = Links(np.array([0, 2, 2, 3, 3]), np.array([2, 1, 0]), np.array([0.3, 0.9, 0.5]))
    axes = (Axis("item", 4), Axis("neighbor", 3))
    return finding(Kind.LINK, axes, values, np.array([4, 2, 40]))


def history(stated: Finding) -> History:
    now = summary_over_nodes(stated)
    values = np.stack([np.asarray(now.values) * 0.5, np.asarray(now.values)])
    return History(stated.key, now.kind, now.axes, np.array(EPOCHS), values)


def test_the_form_follows_kind_and_axes_alone(bars, cells, nodes, links) -> None:
    points = finding(Kind.POINT, (Axis("node", 5), Axis("dim", 2)), np.zeros((5, 2)))
    found = [learned.form(stated) for stated in (bars, cells, nodes, links, points)]
    assert found == [Form.BARS, Form.CELLS, Form.NODES, Form.LINKS, Form.POINTS]


def test_the_last_axes_are_drawn_and_the_others_are_picked(bars, cells, nodes) -> None:
    def names(axes) -> list[str]:
        return [axis.name for axis in axes]

    assert [names(learned.drawn_axes(f)) for f in (bars, cells, nodes)] == [
        ["behavior"],
        ["source", "task"],
        ["relation"],
    ]
    assert [names(learned.picked_axes(f)) for f in (bars, cells, nodes)] == [
        [],
        ["order"],
        ["start", "order"],
    ]


def test_bars_keep_values_and_support(bars) -> None:
    table = learned.table_of(bars, {})
    assert table["label"].tolist() == list(BEHAVIORS)
    np.testing.assert_allclose(table["value"], bars.values)
    assert table["support"].tolist() == [50, 30, 20]
    assert table[["low", "high", "nodes"]].isna().all(axis=None)
    assert set(table["group"]) == {""}


@pytest.mark.parametrize("order", [0, 1, None])
def test_cells_are_those_of_the_picked_order_or_its_mean(order, cells) -> None:
    table = learned.table_of(cells, {"order": order})
    assert len(table) == 15
    for row in table.to_dict("records"):
        s, t = cells.axes[1].labels.index(row["row"]), BEHAVIORS.index(row["label"])
        each, behind = cells.values[:, s, t], cells.support[:, s, t]
        assert row["value"] == pytest.approx(each.mean() if order is None else each[order])
        assert row["support"] == (behind.sum() if order is None else behind[order])


@pytest.mark.parametrize(
    "picks", [{"start": 2, "order": None}, {"start": None, "order": 1}, {"start": 0, "order": 0}]
)
def test_nodes_are_means_and_percentiles_over_users_and_over_items(picks, nodes) -> None:
    table = learned.table_of(nodes, picks)
    starts = range(3) if picks["start"] is None else [picks["start"]]
    orders = range(2) if picks["order"] is None else [picks["order"]]
    assert len(table) == 2 * 5
    for row in table.to_dict("records"):
        first, last = nodes.axes[2].groups[row["group"]]
        r = nodes.axes[3].labels.index(row["label"])
        each = [
            np.mean([nodes.values[k, o, n, r] for k in starts for o in orders]) for n in range(first, last)
        ]
        assert row["value"] == pytest.approx(np.mean(each))
        assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(each, (0.05, 0.95))))
        assert row["nodes"] == last - first


def test_a_group_without_nodes_is_left_out() -> None:
    node = Axis("node", 5, groups={"user": (0, 5), "item": (5, 5)})
    stated = finding(Kind.RATE, (node, Axis.labelled("behavior", BEHAVIORS)), np.full((5, 3), 0.5))
    assert set(learned.table_of(stated, {})["group"]) == {"user"}
    assert set(learned.table_at(stated, history_of_one(stated), 4, {})["group"]) == {"user"}


def history_of_one(stated: Finding) -> History:
    axes = (
        Axis.labelled("behavior", BEHAVIORS),
        Axis.labelled("node_group", ("user", "item")),
        Axis.labelled("statistic", ("mean", "q05", "q25", "q50", "q75", "q95")),
    )
    return History(stated.key, Kind.RATE, axes, np.array([4]), np.full((1, 3, 2, 6), 0.5))


def test_a_finding_of_nodes_alone_is_one_bar_per_group() -> None:
    stated = finding(Kind.AMOUNT, (Axis("node", 5, groups={"user": (0, 2), "item": (2, 5)}),), np.arange(5.0))
    table = learned.table_of(stated, {})
    assert table["value"].tolist() == [0.5, 3.0]
    assert table["label"].tolist() == ["value", "value"]


def test_axes_without_labels_are_counted() -> None:
    stated = finding(Kind.AMOUNT, (Axis("rank", 3),), np.array([3.0, 1.0, 2.0]))
    assert learned.table_of(stated, {})["label"].tolist() == ["0", "1", "2"]


def test_a_snapshot_of_cells_is_cut_like_the_finding(cells) -> None:
    then = learned.table_at(cells, history(cells), 2, {"order": 1})
    np.testing.assert_allclose(then["value"], 0.5 * learned.table_of(cells, {"order": 1})["value"])
    assert then["support"].isna().all()


def test_a_snapshot_of_nodes_keeps_the_spread_only_where_single_positions_are_picked(nodes) -> None:
    single = {"start": 2, "order": 0}
    then, now = learned.table_at(nodes, history(nodes), 5, single), learned.table_of(nodes, single)
    for column in ("value", "low", "high", "nodes"):
        np.testing.assert_allclose(then[column], now[column])
    mean = {"start": None, "order": 0}
    then, now = learned.table_at(nodes, history(nodes), 5, mean), learned.table_of(nodes, mean)
    np.testing.assert_allclose(then["value"], now["value"])
    assert then[["low", "high"]].isna().all(axis=None)
    assert now["low"].notna().all()


def test_a_history_of_other_axes_does_not_fit(bars, cells, nodes, links) -> None:
    for stated in (bars, cells, nodes):
        assert learned.fits(stated, history(stated))
        assert not learned.fits(stated, None)
    assert not learned.fits(bars, history(cells))
    assert not learned.fits(nodes, history(cells))
    assert not learned.fits(links, history(bars))
    empty = History(bars.key, bars.kind, bars.axes, np.array([]), np.zeros((0, 3)))
    assert not learned.fits(bars, empty)


def test_a_finding_that_equals_the_last_snapshot_is_told_from_one_that_does_not(bars, nodes) -> None:
    taken = history(bars)
    assert learned.is_last_snapshot(bars, taken)
    later = History(bars.key, bars.kind, bars.axes, taken.epochs, taken.values[::-1])
    assert not learned.is_last_snapshot(bars, later)
    assert not learned.is_last_snapshot(nodes, history(nodes))


def test_the_scale_covers_every_epoch_and_percentile(bars, nodes) -> None:
    taken = history(bars)
    higher = History(bars.key, bars.kind, bars.axes, taken.epochs, taken.values * np.array([[7.0], [1.0]]))
    assert learned.reach(bars, higher, {}) == pytest.approx(higher.values.max())
    assert learned.reach(bars, None, {}) == pytest.approx(bars.values.max())
    single = {"start": 1, "order": 1}
    assert learned.reach(nodes, history(nodes), single) == pytest.approx(
        learned.table_of(nodes, single)["high"].max()
    )
    zero = finding(Kind.AMOUNT, (Axis.labelled("a", ("x",)),), np.zeros(1))
    assert learned.reach(zero, None, {}) == 1


def test_long_axes_are_cut_to_the_largest_in_their_old_order() -> None:
    values = np.array([1.0, -9.0, 3.0, 8.0, -2.0])
    stated = finding(Kind.SIGNED, (Axis("rank", 5),), values)
    table = learned.table_of(stated, {})
    assert learned.cut_long(table, "label", 3)["value"].tolist() == [-9.0, 3.0, 8.0]
    assert learned.cut_long(table, "label", 5) is table


def test_extremes_name_both_ends(cells) -> None:
    about = learned.extremes(learned.table_of(cells, {"order": 0}))
    s, t = np.unravel_index(cells.values[0].argmax(), (5, 3))
    assert about.most == (cells.axes[1].labels[s], BEHAVIORS[t], cells.values[0].max())
    assert about.least[2] == cells.values[0].min()
    assert (about.below, about.count, about.alike) == (int((cells.values[0] < 0).sum()), 15, False)


def test_values_within_a_hundredth_are_alike() -> None:
    for values, alike in (([0.5, 0.5049], True), ([0.5, 0.52], False), ([0.0, 0.0], True), ([0.3], False)):
        stated = finding(Kind.RATE, (Axis("rank", len(values)),), np.array(values))
        assert learned.extremes(learned.table_of(stated, {})).alike is alike, values


def test_rows_with_links_come_by_support_and_else_by_count(links) -> None:
    assert learned.linked_rows(links).tolist() == [2, 0]
    bare = finding(Kind.LINK, links.axes, links.values)
    assert learned.linked_rows(bare).tolist() == [0, 2]


def test_links_come_largest_first_with_their_names(links) -> None:
    table = learned.links_table(links, 0, ["zero", "one", "two"])
    assert table.to_dict("records") == [
        {"place": 1, "name": "one", "number": 1, "value": 0.9, "support": 2},
        {"place": 2, "name": "two", "number": 2, "value": 0.3, "support": 4},
    ]


def test_a_row_is_found_by_number_first_and_by_part_of_its_title() -> None:
    names, rows = ["Red Lamp", "lamp 3", "Tent", "Rope"], np.array([1, 0, 3])
    assert learned.matching("LAMP", names, rows) == [1, 0]
    assert learned.matching(" 3 ", names, rows) == [3, 1]
    assert learned.matching("tent", names, rows) == []
    assert learned.matching("²", names, rows) == []


def test_links_and_arrays_are_not_mistaken_for_each_other(links, bars) -> None:
    with pytest.raises(RunError, match="repeat the run"):
        learned.table_of(links, {})
    with pytest.raises(RunError, match="repeat the run"):
        learned.linked_rows(bars)
