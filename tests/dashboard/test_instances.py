"""Paths and their instances, in data and in words."""

import numpy as np
import pandas as pd

from dashboard import instances


def test_hits_are_recommended_test_items() -> None:
    users, items = np.array([3, 5, 7]), np.array([[1, 2], [1, 2], [8, 9]])
    results = pd.DataFrame({"user": [3, 5, 7], "items": [[2, 4], [6], [9, 8]]})
    assert instances.hit_users(users, items, results) == {3: {2}, 7: {8, 9}}


def test_no_hits_is_no_error() -> None:
    results = pd.DataFrame({"user": [3], "items": [[]]})
    assert instances.hit_users(np.array([3]), np.array([[1]]), results) == {}


def test_paths_to_an_item_carry_the_start_on_both_sides() -> None:
    recursive = instances.reaching_paths(("view", "buy"), 2, "recursive")
    assert ("view", "buy", "buy") in recursive
    assert all(path[1] == path[2] for path in recursive)
    target = instances.reaching_paths(("view", "buy"), 2, "target")
    assert all(path[0] == path[2] for path in target)
    assert len(instances.reaching_paths(("view", "buy"), 3, "recursive")) == 8
    assert instances.reaching_paths(("view", "buy"), 1, "target") == []


def test_paths_follow_the_strongest_stored_ones() -> None:
    paths = instances.reaching_paths(("view", "buy"), 2, "recursive")
    ranked = instances.strongest_first(paths, ["view > buy", "buy > buy"])
    assert ranked[:2] == [("view", "buy", "buy"), ("buy", "buy", "buy")]
    assert sorted(ranked) == sorted(paths)
    assert instances.strongest_first(paths, []) == paths


def walks() -> pd.DataFrame:
    hops = {"hop 1": [1, 0, 0], "hop 2": [9, 9, 4], "hop 3": [0, 0, 0]}
    return pd.DataFrame({"strength": [0.5, 0.2, 0.1], "share": [0.6, 0.3, 0.1], **hops})


def test_an_instance_reads_as_a_walk() -> None:
    table = instances.readable(walks(), ("favorite", "buy", "buy"), 4, 0, ["Kettle", "Lamp"])
    assert table["instance"][0] == "user 4 —favorite→ Lamp —buy→ user 9 —buy→ Kettle"


def test_walks_that_tell_of_nobody_else_are_marked() -> None:
    assert instances.walk_notes(walks(), user=4, item=0) == [
        "",
        "passes the item itself",
        "returns to the user, passes the item itself",
    ]


def test_the_three_hops_are_explained_as_the_model_composes_them() -> None:
    assert "last two behaviours" in instances.why_three_hops(2, "recursive")
    assert "first and the last" in instances.why_three_hops(2, "target")
    assert "meets" not in instances.why_three_hops(3, "recursive")
