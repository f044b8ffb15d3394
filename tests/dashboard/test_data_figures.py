"""The figures of the Data page: the data they draw, never pixels."""

import numpy as np
import pandas as pd
import pytest

from core.home import Home
from dashboard import data_profile as tables
from dashboard.figures.correlations import correlation_histogram
from dashboard.figures.funnel import funnel_bars, label
from dashboard.figures.overlap import upset
from dashboard.figures.palette import DASHES, MARKERS, behavior_color, behavior_position
from dashboard.figures.tails import degree_tails
from tests.dashboard.profiles import FUNNEL, told


@pytest.fixture
def scope(tmp_path):
    return told(Home(tmp_path))["scopes"]["train"]


def test_funnel_bars_stack_to_the_count_in_each_behaviors_colour(scope) -> None:
    figure = funnel_bars(tables.funnel_table(scope, FUNNEL))
    pairs = [trace for trace in figure.data if trace.type == "bar" and trace.xaxis == "x"][:3]
    np.testing.assert_array_equal(sum(np.array(trace.x) for trace in pairs), [6, 3, 5])
    assert list(pairs[0].y) == list(FUNNEL)
    assert list(pairs[0].marker.color) == [behavior_color(name) for name in FUNNEL]
    assert len({trace.marker.pattern.shape for trace in pairs}) == 3
    assert list(figure.layout.yaxis.categoryarray) == ["buy", "cart", "view"]


def test_funnel_bars_tell_the_share_that_came_through() -> None:
    assert label(1_234, 0.5) == "<b>1,234</b><br>50.0 % also earlier"
    assert label(7, float("nan")) == "<b>7</b>"


def test_funnel_keys_say_only_what_is_drawn(scope) -> None:
    names = [
        trace.name
        for trace in funnel_bars(tables.funnel_table(scope, FUNNEL)).data
        if list(trace.x) == [None]
    ]
    assert len(names) == 3
    alone = tables.funnel_table(scope, ["view"])
    assert not [trace for trace in funnel_bars(alone).data if list(trace.x) == [None]]


def test_upset_draws_a_bar_per_set_above_its_members(scope) -> None:
    table = tables.overlap_table(scope, FUNNEL, "pairs")
    figure = upset(table, scope["pairs"], unit="pairs", target="buy")
    bars, empty, lines, *members = figure.data
    assert list(bars.y) == table["count"].tolist()
    assert [shape == "/" for shape in bars.marker.pattern.shape] == table["buy"].tolist()
    inside = {(x, trace.name) for trace in members for x in trace.x}
    assert inside == {(x, name) for x, row in table.iterrows() for name in FUNNEL if row[name]}
    assert len(empty.x) == len(FUNNEL) * len(table) - len(inside)
    for y, trace in enumerate(members):
        assert trace.marker.color == behavior_color(trace.name)
        assert trace.marker.symbol == MARKERS[behavior_position(trace.name)]
        assert set(trace.y) == {y}
    place = table.index[table["behaviors"] == "view + cart + buy"][0]
    at = list(lines.x).index(place)
    assert lines.y[at : at + 3] == (0, 2, None)
    assert list(figure.layout.yaxis2.ticktext)[2] == "buy  <b>5</b>"


def test_tails_are_stairs_with_a_colour_and_a_dash_per_behavior(scope) -> None:
    figure = degree_tails(tables.tail_table(scope, FUNNEL))
    views = figure.data[0]
    assert (views.name, list(views.x), list(views.y)) == ("view", [1, 2, 3], [3 / 5, 2 / 5, 1 / 5])
    assert views.line.shape == "vh"
    for trace in figure.data:
        assert trace.line.color == behavior_color(trace.name)
        assert trace.line.dash == DASHES[behavior_position(trace.name)]
    assert len({trace.line.dash for trace in figure.data}) == 3
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == figure.layout.xaxis2.type == "log"
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3


def test_a_tail_of_one_degree_is_a_point_that_can_be_seen(scope) -> None:
    table = tables.tail_table(scope, FUNNEL)
    (trace,) = degree_tails(table[(table["side"] == "user") & (table["behavior"] == "cart")].head(1)).data
    assert trace.mode == "lines+markers"


def test_the_histogram_covers_its_bins_and_marks_the_median() -> None:
    table = pd.DataFrame({"low": [0.0, 0.02], "high": [0.02, 0.04], "users": [3, 5]})
    figure = correlation_histogram(table, 0.03)
    np.testing.assert_allclose(figure.data[0].x, [0.01, 0.03])
    np.testing.assert_allclose(figure.data[0].width, 0.02)
    assert figure.layout.annotations[0].text == "median 0.03"
    assert not correlation_histogram(table, None).layout.annotations


def test_nothing_to_draw_is_said() -> None:
    none = pd.DataFrame()
    for figure in (
        funnel_bars(none),
        upset(none, {}, unit="pairs", target="buy"),
        degree_tails(none),
        correlation_histogram(none, None),
    ):
        assert not figure.data
        assert figure.layout.annotations[0].text
