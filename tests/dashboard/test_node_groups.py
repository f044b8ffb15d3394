"""Groups of users and items by their training pairs, against loops over nodes."""

import numpy as np
import pytest

from core.evaluation.groups import UNDEFINED, mean_interval
from dashboard import node_groups
from dashboard.node_groups import Measure

USERS = np.array([0, 1, 1, 2, 3, 5, 8, 8, 13, 21, 1, 2, 4])  # 13
ITEMS = np.array([40, 1, 0, 9, 8, 30, 2, 0, 1, 12, 3, 0, 5, 6, 7, 1, 2])  # 17
INFINITE = float("inf")


def test_users_rise_in_activity_and_those_never_trained_stand_apart() -> None:
    groups = node_groups.users_by_activity(USERS)
    assert groups.grouping.group[0] == UNDEFINED
    assert groups.title(UNDEFINED) == "never trained"
    for place, title in enumerate(groups.titles):
        own = USERS[groups.grouping.group == place]
        low, _, high = title.partition(" to ")
        assert (int(low), int(high or low)) == (own.min(), own.max())
    known = USERS > 0
    order = np.argsort(USERS[known], kind="stable")
    assert (np.diff(groups.grouping.group[known][order]) >= 0).all()
    assert USERS[0] == 0, "the caller's array is left alone"


@pytest.mark.parametrize("rule", ["equal_mass", "equal_number"])
def test_items_rise_from_tail_to_head(rule) -> None:
    groups = node_groups.items_by_popularity(ITEMS, rule)
    assert (groups.grouping.group[ITEMS == 0] == UNDEFINED).all()
    assert groups.titles[0].startswith("tail: 1")
    assert groups.titles[-1].startswith("head: ")
    assert groups.titles[-1].endswith("40")
    assert ITEMS[groups.is_head].min() > ITEMS[~groups.is_head].max()
    tail = groups.is_tail
    assert tail[ITEMS == 0].all()
    assert ITEMS[tail].max() < ITEMS[~tail].min()


def test_without_trained_items_there_is_neither_head_nor_group() -> None:
    groups = node_groups.items_by_popularity(np.zeros(5, dtype=int), "equal_mass")
    assert groups.titles == ()
    assert not groups.is_head.any()
    assert groups.is_tail.all()


@pytest.fixture
def table():
    groups = {
        "user": node_groups.users_by_activity(USERS),
        "item": node_groups.items_by_popularity(ITEMS, "equal_mass"),
    }
    rng = np.random.default_rng(2)
    measures = [
        Measure("cosine", "user", rng.uniform(-1, 1, (13, 1)), ("users",), (-1.0, 1.0)),
        Measure("cosine", "item", rng.uniform(-1, 1, (17, 2)), ("a", "b"), (-1.0, 1.0)),
        Measure("weight", "item", rng.uniform(0, 9, (17, 1)), ("a",), (0.0, INFINITE)),
    ]
    return measures, groups, node_groups.group_table(measures, groups)


def test_means_and_intervals_are_those_of_a_loop(table) -> None:
    measures, groups, found = table
    rows = 0
    for measure in measures:
        cut = groups[measure.side]
        for s, series in enumerate(measure.series):
            for place in range(cut.grouping.count):
                own = measure.values[cut.grouping.group == place, s]
                row = found[
                    (found["measure"] == measure.name)
                    & (found["series"] == series)
                    & (found["side"] == measure.side)
                    & (found["group"] == place)
                ].iloc[0]
                wanted = mean_interval(own, within=measure.within)
                assert (row["mean"], row["low"], row["high"]) == pytest.approx(wanted, nan_ok=True)
                assert row["size"] == len(own)
                assert not row["undefined"]
                rows += 1
    assert (~found["undefined"]).sum() == rows


def test_never_trained_items_come_last_and_such_users_not_at_all(table) -> None:
    _, groups, found = table
    untrained = found[found["undefined"]]
    assert set(untrained["side"]) == {"item"}
    assert (untrained["group"] == groups["item"].grouping.count).all()
    assert (untrained["size"] == 3).all()


def test_the_ends_are_the_extreme_trained_groups(table) -> None:
    _, _, found = table
    own = found[(found["measure"] == "weight") & ~found["undefined"] & (found["size"] > 1)]
    ends = node_groups.ends(found, "weight", "item")
    assert ends.highest == own["mean"].max()
    assert ends.lowest == own["mean"].min()
    most, least = (own[own["title"] == title].iloc[0] for title in (ends.most, ends.least))
    assert ends.apart == bool(least["high"] < most["low"])
    assert node_groups.ends(found.head(0), "weight", "item") is None


@pytest.mark.parametrize(
    ("title", "side", "said"),
    [
        ("1", "user", "users with 1 training pair"),
        ("4 to 7", "user", "users with 4 to 7 training pairs"),
        ("tail: 1 to 4", "item", "items of the tail"),
        ("head: 57", "item", "items of the head"),
        ("3: 9 to 14", "item", "items with 9 to 14 training pairs"),
        ("all: 3", "item", "items with 3 training pairs"),
    ],
)
def test_groups_in_a_sentence(title, side, said) -> None:
    assert node_groups.whom(title, side) == said
