"""The sentence that answers from a finding, and the columns of its file."""

import numpy as np
import pytest

from core.findings import Axis, Finding, Kind
from dashboard import learned
from dashboard.learned_words import answer, named_columns, number

BEHAVIORS = ("view", "cart", "buy")


def finding(kind, axes, values) -> Finding:
    return Finding("stated", "Stated", "Paper, Eq. 1", kind, axes, np.array(values))


def said(kind, axes, values) -> str:
    stated = finding(kind, axes, values)
    return answer(stated, learned.table_of(stated, {}))


BEHAVIOR = Axis.labelled("behavior", BEHAVIORS)


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (Kind.SHARE, [0.3, 0.412, 0.288], "**Cart weighs most: 41.2 %**, buy least: 28.8 %."),
        (Kind.RATE, [0.3, 0.2, 0.9], "**Buy is highest: 90.0 %**, cart least: 20.0 %."),
        (Kind.AMOUNT, [3.0, 0.5, 1234.4], "**Buy is largest: 1,234**, cart least: 0.5000."),
        (
            Kind.SIGNED,
            [0.5, -0.25, -0.125],
            "**View is highest: +0.5000**, cart least: −0.2500 (2 of 3 values lie below zero).",
        ),
        (Kind.RATE, [0.5, 0.5, 0.5], "**All are alike**, at 50.0 %."),
        (Kind.RATE, [0.5, 0.501, 0.5], "**All are alike**, from 50.0 % to 50.1 %."),
    ],
)
def test_bars_say_what_stands_out(kind, values, sentence) -> None:
    assert said(kind, (BEHAVIOR,), values) == sentence


def test_cells_name_both_axes() -> None:
    axes = (Axis.labelled("source", ("shared", "view")), BEHAVIOR)
    assert said(Kind.AMOUNT, axes, [[0.1, 0.2, 0.3], [0.4, 0.9, 0.5]]) == (
        "**The largest is source view, behaviour cart: 0.9000**, the smallest source shared, behaviour view: 0.1000."
    )


def test_nodes_are_told_group_by_group() -> None:
    node = Axis("node", 5, groups={"user": (0, 2), "item": (2, 5)})
    values = [[0.6, 0.3, 0.1]] * 2 + [[0.1, 0.2, 0.7]] * 3
    assert said(Kind.SHARE, (node, BEHAVIOR), values) == (
        "Over 2 users, **view weighs most: 60.0 %**, buy least: 10.0 %; "
        "over 3 items, **buy weighs most: 70.0 %**, view least: 10.0 %."
    )


def test_one_value_and_none_are_told() -> None:
    assert said(Kind.AMOUNT, (Axis("rank", 1),), [2.5]) == "The value is **2.5000**."
    assert said(Kind.AMOUNT, (Axis("rank", 0),), []) == "This finding is empty."


def test_labels_cannot_write_markdown() -> None:
    assert r"\*\*b\*\*" in said(Kind.RATE, (Axis.labelled("behavior", ("a", "**b**")),), [0.1, 0.2])


def test_large_and_negative_numbers() -> None:
    assert [number(value, Kind.SIGNED) for value in (-123.4, 0.5)] == ["−123", "+0.5000"]


def test_the_file_calls_columns_after_the_axes() -> None:
    axes = (Axis.labelled("source", ("shared", "view")), BEHAVIOR)
    stated = finding(Kind.AMOUNT, axes, np.ones((2, 3)))
    assert list(named_columns(stated, learned.table_of(stated, {}))) == ["source", "behavior", "value"]
    node = Axis("node", 5, groups={"user": (0, 2), "item": (2, 5)})
    stated = finding(Kind.RATE, (node, BEHAVIOR), np.ones((5, 3)))
    columns = list(named_columns(stated, learned.table_of(stated, {})))
    assert columns == ["group", "behavior", "value", "q05", "q95", "nodes"]
