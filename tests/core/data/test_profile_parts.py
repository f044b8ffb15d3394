"""Overlaps, order in time, tails and leaks against loops over Python sets."""

import dataclasses
import math
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from core.data.correlation import mean_of_pairs, pair_correlations
from core.data.dataset import open_dataset, write_dataset
from core.data.profile import compute, feature_checks
from core.data.profile_correlation import distribution
from core.data.profile_overlap import MOST_BEHAVIORS, overlap
from core.data.profile_pairs import Pairs, pairs_of
from core.data.profile_tails import MOST_POINTS, tail, top_share
from core.data.splits import NO_TIME

USERS, ITEMS = 11, 7
BEHAVIORS = ("view", "cart", "buy")


@pytest.fixture
def dataset(home, content):
    """Random rows with repeats, unknown times, and test pairs that also train; user 10 and item 6 have nothing, user 9
    only views, user 8 never buys.
    """
    rng = np.random.default_rng(5)
    size = 211
    split = np.where(rng.random(size) < 0.5, "train", np.where(rng.random(size) < 0.5, "valid", "test"))
    user = rng.integers(0, USERS - 1, size)
    behavior = rng.choice(BEHAVIORS, size, p=(0.5, 0.2, 0.3))
    behavior[user == 9] = "view"
    behavior[(user == 8) & (behavior == "buy")] = "cart"
    rows = list(
        zip(
            user.tolist(),
            rng.integers(0, ITEMS - 1, size).tolist(),
            behavior.tolist(),
            np.where(behavior == "buy", split, "train").tolist(),
        )
    )
    made = content(rows, users=USERS, items=ITEMS, behaviors=BEHAVIORS)
    times = np.where(rng.random(size) < 0.2, NO_TIME, rng.integers(100, 130, size))
    frame = made.interactions.assign(timestamp=times)
    write_dataset(home, "random", dataclasses.replace(made, interactions=frame))
    return open_dataset(home, "random")


@pytest.fixture
def rows(dataset) -> list[dict]:
    return dataset.interactions().astype({"behavior": str, "split": str}).to_dict("records")


@pytest.fixture
def told(dataset):
    return compute(dataset).content


def pairs(rows, behavior: str, *splits: str) -> set[tuple[int, int]]:
    return {
        (r["user"], r["item"])
        for r in rows
        if r["behavior"] == behavior and (not splits or r["split"] in splits)
    }


@pytest.mark.parametrize(("scope", "splits"), [("train", ("train",)), ("all", ())])
def test_each_pair_and_each_user_is_in_exactly_one_intersection(scope, splits, rows, told) -> None:
    under = defaultdict(set)
    for behavior in BEHAVIORS:
        for pair in pairs(rows, behavior, *splits):
            under[pair].add(behavior)
    of_user = defaultdict(set)
    for (user, _), found in under.items():
        of_user[user] |= found
    for unit, found in (("pairs", under), ("users", of_user)):
        expected = Counter(frozenset(names) for names in found.values())
        counted = told["scopes"][scope]["overlap"][unit]
        assert {frozenset(names): count for names, count in counted} == expected
        assert len(counted) >= 3
        assert [count for _, count in counted] == sorted((c for _, c in counted), reverse=True)


@pytest.mark.parametrize(("scope", "splits"), [("train", ("train",)), ("all", ())])
def test_the_earliest_known_events_decide_which_behavior_came_first(scope, splits, rows, told) -> None:
    earliest: dict[str, dict] = {behavior: {} for behavior in BEHAVIORS}
    for row in rows:
        if splits and row["split"] not in splits:
            continue
        time = math.inf if row["timestamp"] == NO_TIME else row["timestamp"]
        known, pair = earliest[row["behavior"]], (row["user"], row["item"])
        known[pair] = min(known.get(pair, math.inf), time)
    entries = {(e["earlier"], e["later"]): e for e in told["scopes"][scope]["order"]}
    assert list(entries) == list(combinations(BEHAVIORS, 2))
    for (first, second), entry in entries.items():
        ways = Counter()
        for pair in earliest[first].keys() & earliest[second].keys():
            a, b = earliest[first][pair], earliest[second][pair]
            way = "unknown" if math.inf in (a, b) else "before" if a < b else "same" if a == b else "after"
            ways[way] += 1
        assert {way: entry[way] for way in ("before", "same", "after", "unknown")} == {
            way: ways[way] for way in ("before", "same", "after", "unknown")
        }
        assert entry["both"] == ways.total() > 0


