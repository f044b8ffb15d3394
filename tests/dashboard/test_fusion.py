"""Shares of the fusion by group of nodes."""

import numpy as np
import pandas as pd
import pytest

from dashboard import fusion
from dashboard.information import Stated
from tests.dashboard import stored_levels as stored

USERS, ITEMS, SOURCES = 13, 11, ("view", "cart", "buy")
ALL = {"all users": ("user", None), "all items": ("item", None)}


@pytest.fixture
def about() -> Stated:
    finding = stored.fusion(1, SOURCES, USERS, ITEMS)
    return Stated(finding, stored.history(finding))


def test_users_are_grouped_by_their_pairs_and_equal_ones_stay_together() -> None:
    pairs = np.array([3, 1, 1, 9, 5, 1, 3, 7])
    users = np.arange(100, 108)
    found = fusion.activity_groups(pairs, users)
    assert sorted(np.concatenate(list(found.values()))) == users.tolist()
    assert found["1"].tolist() == [101, 102, 105]
    assert fusion.activity_groups(np.array([2, 2]), np.array([0, 1])).keys() == {"2"}
    assert fusion.activity_groups(np.empty(0), np.empty(0)) == {}


def test_shares_are_means_over_the_groups_nodes(about) -> None:
    chosen = {
        "few": ("user", np.array([0, 2])),
        "items": ("item", np.array([1, ITEMS + 5])),
        "none": ("user", np.array([], int)),
    }
    table = fusion.share_table(about, ALL | chosen)
    values = about.finding.values
    few = table[table["group"] == "few"]
    np.testing.assert_allclose(few["share"], values[[0, 2]].mean(axis=0, dtype=float))
    assert few["nodes"].unique().tolist() == [2]
    items = table[table["group"] == "items"]
    np.testing.assert_allclose(items["share"], values[USERS + 1])
    assert "none" not in set(table["group"])
    np.testing.assert_allclose(table.groupby("group")["share"].sum(), 1, atol=1e-6)


def test_snapshots_know_all_users_and_all_items(about) -> None:
    table, now = fusion.share_table_at(about, 5), fusion.share_table(about, ALL)
    assert table["group"].unique().tolist() == ["all users", "all items"]
    np.testing.assert_allclose(table["share"], now["share"], rtol=1e-6)
    assert table["deviation"].isna().all()
    assert table["nodes"].unique().tolist() == [USERS, ITEMS]


def shares(group: str, *values: float) -> pd.DataFrame:
    return pd.DataFrame({"group": group, "source": SOURCES, "share": values})


def test_the_leading_sources_are_told_with_ties_and_without_a_lead() -> None:
    clear = fusion.leader(shares("g", 0.5, 0.2, 0.3), "g")
    assert (clear.sources, clear.share, clear.is_flat) == (("view",), 0.5, False)
    tied = fusion.leader(shares("g", 0.4, 0.2, 0.395), "g")
    assert tied.sources == ("view", "buy")
    flat = fusion.leader(shares("g", 0.335, 0.332, 0.333), "g")
    assert flat.is_flat
    assert fusion.leader(shares("g", 0.5, 0.2, 0.3), "other") is None


def test_moves_are_sorted_by_size() -> None:
    table = pd.concat([shares("least", 0.5, 0.2, 0.3), shares("most", 0.45, 0.4, 0.15)])
    found = fusion.moves(table, "least", "most")
    assert found["source"].tolist() == ["cart", "buy", "view"]
    np.testing.assert_allclose(found["change"], [0.2, -0.15, -0.05])
