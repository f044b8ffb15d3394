"""Figures of the Information page: the data they draw, never pixels."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from dashboard import fusion, information, parts, refinement
from dashboard.figures.edges import keep_rates, noise_areas, pruning_precision, weight_histograms
from dashboard.figures.fusion import fusion_shares, source_look
from dashboard.figures.information import Mark, depth_color, depth_lines, level_bars, spectra
from dashboard.figures.palette import VERMILLION, behavior_color
from dashboard.figures.parts import contributions
from dashboard.information import DEPTHS, Stated
from tests.dashboard import stored_levels as stored
from tests.dashboard.stored_levels import COMPONENTS, HIERARCHIES


def stated(finding) -> Stated:
    return Stated(finding, stored.history(finding))


def bare(finding) -> Stated:
    return Stated(finding, None)


def test_levels_are_bars_from_first_to_last_with_gaps_between_depths() -> None:
    table = information.abundance_table(stated(stored.abundance()), "user", None)
    figure = level_bars(
        table.sample(frac=1, random_state=1), x="abundance", marks=[Mark(7, "most"), Mark(2, "collapse")]
    )
    (bars,) = figure.data
    assert [about[0] for about in bars.customdata][::12] == ["initial", "output"]
    assert sorted(bars.x, reverse=True) == sorted(table["value"], reverse=True)
    assert list(figure.layout.yaxis.ticktext) == [about[0] for about in bars.customdata]
    steps = np.diff(list(bars.y))
    depths = sorted(table["depth"])
    assert [step > 1 for step in steps] == [a != b for a, b in pairwise(depths)]
    assert bars.marker.color[0] == depth_color(0)
    assert [shape.x0 for shape in figure.layout.shapes] == [7, 2]
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > 7


def test_bars_name_the_level_before() -> None:
    table = information.dependence_table(stated(stored.hsic()), "user", None)
    (bars,) = level_bars(table, x="HSIC", digits=".4f").data
    assert list(bars.customdata[0]) == ["all behaviours", DEPTHS[1], ", after initial"]
    assert bars.text[0] == "0.0100"


def test_lines_by_depth_have_a_band_where_there_are_several_levels() -> None:
    table = information.by_depth_over_epochs(stated(stored.abundance()), "user")
    figure = depth_lines(table, y="abundance", epoch=3, mark="epoch 3")
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert [line.name for line in lines] == list(DEPTHS)
    assert [band.legendgroup for band in bands] == ["single behaviours", "components"]
    assert list(lines[0].x) == [1, 3, 5]
    np.testing.assert_allclose(lines[0].y, [3, 4.5, 6])
    assert len({line.line.color for line in lines}) == len({line.line.dash for line in lines}) == 5
    assert {band.mode for band in bands} == {"lines"}
    assert figure.layout.shapes[0].x0 == 3


def test_spectra_are_one_line_per_level_and_one_legend_entry_per_depth() -> None:
    table = information.spectrum_table(stated(stored.singular_values()), "item", None)
    figure = spectra(table)
    assert len(figure.data) == 13
    assert [trace.name for trace in figure.data if trace.showlegend] == list(DEPTHS)
    assert figure.layout.yaxis.type == "log"
    np.testing.assert_allclose(figure.data[1].y, (1 / 3) ** np.arange(6))
    assert max(figure.layout.yaxis.tickvals) == 1
    assert min(figure.layout.yaxis.tickvals) <= table["value"].min()


def test_kept_edges_are_shown_in_training_and_evaluation() -> None:
    table = refinement.keep_table(stated(stored.keep_rate()), None, None)
    figure = keep_rates(table)
    assert [trace.name for trace in figure.data] == ["in training", "in evaluation"]
    assert list(figure.data[0].x)[-1] == 0.8
    assert list(figure.data[1].x)[-1] == 0.9
    assert list(figure.layout.yaxis.categoryarray) == list(HIERARCHIES["full"])
    assert figure.layout.xaxis.range[0] < 0.8
    full = keep_rates(refinement.keep_table(stated(stored.keep_rate(least=1.0)), None, None))
    assert full.layout.xaxis.range[0] == 0.99


def test_histograms_have_a_panel_per_graph_with_pruned_edges_apart() -> None:
    table = refinement.histogram_table(stated(stored.weight_histogram()), None)
    figure = weight_histograms(table)
    assert len(figure.data) == 11
    assert list(figure.data[0].y) == [0.5, 0, 0, 0, 0.5]
    assert figure.data[0].marker.color[0] == VERMILLION
    assert figure.data[0].marker.color[1] != VERMILLION
    titles = [note.text for note in figure.layout.annotations]
    assert titles[1].startswith("view<br>")
    assert "2,000 edges" in titles[1]


def test_areas_are_drawn_with_intervals_beside_chance() -> None:
    table = refinement.detection_table(bare(stored.noise_detection()), None, None)
    figure = noise_areas(table)
    assert [trace.name for trace in figure.data] == ["edge weight", "users of the item", "dealt at random"]
    weight = figure.data[0]
    np.testing.assert_allclose(weight.x, 0.7)
    np.testing.assert_allclose(weight.error_x.array, table.iloc[0]["high"] - 0.7)
    assert figure.layout.shapes[0].x0 == 0.5
    assert figure.layout.annotations[0].text == "chance"
    assert len({trace.marker.symbol for trace in figure.data}) == 3


def test_precision_leaves_out_what_is_not_known() -> None:
    figure = pruning_precision(refinement.precision_table(bare(stored.pruning_precision()), None))
    drawn = {trace.name: list(trace.x) for trace in figure.data}
    assert drawn["noise among pruned edges"] == [0.5]
    assert len(drawn["noise among all edges"]) == 10


def test_fusion_stacks_the_sources_of_each_group() -> None:
    finding = stored.fusion(2, COMPONENTS, 13, 11)
    table = fusion.share_table(bare(finding), {"all users": ("user", None), "all items": ("item", None)})
    figure = fusion_shares(table)
    assert [bar.name for bar in figure.data] == list(COMPONENTS)
    np.testing.assert_allclose(sum(np.array(bar.x) for bar in figure.data), 1, atol=1e-6)
    assert figure.layout.barmode == "stack"
    assert source_look("view without buy") == (behavior_color("view"), "/")
    assert source_look("view and buy")[1] == "."
    assert source_look("view") == (behavior_color("view"), "")


def test_contributions_are_differences_with_intervals() -> None:
    full = {0: 0.5, 1: 0.51, 2: 0.52}
    values = {
        parts.FULL: full,
        "without_pres": {seed: value - 0.05 - 0.001 * seed for seed, value in full.items()},
        "flat": {0: 0.4},
    }
    table = parts.parts_table(values, {})
    figure = contributions(table, x="difference")
    (points,) = figure.data
    assert list(points.y) == ["L_pres", "the hierarchy"]
    np.testing.assert_allclose(points.x, [0.051, 0.1])
    assert list(points.marker.symbol) == ["triangle-right", "circle-open"]
    assert list(points.error_x.array)[1] == 0
    low, high = figure.layout.xaxis.range
    assert low == -high
    assert high > 0.1


@pytest.mark.parametrize(
    "figure",
    [
        lambda empty: level_bars(empty, x="x"),
        lambda empty: depth_lines(empty, y="y", epoch=None, mark=""),
        spectra,
        keep_rates,
        weight_histograms,
        noise_areas,
        pruning_precision,
        fusion_shares,
        lambda empty: contributions(empty.reindex(columns=["difference"]), x="x"),
    ],
)
def test_empty_tables_make_figures_that_say_so(figure) -> None:
    made = figure(pd.DataFrame())
    assert len(made.data) == 0
    assert made.layout.annotations[0].text
