"""Branches as tables."""

from dataclasses import replace

import numpy as np
import pytest

from core.findings import Axis
from dashboard import branches
from dashboard.information import Stated
from tests.dashboard import stored_structure as stored

USERS, ITEMS = 13, 11


@pytest.fixture
def found() -> tuple[Stated, Stated]:
    """Contribution and norm."""
    norm, part = stored.branches("srgformer", USERS, ITEMS, idle=0.05)
    history = stored.history(part)
    history.values[0] = 0.25
    return Stated(part, history), Stated(norm, stored.history(norm))


def test_a_row_per_branch_and_side(found) -> None:
    table = branches.branch_table(*found, None)
    assert table["branch"].tolist() == [b for b in stored.BRANCHES["srgformer"] for _ in range(2)]
    np.testing.assert_allclose(table.groupby("side")["contribution"].sum(), 1)
    modal = table[table["branch"] == "modal"]
    assert modal["contribution"].tolist() == [0.6, 0.5]
    assert modal["norm"].tolist() == pytest.approx([1.2, 1.0])
    assert modal["nodes"].tolist() == [USERS, ITEMS]


def test_lengths_are_left_open_where_they_do_not_fit(found) -> None:
    contribution, norm = found
    assert branches.branch_table(contribution, None, None)["norm"].isna().all()
    other = replace(norm.finding, axes=(Axis.labelled("branch", tuple("abcd")), norm.finding.axes[1]))
    assert branches.branch_table(contribution, Stated(other, None), None)["norm"].isna().all()


def test_a_snapshot_is_followed(found) -> None:
    assert branches.branch_table(*found, 1)["contribution"].tolist() == [0.25] * 8
    over = branches.over_epochs(found[0], "item")
    modal = over[over["name"] == "modal"]
    assert modal["epoch"].tolist() == [1, 3, 5]
    assert modal["mean"].tolist() == [0.25, 0.5, 0.5]
    assert branches.over_epochs(Stated(found[0].finding, None), "item").empty


def test_the_largest_and_the_smallest_branch_of_a_side(found) -> None:
    about = branches.ends(branches.branch_table(*found, None), "user")
    assert (about.most, about.least) == ("modal", "hypergraph")
    assert (about.most_share, about.least_share) == pytest.approx((0.6, 0.05))


def test_one_row_per_branch_holds_both_sides(found) -> None:
    wide = branches.wide_table(branches.branch_table(*found, None))
    assert wide["branch"].tolist() == list(stored.BRANCHES["srgformer"])
    assert wide.loc[1, "contribution_user"] == 0.6
    assert wide.loc[1, "contribution_item"] == 0.5
    assert wide.loc[1, "norm_item"] == pytest.approx(1.0)


def test_titles_say_what_a_paper_calls_a_branch() -> None:
    assert branches.branch_title("hypergraph", "srgformer") == "hypergraph (local)"
    assert branches.branch_title("hypergraph", "lgmrec") == "hypergraph (global)"
    assert branches.branch_title("modal", "lgmrec") == "modal"
