"""Verdicts on planted segments: differences with intervals, never a bare comparison of two means."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from core.findings import Axis, Finding, Kind
from dashboard import planted

STARTS, USERS = ("favorite", "cart", "buy"), 60
SEGMENTS = {"collector": np.arange(30), "shopper": np.arange(30, 47), "follower": np.arange(47, USERS)}
DECISIVE = {"collector": "favorite", "shopper": "cart", "follower": "co_purchase"}


def finding(collectors: float = 0.0, shoppers: float = 0.0, noise: float = 0.05) -> Finding:
    """Attention around 0.5; collectors weigh favorite more by `collectors`, shoppers cart more by `shoppers`."""
    values = np.random.default_rng(3).normal(0.5, noise, (3, 1, 1, USERS, 3))
    values[:, :, :, SEGMENTS["collector"], 0] += collectors
    values[:, :, :, SEGMENTS["shopper"], 1] += shoppers
    axes = (
        Axis.labelled("start", STARTS),
        Axis.labelled("order", ("2",)),
        Axis.labelled("head", ("1",)),
        Axis("node", USERS, groups={"user": (0, USERS), "item": (USERS, USERS)}),
        Axis.labelled("relation", STARTS),
    )
    return Finding("relation_attention", "t", "CIGF, Eq. 9", Kind.SIGNED, axes, values)


def table(**changes: float) -> pd.DataFrame:
    return planted.comparisons(finding(**changes), SEGMENTS, DECISIVE, "2")


def test_the_interval_is_welchs() -> None:
    rng = np.random.default_rng(1)
    own, others = rng.normal(0, 1, 11), rng.normal(1, 3, 29)
    expected = ttest_ind(own, others, equal_var=False).confidence_interval(0.95)
    assert planted.welch_interval(own, others) == pytest.approx((expected.low, expected.high))


def test_every_segment_is_compared_from_every_start_and_over_all() -> None:
    rows = table()
    assert len(rows) == 3 * (1 + len(STARTS))
    row = rows[(rows["segment"] == "shopper") & (rows["start"] == "buy")].iloc[0]
    nodes = finding().values[2, 0, 0, :, 1]
    inside = np.isin(np.arange(USERS), SEGMENTS["shopper"])
    assert row["difference"] == pytest.approx(nodes[inside].mean() - nodes[~inside].mean())
    assert row["low"] < row["difference"] < row["high"]


def test_followers_are_judged_by_the_behaviour_that_carries_co_purchase() -> None:
    rows = table()
    assert set(rows.loc[rows["segment"] == "follower", "relation"]) == {"buy"}
    assert any("co-purchase" in said and said.startswith("**followers**") for said in planted.sentences(rows))


@pytest.mark.parametrize(
    ("collectors", "shoppers", "how"),
    [
        (0.0, 0.0, "Not found: 0 of 3"),
        (0.3, 0.0, "Found in part: 1 of 3"),
        (0.3, 0.3, "Found in part: 2 of 3"),
    ],
)
def test_the_overall_verdict_counts_differences_whose_interval_excludes_zero(
    collectors, shoppers, how
) -> None:
    assert how in planted.overall(table(collectors=collectors, shoppers=shoppers))


def test_a_difference_within_its_interval_is_none() -> None:
    rows = table(collectors=0.001)
    assert rows.loc[rows["segment"] == "collector", "verdict"].iloc[0] == planted.SAME
    assert "**no differently**" in planted.sentences(rows)[0]


def test_the_opposite_of_the_plant_is_told() -> None:
    assert "opposite of the plant" in planted.sentences(table(collectors=-0.3))[0]


def test_one_weight_for_all_is_no_difference_whatever_rounding_says() -> None:
    rows = planted.comparisons(finding(noise=0.0), SEGMENTS, DECISIVE, "2")
    assert set(rows["verdict"]) == {planted.SAME}
    assert "the same from every start" in planted.sentences(rows)[0]


def test_starts_that_disagree_are_named() -> None:
    mixed = finding()
    mixed.values[0, :, :, SEGMENTS["collector"], 0] += 0.3
    mixed.values[1, :, :, SEGMENTS["collector"], 0] -= 0.3
    rows = planted.comparisons(mixed, SEGMENTS, DECISIVE, "2")
    assert "more from start favorite; less from start cart" in planted.sentences(rows)[0]
    assert "answers differ" in planted.overall(rows)


def test_segments_that_cannot_be_compared_are_left_out() -> None:
    assert planted.comparisons(finding(), SEGMENTS, {"collector": "shelf"}, "2").empty
    assert planted.comparisons(finding(), {"collector": np.array([4])}, DECISIVE, "2").empty


def test_segments_are_averaged_and_set_against_the_mean_of_all() -> None:
    rows = planted.segment_table(finding(), SEGMENTS | {"none": np.array([], dtype=int)}, "cart", "2")
    nodes = finding().values[1, 0, 0]
    found = rows.set_index(["segment", "relation"]).loc[("shopper", "buy")]
    assert found["attention"] == pytest.approx(nodes[SEGMENTS["shopper"], 2].mean())
    assert found["difference"] == pytest.approx(nodes[SEGMENTS["shopper"], 2].mean() - nodes[:, 2].mean())
    assert found["users"] == 17
    assert "none" not in set(rows["segment"])
