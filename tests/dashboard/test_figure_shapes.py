"""Bands and boxes that several figures draw."""

import pandas as pd

from dashboard.figures.shapes import band, quantile_box, translucent


def test_a_band_runs_along_the_top_and_back_along_the_bottom() -> None:
    part = pd.DataFrame({"epoch": [1, 3, 5], "low": [0.1, 0.2, 0.3], "high": [0.4, 0.6, 0.5]})
    area = band(part, "low", "high", "#0072B2", group="users")
    assert list(area.x) == [1, 3, 5, 5, 3, 1]
    assert list(area.y) == [0.4, 0.6, 0.5, 0.3, 0.2, 0.1]
    assert (area.legendgroup, area.name, area.fill) == ("users", "users band", "toself")
    assert area.fillcolor == translucent("#0072B2", 0.15) == "rgba(0,114,178,0.15)"


def test_a_box_is_drawn_from_quantiles_alone() -> None:
    row = {"mean": 0.52, "q05": 0.1, "q25": 0.3, "median": 0.5, "q75": 0.7, "q95": 0.9}
    box = quantile_box("text", row, "#009E73")
    drawn = [list(v) for v in (box.lowerfence, box.q1, box.median, box.q3, box.upperfence, box.mean)]
    assert drawn == [[0.1], [0.3], [0.5], [0.7], [0.9], [0.52]]
    assert box.y is None
