"""The figure of the noise study: what it draws, and how far its axes reach."""

import numpy as np
import pandas as pd
import pytest

from core.studies.noise_results import SUMMARISED, summarised
from dashboard.figures.noise import look, noise_curves
from dashboard.noise import TITLES
from tests.dashboard.test_noise import measured


@pytest.fixture
def table() -> pd.DataFrame:
    return summarised(
        measured({"hgib": [0.10, 0.11, 0.12], "without_gre": [0.2, 0.22, 0.21], "lightgcn_m": [0.05]})
    )


def test_every_contestant_is_a_line_in_both_panels_with_its_intervals(table) -> None:
    figure = noise_curves(table, metric="NDCG@10", titles=TITLES)
    assert [trace.name for trace in figure.data if trace.showlegend] == [
        "HGIB",
        "HGIB without edge refinement",
        "LightGCN_M",
    ]
    own, lost = (trace for trace in figure.data if trace.name == "HGIB")
    rows = table[table["contestant"] == "hgib"]
    np.testing.assert_allclose(own.y, rows["mean"])
    np.testing.assert_allclose(own.error_y.array, rows["high"] - rows["mean"])
    np.testing.assert_allclose(lost.y, rows["drop"])
    np.testing.assert_allclose(lost.error_y.arrayminus, rows["drop"] - rows["drop_low"])
    assert own.customdata[1][0] == "40 %"
    assert figure.layout.xaxis.ticktext == figure.layout.xaxis2.ticktext == ("0 %", "40 %")


def test_lines_are_told_apart_without_colour() -> None:
    looks = [look(key) for key in TITLES]
    assert len({dash for _, dash, _ in looks}) == len({marker for _, _, marker in looks}) == len(TITLES)
    assert look("a system of tomorrow")[2]


def test_points_of_one_share_do_not_hide_each_other(table) -> None:
    figure = noise_curves(table, metric="NDCG@10", titles=TITLES)
    places = [trace.x[0] for trace in figure.data if trace.showlegend]
    assert len(set(places)) == 3
    assert max(map(abs, places)) < 0.01


def test_axes_hold_every_value_and_whole_intervals_of_three_seeds(table) -> None:
    figure = noise_curves(table, metric="NDCG@10", titles=TITLES)
    for axis, columns in (
        (figure.layout.yaxis, ["mean", "low", "high"]),
        (figure.layout.yaxis2, ["drop", "drop_low", "drop_high"]),
    ):
        assert axis.range[0] < table[columns].min().min()
        assert axis.range[1] > table[columns].max().max()


def test_the_interval_of_two_seeds_does_not_flatten_the_lines() -> None:
    two = summarised(measured({"hgib": [0.10, 0.30], "lightgcn_m": [0.05, 0.06]}))
    low, high = noise_curves(two, metric="NDCG@10", titles=TITLES).layout.yaxis2.range
    assert two["drop_high"].max() > 1
    assert high < 0.5
    assert low < 0 < 0.2 < high


def test_one_seed_alone_and_nothing_at_all_are_drawn() -> None:
    alone = summarised(measured({"hgib": [0.1]}))
    assert len(noise_curves(alone, metric="NDCG@10", titles=TITLES).data) == 2
    clean = alone[alone["share"] > 0].assign(pairs=0, drop=np.nan)
    assert len(noise_curves(clean, metric="NDCG@10", titles=TITLES).data) == 2
    empty = noise_curves(pd.DataFrame(columns=SUMMARISED), metric="NDCG@10", titles=TITLES)
    assert "No run of the study" in empty.layout.annotations[0].text
