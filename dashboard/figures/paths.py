"""Relation paths as signed bars: the strongest and the weakest, with the support that stands behind each."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, ORANGE
from dashboard.figures.template import empty_figure, styled

_PLACES = {"top": ("strongest", BLUE, ""), "bottom": ("weakest", ORANGE, "/")}


def path_bars(table: pd.DataFrame, *, extrapolated: bool = False) -> go.Figure:
    """Bars of path strength from zero; table: path, strength, support, place (top or bottom).

    Source: CIGF, Table 6. Hatching marks the weakest, so that colour is not the only sign. extrapolated: whether support
    was counted on a sample and is shown with two digits only.
    """
    if table.empty:
        return empty_figure("No path of this order")
    pairs = "≈ %{customdata[0]:,.2r}" if extrapolated else "%{customdata[0]:,.0f}"
    figure = go.Figure()
    for place, (name, colour, pattern) in _PLACES.items():
        part = table[table["place"] == place]
        if part.empty:
            continue
        figure.add_trace(
            go.Bar(
                x=part["strength"],
                y=part["path"],
                orientation="h",
                name=name,
                marker={"color": colour, "pattern": {"shape": pattern}},
                customdata=part[["support"]],
                text=[f"{strength:.4f}" for strength in part["strength"]],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="<b>%{y}</b><br>mean strength %{x:.5f}<br>"
                f"connects {pairs} pairs<extra></extra>",
            )
        )
    styled(figure, height=110 + 34 * len(table), x="product of mean attentions")
    figure.update_yaxes(
        autorange="reversed", categoryorder="array", categoryarray=list(table["path"]), title_text=""
    )
    low, high = min(0.0, table["strength"].min()), max(0.0, table["strength"].max())
    room = 0.18 * (high - low or 1.0)
    span = [low - room * (low < 0), high + room * (high > 0)]
    figure.update_xaxes(zeroline=True, zerolinewidth=1, range=span)
    figure.update_layout(bargap=0.25)
    return figure
