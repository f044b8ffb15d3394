"""Groups of test pairs as tables and in words, against loops over users and pairs."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.groups import grouped, mean_interval
from core.evaluation.item_groups import item_groups
from core.evaluation.statistics import holm, paired_test
from dashboard import longtail

POPULARITY = np.array([40, 1, 0, 9, 8, 30, 2, 0, 1, 12, 3])
NAN = float("nan")


def head_and_tail() -> longtail.Groups:
    groups = item_groups(POPULARITY, "equal_mass", 3)
    items = np.array([0, 5, 0, 1, 2, 2, 8])
    return longtail.by_popularity(groups, items)


def test_pairs_belong_to_the_group_of_their_item() -> None:
    groups = head_and_tail()
    assert groups.titles == ["head: 40", "2: 30", "tail: 0 to 12"]
    assert groups.group.tolist() == [0, 1, 0, 2, 2, 2, 2]
    assert groups.pairs.tolist() == [2, 1, 4]
    assert groups.items.tolist() == [1, 1, 3]
    assert groups.members.tolist() == [1, 1, 9]


def test_pairs_belong_to_the_group_of_their_user() -> None:
    activity = np.array([1, 1, 9, 4, 7, 4, 9])
    users = np.array([0, 0, 2, 3, 5, 6, 6])
    tested = np.unique(users)
    groups = longtail.by_activity(
        grouped(activity[tested], 2), activity, users, np.array([3, 4, 3, 3, 3, 5, 6])
    )
    assert groups.titles == ["1", "4 to 9"]
    assert groups.group.tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert groups.items.tolist() == [2, 3]
    assert groups.members.tolist() == [1, 4]


def test_items_of_one_popularity_have_no_head() -> None:
    assert longtail.item_titles(item_groups(np.full(5, 3))) == ["all: 3"]


def values(*groups: list[float]):
    return [(np.arange(len(own)), np.array(own)) for own in groups]


def test_seeds_are_averaged_user_by_user() -> None:
    found = longtail.averaged([values([0.2, 0.4], []), values([0.4, 0.0], [])])
    assert found[0][1] == pytest.approx([0.3, 0.2])
    assert len(found[1][1]) == 0


def test_differences_of_seeds_are_told_only_where_there_are_several() -> None:
    first, second = values([0.5, 0.7], [0.1], []), values([0.4, 0.4], [0.3], [])
    assert longtail.seed_differences([first], [second]).empty
    table = longtail.seed_differences([first, second], [second, second])
    rows = [tuple(row) for row in table.itertuples(index=False)]
    assert rows == [(0, 0, pytest.approx(0.2)), (0, 1, pytest.approx(-0.2)), (1, 0, 0.0), (1, 1, 0.0)]


def test_values_stand_with_what_is_behind_them() -> None:
    one = values([0.2, 0.4], [0.1], [])
    table = longtail.value_table({"a": one, "b": values([0.0, 1.0], [0.5], [])}, head_and_tail())
    assert table["name"].tolist() == ["a"] * 3 + ["b"] * 3
    first = table.iloc[0]
    assert (first["mean"], first["low"], first["high"]) == pytest.approx(mean_interval(np.array([0.2, 0.4])))
    assert table["size"].tolist() == [2, 1, 0] * 2
    assert table["pairs"].tolist() == [2, 1, 4] * 2
    assert table["items"].tolist() == [1, 1, 3] * 2
    assert np.isnan(table["mean"].iloc[2])


def test_groups_of_few_users_are_named_once() -> None:
    table = longtail.value_table(
        {name: values([0.5] * 49, [0.5] * 50, []) for name in ("a", "b")}, head_and_tail()
    )
    assert longtail.small_groups(table) == {"head: 40": 49, "tail: 0 to 12": 0}


def test_the_difference_is_tested_in_every_group_of_two_users_and_corrected() -> None:
    rng = np.random.default_rng(4)
    pairs = [(rng.uniform(0, 1, 83) + shift, rng.uniform(0, 1, 83)) for shift in (0.3, 0.02)]
    tests = [paired_test(*pair) for pair in pairs]
    table = longtail.difference_table([tests[0], None, tests[1]], head_and_tail())
    assert table["group"].tolist() == [0, 2]
    assert table["title"].tolist() == ["head: 40", "tail: 0 to 12"]
    assert table["t_p"].tolist() == pytest.approx(holm([test.t_p for test in tests]))
    assert table["verdict"].tolist() == ["ahead", "not shown"]
    assert table["difference"].tolist() == pytest.approx([float((a - b).mean()) for a, b in pairs])


def alone(first: tuple[float, float, float], last: tuple[float, float, float]) -> str:
    rows = [("head: 9", *first), ("tail: 0 to 3", *last)]
    table = pd.DataFrame(rows, columns=["title", "mean", "low", "high"])
    return longtail.alone_sentence(table, "EASE", "ndcg@10")


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ((0.2, 0.15, 0.25), (0.1, 0.05, 0.14), "NDCG@10 falls from .2000 (head) to .1000 (tail)."),
        ((0.1, 0.05, 0.14), (0.2, 0.15, 0.25), "NDCG@10 rises from .1000 (head) to .2000 (tail)."),
        (
            (0.2, 0.1, 0.3),
            (0.1, 0.0, 0.2),
            "NDCG@10 goes from .2000 (head) to .1000 (tail); their 95 % intervals overlap",
        ),
        ((0.2, NAN, NAN), (0.1, 0.0, 0.15), "NDCG@10 goes from .2000"),
        ((0.2, 0.1, 0.3), (NAN, NAN, NAN), "NDCG@10 is .2000; its test pairs lie in one group"),
    ],
)
def test_a_run_alone_is_told_from_head_to_tail(first, last, said) -> None:
    assert said in alone(first, last)


def moved(*verdicts: str) -> pd.DataFrame:
    sizes = {"ahead": 0.02, "behind": -0.03, "not shown": 0.001}
    rows = [
        {
            "group": place,
            "verdict": verdict,
            "difference": sizes[verdict],
            "low": sizes[verdict] - 0.01,
            "high": sizes[verdict] + 0.01,
        }
        for place, verdict in enumerate(verdicts)
        if verdict
    ]
    return pd.DataFrame(rows, columns=["group", "verdict", "difference", "low", "high"])


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (
            ("behind", "ahead", "ahead", "not shown", "ahead"),
            "With **A** in place of **B** the **long tail** gains (+.0200 NDCG@10, 95\u00a0% +.0100 to +.0300), and **popular items** "
            "lose (−.0300 NDCG@10, 95\u00a0% −.0400 to −.0200); of the 3 groups between, 2 gain and 1 shows no clear difference.",
        ),
        (
            ("ahead", "behind", "ahead", "", "not shown"),
            "; of the 3 groups between, 1 gains, 1 loses and 1 cannot be tested.",
        ),
        (
            ("ahead", "behind", "behind", "behind", "not shown"),
            "the **long tail** shows no clear difference (+.0010 NDCG@10",
        ),
        (("ahead", "behind", "behind", "behind", "behind"), "; all 3 groups between lose."),
        (
            ("ahead", "", "", "", ""),
            "the **long tail** cannot be tested, and **popular items** gain (+.0200 NDCG@10",
        ),
    ],
)
def test_who_gains_is_told_from_the_tests(verdicts, said) -> None:
    assert said in longtail.against_sentence(moved(*verdicts), "A", "B", "ndcg@10", 5)


def test_one_group_has_neither_head_nor_tail() -> None:
    told = longtail.against_sentence(moved("ahead"), "A", "B", "hr@5", 1)
    assert (
        told == "With **A** in place of **B** **all items** gain (+.0200 HR@5, 95\u00a0% +.0100 to +.0300)."
    )
