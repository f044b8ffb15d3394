"""Degree tails: which share of users and of items has at least so many pairs, on logarithmic axes."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import DASHES, behavior_color, behavior_position
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled

_SIDES = {"user": "users", "item": "items"}


def degree_tails(table: pd.DataFrame) -> go.Figure:
    """Complementary cumulative distributions, a panel for users and one for items, a staircase per behaviour.

    table: columns side, behavior, degree, at_least, share (see `data_profile.tail_table`).
    """
    if table.empty:
        return empty_figure("No interactions to show")
    sides = list(dict.fromkeys(table["side"]))
    figure = make_subplots(
        cols=len(sides),
        subplot_titles=[_SIDES[side] for side in sides],
        shared_yaxes=True,
        horizontal_spacing=0.03,
    )
    for panel, side in enumerate(sides, start=1):
        for name in dict.fromkeys(table["behavior"]):
            part = table[(table["side"] == side) & (table["behavior"] == name)]
            figure.add_trace(_stairs(part, str(name), _SIDES[side], panel == 1), row=1, col=panel)
        figure.update_xaxes(title_text=f"pairs per {side}", col=panel)
    styled(figure, height=MAIN_HEIGHT)
    figure.update_layout(legend={"y": 1.08})
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(type="log", tickformat=".4~%", dtick=1)
    figure.update_yaxes(title_text="share with at least so many", col=1)
    return figure


def _stairs(part: pd.DataFrame, name: str, nodes: str, in_legend: bool) -> go.Scatter:
    return go.Scatter(
        x=part["degree"],
        y=part["share"],
        name=name,
        legendgroup=name,
        showlegend=in_legend,
        mode="lines+markers" if len(part) < 3 else "lines",
        line={
            "color": behavior_color(name),
            "dash": DASHES[behavior_position(name)],
            "width": 2,
            "shape": "vh",
        },
        customdata=part[["at_least"]],
        hovertemplate=f"<b>{name}</b><br>%{{customdata[0]:,}} {nodes} (%{{y:.2%}}) have at least %{{x:,}} pairs"
        "<extra></extra>",
    )
