"""The behaviour funnel: how many pairs and users each behaviour has, and how many of them came through those before."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import GREY, behavior_color
from dashboard.figures.template import empty_figure, styled

# column -> (name, hatching, opacity): how a pair came here is told by the hatching, the behaviour by the colour
WAYS = {
    "every": ("also under every earlier behaviour", "", 1.0),
    "some": ("under some of them", "/", 0.75),
    "none": ("under none of them", ".", 0.45),
}
UNIT_TITLES = {"pairs": "user–item pairs", "users": "users"}


def funnel_bars(table: pd.DataFrame) -> go.Figure:
    """One panel for pairs, one for users; a bar per behaviour in funnel order, parted by what came before it.

    table: columns unit, behavior, count, every, some, none, before, converted (see `data_profile.funnel_table`).
    """
    if table.empty:
        return empty_figure("No interactions to show")
    units = list(dict.fromkeys(table["unit"]))
    names = list(dict.fromkeys(table["behavior"]))
    figure = make_subplots(
        cols=len(units),
        subplot_titles=[UNIT_TITLES[unit] for unit in units],
        shared_yaxes=True,
        horizontal_spacing=0.03,
    )
    for panel, unit in enumerate(units, start=1):
        part = table[table["unit"] == unit]
        for way in WAYS:
            figure.add_trace(_bars(part, way), row=1, col=panel)
        figure.add_trace(_numbers(part), row=1, col=panel)
        figure.update_xaxes(range=[0, 1.85 * float(part["count"].max() or 1)], col=panel)
    for way, (name, hatching, opacity) in WAYS.items():
        if table[way].any() and len(names) > 1:
            figure.add_trace(_key(name, hatching, opacity))
    styled(figure, height=100 + 58 * len(names))
    figure.update_layout(
        barmode="stack",
        bargap=0.28,
        legend={"y": -0.1, "yanchor": "top", "traceorder": "normal"},
        legend_itemclick=False,
    )
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], ticks="", showgrid=False)
    return figure


def label(count: int, before: float) -> str:
    """What stands beside a bar: the count, and what share was also under an earlier behaviour (NaN for the first)."""
    also = "" if before != before else f"<br>{100 * before:.1f} % also earlier"
    return f"<b>{count:,}</b>{also}"


def _bars(part: pd.DataFrame, way: str) -> go.Bar:
    name, hatching, opacity = WAYS[way]
    return go.Bar(
        x=part[way],
        y=part["behavior"],
        orientation="h",
        name=name,
        marker={
            "color": [behavior_color(behavior) for behavior in part["behavior"]],
            "pattern": {"shape": hatching, "fillmode": "replace", "size": 6},
            "opacity": opacity,
            "line": {"width": 0},
        },
        customdata=part[["count"]],
        hovertemplate=f"<b>%{{y}}</b><br>%{{x:,}} of %{{customdata[0]:,}} {name}<extra></extra>",
        showlegend=False,
    )


def _numbers(part: pd.DataFrame) -> go.Scatter:
    return go.Scatter(
        x=part["count"],
        y=part["behavior"],
        text=[
            "  " + label(int(count), float(before)).replace("<br>", "<br>  ")
            for count, before in zip(part["count"], part["before"])
        ],
        mode="text",
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _key(name: str, hatching: str, opacity: float) -> go.Bar:
    """An entry of the legend in no behaviour's colour."""
    marker = {
        "color": GREY,
        "pattern": {"shape": hatching, "fillmode": "replace", "size": 6},
        "opacity": opacity,
    }
    return go.Bar(x=[None], y=[None], name=name, marker=marker, hoverinfo="skip")
