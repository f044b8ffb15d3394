"""Any finding as a figure, by its kind alone: bars along one axis, cells over two, means over nodes with their spread."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.findings import Array, Kind
from dashboard.figures.heatmap import grid
from dashboard.figures.palette import (
    BEHAVIORS,
    BLUE,
    GREY,
    ORANGE,
    SEQUENTIAL,
    behavior_color,
    diverging,
    ink,
)
from dashboard.figures.template import empty_figure, styled

# Above so many columns a number no longer fits into its cell.
MOST_WRITTEN = 12
_BEHAVIOR_AXES = ("behavior", "relation")


def digits(kind: Kind, reach: float) -> str:
    """How values of `kind` are written: shares and rates as percent, signed values with their sign."""
    if kind in (Kind.SHARE, Kind.RATE):
        return ".1%"
    places = ".3f" if reach < 100 else ",.0f"
    return f"+{places}" if kind is Kind.SIGNED else places


def bar_colors(labels: list[str], axis: str, values: Array, kind: Kind) -> list[str]:
    """A behaviour's own colour on an axis of behaviours; elsewhere one colour, or two for the two signs."""
    if axis in _BEHAVIOR_AXES or any(label in BEHAVIORS for label in labels):
        own = axis in _BEHAVIOR_AXES
        return [behavior_color(label) if own or label in BEHAVIORS else GREY for label in labels]
    if kind is Kind.SIGNED:
        return [BLUE if value >= 0 else ORANGE for value in values]
    return [BLUE] * len(labels)


