"""What random auxiliary pairs cost: a metric over the share of noise, and the loss against none, with 95 % intervals."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import DASHES, GREY, MARKERS, ORANGE, PURPLE, SERIES, SKY, VERMILLION
from dashboard.figures.template import empty_figure, styled

HEIGHT = 420
# colour, dash and marker: a line does not rest on its colour alone
_LOOKS = {
    "hgib": (VERMILLION, "solid", "circle"),
    "without_gre": (ORANGE, "dash", "square"),
    "without_comp": (PURPLE, "dot", "diamond"),
    "lightgcn_m": (SKY, "dashdot", "triangle-up"),
}
# an interval of two seeds is thirteen times as wide as their distance: beyond this part of the axis it is cut
_BEYOND, _PADDING = 0.5, 0.06
_FULLY_DRAWN = 3


def noise_curves(table: pd.DataFrame, *, metric: str, titles: Mapping[str, str]) -> go.Figure:
    """Left the mean of `metric` over the share of random pairs, right the relative loss, a line per contestant.

    table: columns contestant, share, seeds, mean, low, high, pairs, drop, drop_low, drop_high (shares, not percent).
    titles: contestant -> name, in the order of the legend. Intervals of two seeds may be cut at the edge.
    """
    if table.empty:
        return empty_figure("No run of the study has a result yet")
    figure = make_subplots(
        cols=2,
        column_widths=[0.6, 0.4],
        horizontal_spacing=0.1,
        subplot_titles=[metric, "loss against 0 %"],
    )
    keys = [key for key in titles if (table["contestant"] == key).any()]
    step = 0.006 * float(table["share"].max() or 1)
    for place, key in enumerate(keys):
        rows = table[table["contestant"] == key].sort_values("share")
        shift = step * (place - (len(keys) - 1) / 2)
        _add_line(figure, rows, key, titles[key], shift, panel=1)
        _add_line(figure, rows[rows["pairs"] > 0], key, titles[key], shift, panel=2)
    styled(figure, height=HEIGHT, x="random auxiliary pairs")
    shares = sorted(set(table["share"]))
    figure.update_xaxes(tickvals=shares, ticktext=[f"{100 * share:.4g} %" for share in shares])
    figure.update_yaxes(title_text=metric, range=_reach(table, "mean", "low", "high", "seeds"), col=1)
    lost = table[table["pairs"] > 0]
    figure.update_yaxes(
        title_text="loss",
        tickformat=".0%",
        range=_reach(lost, "drop", "drop_low", "drop_high", "pairs"),
        zeroline=True,
        zerolinewidth=1.5,
        zerolinecolor=GREY,
        col=2,
    )
    figure.update_layout(
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.12, "x": 0}, margin={"t": 74}
    )
    return figure


def look(contestant: str) -> tuple[str, str, str]:
    """Colour, dash and marker of a contestant."""
    known = list(_LOOKS)
    place = sum(contestant.encode())
    unknown = (SERIES[place % len(SERIES)], DASHES[place % len(DASHES)], MARKERS[place % len(MARKERS)])
    return _LOOKS[contestant] if contestant in known else unknown


def _add_line(
    figure: go.Figure, rows: pd.DataFrame, key: str, title: str, shift: float, *, panel: int
) -> None:
    value, low, high, count = (
        ("mean", "low", "high", "seeds") if panel == 1 else ("drop", "drop_low", "drop_high", "pairs")
    )
    colour, dash, marker = look(key)
    form = ".4f" if panel == 1 else "+.1%"
    figure.add_trace(
        go.Scatter(
            x=rows["share"] + shift,
            y=rows[value],
            name=title,
            legendgroup=key,
            showlegend=panel == 1,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"color": colour, "symbol": marker, "size": 9},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows[high] - rows[value],
                "arrayminus": rows[value] - rows[low],
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[
                (f"{100 * row['share']:.4g} %", row[count], _interval(row[low], row[high], form))
                for _, row in rows.iterrows()
            ],
            hovertemplate=f"<b>{title}</b><br>%{{customdata[0]}} random pairs, seeds: %{{customdata[1]}}<br>"
            + ("" if panel == 1 else "loss ")
            + f"%{{y:{form}}}%{{customdata[2]}}<extra></extra>",
        ),
        row=1,
        col=panel,
    )


def _interval(low: float, high: float, form: str) -> str:
    return "" if low != low else f"<br>95 %: {low:{form}} to {high:{form}}"


def _reach(rows: pd.DataFrame, value: str, low: str, high: str, count: str) -> list[float]:
    """The axis: every value, the intervals of three seeds and more, and of smaller ones as much as keeps lines readable."""
    if rows.empty:
        return [-0.1, 0.1]
    bottom, top = float(rows[value].min()), float(rows[value].max())
    span = (top - bottom) or abs(top) or 1.0
    is_whole = rows[count] >= _FULLY_DRAWN
    lows = rows[low].where(is_whole, rows[low].clip(lower=bottom - _BEYOND * span)).dropna()
    highs = rows[high].where(is_whole, rows[high].clip(upper=top + _BEYOND * span)).dropna()
    bottom, top = min([bottom, *lows]), max([top, *highs])
    slack = _PADDING * ((top - bottom) or span)
    return [bottom - slack, top + slack]
