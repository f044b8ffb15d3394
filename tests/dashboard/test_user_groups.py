"""Metrics and gates by groups of users, against loops over single users."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.groups import UNDEFINED
from dashboard import user_groups
from dashboard.gates import Gates

USERS = 53
NAN = float("nan")


@pytest.fixture
def profile() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    correlation = rng.uniform(-0.1, 0.6, USERS)
    correlation[::7] = NAN
    return pd.DataFrame(
        {
            "user": np.arange(USERS),
            "correlation": correlation,
            "degree_view": rng.integers(1, 40, USERS),
            "degree_buy": rng.integers(1, 9, USERS),
        }
    )


def in_group(groups, user: int) -> int:
    return int(groups.grouping.group[list(groups.users).index(user)])


def test_only_evaluated_users_are_grouped_and_edges_come_from_them(profile) -> None:
    users = np.array([1, 2, 3, 5, 8, 13, 21, 34, 14])
    groups = user_groups.user_groups(profile, users, "equal_count", similar=False)
    assert groups.users.tolist() == sorted(users)
    known = profile["correlation"][[1, 2, 3, 5, 8, 13, 34]]
    assert groups.grouping.edges[0] == pytest.approx(known.min(), abs=1e-11)
    assert groups.grouping.edges[-1] == pytest.approx(known.max(), abs=1e-11)
    assert in_group(groups, 21) == in_group(groups, 14) == UNDEFINED
    assert groups.pairs[0] == profile["degree_view"][1] + profile["degree_buy"][1]


def test_similar_users_are_the_middle_half_by_training_pairs(profile) -> None:
    groups = user_groups.user_groups(profile, np.arange(USERS), "equal_count", similar=True)
    pairs = profile["degree_view"] + profile["degree_buy"]
    low, high = np.quantile(pairs, (0.25, 0.75))
    assert groups.users.tolist() == [u for u in range(USERS) if low <= pairs[u] <= high]


def test_metric_table_is_the_loop_over_users(profile) -> None:
    rng = np.random.default_rng(9)
    users = np.arange(0, USERS, 2)
    values = {
        name: pd.DataFrame({"user": users, "value": rng.uniform(0, 1, len(users))}) for name in ("one", "two")
    }
    groups = user_groups.user_groups(profile, users, "equal_width", similar=False)
    table = user_groups.metric_table(values, groups)
    assert len(table) == 2 * 7
    for row in table.to_dict("records"):
        wanted = UNDEFINED if row["undefined"] else row["group"]
        own = [v for u, v in zip(users, values[row["name"]]["value"]) if in_group(groups, u) == wanted]
        assert row["size"] == len(own)
        if own:
            assert row["mean"] == pytest.approx(sum(own) / len(own))
    last = table[table["undefined"]]
    assert last["group"].tolist() == [6, 6]
    assert last["title"].tolist() == ["undefined", "undefined"]


def test_gates_are_averaged_per_user_before_users_are(profile) -> None:
    users = np.arange(USERS)
    groups = user_groups.user_groups(profile, users, "equal_count", similar=False)
    first = int(np.flatnonzero(groups.grouping.group == 0)[0])
    second = int(np.flatnonzero(groups.grouping.group == 0)[1])
    pairs = np.array([first, first, first, second])
    values = np.array([[[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]]])
    now = Gates(("buy",), ("a", "b"), pairs, np.arange(4), values)
    table = user_groups.gate_by_group(now, "buy", groups)
    row = table[(table["name"] == "a") & (table["group"] == 0)].iloc[0]
    assert row["size"] == 2
    assert row["mean"] == pytest.approx((0.2 + 0.6) / 2)
    assert table[table["group"] > 0]["size"].sum() == 0


def test_pairs_of_users_who_were_not_tested_are_left_out(profile) -> None:
    groups = user_groups.user_groups(profile, np.arange(1, 12), "equal_count", similar=False)
    now = Gates(
        ("buy",), ("a", "b"), np.array([3, 50]), np.array([0, 1]), np.array([[[0.4, 0.6], [0.9, 0.1]]])
    )
    table = user_groups.gate_by_group(now, "buy", groups)
    assert table.groupby("name")["size"].sum().tolist() == [1, 1]
    assert table.loc[table["name"] == "a", "mean"].dropna().tolist() == [0.4]


def test_group_titles_are_told_apart() -> None:
    close = user_groups.Grouping(np.array([0.101, 0.102, 0.103]), np.array([0]))
    assert user_groups.group_titles(close)[0] == "0.101 to 0.102"
    wide = user_groups.Grouping(np.array([-0.001, 0.25, 0.5]), np.array([0]))
    assert user_groups.group_titles(wide) == {0: "0.00 to 0.25", 1: "0.25 to 0.50", UNDEFINED: "undefined"}

    tied = user_groups.Grouping(np.array([0.1, 0.2, 1.0, 1.0]), np.array([0]))
    assert user_groups.group_titles(tied) == {
        0: "0.10 to 0.20",
        1: "0.20 to below 1.00",
        2: "1.00",
        UNDEFINED: "undefined",
    }
    one = user_groups.Grouping(np.array([0.3, 0.3]), np.array([0]))
    assert user_groups.group_titles(one)[0] == "0.30"


def test_sizes_tell_activity_beside_correlation(profile) -> None:
    groups = user_groups.user_groups(profile, np.arange(USERS), "equal_count", similar=False)
    table = user_groups.size_table(groups)
    assert table["users"].sum() == USERS
    pairs = profile["degree_view"] + profile["degree_buy"]
    undefined = pairs[profile["correlation"].isna()]
    assert table.iloc[-1].to_dict() == {
        "group": "undefined",
        "users": len(undefined),
        "pairs": undefined.median(),
    }


def trend_table(low: tuple[float, float, float], high: tuple[float, float, float]) -> pd.DataFrame:
    rows = [("run", 0, "low", False, *low, 9), ("run", 1, "high", False, *high, 9)]
    rows.append(("run", 2, "undefined", True, 0.9, 0.8, 1.0, 9))
    return pd.DataFrame(rows, columns=["name", "group", "title", "undefined", "mean", "low", "high", "size"])


def test_a_trend_compares_the_extreme_groups_and_leaves_the_undefined_out() -> None:
    (found,) = user_groups.trends(trend_table((0.2, 0.1, 0.3), (0.5, 0.4, 0.6)))
    assert (found.lowest, found.highest, found.apart) == (0.2, 0.5, True)
    (found,) = user_groups.trends(trend_table((0.4, 0.3, 0.5), (0.2, 0.1, 0.31)))
    assert not found.apart
    (found,) = user_groups.trends(trend_table((0.4, np.nan, np.nan), (0.2, 0.1, 0.31)))
    assert found.apart is None
    one = trend_table((0.4, 0.3, 0.5), (0.2, 0.1, 0.3)).iloc[:1]
    assert user_groups.trends(one) == []


def test_a_trend_names_an_inner_group_above_or_below_both_ends() -> None:
    ends = trend_table((0.2, 0.1, 0.3), (0.5, 0.4, 0.6)).iloc[:2]
    inner = ends.iloc[:1].assign(title="inner")

    def told(mean: float):
        (found,) = user_groups.trends(pd.concat([ends.iloc[:1], inner.assign(mean=mean), ends.iloc[1:]]))
        return found.peak, found.dip

    assert told(0.7) == (("inner", 0.7), None)
    assert told(0.1) == (None, ("inner", 0.1))
    assert told(0.3) == (None, None)
