"""Figures: the data they draw, never pixels."""

import numpy as np
import pandas as pd
import pytest

from dashboard.figures import palette
from dashboard.figures.curves import curves, series_looks, thinned
from dashboard.figures.distributions import spread_boxes
from dashboard.figures.evolution import attention_over_epochs
from dashboard.figures.heatmap import attention_heatmap, grid, segment_heatmap
from dashboard.figures.intervals import difference_intervals
from dashboard.figures.paths import path_bars
from dashboard.figures.template import empty_figure, export_config


def attention() -> pd.DataFrame:
    rows = [
        (order, start, relation, 0.1 * o - 0.2 * s + 0.03 * r)
        for o, order in enumerate("23")
        for s, start in enumerate(("view", "buy"))
        for r, relation in enumerate(("view", "cart", "buy"))
    ]
    return pd.DataFrame(rows, columns=["order", "start", "relation", "attention"])


def test_heatmap_has_one_panel_per_order_with_starts_as_rows() -> None:
    figure = attention_heatmap(attention())
    assert [trace.type for trace in figure.data] == ["heatmap", "heatmap", "scatter", "scatter"]
    assert list(figure.data[0].y) == ["view", "buy"]
    assert list(figure.data[0].x) == ["view", "cart", "buy"]
    np.testing.assert_allclose(figure.data[1].z, [[0.1, 0.13, 0.16], [-0.1, -0.07, -0.04]])


def test_heatmap_writes_each_value_into_its_cell() -> None:
    numbers = attention_heatmap(attention()).data[3]
    place = next(i for i, (x, y) in enumerate(zip(numbers.x, numbers.y)) if (x, y) == ("cart", "buy"))
    assert numbers.text[place] == "-0.070"


def test_heatmap_colours_are_centred_at_zero() -> None:
    axis = attention_heatmap(attention()).layout.coloraxis
    assert axis.cmid == 0
    assert axis.cmin == -axis.cmax == pytest.approx(-0.2)


def test_grid_keeps_the_order_of_appearance() -> None:
    table = pd.DataFrame({"r": ["z", "z", "a", "a"], "c": ["q", "b", "q", "b"], "v": [1.0, 2.0, 3.0, 4.0]})
    rows, columns, values = grid(table, "r", "c", "v")
    assert (rows, columns) == (["z", "a"], ["q", "b"])
    np.testing.assert_array_equal(values, [[1, 2], [3, 4]])


def test_segment_heatmap_says_how_many_users_stand_behind_a_row() -> None:
    table = pd.DataFrame(
        {
            "segment": ["a", "a", "b", "b"],
            "relation": ["view", "buy"] * 2,
            "attention": [0.1, 0.2, 0.3, 0.4],
            "difference": [-0.1, -0.0001, 0.1, 0.2],
            "users": [5, 5, 7, 7],
        }
    )
    cells = segment_heatmap(table).data[0]
    assert list(cells.y) == ["a (5 users)", "b (7 users)"]
    np.testing.assert_allclose(cells.z, [[-0.1, -0.0001], [0.1, 0.2]])
    assert list(segment_heatmap(table).data[1].text) == ["-0.100", "+0.000", "+0.100", "+0.200"]


def test_heatmaps_of_several_epochs_can_share_one_scale() -> None:
    assert attention_heatmap(attention(), reach=0.7).layout.coloraxis.cmax == 0.7


def differences() -> pd.DataFrame:
    rows = [
        ("shopper", "cart", "mean of all", 0.5, 0.4, 0.1, 0.05, 0.15, "more"),
        ("shopper", "cart", "buy", 0.4, 0.4, 0.0, -0.1, 0.1, "no difference"),
        ("follower", "buy", "mean of all", 0.3, 0.4, -0.1, -0.2, -0.05, "less"),
        ("follower", "buy", "buy", 0.3, 0.4, -0.1, -0.2, -0.05, "less"),
    ]
    columns = ["segment", "relation", "start", "attention", "others", "difference", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=columns)


def test_differences_are_drawn_with_their_intervals_and_a_marker_per_verdict() -> None:
    shopper, follower = difference_intervals(differences()).data
    assert list(shopper.y) == ["mean of all", "buy"]
    np.testing.assert_allclose(shopper.error_x.array, [0.05, 0.1])
    np.testing.assert_allclose(follower.error_x.arrayminus, [0.1, 0.1])
    assert len({*shopper.marker.symbol, *follower.marker.symbol}) == 3


@pytest.mark.parametrize(("extrapolated", "pairs"), [(True, "≈ %{customdata[0]:,.2r}"), (False, ":,.0f}")])
def test_path_bars_say_how_exact_the_support_is(extrapolated, pairs) -> None:
    table = pd.DataFrame({"path": ["a"], "strength": [0.4], "support": [1.0], "place": ["top"]})
    assert pairs in path_bars(table, extrapolated=extrapolated).data[0].hovertemplate


