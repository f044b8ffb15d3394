"""Relation paths as signed bars: the strongest and the weakest, with the support that stands behind each."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, ORANGE
from dashboard.figures.template import empty_figure, styled

_PLACES = {"top": ("strongest", BLUE, ""), "bottom": ("weakest", ORANGE, "/")}


def path_bars(table: pd.DataFrame, *, title: str = "") -> go.Figure:
    """Bars of path strength from zero; table: path, strength, support, place (top or bottom).

    Source: CIGF, Table 6. Hatching marks the weakest, so that colour is not the only sign.
    """
    if table.empty:
        return empty_figure("No path of this order")
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
                textposition="auto",
                hovertemplate="<b>%{y}</b><br>mean strength %{x:.5f}<br>"
                "connects %{customdata[0]:,.0f} pairs<extra></extra>",
            )
        )
    styled(figure, height=110 + 34 * len(table), x="product of mean attentions")
    figure.update_yaxes(
        autorange="reversed", categoryorder="array", categoryarray=list(table["path"]), title_text=""
    )
    figure.update_xaxes(zeroline=True, zerolinewidth=1, rangemode="tozero")
    figure.update_layout(title={"text": title} if title else None, bargap=0.25)
    return figure
