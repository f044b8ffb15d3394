"""Figures of a comparison: the data they draw, never pixels."""

import numpy as np
import pandas as pd
import pytest

from dashboard.compare_tables import MEASURED, PANELS, SIGNS
from dashboard.figures.comparison import difference_rows, metric_bars
from dashboard.figures.curves import log_ticks, overlay, thinned

TITLES = {"a": "CIGF · a long name that goes on and on for ever", "b": "EASE", "c": "other"}
COLORS = {"a": "#000001", "b": "#000002", "c": "#000003"}
NAN = float("nan")
TABLE = pd.DataFrame(
    [
        ("a", "hr@10", "all", 3, 0.5, 0.01, 0.4, 0.6, 1),
        ("b", "hr@10", "all", 1, 0.3, NAN, NAN, NAN, 2),
        ("a", "hr@10", "unseen", 3, 0.2, 0.01, 0.1, 0.3, 0),
        ("a", "ndcg@10", "all", 3, 0.9, 0.01, 0.8, 1.0, 1),
    ],
    columns=MEASURED,
)
SEEDS = {("a", "all"): [0.49, 0.5, 0.51], ("b", "all"): [0.3], ("a", "unseen"): [0.2, 0.2, 0.2]}


def bars(table: pd.DataFrame = TABLE):
    return metric_bars(table, SEEDS, metric="hr@10", titles=TITLES, parts=PANELS, colors=COLORS, signs=SIGNS)


def test_bars_show_one_metric_with_a_panel_per_part_that_there_is() -> None:
    drawn = [trace for trace in bars().data if trace.type == "bar"]
    assert [list(trace.x) for trace in drawn] == [[0.5, 0.3], [0.2]]
    titles = [note.text for note in bars().layout.annotations]
    assert {"all", "never seen"} <= set(titles)
    assert "seen before" not in titles


def test_bars_start_at_zero_and_are_labelled_with_value_and_place() -> None:
    figure = bars()
    assert figure.layout.xaxis.range[0] == 0
    labels = [note.text for note in figure.layout.annotations]
    assert ".5000 ①" in labels
    assert ".3000 ②" in labels


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0.998, [0, 0.5]),
        (1.0, [0, 0.5, 1]),
        (0.8, [0, 0.2, 0.4, 0.6, 0.8]),
        (0.0347, [0, 0.01, 0.02, 0.03]),
        (0.0, [0, 0.5, 1]),
        (NAN, [0, 0.5, 1]),
    ],
)
def test_the_scale_ends_where_the_values_do(top: float, ticks: list[float]) -> None:
    table = TABLE.assign(mean=TABLE["mean"] * (top / 0.6), high=top)
    axis = bars(table).layout.xaxis
    assert list(axis.tickvals) == ticks
    assert axis.range[1] >= ticks[-1]


def test_only_several_seeds_have_whiskers_and_dots() -> None:
    bar, *_ = (trace for trace in bars().data if trace.type == "bar")
    assert bar.error_x.array[0] == pytest.approx(0.1)
    assert bar.error_x.array[1] is None or np.isnan(bar.error_x.array[1])
    dots = [trace for trace in bars().data if trace.type == "scatter"]
    assert [list(trace.x) for trace in dots] == [[0.49, 0.5, 0.51], [0.2, 0.2, 0.2]]


def test_a_row_keeps_its_colour_and_its_name() -> None:
    figure = bars()
    assert list(figure.data[0].marker.color) == ["#000001", "#000002"]
    assert "".join(figure.layout.yaxis.ticktext[0].split("<br>")).startswith("CIGF · a long name")
    assert figure.layout.yaxis.ticktext[1] == "EASE"


TESTS = pd.DataFrame(
    [("b", 0.2, 0.1, 0.3, "ahead", 0.4), ("c", -0.1, -0.3, 0.1, "not shown", -0.1)],
    columns=["group", "difference", "low", "high", "verdict", "effect"],
)


def test_differences_have_intervals_and_signs_that_do_not_rest_on_colour() -> None:
    figure = difference_rows(TESTS, one="a", metric="HR@10", titles=TITLES)
    (trace,) = figure.data
    assert list(trace.x) == [0.2, -0.1]
    assert list(trace.error_x.array) == pytest.approx([0.1, 0.2])
    assert list(trace.error_x.arrayminus) == pytest.approx([0.1, 0.2])
    assert list(trace.marker.symbol) == ["triangle-right", "circle-open"]
    low, high = figure.layout.xaxis.range
    assert low < -0.3 < 0 < 0.3 < high


def test_nothing_to_draw_is_said() -> None:
    for figure in (
        bars(TABLE[:0]),
        difference_rows(TESTS[:0], one="a", metric="HR@10", titles=TITLES),
        overlay({"a": curve(0)}, LOOKS, x="epoch", y="loss", titles=TITLES),
    ):
        assert not figure.data
        assert figure.layout.annotations[0].text


LOOKS = {"a": ("#000001", "solid"), "b": ("#000002", "dash")}


def curve(epochs: int) -> pd.DataFrame:
    steps = np.arange(1, epochs + 1)
    return pd.DataFrame({"epoch": steps, "seconds": steps * 2.5, "value": 1.0 / steps})


def test_a_run_keeps_its_colour_and_dash_along_epochs_and_seconds() -> None:
    tables = {"a": curve(7), "b": curve(3)}
    by_epoch = overlay(tables, LOOKS, x="epoch", y="loss", titles=TITLES)
    by_time = overlay(tables, LOOKS, x="seconds", y="loss", titles=TITLES)
    assert [(t.line.color, t.line.dash) for t in by_epoch.data] == list(LOOKS.values())
    assert [(t.line.color, t.line.dash) for t in by_time.data] == list(LOOKS.values())
    assert list(by_epoch.data[1].x) == [1, 2, 3]
    assert list(by_time.data[1].x) == [2.5, 5.0, 7.5]


def test_a_gap_stays_a_gap() -> None:
    table = curve(7)
    table.loc[3, "value"] = NAN
    (trace,) = overlay({"a": table}, LOOKS, x="epoch", y="loss", titles=TITLES).data
    assert not trace.connectgaps
    assert np.isnan(trace.y[3])


def test_thinning_keeps_gaps_and_stays_short() -> None:
    table = curve(10_000)
    table.loc[4_000:4_999, "value"] = NAN
    kept = thinned(table, limit=100)
    assert len(kept) <= 100
    assert kept.loc[kept["epoch"].between(4_001, 5_000), "value"].isna().any()
    (trace,) = overlay({"a": table}, LOOKS, x="epoch", y="loss", titles=TITLES).data
    assert len(trace.x) <= 800


def test_losses_that_reach_zero_keep_a_linear_axis() -> None:
    table = curve(5)
    assert overlay({"a": table}, LOOKS, x="epoch", y="l", titles=TITLES, log=True).layout.yaxis.type == "log"
    table.loc[2, "value"] = 0.0
    assert overlay({"a": table}, LOOKS, x="epoch", y="l", titles=TITLES, log=True).layout.yaxis.type != "log"


def test_log_axes_are_labelled_at_1_2_and_5() -> None:
    assert log_ticks(0.3, 7.0) == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]
    assert log_ticks(1e-5, 10.0) == [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]
