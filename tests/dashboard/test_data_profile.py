"""The tables behind the Data page, against numbers counted by hand from tests/dashboard/profiles.py."""

import numpy as np
import pandas as pd
import pytest

from core.data.dataset import open_dataset
from core.data.profile_store import fill
from core.home import Home
from dashboard import data_contents
from dashboard import data_profile as tables
from dashboard.data_comparison import comparison_row
from tests.dashboard.profiles import FUNNEL, ROWS, told
from tests.dashboard.stored_runs import tiny_demo


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def profile(home):
    return told(home)


def test_the_funnel_parts_each_behavior_by_what_came_before(profile) -> None:
    table = tables.funnel_table(profile["scopes"]["train"], FUNNEL).set_index(["unit", "behavior"])
    assert table.loc["pairs", "count"].tolist() == [6, 3, 5]
    # buys: (0,1) viewed and carted; (1,1) viewed, (1,5) carted; (0,4) and (2,6) neither
    assert table.loc[("pairs", "buy"), ["every", "some", "none"]].tolist() == [1, 2, 2]
    assert table.loc[("pairs", "cart"), ["every", "some", "none"]].tolist() == [2, 0, 1]
    assert table.loc[("pairs", "buy"), "before"] == 3 / 5
    assert table.loc[("pairs", "cart"), "converted"] == 2 / 6
    assert table.loc[("pairs", "buy"), "converted"] == 2 / 3
    assert table.loc["users", "count"].tolist() == [3, 2, 3]
    assert table.loc[("users", "buy"), ["every", "some", "none"]].tolist() == [2, 1, 0]


def test_the_first_of_a_funnel_has_nothing_before_it(profile) -> None:
    first = tables.funnel_table(profile["scopes"]["train"], FUNNEL).iloc[0]
    assert (first["behavior"], first["every"], first["none"]) == ("view", 6, 0)
    assert np.isnan(first["before"])
    assert np.isnan(first["converted"])


def test_all_splits_add_the_held_out_pairs(profile) -> None:
    table = tables.funnel_table(profile["scopes"]["all"], FUNNEL).set_index(["unit", "behavior"])
    assert table.loc[("pairs", "buy"), "count"] == 8
    assert table.loc[("pairs", "buy"), "none"] == 3


def test_conversions_tell_shares_of_both_ends_and_the_order_in_time(profile) -> None:
    table = tables.conversion_table(profile["scopes"]["train"], FUNNEL).set_index(["from", "to"])
    assert list(table.index) == [("view", "cart"), ("view", "buy"), ("cart", "buy")]
    cart = table.loc[("view", "cart")]
    assert (cart["both"], cart["converted"], cart["came_from"]) == (2, 2 / 6, 2 / 3)
    assert (cart["first"], cart["same"], cart["later"]) == (1 / 2, 1 / 2, 0)
    assert table.loc[("view", "buy"), ["first", "later"]].tolist() == [1 / 2, 1 / 2]


def test_without_times_no_order_is_told(home) -> None:
    table = tables.conversion_table(told(home, timed=False)["scopes"]["train"], FUNNEL)
    assert table[["first", "same", "later"]].isna().all(axis=None)
    assert table["both"].tolist() == [2, 2, 2]


def test_overlaps_are_exclusive_and_add_up(profile) -> None:
    table = tables.overlap_table(profile["scopes"]["train"], FUNNEL, "pairs")
    counts = dict(zip(table["behaviors"], table["count"]))
    assert counts == {
        "view": 3,
        "buy": 2,
        "view + cart + buy": 1,
        "view + cart": 1,
        "cart + buy": 1,
        "view + buy": 1,
    }
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc[table["behaviors"] == "cart + buy", list(FUNNEL)].to_numpy().tolist() == [
        [False, True, True]
    ]
    users = tables.overlap_table(profile["scopes"]["train"], FUNNEL, "users")
    assert dict(zip(users["behaviors"], users["count"])) == {"view + cart + buy": 2, "view + buy": 1}


