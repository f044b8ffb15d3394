"""How alike users' behaviours are: a histogram of their mean correlation."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, GREY
from dashboard.figures.template import empty_figure, styled


def correlation_histogram(table: pd.DataFrame, median: float | None) -> go.Figure:
    """Users by the mean Pearson correlation of their behaviours; the median is marked. Source: CIGF, Eqs. 25 and 26.

    table: columns low, high (edges of a bin), users.
    """
    if table.empty:
        return empty_figure("No user has two behaviours whose correlation is defined")
    figure = go.Figure(
        go.Bar(
            x=(table["low"] + table["high"]) / 2,
            y=table["users"],
            width=table["high"] - table["low"],
            marker={"color": BLUE, "line": {"width": 0.5, "color": GREY}},
            customdata=table[["low", "high"]],
            hovertemplate="%{y:,} users between %{customdata[0]:.2f} and %{customdata[1]:.2f}<extra></extra>",
        )
    )
    styled(figure, height=300, x="mean correlation of a user's behaviours", y="users")
    figure.update_layout(bargap=0, showlegend=False)
    if median is not None:
        figure.add_vline(
            x=median,
            line={"color": GREY, "dash": "dot", "width": 1.5},
            annotation_text=f"median {median:.2f}",
            annotation_position="top right",
        )
    return figure