def test_tails_count_nodes_with_at_least_so_many_pairs(rows, told) -> None:
    for behavior in BEHAVIORS:
        for side, nodes in (("user", USERS), ("item", ITEMS)):
            degrees = Counter(pair[side == "item"] for pair in pairs(rows, behavior, "train"))
            found = told["scopes"]["train"]["tails"][behavior][side]
            assert found["degree"] == sorted(set(degrees.values()))
            assert found["at_least"] == [sum(d >= k for d in degrees.values()) for k in found["degree"]]
            assert (found["nodes"], found["without"]) == (nodes, nodes - len(degrees))


def test_a_long_tail_is_thinned_and_keeps_its_ends() -> None:
    degrees = np.arange(1, 5_001)
    found = tail(degrees)
    assert len(found["degree"]) <= MOST_POINTS
    assert (found["degree"][0], found["degree"][-1]) == (1, 5_000)
    assert all(count == 5_001 - degree for degree, count in zip(found["degree"], found["at_least"]))


def test_the_top_tenth_holds_its_share() -> None:
    assert top_share(np.array([1] * 9 + [11])) == 11 / 20
    assert top_share(np.zeros(5, int)) is None


@pytest.mark.parametrize("part", ["test", "valid"])
def test_the_audit_counts_held_out_pairs_that_training_has_seen(part, rows, told) -> None:
    held, target = pairs(rows, "buy", part), pairs(rows, "buy", "train")
    train = {behavior: pairs(rows, behavior, "train") for behavior in BEHAVIORS}
    in_target, anywhere = {i for _, i in target}, {i for found in train.values() for _, i in found}
    found = told["audit"][part]
    assert found["pairs"] == len(held)
    assert found["seen_under"] == {b: len(held & train[b]) for b in ("view", "cart")}
    assert found["seen_under_auxiliary"] == len(held & (train["view"] | train["cart"]))
    assert found["inside_train_target"] == len(held & target) > 0
    assert found["pairs_absent_from_train_target"] == sum(item not in in_target for _, item in held)
    assert found["pairs_absent_from_all_train"] == sum(item not in anywhere for _, item in held)
    assert told["audit"]["test_inside_valid"] == len(pairs(rows, "buy", "test") & pairs(rows, "buy", "valid"))


def test_the_audit_counts_repeats_and_nodes_that_training_lacks(rows, told) -> None:
    audit = told["audit"]
    keys = Counter((r["user"], r["item"], r["behavior"], r["split"]) for r in rows)
    assert audit["repeated"] == sum(count - 1 for count in keys.values()) > 0
    assert audit["rows"] == len(rows)
    train = [r for r in rows if r["split"] == "train"]
    tested = {r["user"] for r in rows if r["split"] == "test"}
    assert audit["test_users_without_train"] == len(tested - {r["user"] for r in train})
    buyers = {r["user"] for r in train if r["behavior"] == "buy"}
    assert audit["test_users_without_train_target"] == len(tested - buyers)
    assert audit["items_without_train"] == ITEMS - len({r["item"] for r in train}) > 0


def test_the_audit_counts_training_events_from_the_future(rows, told) -> None:
    known = [r for r in rows if r["timestamp"] != NO_TIME]
    tested: dict[int, int] = {}
    for row in known:
        if row["split"] == "test":
            tested[row["user"]] = min(tested.get(row["user"], row["timestamp"]), row["timestamp"])
    train = [r for r in known if r["split"] == "train"]
    later = [r for r in train if r["user"] in tested and r["timestamp"] > tested[r["user"]]]
    first = min(tested.values())
    assert told["audit"]["future"] == {
        "after_own_test": len(later),
        "by_behavior": {b: sum(r["behavior"] == b for r in later) for b in BEHAVIORS},
        "users": len({r["user"] for r in later}),
        "of": sum(r["user"] in tested for r in train),
        "after_first_test": sum(r["timestamp"] > first for r in train),
        "of_all": len(train),
    }


def test_the_splits_of_the_target_are_told_with_their_times(rows, told) -> None:
    for split, entry in told["splits"].items():
        chosen = [r for r in rows if r["behavior"] == "buy" and r["split"] == split]
        times = [r["timestamp"] for r in chosen if r["timestamp"] != NO_TIME]
        assert entry == {
            "pairs": len(chosen),
            "users": len({r["user"] for r in chosen}),
            "items": len({r["item"] for r in chosen}),
            "first": min(times),
            "last": max(times),
        }