def test_path_bars_split_top_and_bottom_and_carry_support() -> None:
    table = pd.DataFrame(
        {
            "path": ["a > b", "b > a"],
            "strength": [0.4, -0.1],
            "support": [11.0, 3.0],
            "place": ["top", "bottom"],
        }
    )
    figure = path_bars(table)
    assert [trace.name for trace in figure.data] == ["strongest", "weakest"]
    assert list(figure.data[0].x) == [0.4]
    assert figure.data[1].customdata[0][0] == 3
    low, high = figure.layout.xaxis.range
    assert low < -0.1
    assert high > 0.4


def test_path_bars_of_positive_values_start_at_zero() -> None:
    table = pd.DataFrame({"path": ["a"], "strength": [0.4], "support": [1.0], "place": ["top"]})
    assert path_bars(table).layout.xaxis.range[0] == 0


def test_spread_boxes_draw_the_quantiles_they_are_given() -> None:
    row = {"relation": "cart", "mean": 0.3, "q05": 0.0, "q25": 0.1, "median": 0.2, "q75": 0.5, "q95": 0.9}
    table = pd.DataFrame([{"group": "users", "nodes": 7} | row, {"group": "items", "nodes": 5} | row])
    figure = spread_boxes(table)
    box = figure.data[0]
    assert (box.lowerfence[0], box.q1[0], box.median[0], box.q3[0], box.upperfence[0]) == (
        0.0,
        0.1,
        0.2,
        0.5,
        0.9,
    )
    assert [note.text for note in figure.layout.annotations] == ["7 users", "5 items"]
    assert box.marker.color == palette.behavior_color("cart")


def test_evolution_draws_a_band_and_a_line_per_relation_and_marks_the_epoch() -> None:
    table = pd.DataFrame(
        {
            "epoch": [1, 3, 1, 3],
            "relation": ["view", "view", "buy", "buy"],
            "mean": [0.1, 0.2, 0.3, 0.4],
            "q25": 0.0,
            "q75": 1.0,
        }
    )
    figure = attention_over_epochs(table, epoch=3)
    lines = [trace for trace in figure.data if trace.fill is None]
    assert [line.name for line in lines] == ["view", "buy"]
    assert list(lines[1].y) == [0.3, 0.4]
    assert figure.layout.shapes[0].x0 == 3


def test_curves_draw_only_the_named_series_and_mark_the_best_epoch() -> None:
    table = pd.DataFrame(
        {"name": ["valid/hr@10"] * 2 + ["valid/x"] * 2, "epoch": [1, 2, 1, 2], "value": [0.1, 0.2, 5, 6]}
    )
    figure = curves(table, y="metric", names=["valid/hr@10"], best_epoch=2)
    assert [trace.name for trace in figure.data] == ["hr@10"]
    assert list(figure.data[0].y) == [0.1, 0.2]
    assert figure.layout.shapes[0].x0 == 2


def test_thinning_keeps_ends_and_extremes() -> None:
    value = np.zeros(10_000)
    value[1234], value[7777] = 9.0, -9.0
    kept = thinned(pd.DataFrame({"epoch": np.arange(10_000), "value": value}), limit=100)
    assert len(kept) <= 100
    assert {0, 1234, 7777, 9999} <= set(kept["epoch"])


def test_thinning_survives_values_that_are_not_numbers() -> None:
    kept = thinned(pd.DataFrame({"epoch": np.arange(1000), "value": np.nan}), limit=40)
    assert 0 < len(kept) <= 40


def test_a_behavior_keeps_its_colour_in_every_figure() -> None:
    looks = series_looks(["loss/bpr_view", "loss/bpr_buy", "loss/total"])
    assert looks["loss/bpr_view"][0] == palette.behavior_color("view")
    assert looks["loss/bpr_buy"][0] == palette.behavior_color("buy")
    assert len({palette.behavior_color(b) for b in ("view", "favorite", "cart", "buy")}) == 4
    assert len({palette.behavior_position(b) for b in ("view", "favorite", "cart", "buy")}) == 4


def test_colours_of_runs_depend_on_their_place_only() -> None:
    assert palette.run_colors(["x", "y"]) == {"x": palette.SERIES[0], "y": palette.SERIES[1]}


@pytest.mark.parametrize(
    "figure",
    [
        attention_heatmap(attention()[:0]),
        segment_heatmap(pd.DataFrame()),
        difference_intervals(pd.DataFrame()),
        path_bars(pd.DataFrame()),
        spread_boxes(pd.DataFrame()),
        attention_over_epochs(pd.DataFrame()),
        curves(pd.DataFrame(), y="loss"),
        empty_figure("nothing"),
    ],
)
def test_empty_input_gives_a_figure_that_says_so(figure) -> None:
    assert not figure.data
    assert figure.layout.annotations[0].text


def test_figures_are_exported_under_their_name_by_the_first_button() -> None:
    config = export_config("attention-x")
    assert config["toImageButtonOptions"]["filename"] == "attention-x"
    assert config["modeBarButtons"][0][0] == "toImage"
