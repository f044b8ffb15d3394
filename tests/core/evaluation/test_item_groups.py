"""Groups of items by popularity and values within groups of test pairs, against loops over single items and pairs."""

from math import log2

import numpy as np
import pytest

from core.evaluation.groups import UNDEFINED
from core.evaluation.item_groups import grouped_values, item_groups, item_scores

ITEMS, USERS, PAIRS = 101, 37, 173


def zipf(seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    popularity = np.floor(97 / np.arange(1, ITEMS + 1) ** 0.8).astype(np.int64)
    popularity[-13:] = 0
    return rng.permutation(popularity)


def pairs(seed: int = 5):
    """Users (several pairs each), items, ranks that no user has twice, groups."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(USERS * ITEMS, PAIRS, replace=False)
    users, items = np.sort(chosen) // ITEMS, np.sort(chosen) % ITEMS
    ranks = np.concatenate([rng.permutation(23)[:n] + 1 for n in np.bincount(users) if n])
    return users, items, ranks, rng.integers(0, 3, PAIRS)


def cut_slowly(popularity: np.ndarray, rule: str, count: int) -> list[int]:
    """Walk down the popularities; each value goes where the middle of its block lies."""
    weight = {p: (p if rule == "equal_mass" else 1) * (popularity == p).sum() for p in set(popularity) if p}
    total, before, place = sum(weight.values()), 0, {}
    for p in sorted(weight, reverse=True):
        place[p] = min(int((before + weight[p] / 2) / total * count), count - 1)
        before += weight[p]
    names = sorted(set(place.values()))
    return [names.index(place[p]) if p else len(names) - 1 for p in popularity.tolist()]


@pytest.mark.parametrize("rule", ["equal_mass", "equal_number"])
@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_groups_are_the_walk_from_head_to_tail(rule, count) -> None:
    popularity = zipf()
    assert item_groups(popularity, rule, count).group.tolist() == cut_slowly(popularity, rule, count)


def test_groups_of_equal_mass_hold_about_as_many_pairs_and_those_of_equal_number_as_many_items() -> None:
    rng = np.random.default_rng(1)
    popularity = rng.permutation(np.arange(1, 1002))
    mass, number = (item_groups(popularity, rule) for rule in ("equal_mass", "equal_number"))
    np.testing.assert_allclose(mass.trained_pairs() / popularity.sum(), 0.2, atol=0.005)
    np.testing.assert_allclose(number.items() / len(popularity), 0.2, atol=0.005)
    assert mass.items()[0] < number.items()[0] < mass.items()[-1]
    assert mass.ranges()[0][0] > mass.ranges()[1][1]


def test_the_head_comes_first_and_untrained_items_are_in_the_tail() -> None:
    popularity = zipf()
    for rule in ("equal_mass", "equal_number"):
        groups = item_groups(popularity, rule)
        assert groups.group[popularity.argmax()] == 0
        assert set(groups.group[popularity == 0]) == {groups.count - 1}
        assert groups.untrained == 13
        assert groups.items().sum() == ITEMS
        assert groups.trained_pairs().sum() == popularity.sum()
        assert groups.ranges()[-1][0] == 0
        lows = [low for low, _ in groups.ranges()]
        highs = [high for _, high in groups.ranges()]
        assert all(low > high for low, high in zip(lows, highs[1:]))


def test_the_numbering_of_items_decides_nothing() -> None:
    popularity = zipf()
    order = np.random.default_rng(8).permutation(ITEMS)
    again = item_groups(popularity[order], "equal_mass").group
    np.testing.assert_array_equal(again, item_groups(popularity, "equal_mass").group[order])


@pytest.mark.parametrize("popularity", [np.full(11, 4), np.zeros(7, dtype=int), np.array([5])])
def test_items_that_are_all_alike_make_one_group(popularity) -> None:
    groups = item_groups(popularity)
    assert groups.count == 1
    assert set(groups.group) == {0}


def values_slowly(users, ranks, group, wanted, metric, own_candidates) -> dict[int, float]:
    name, k = metric.split("@")
    found = {}
    for user in sorted(set(users[group == wanted].tolist())):
        own = [int(r) for u, r, g in zip(users, ranks, group) if u == user and g == wanted]
        hits = [r for r in own if r <= int(k)]
        gain = sum(1 / log2(r + 1) for r in hits)
        if own_candidates:
            found[user] = (len(hits) if name == "hr" else gain) / len(own)
        elif name == "hr":
            found[user] = float(bool(hits))
        elif name == "recall":
            found[user] = len(hits) / len(own)
        else:
            found[user] = gain / sum(1 / log2(i + 2) for i in range(min(len(own), int(k))))
    return found


@pytest.mark.parametrize(
    ("metric", "own_candidates"),
    [
        ("hr@7", False),
        ("recall@7", False),
        ("ndcg@7", False),
        ("ndcg@2", False),
        ("hr@7", True),
        ("ndcg@7", True),
    ],
)
def test_values_are_the_loop_over_users_and_pairs(metric, own_candidates) -> None:
    users, _, ranks, group = pairs()
    group[:19] = UNDEFINED
    shuffled = np.random.default_rng(2).permutation(PAIRS)
    found = grouped_values(
        users[shuffled], ranks[shuffled], group[shuffled], 3, metric, own_candidates=own_candidates
    )
    assert len(found) == 3
    for place, (of_users, values) in enumerate(found):
        slow = values_slowly(users, ranks, group, place, metric, own_candidates)
        assert of_users.tolist() == list(slow)
        assert values == pytest.approx(list(slow.values()))


def test_a_group_without_pairs_has_no_users() -> None:
    users, _, ranks, group = pairs()
    group[group == 1] = 2
    found = grouped_values(users, ranks, group, 4, "ndcg@10", own_candidates=False)
    assert [len(of_users) for of_users, _ in found] == [
        len(set(users[group == g].tolist())) for g in range(4)
    ]
    assert len(found[1][0]) == len(found[3][1]) == 0


def test_scores_of_items_are_the_loop_over_pairs_and_seeds() -> None:
    _, items, ranks, _ = pairs()
    seeds = [ranks, np.random.default_rng(4).permutation(ranks)]
    found = item_scores(items, seeds, ITEMS, 5)
    for item in range(ITEMS):
        own = [[int(r) for i, r in zip(items, seed) if i == item] for seed in seeds]
        assert found.pairs[item] == len(own[0])
        assert found.hits[item] == pytest.approx(sum(r <= 5 for seed in own for r in seed) / 2)
        assert found.reciprocal[item] == pytest.approx(sum(1 / r for seed in own for r in seed if r <= 5) / 2)
