"""Hyperedges as tables, against slow loops."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import RunError
from core.findings import Axis
from dashboard import hyperedges
from dashboard.information import Stated
from tests.dashboard import stored_structure as stored

USERS, ITEMS, EDGES = 13, 11, 3


@pytest.fixture
def stated() -> Stated:
    rng = np.random.default_rng(2)
    finding = stored.membership(rng.integers(0, EDGES, (2, USERS + ITEMS)), USERS)
    values = rng.dirichlet(np.ones(EDGES), (2, USERS + ITEMS)).astype(np.float32)
    finding = replace(finding, values=values)
    history = stored.history(finding)
    history.values[0] = 0.25
    return Stated(finding, history)


def test_sizes_are_sums_and_counts_over_the_nodes_of_a_side(stated) -> None:
    table = hyperedges.size_table(stated, None).set_index(["modality", "side", "hyperedge"])
    assert len(table) == 2 * 2 * EDGES
    for m, modality in enumerate(stored.MODALITIES):
        for side, nodes in (("user", range(USERS)), ("item", range(USERS, USERS + ITEMS))):
            for k in range(EDGES):
                belong = sum(float(stated.finding.values[m, n, k]) for n in nodes)
                mostly = sum(stated.finding.values[m, n].argmax() == k for n in nodes)
                row = table.loc[modality, side, str(k + 1)]
                assert row["belong"] == pytest.approx(belong, rel=1e-6)
                assert row["share"] == pytest.approx(belong / len(nodes), rel=1e-6)
                assert (row["mostly"], row["nodes"]) == (mostly, len(nodes))


def test_sizes_at_a_snapshot_are_its_means_and_know_no_majority(stated) -> None:
    table = hyperedges.size_table(stated, 1)
    assert table["share"].tolist() == [0.25] * 12
    assert table["mostly"].isna().all()
    now, last = hyperedges.size_table(stated, None), hyperedges.size_table(stated, 5)
    np.testing.assert_allclose(last["share"], now["share"], rtol=1e-5)


def test_one_row_per_hyperedge_holds_both_sides(stated) -> None:
    sizes = hyperedges.size_table(stated, None)
    wide = hyperedges.wide_table(sizes)
    assert wide["modality"].tolist() == ["image"] * 3 + ["text"] * 3
    assert wide["hyperedge"].tolist() == ["1", "2", "3"] * 2
    row = sizes[(sizes["modality"] == "text") & (sizes["hyperedge"] == "2")].set_index("side")
    assert wide.loc[4, "users"] == row.loc["user", "belong"]
    assert wide.loc[4, "items_mostly"] == row.loc["item", "mostly"]
    assert wide.loc[4, "share"] == pytest.approx(row["belong"].sum() / (USERS + ITEMS))
    np.testing.assert_allclose(wide.groupby("modality")["share"].sum(), 1, rtol=1e-6)


def test_sharpness_is_the_mean_largest_share(stated) -> None:
    table = hyperedges.sharpness_table(stated).set_index(["modality", "side"])
    largest = [max(stated.finding.values[1, n]) for n in range(USERS, USERS + ITEMS)]
    assert table.loc["text", "item"]["largest"] == pytest.approx(sum(map(float, largest)) / ITEMS, rel=1e-6)
    assert set(table["even"]) == {1 / EDGES}


def test_nodes_that_belong_to_all_hyperedges_alike_belong_mostly_to_none(stated) -> None:
    values = stated.finding.values.copy()
    values[1, :3] = 1 / EDGES
    idle = replace(stated, finding=replace(stated.finding, values=values))
    assert (hyperedges.chosen(idle, "text", "user")[:3] == hyperedges.NOWHERE).all()
    assert (hyperedges.chosen(idle, "text", "user")[3:] >= 0).all()
    sizes = hyperedges.size_table(idle, None)
    own = sizes[(sizes["modality"] == "text") & (sizes["side"] == "user")]
    assert own["mostly"].sum() == USERS - 3
    sharp = hyperedges.sharpness_table(idle).set_index(["modality", "side"]).loc["text", "user"]
    assert sharp["nodes"] == USERS - 3
    assert sharp["largest"] == pytest.approx(float(values[1, 3:USERS].max(1).mean()), rel=1e-6)


def test_a_hyperedge_over_epochs(stated) -> None:
    table = hyperedges.over_epochs(stated, "text", "2")
    assert table["epoch"].tolist() == [1, 3, 5] * 2
    assert table["name"].tolist() == ["user"] * 3 + ["item"] * 3
    expected = stated.finding.values[1, :USERS, 1].mean()
    assert table["mean"].iloc[2] == pytest.approx(float(expected), rel=1e-5)
    assert table["mean"].iloc[0] == 0.25
    assert hyperedges.over_epochs(Stated(stated.finding, None), "text", "2").empty


def test_nodes_that_are_not_told_apart_are_refused(stated) -> None:
    node = Axis("node", USERS + ITEMS, groups={"user": (0, USERS)})
    finding = replace(stated.finding, axes=(stated.finding.axes[0], node, stated.finding.axes[2]))
    with pytest.raises(RunError, match="not told apart"):
        hyperedges.checked_sides(Stated(finding, None))
    assert hyperedges.checked_sides(stated) is stated


def test_defining_items_carry_membership_popularity_and_category(stated) -> None:
    links = stored.defining_items(stated.finding, most=4)
    shares = hyperedges.shares_of(stated, "text", "item")[:, 1]
    names = [f"item {i}" for i in range(ITEMS)]
    trained, categories = np.arange(ITEMS) * 10, [f"c{i % 2}" for i in range(ITEMS)]
    table = hyperedges.defining_table(links, 4, shares, names, trained, categories)
    assert table["place"].tolist() == [1, 2, 3, 4]
    assert (table["value"].diff().dropna() <= 0).all()
    for row in table.to_dict("records"):
        item = row["number"]
        assert (row["name"], row["trained"], row["category"]) == (names[item], 10 * item, f"c{item % 2}")
        assert row["share"] == shares[item]
    pull = shares * (1 - 0.5 * np.arange(ITEMS) / ITEMS)
    assert table["number"].iloc[0] == pull.argmax()
    bare = hyperedges.defining_table(links, 4, None, names, None, None)
    assert list(bare) == ["place", "name", "number", "value"]


def test_categories_are_counted_from_large_to_small_and_unknown_ones_left_out() -> None:
    names, code = hyperedges.codes(["b", "", "a", "b", "b", "a", "c"])
    assert names == ["b", "a", "c"]
    assert code.tolist() == [0, -1, 1, 0, 0, 1, 2]


def test_category_shares_are_means_and_like_categories_stand_together() -> None:
    rng = np.random.default_rng(7)
    shares = rng.dirichlet(np.ones(3), 23)
    code = rng.integers(-1, 4, 23)
    names = ["w", "x", "y", "z"]
    table = hyperedges.category_table(shares, names, code, ("1", "2", "3"))
    leading = []
    for category in dict.fromkeys(table["row"]):
        own = table[table["row"] == category]
        members = [n for n in range(23) if code[n] == names.index(category)]
        expected = [sum(shares[n][k] for n in members) / len(members) for k in range(3)]
        np.testing.assert_allclose(own["value"], expected)
        assert set(own["support"]) == {len(members)}
        leading.append(int(np.argmax(expected)))
    assert leading == sorted(leading)
    assert set(table["row"]) == set(names)


def test_items_of_two_modalities_are_crossed() -> None:
    one, other = np.array([0, 0, 0, 2, 2]), np.array([1, 1, 2, 2, 2])
    table = hyperedges.crossed_table(one, other, ("1", "2", "3")).set_index(["row", "label"])
    assert table["value"].to_dict() == {
        ("1", "2"): pytest.approx(2 / 3),
        ("1", "3"): pytest.approx(1 / 3),
        ("3", "2"): 0,
        ("3", "3"): 1,
    }
    assert table.loc["1", "2"]["support"] == 2
