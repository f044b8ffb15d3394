"""Levels of a hierarchy: a value by level and over epochs, and their singular spectra. One colour, dash and marker per depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import DASHES, GREY, MARKERS, VERMILLION
from dashboard.figures.shapes import band
from dashboard.figures.template import empty_figure, styled
from dashboard.information import DEPTHS

# No behaviour's colour: these tell how deep a level lies.
_COLORS = (GREY, "#9B7FD1", "#3A87B0", "#A3A500", VERMILLION)
_ROW, _GAP = 25, 0.55
_TENTHS = tuple(tenths / 10 for tenths in range(10, 0, -1))
_TICKS = (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class Mark:
    """A vertical line across bars, and what it says."""

    value: float
    name: str


def depth_color(depth: int) -> str:
    return _COLORS[depth % len(_COLORS)]


def level_bars(table: pd.DataFrame, *, x: str, marks: Sequence[Mark] = (), digits: str = ".1f") -> go.Figure:
    """One bar per level, from the first to the last, with a gap between depths; dotted lines at `marks`.

    table: columns level, depth, value, perhaps parent.
    """
    if table.empty:
        return empty_figure("No level to show")
    table = table.sort_values("depth", kind="stable", ignore_index=True)
    places = table.index + _GAP * (table["depth"] != table["depth"].shift()).cumsum()
    before = table["parent"].fillna("") if "parent" in table else pd.Series("", index=table.index)
    figure = go.Figure(
        go.Bar(
            x=table["value"],
            y=places,
            orientation="h",
            width=0.78,
            marker={"color": [depth_color(depth) for depth in table["depth"]]},
            text=[f"{value:{digits}}" for value in table["value"]],
            textposition="outside",
            cliponaxis=False,
            customdata=[
                (level, DEPTHS[depth], f", after {name}" if name else "")
                for level, depth, name in zip(table["level"], table["depth"], before)
            ],
            hovertemplate=f"<b>%{{customdata[0]}}</b><br>{x} %{{x:{digits}}}<br>%{{customdata[1]}}%{{customdata[2]}}"
            "<extra></extra>",
        )
    )
    styled(figure, height=90 + round(_ROW * (float(places.iloc[-1]) + 1)), x=x)
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=table["level"],
        range=[float(places.iloc[-1]) + 0.7, float(places.iloc[0]) - 0.7],
        showgrid=False,
    )
    top = max([float(table["value"].max()), *(mark.value for mark in marks)])
    figure.update_xaxes(range=[0, 1.14 * top or 1.0])
    for mark in marks:
        figure.add_vline(
            x=mark.value,
            line={"color": GREY, "dash": "dot", "width": 1.2},
            annotation_text=mark.name,
            annotation_position="top",
            annotation_font={"color": GREY, "size": 12},
        )
    return figure


def depth_lines(
    table: pd.DataFrame, *, y: str, epoch: int | None, mark: str, digits: str = ".1f"
) -> go.Figure:
    """Mean by depth over epochs, band from the smallest to the largest level; `epoch` is marked by `mark`.

    table: columns epoch, depth, mean, low, high, levels.
    """
    if table.empty:
        return empty_figure("No snapshots to show")
    figure = go.Figure()
    for depth, part in table.groupby("depth", sort=True):
        _add_depth(figure, int(str(depth)), part.sort_values("epoch"), digits)
    styled(figure, height=400, x="epoch", y=y)
    figure.update_yaxes(rangemode="tozero")
    if epoch is not None:
        figure.add_vline(
            x=epoch,
            line={"color": GREY, "dash": "dot", "width": 1},
            annotation_text=mark,
            annotation_position="bottom right",
        )
    return figure


def _add_depth(figure: go.Figure, depth: int, part: pd.DataFrame, digits: str) -> None:
    colour, name = depth_color(depth), DEPTHS[depth]
    if part["levels"].max() > 1:
        figure.add_trace(band(part, "low", "high", colour, group=name))
    figure.add_trace(
        go.Scatter(
            x=part["epoch"],
            y=part["mean"],
            name=name,
            legendgroup=name,
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[depth % len(DASHES)], "width": 2},
            marker={"symbol": MARKERS[depth % len(MARKERS)], "size": 7},
            customdata=part[["low", "high", "levels"]],
            hovertemplate=f"<b>{name}</b><br>epoch %{{x}}<br>mean %{{y:{digits}}} of %{{customdata[2]}} levels<br>"
            f"from %{{customdata[0]:{digits}}} to %{{customdata[1]:{digits}}}<extra></extra>",
        )
    )


def spectra(table: pd.DataFrame) -> go.Figure:
    """Singular values over the largest by rank, on a logarithmic scale: one line per level, one legend entry per depth.

    table: columns level, depth, rank, value; values above zero.
    """
    if table.empty:
        return empty_figure("No singular values to show")
    figure, seen = go.Figure(), set[int]()
    places: dict[int, int] = {}
    for level, part in table.groupby("level", sort=False):
        depth = int(part["depth"].iloc[0])
        place = places[depth] = places.get(depth, -1) + 1
        figure.add_trace(
            go.Scatter(
                x=part["rank"],
                y=part["value"],
                name=DEPTHS[depth],
                legendgroup=DEPTHS[depth],
                showlegend=depth not in seen,
                mode="lines+markers",
                line={"color": depth_color(depth), "dash": DASHES[place % len(DASHES)], "width": 1.6},
                marker={"symbol": MARKERS[depth % len(MARKERS)], "size": 5},
                hovertemplate=f"<b>{level}</b><br>singular value %{{x}}: %{{y:.4f}} of the largest<extra></extra>",
            )
        )
        seen.add(depth)
    styled(figure, height=400, x="rank of the singular value", y="over the largest (log scale)")
    least = float(table["value"].min())
    ticks = [tick for tick in (_TENTHS if least > 0.1 else _TICKS) if tick >= least / 2]
    figure.update_yaxes(
        type="log", tickmode="array", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks]
    )
    return figure
