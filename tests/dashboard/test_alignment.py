"""Agreement of behaviour and modalities as tables and in words, against loops over nodes; 7 users and 11 items."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import RunError
from core.findings import STATISTICS, Axis, Finding, Kind
from dashboard import alignment
from dashboard.alignment import Course
from dashboard.information import Stated
from tests.dashboard import stored_alignment as made

USERS, ITEMS = 7, 11


@pytest.fixture
def stated() -> Stated:
    finding = made.degree(USERS, ITEMS)
    return Stated(finding, made.history(finding))


def test_sides_are_cut_where_the_axis_says(stated) -> None:
    sides = alignment.sides_of(stated.finding)
    assert {side: len(values) for side, values in sides.items()} == {"user": USERS, "item": ITEMS}
    assert sides["item"].tolist() == stated.finding.values[USERS:].tolist()


@pytest.mark.parametrize("groups", [{}, {"user": (0, 5)}, {"user": (0, 5), "item": (5, 5)}])
def test_nodes_that_are_not_told_apart_are_refused(groups) -> None:
    axis = Axis("node", 5, groups=groups)
    with pytest.raises(RunError, match="users and items"):
        alignment.sides_of(Finding("alignment_degree", "t", "s", Kind.SIGNED, (axis,), np.zeros(5)))


def test_every_snapshot_gives_a_row_per_side(stated) -> None:
    table = alignment.over_epochs(stated)
    assert len(table) == 6
    names = dict(zip(STATISTICS, ("mean", "q05", "q25", "median", "q75", "q95")))
    for e, epoch in enumerate(made.SNAPSHOTS):
        for g, (side, size) in enumerate((("user", USERS), ("item", ITEMS))):
            row = table[(table["epoch"] == epoch) & (table["side"] == side)].iloc[0]
            assert row["nodes"] == size
            for s, statistic in enumerate(STATISTICS):
                assert row[names[statistic]] == stated.history.values[e, g, s]


def test_without_snapshots_tables_are_empty_and_have_their_columns(stated) -> None:
    bare = Stated(stated.finding, None)
    assert alignment.over_epochs(bare).columns.tolist() == alignment.EPOCHS
    assert alignment.over_epochs(bare).empty
    assert alignment.schedule(bare).empty
    assert alignment.schedule(None).columns.tolist() == ["epoch", "value"]


def test_the_schedule_is_lambda_by_epoch() -> None:
    finding = made.schedule(0.1)
    table = alignment.schedule(Stated(finding, made.history(finding)))
    assert table["epoch"].tolist() == [1, 3, 5]
    assert table["value"].tolist() == pytest.approx([0.05, 0.075, 0.1])


@pytest.mark.parametrize("epoch", [None, 3, 4])
def test_courses_go_from_the_first_snapshot_to_the_picked_one_or_the_scored_model(stated, epoch) -> None:
    for course, values in zip(alignment.courses(stated, epoch), alignment.sides_of(stated.finding).values()):
        mean = float(np.mean(values))
        assert course.first_epoch == 1
        assert course.first == pytest.approx(0.5 * mean)
        assert course.now == pytest.approx(0.75 * mean if epoch == 3 else mean)


@pytest.mark.parametrize(
    ("first", "now", "verb"),
    [(0.5, 0.6, "rose"), (0.6, 0.5, "fell"), (0.5, 0.509, "stayed"), (0.5, 0.4911, "stayed")],
)
def test_less_than_a_hundredth_is_no_move(first, now, verb) -> None:
    assert Course("user", 1, first, now).verb == verb


def test_the_answer_says_from_what_to_what() -> None:
    found = [Course("user", 1, 0.2, 0.8), Course("item", 1, 0.7, 0.705)]
    assert alignment.answer(found, None, 9) == (
        "From epoch 1 to epoch 9, agreement of users :primary[rose from .2000 to .8000], and that of items stayed at "
        ":primary[.7050] (it was .7000)."
    )
    assert "to epoch 5" in alignment.answer(found, 5, 9)
    assert "to the latest model" in alignment.answer(found, None, None)


@pytest.mark.parametrize(("first_epoch", "epoch"), [(None, None), (5, 5)])
def test_nothing_rises_without_two_moments(first_epoch, epoch) -> None:
    found = [Course("user", first_epoch, 0.2, 0.2), Course("item", first_epoch, 0.7, 0.7)]
    said = alignment.answer(found, epoch, None)
    assert "rose" not in said
    assert ".2000 of users and .7000 of items" in said


def test_equal_weights_are_seen() -> None:
    weights = made.weight(USERS, ITEMS)
    assert not alignment.weights_are_alike(weights)
    assert alignment.weights_are_alike(replace(weights, values=np.ones(USERS + ITEMS)))
