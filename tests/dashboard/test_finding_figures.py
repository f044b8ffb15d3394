"""Figures of any finding: the data they draw, never pixels."""

import numpy as np
import pandas as pd
import pytest

from core.findings import Kind
from dashboard.figures.finding import MOST_WRITTEN, bar_colors, finding_bars, finding_cells
from dashboard.figures.palette import BLUE, GREY, ORANGE, behavior_color

BEHAVIORS = ("view", "cart", "buy")


def rows(values, groups=("",), low=np.nan, high=np.nan, labels=BEHAVIORS) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {"group": group, "row": "", "label": labels, "value": values, "low": low, "high": high}
        ).assign(nodes=np.nan if not group else 7, support=np.nan)
        for group in groups
    ]
    return pd.concat(parts, ignore_index=True)


def bars(table, kind=Kind.SHARE, axis="behavior", reach=0.5, groups=None):
    return finding_bars(
        table, kind=kind, axis=axis, y="behaviour", x="share", reach=reach, groups=groups or {}
    )


def test_bars_start_at_zero_in_the_colours_of_the_behaviours() -> None:
    figure = bars(rows([0.2, 0.5, 0.3]))
    drawn, ends = figure.data
    assert list(drawn.x) == [0.2, 0.5, 0.3]
    assert list(drawn.y) == list(BEHAVIORS)
    assert list(drawn.marker.color) == [behavior_color(b) for b in BEHAVIORS]
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] > 0.5
    assert figure.layout.xaxis.tickformat == ".0%"
    assert [text.strip() for text in ends.text] == ["20.0%", "50.0%", "30.0%"]
    assert drawn.error_x.array is None


def test_signed_bars_have_zero_in_the_middle_and_a_colour_per_sign() -> None:
    figure = bars(rows([-0.2, 0.5, 0.0], labels=("a", "b", "c")), kind=Kind.SIGNED, axis="level")
    left, right = figure.layout.xaxis.range
    assert left == -right
    assert list(figure.data[0].marker.color) == [ORANGE, BLUE, BLUE]
    assert [text.strip() for text in figure.data[1].text] == ["-0.200", "+0.500", "+0.000"]
    assert list(figure.data[1].textposition)[:2] == ["middle left", "middle right"]


def test_groups_of_nodes_are_panels_with_their_spread() -> None:
    table = rows([0.2, 0.5, 0.3], ("user", "item"), low=[0.1, 0.4, 0.35], high=[0.4, 0.6, 0.5])
    figure = bars(table, groups={"user": "users", "item": "items"})
    assert [note.text for note in figure.layout.annotations] == ["users", "items"]
    drawn = figure.data[0]
    np.testing.assert_allclose(drawn.error_x.array, [0.2, 0.1, 0.2])
    # a mean below the 5th percentile has no whisker to the left
    np.testing.assert_allclose(drawn.error_x.arrayminus, [0.1, 0.1, 0.0])
    np.testing.assert_allclose(figure.data[1].x, [0.4, 0.6, 0.5])
    assert "mean over 7 users 20.0%" in drawn.customdata[0]
    assert "from 10.0% to 40.0%" in drawn.customdata[0]


def test_what_is_no_behaviour_is_grey_among_behaviours_and_blue_alone() -> None:
    values = np.ones(2)
    assert bar_colors(["view", "shared"], "source", values, Kind.AMOUNT) == [behavior_color("view"), GREY]
    assert bar_colors(["a", "b"], "level", values, Kind.AMOUNT) == [BLUE, BLUE]
    assert bar_colors(["a", "b"], "relation", values, Kind.AMOUNT) == [
        behavior_color("a"),
        behavior_color("b"),
    ]


def cell_rows(values, support=np.nan) -> pd.DataFrame:
    values = np.asarray(values, dtype=float)
    r, c = np.indices(values.shape)
    return pd.DataFrame(
        {
            "row": [f"r{k}" for k in r.ravel()],
            "label": [f"c{k}" for k in c.ravel()],
            "value": values.ravel(),
            "support": support,
        }
    )


def cells(table, kind=Kind.AMOUNT, reach=0.9, dark=False):
    return finding_cells(table, kind=kind, y="source", x="task", reach=reach, dark=dark)


def test_cells_are_drawn_from_zero_with_their_values() -> None:
    figure = cells(cell_rows([[0.1, 0.2, 0.9], [0.3, 0.4, 0.5]], support=[3, 5, 7, 11, 13, 17]))
    drawn, written = figure.data
    np.testing.assert_allclose(drawn.z, [[0.1, 0.2, 0.9], [0.3, 0.4, 0.5]])
    assert (list(drawn.y), list(drawn.x)) == (["r0", "r1"], ["c0", "c1", "c2"])
    np.testing.assert_allclose(drawn.customdata, [[3, 5, 7], [11, 13, 17]])
    assert list(written.text) == ["0.100", "0.200", "0.900", "0.300", "0.400", "0.500"]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 0.9)
    # dark figures on the yellow end, white ones on the dark end
    assert (written.textfont.color[2], written.textfont.color[0]) == ("#1D2530", "#FFFFFF")


def test_signed_cells_are_centred_at_zero() -> None:
    figure = cells(cell_rows([[-0.3, 0.9]]), kind=Kind.SIGNED)
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmid, axis.cmax) == (-0.9, 0, 0.9)
    assert list(figure.data[1].text) == ["-0.300", "+0.900"]


def test_many_columns_are_not_written_over() -> None:
    assert len(cells(cell_rows(np.ones((2, MOST_WRITTEN)))).data) == 2
    assert len(cells(cell_rows(np.ones((2, MOST_WRITTEN + 1)))).data) == 1


@pytest.mark.parametrize("draw", [bars, cells])
def test_nothing_is_said_not_raised(draw) -> None:
    figure = draw(rows([0.1, 0.2, 0.3]).head(0))
    assert figure.layout.annotations[0].text == "Nothing to show"