def test_the_users_table_has_correlation_and_degrees_of_every_user(dataset, rows) -> None:
    made = compute(dataset)
    train = dataset.interactions().query("split == 'train'")
    found = pairs_of(dataset, train)
    matrices = {b: found.matrix(b) for b in BEHAVIORS}
    assert list(made.users.columns) == [
        "user",
        "correlation",
        "degree_view",
        "degree_cart",
        "degree_buy",
    ]
    np.testing.assert_array_equal(made.users["user"], np.arange(USERS))
    expected_U = mean_of_pairs(pair_correlations(matrices), len(made.users))
    np.testing.assert_allclose(made.users["correlation"], expected_U, atol=1e-12)
    degrees = Counter(user for user, _ in pairs(rows, "cart", "train"))
    assert made.users["degree_cart"].tolist() == [degrees[user] for user in range(USERS)]


def test_the_histogram_of_correlations_holds_every_defined_user(dataset) -> None:
    made = compute(dataset)
    found = made.content["correlation"]["mean_of_pairs"]
    defined = made.users["correlation"].dropna()
    assert (found["users"], found["undefined"]) == (len(defined), USERS - len(defined))
    assert sum(found["histogram"]) == len(defined) > 0
    assert found["median"] == pytest.approx(defined.median())


def test_a_histogram_counts_by_fiftieths_from_minus_one_to_one() -> None:
    found = distribution(np.array([-1.0, -0.985, 0.01, 0.015, 1.0, np.nan]))
    filled = {place: count for place, count in enumerate(found.pop("histogram")) if count}
    assert filled == {0: 2, 50: 2, 99: 1}
    assert found == {
        "users": 5,
        "undefined": 1,
        "mean": pytest.approx(-0.192),
        "q25": pytest.approx(-0.985),
        "median": pytest.approx(0.01),
        "q75": pytest.approx(0.015),
    }
    assert distribution(np.array([np.nan])) == {"users": 0, "undefined": 1}


def test_pairs_as_a_matrix_hold_what_the_keys_say() -> None:
    keys = {"buy": np.array([2, 7, 8, 20], np.int64)}
    matrix = Pairs(3, ITEMS, keys, None).matrix("buy")
    rows, columns = matrix.nonzero()
    assert sorted(rows * ITEMS + columns) == [2, 7, 8, 20]
    assert matrix.shape == (3, ITEMS)


def test_a_target_without_training_pairs_is_counted_as_nothing(home, content) -> None:
    rows = [(0, 1, "view", "train"), (0, 1, "buy", "test"), (1, 2, "buy", "test")]
    write_dataset(home, "bare", content(rows))
    told = compute(open_dataset(home, "bare")).content
    assert told["behaviors"]["buy"] == {"test": 2}
    assert told["audit"]["valid"]["pairs"] == 0
    assert told["test"]["pairs_absent_from_train_target"] == 2
    assert told["correlation"]["mean_of_pairs"]["undefined"] == 5
    assert told["scopes"]["train"]["order"] is None


def test_more_behaviors_than_bits_have_no_overlap() -> None:
    keys = {f"b{place}": np.array([place], np.int64) for place in range(MOST_BEHAVIORS + 1)}
    assert overlap(Pairs(1, 100, keys, None)) is None
    del keys["b0"]
    found = overlap(Pairs(1, 100, keys, None))
    assert found is not None
    assert len(found["pairs"]) == MOST_BEHAVIORS
    assert found["users"] == [[list(keys), 1]]


def test_features_are_checked_for_numbers_that_are_none_and_rows_of_zeros() -> None:
    matrix = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, np.nan], [0, 1]], np.float32)
    assert feature_checks(matrix) == {
        "rows": 5,
        "dims": 2,
        "not_finite": 3,
        "zero_rows": 1,
        "mean_norm": pytest.approx((5 + 0 + 1) / 3),
    }


def test_repeats_of_a_pair_do_not_count_twice(dataset, told) -> None:
    frame = dataset.interactions()
    again = pd.concat([frame, frame], ignore_index=True)
    doubled = pairs_of(dataset, again)
    assert {b: len(k) for b, k in doubled.keys.items()} == told["scopes"]["all"]["pairs"]