def finding_bars(
    table: pd.DataFrame, *, kind: Kind, axis: str, y: str, x: str, reach: float, groups: Mapping[str, str]
) -> go.Figure:
    """Bars from zero, one panel per group of nodes; a line through each spans the 5th to the 95th percentile of the nodes.

    table: columns group, label, value, low, high, nodes, support. axis: its name in the finding; y, x: axis titles.
    reach: where the value axis ends, on both sides for signed values. groups: a title per group of `table`.
    """
    if table.empty:
        return empty_figure("Nothing to show")
    shown = list(dict.fromkeys(table["group"]))
    titles = [groups.get(group, group) for group in shown]
    figure = make_subplots(
        cols=len(shown),
        shared_yaxes=True,
        horizontal_spacing=0.08,
        subplot_titles=titles if any(titles) else None,
    )
    for place, group in enumerate(shown, start=1):
        part = table[table["group"] == group]
        figure.add_trace(_bars(part, kind, axis, reach, groups.get(group, group)), row=1, col=place)
        figure.add_trace(_ends(part, kind, reach), row=1, col=place)
    styled(figure, height=110 + 34 * table["label"].nunique(), x=x)
    span = [-1.22 * reach, 1.22 * reach] if kind is Kind.SIGNED else [0, 1.22 * reach]
    tickformat = ".0%" if kind in (Kind.SHARE, Kind.RATE) else None
    figure.update_xaxes(
        range=span, nticks=6, tickformat=tickformat, zeroline=kind is Kind.SIGNED, zerolinecolor=GREY
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", type="category")
    figure.update_yaxes(title_text=y, col=1)
    figure.update_layout(showlegend=False, bargap=0.35)
    return figure


def _bars(part: pd.DataFrame, kind: Kind, axis: str, reach: float, whose: str) -> go.Bar:
    labels, values = [str(label) for label in part["label"]], part["value"].to_numpy()
    form = digits(kind, reach)
    hover = [f"<b>{row['label']}</b>{_about(row, form, whose)}" for row in part.to_dict("records")]
    spread = None
    if part["low"].notna().all():
        # the mean of a skewed value may lie outside its own percentiles: no whisker points inwards
        up, down = (part["high"] - values).clip(lower=0), (values - part["low"]).clip(lower=0)
        spread = {"array": up, "arrayminus": down, "color": GREY, "thickness": 1.6, "width": 5}
    return go.Bar(
        x=values,
        y=labels,
        orientation="h",
        marker={"color": bar_colors(labels, axis, values, kind), "line": {"width": 0}},
        error_x=spread,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _about(row: Mapping[Any, Any], form: str, whose: str) -> str:
    """The lines of a hover box beneath the name."""
    over = f"mean over {row['nodes']:,.0f} {whose}" if row["nodes"] == row["nodes"] else "value"
    lines = [f"{over} {row['value']:{form}}"]
    if row["low"] == row["low"]:
        lines.append(f"90 % of them from {row['low']:{form}} to {row['high']:{form}}")
    if row["support"] == row["support"]:
        lines.append(f"support {row['support']:,.0f}")
    return "".join(f"<br>{line}" for line in lines)


def _ends(part: pd.DataFrame, kind: Kind, reach: float) -> go.Scatter:
    """The value in figures, beyond the end of its bar and spread."""
    values = part["value"].to_numpy(dtype=float)
    high, low = (
        np.fmax(values, part["high"].to_numpy(dtype=float)),
        np.fmin(values, part["low"].to_numpy(dtype=float)),
    )
    return go.Scatter(
        x=np.where(values < 0, low, high),
        y=[str(label) for label in part["label"]],
        text=[f" {value + 0.0:{digits(kind, reach)}} " for value in values],
        mode="text",
        textposition=["middle left" if value < 0 else "middle right" for value in values],
        cliponaxis=False,
        hoverinfo="skip",
    )


def finding_cells(
    table: pd.DataFrame, *, kind: Kind, y: str, x: str, reach: float, dark: bool = False
) -> go.Figure:
    """A heatmap with its values written in: sequential from zero, or diverging around zero for signed values.

    table: columns row, label, value, support. y, x: axis titles. reach: where the colour scale ends.
    """
    if table.empty:
        return empty_figure("Nothing to show")
    rows, columns, values = grid(table, "row", "label", "value")
    form = digits(kind, reach)
    support = grid(table, "row", "label", "support")[2] if table["support"].notna().all() else None
    more = "<br>support %{customdata:,.0f}" if support is not None else ""
    cells = go.Heatmap(
        z=values,
        x=columns,
        y=rows,
        customdata=support,
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        hovertemplate=f"{y} <b>%{{y}}</b><br>{x} <b>%{{x}}</b><br>%{{z:{form}}}{more}<extra></extra>",
    )
    figure = go.Figure([cells])
    if len(columns) <= MOST_WRITTEN:
        figure.add_trace(_written(rows, columns, values, kind, reach, dark))
    styled(figure, height=120 + (46 if len(rows) <= 10 else 24) * len(rows), x=x, y=y)
    figure.update_xaxes(ticks="", showgrid=False, type="category")
    figure.update_yaxes(ticks="", showgrid=False, type="category", autorange="reversed")
    bar = {"thickness": 12, "outlinewidth": 0, "tickformat": ".0%" if form == ".1%" else None}
    signed = kind is Kind.SIGNED
    scale = {"cmin": -reach, "cmid": 0, "cmax": reach} if signed else {"cmin": 0, "cmax": reach}
    colors = diverging(dark) if signed else SEQUENTIAL
    figure.update_layout(coloraxis={"colorscale": colors, "colorbar": bar, **scale}, showlegend=False)
    return figure


def _written(
    rows: list[str], columns: list[str], values: Array, kind: Kind, reach: float, dark: bool
) -> go.Scatter:
    """The value of every cell, each in the colour that reads on its background."""
    shown = [(x, y, float(values[r, c])) for r, y in enumerate(rows) for c, x in enumerate(columns)]

    def color(value: float) -> str:
        if kind is Kind.SIGNED:
            return ink(value / reach, dark)
        return "#1D2530" if value > 0.62 * reach else "#FFFFFF"

    return go.Scatter(
        x=[x for x, _, _ in shown],
        y=[y for _, y, _ in shown],
        text=[f"{value + 0.0:{digits(kind, reach)}}" for _, _, value in shown],
        mode="text",
        textfont={"size": 14, "color": [color(value) for _, _, value in shown]},
        hoverinfo="skip",
    )
