"""What is recommended, which items gained, and an item's nearest ones, against loops over places, items and pairs."""

import numpy as np
import pytest

from core.evaluation.item_groups import item_groups, item_scores
from core.evaluation.metrics import exposure_metrics
from dashboard import longtail_items
from dashboard.longtail_items import TESTED, TRAINED

ITEMS, USERS, PLACES = 47, 13, 7
RNG = np.random.default_rng(12)
POPULARITY = np.floor(61 / np.arange(1, ITEMS + 1)).astype(np.int64) - 1
TITLES = [f"thing {item}" for item in range(ITEMS)]


def lists(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(ITEMS, PLACES, replace=False) for _ in range(USERS)])


def test_stored_exposure_comes_before_lists_and_both_are_means_over_seeds() -> None:
    stored = [{"coverage@5": c, "gini@5": 0.5, "popularity@5": 9.0} for c in (0.2, 0.4)]
    seeds = [lists(1), lists(2)]
    means, is_stored = longtail_items.exposure(stored, seeds, POPULARITY, 5)
    assert (means["coverage"], is_stored) == (pytest.approx(0.3), True)
    means, is_stored = longtail_items.exposure([{"ndcg@5": 0.1}, stored[0]], seeds, POPULARITY, 5)
    counted = [exposure_metrics(one, POPULARITY, [5]) for one in seeds]
    assert means["gini"] == pytest.approx((counted[0]["gini@5"] + counted[1]["gini@5"]) / 2)
    assert not is_stored


def test_exposure_is_unknown_beyond_the_lists() -> None:
    assert longtail_items.exposure([{}], [lists(1)], POPULARITY, PLACES + 1) is None
    assert longtail_items.exposure([], [], POPULARITY, 5) is None


def test_places_are_counted_group_by_group() -> None:
    groups = item_groups(POPULARITY)
    seeds, tested = [lists(1), lists(2)], RNG.integers(0, ITEMS, 29)
    table = longtail_items.place_shares({"a": seeds, "none": []}, tested, groups, 3)
    assert table["name"].unique().tolist() == ["a", TESTED, TRAINED]
    for row in table.to_dict("records"):
        if row["name"] == "a":
            own = (
                sum(groups.group[i] == row["group"] for one in seeds for shown in one for i in shown[:3]) / 2
            )
            whole = 3 * USERS
        elif row["name"] == TESTED:
            own, whole = sum(groups.group[i] == row["group"] for i in tested), len(tested)
        else:
            own = sum(p for p, g in zip(POPULARITY, groups.group) if g == row["group"])
            whole = POPULARITY.sum()
        assert (row["count"], row["share"]) == pytest.approx((own, own / whole))


def scores(items: np.ndarray, *ranks: list[int]):
    return item_scores(items, [np.array(seed) for seed in ranks], ITEMS, 10)


def test_items_are_listed_from_what_gained_most_to_what_lost_most() -> None:
    items = np.array([40, 40, 3, 41, 42, 43])
    one = scores(items, [1, 2, 5, 11, 9, 30])
    other = scores(items, [60, 5, 4, 2, 10, 30])
    groups = item_groups(POPULARITY)
    table = longtail_items.item_table(one, other, groups, TITLES, groups.count - 1)
    assert table["item"].tolist() == [40, 42, 43, 41]  # item 3 is no tail item
    assert table["gained"].tolist() == [1.0, 0.0, 0.0, -1.0]
    assert table["title"].iloc[0] == "thing 40"
    assert table["reciprocal"].tolist() == pytest.approx([0.75, 1 / 9, 0, 0])
    assert table["other_reciprocal"].tolist() == pytest.approx([0.1, 0.1, 0, 0.5])
    assert table["pairs"].tolist() == [2, 1, 1, 1]
    assert table["trained"].tolist() == POPULARITY[[40, 42, 43, 41]].tolist()
    assert longtail_items.gained_in_words(table) == (1, 1, 2)
    everything = longtail_items.item_table(one, other, groups, TITLES, None)
    assert set(everything["item"]) == {3, 40, 41, 42, 43}


def test_a_run_alone_lists_what_it_found_first() -> None:
    table = longtail_items.item_table(
        scores(np.array([5, 6, 7]), [2, 40, 1]), None, item_groups(POPULARITY), TITLES, None
    )
    assert table["item"].tolist() == [7, 5, 6]
    assert "gained" not in table


def test_an_item_without_test_pairs_is_not_listed() -> None:
    groups = item_groups(POPULARITY)
    assert longtail_items.item_table(scores(np.array([0]), [1]), None, groups, TITLES, groups.count - 1).empty


def directions(seed: int = 3, dims: int = 5) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(ITEMS, dims)).astype(np.float32)
    values[11] = 0
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)


def test_nearest_items_are_those_of_the_largest_cosine() -> None:
    vectors = directions()
    before = vectors.copy()
    table = longtail_items.nearest(vectors, 4, TITLES, POPULARITY, 6)
    cosines = {item: float(vectors[item] @ vectors[4]) for item in range(ITEMS) if item != 4}
    expected = sorted(cosines, key=lambda item: -cosines[item])[:6]
    assert table["item"].tolist() == expected
    assert table["cosine"].tolist() == pytest.approx([cosines[item] for item in expected])
    assert table["trained"].tolist() == POPULARITY[expected].tolist()
    assert table["place"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(vectors, before)  # shared between sessions


def test_an_embedding_of_zeros_and_a_lonely_item_have_no_nearest_items() -> None:
    assert longtail_items.nearest(directions(), 11, TITLES, POPULARITY, 6).empty
    assert longtail_items.nearest(np.ones((1, 3)), 0, TITLES, POPULARITY, 6).empty
    assert len(longtail_items.nearest(directions(), 4, TITLES, POPULARITY, 99)) == ITEMS - 1
