"""Figures of the page Long tail: the data they draw."""

import numpy as np
import pandas as pd

from dashboard.figures.longtail import difference_by_group, place_bars

TICKS = ["head: 9 to 12: 31 users", "2: 4 to 8: 1 user", "tail: 0 to 3: 53 users"]
SEEDS = pd.DataFrame({"seed": [0, 1], "group": [0, 0], "difference": [-0.07, 0.05]})


def differences() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": [0, 2],
            "title": ["head: 9 to 12", "tail: 0 to 3"],
            "difference": [-0.02, 0.03],
            "low": [-0.04, -0.01],
            "high": [-0.01, 0.06],
            "verdict": ["behind", "not shown"],
            "users": [31, 53],
        }
    )


def test_differences_are_drawn_with_their_intervals_at_their_group() -> None:
    figure = difference_by_group(differences(), SEEDS, ticks=TICKS, x="x", y="y")
    drawn = figure.data[0]
    assert list(drawn.x) == [0, 2]
    assert list(drawn.y) == [-0.02, 0.03]
    np.testing.assert_allclose(drawn.error_y.array, [0.01, 0.03])
    np.testing.assert_allclose(drawn.error_y.arrayminus, [0.02, 0.04])
    assert list(drawn.marker.symbol) == ["triangle-down", "circle-open"]
    assert list(figure.layout.xaxis.ticktext) == [tick.replace(": ", "<br>") for tick in TICKS]
    low, high = figure.layout.yaxis.range
    assert low < -0.07 < 0.06 < high


def test_single_seeds_are_dots_beside_the_mean() -> None:
    dots = difference_by_group(differences(), SEEDS, ticks=TICKS, x="x", y="y").data[1]
    assert list(dots.y) == [-0.07, 0.05]
    assert all(0 < x < 0.5 for x in dots.x)  # beside group 0, not on its interval
    none = difference_by_group(differences(), SEEDS.head(0), ticks=TICKS, x="x", y="y").data[1]
    assert len(none.x) == 0


def test_zero_is_always_in_sight() -> None:
    table = differences().tail(1).assign(low=0.02, high=0.04)
    low, high = difference_by_group(table, SEEDS.head(0), ticks=TICKS, x="x", y="y").layout.yaxis.range
    assert low < 0 < 0.04 < high


def test_nothing_to_test_is_said_and_not_drawn() -> None:
    figure = difference_by_group(differences().head(0), SEEDS.head(0), ticks=TICKS, x="x", y="y")
    assert "two users" in figure.layout.annotations[0].text


def places() -> pd.DataFrame:
    rows = [
        (name, group, title, share, 100 * share)
        for name, shares in (("one", (0.9, 0.1)), ("test pairs", (0.4, 0.6)), ("training pairs", (0.5, 0.5)))
        for group, (title, share) in enumerate(zip(("head: 7", "tail: 0"), shares))
    ]
    return pd.DataFrame(rows, columns=["name", "group", "title", "share", "count"])


def test_runs_are_bars_and_references_are_marks() -> None:
    marked = ("test pairs", "training pairs")
    figure = place_bars(places(), colors={"one": "#000000"}, marked=marked, x="x", y="y")
    assert [(trace.type, trace.name) for trace in figure.data] == [
        ("bar", "one"),
        ("scatter", "test pairs"),
        ("scatter", "training pairs"),
    ]
    assert list(figure.data[0].y) == [0.9, 0.1]
    assert list(figure.data[1].y) == [0.4, 0.6]
    assert list(figure.layout.xaxis.ticktext) == ["head<br>7", "tail<br>0"]


def test_without_any_list_the_reason_is_drawn() -> None:
    table = places()[places()["name"] != "one"]
    figure = place_bars(table, colors={}, marked=("test pairs", "training pairs"), x="x", y="y")
    assert "No run has stored recommendations" in figure.layout.annotations[0].text