def test_tails_are_shares_of_all_nodes(profile) -> None:
    table = tables.tail_table(profile["scopes"]["train"], FUNNEL)
    views = table[(table["side"] == "user") & (table["behavior"] == "view")]
    assert views["degree"].tolist() == [1, 2, 3]
    assert views["share"].tolist() == [3 / 5, 2 / 5, 1 / 5]


def test_degrees_come_with_who_has_none(profile) -> None:
    table = tables.degree_table(profile, profile["scopes"]["train"], FUNNEL).set_index(["behavior", "per"])
    assert table.loc[("cart", "user"), "without"] == 3
    assert table.loc[("buy", "item"), "max"] == 2


def test_the_histogram_is_cut_to_what_is_filled(profile) -> None:
    table = tables.correlation_table(profile)
    assert table["users"].sum() == 2  # users 0 and 1; the others lack a behaviour
    assert table["users"].iloc[0] > 0
    assert table["users"].iloc[-1] > 0
    np.testing.assert_allclose(table["high"] - table["low"], 0.02)


def test_correlations_are_told_by_pair_and_as_their_mean(profile) -> None:
    table = tables.pair_correlation_table(profile).set_index("behaviors")
    assert list(table.index) == ["view and cart", "view and buy", "cart and buy", "mean over all pairs"]
    assert table.loc["mean over all pairs", ["users", "undefined"]].tolist() == [2, 3]


def test_nobody_with_two_behaviors_has_an_empty_histogram(home) -> None:
    lone = told(home, [row for row in ROWS if row[2] == "buy"], behaviors=("buy",))
    assert tables.correlation_table(lone).empty
    assert tables.pair_correlation_table(lone).empty
    assert tables.conversion_table(lone["scopes"]["train"], ["buy"]).empty


def test_splits_and_counts(profile) -> None:
    split = tables.split_table(profile).set_index("split")
    assert split["pairs"].to_dict() == {"train": 5, "valid": 1, "test": 2}
    assert split.loc["test", ["first", "last"]].tolist() == ["1970-01-01 00:00"] * 2
    counts = tables.count_table(profile, FUNNEL).set_index("behavior")
    assert counts.loc["buy", ["train", "valid", "test"]].tolist() == [5, 1, 2]
    assert counts.loc["cart", "valid"] == 0
    assert tables.when(None) == "unknown"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (253_402_300_799, "9999-12-31 23:59"),
        (253_402_300_800, "year 10000"),
        (569_000_000_000, "year 20000"),
        (-62_135_596_801, "year 0"),
        (2**63 - 1, "year 292277026596"),
        (-(2**63), "year -292277022657"),
    ],
)
def test_a_time_beyond_the_calendar_is_told_by_its_year(seconds, said) -> None:
    assert tables.when(seconds) == said


def test_key_figures_of_a_set(profile) -> None:
    row = comparison_row(profile)
    assert row["pairs"] == 17
    assert (row["target"], row["test"], row["seen"], row["cold"]) == (5, 2, 0.5, 0.5)
    assert row["kind"] == "multi-behaviour"


MODALITY = {"rows": 5, "dims": 3, "not_finite": 0, "zero_rows": 2, "mean_norm": 1.0}


def test_features_of_the_demo(home) -> None:
    tiny_demo(home)
    demo = fill(home, open_dataset(home, "demo"))
    assert data_contents.feature_table(demo)["modality"].tolist() == ["text", "image"]
    assert data_contents.feature_table({"modality_checks": {"text": MODALITY}})["zero_share"].tolist() == [
        0.4
    ]


def test_shares_become_percent_where_the_column_exists() -> None:
    table = tables.percents(pd.DataFrame({"seen": [0.25, np.nan]}), "seen", "cold")
    assert table["seen"].iloc[0] == 25
    assert "cold" not in table
