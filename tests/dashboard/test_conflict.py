"""Gradient conflict as tables."""

import numpy as np
import pytest

from core.findings import Axis, History, Kind
from dashboard import conflict

TASKS = ("view", "cart", "buy")


def history(cosines) -> History:
    """cosines: per epoch those of (view, cart), (view, buy), (cart, buy)."""
    values = np.stack([np.eye(3)] * len(cosines))
    for t, (a, b, c) in enumerate(cosines):
        values[t, 0, 1] = values[t, 1, 0] = a
        values[t, 0, 2] = values[t, 2, 0] = b
        values[t, 1, 2] = values[t, 2, 1] = c
    axes = (Axis.labelled("task", TASKS), Axis.labelled("other_task", TASKS))
    epochs = np.array([1, 5, 10, 15])[: len(cosines)]
    return History("gradient_conflict", Kind.SIGNED, axes, epochs, values)


@pytest.fixture
def measured() -> History:
    return history([(0.6, 0.5, 0.4), (-0.1, 0.02, 0.07), (-0.2, -0.01, 0.08), (-0.3, -0.03, -0.9)])


def test_matrix_holds_both_orders_of_every_pair_at_its_epoch(measured) -> None:
    table = conflict.matrix_at(measured, 10)
    told = {(row["task"], row["other"]): row["cosine"] for row in table.to_dict("records")}
    assert told == {
        ("view", "cart"): -0.2,
        ("cart", "view"): -0.2,
        ("view", "buy"): -0.01,
        ("buy", "view"): -0.01,
        ("cart", "buy"): 0.08,
        ("buy", "cart"): 0.08,
    }


def test_curves_hold_each_pair_once_per_epoch(measured) -> None:
    table = conflict.curves(measured)
    assert len(table) == 3 * 4
    part = table[table["pair"] == "cart – buy"]
    assert part["epoch"].tolist() == [1, 5, 10, 15]
    assert part["cosine"].tolist() == [0.4, 0.07, 0.08, -0.9]


def test_summary_counts_negative_snapshots_and_judges_by_the_median(measured) -> None:
    table = conflict.summary(measured).set_index("pair")
    assert table["negative"].to_dict() == {"view – cart": 3, "view – buy": 2, "cart – buy": 1}
    assert table["snapshots"].tolist() == [4, 4, 4]
    np.testing.assert_allclose(table["median"], [-0.15, 0.005, 0.075])
    assert table["verdict"].tolist() == [conflict.APART, conflict.NEITHER, conflict.TOGETHER]
    assert table["lowest"].tolist() == [-0.3, -0.03, -0.9]
    assert table["lowest_epoch"].tolist() == [15, 15, 15]


def test_overall_adds_the_pairs_up(measured) -> None:
    about = conflict.overall(conflict.summary(measured))
    assert (about.measured, about.negative, about.pairs) == (12, 6, 3)
    assert about.share == 0.5
    assert (about.apart, about.together) == (("view – cart",), ("cart – buy",))


def test_reach_leaves_out_the_diagonal(measured) -> None:
    assert conflict.reach(measured) == 0.9
    assert conflict.reach(history([(0, 0, 0)])) == 1.0


@pytest.mark.parametrize(
    ("epoch", "snapshot"), [(None, 15), (1, 1), (3, 1), (4, 5), (12, 10), (13, 15), (99, 15)]
)
def test_nearest_snapshot(measured, epoch, snapshot) -> None:
    assert conflict.nearest(measured, epoch) == snapshot
