"""Values by groups of users: one series per run or expert, side by side within each group, with intervals."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import GREY
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled

_DODGE = 0.09


def by_group(
    table: pd.DataFrame,
    *,
    looks: Mapping[str, tuple[str, str, str]],
    y: str,
    x: str,
    counted: str,
    value_format: str = ".4f",
) -> go.Figure:
    """Mean per group with its interval, one series per `name`; the last group stands apart where it is `undefined`.

    table: columns name, group, title, undefined, mean, low, high, size. looks: name -> colour, dash and marker. counted:
    what `size` counts. Source: CIGF, Figure 8.
    """
    drawn = table.dropna(subset="mean")
    if drawn.empty:
        return empty_figure("No group has anybody to measure")
    figure = go.Figure()
    names = list(dict.fromkeys(table["name"]))
    for place, name in enumerate(names):
        shift = _DODGE * (place - (len(names) - 1) / 2) * min(1, 6 / len(names))
        part = drawn[drawn["name"] == name]
        for undefined in (False, True):
            _add(
                figure,
                name,
                part[part["undefined"] == undefined],
                shift,
                looks[name],
                counted,
                value_format,
                undefined,
            )
    groups = table.drop_duplicates("group")
    styled(figure, height=MAIN_HEIGHT, x=x, y=y)
    if value_format.endswith("%"):
        figure.update_yaxes(tickformat=f".{_tick_digits(drawn)}%")
    figure.update_xaxes(
        tickmode="array",
        tickvals=groups["group"],
        ticktext=[
            f"{row['title']}<br><span style='font-size:11px'>{row['size']:,} {counted}</span>"
            for row in groups.to_dict("records")
        ],
        range=[groups["group"].min() - 0.6, groups["group"].max() + 0.6],
        showgrid=False,
    )
    if groups["undefined"].any():
        figure.add_vline(
            x=groups["group"].max() - 0.5, line={"color": GREY, "dash": "dot", "width": 1}, layer="below"
        )
    return figure


def _tick_digits(drawn: pd.DataFrame) -> int:
    """Decimals of a percentage that tell about four marks within the range of `drawn` apart."""
    ends = drawn[["mean", "low", "high"]].to_numpy(dtype=float)
    reach = 100 * float(np.nanmax(ends) - np.nanmin(ends))
    return max(0, math.ceil(-math.log10(reach / 4))) if reach > 0 else 0


def _add(
    figure: go.Figure,
    name: str,
    part: pd.DataFrame,
    shift: float,
    look: tuple[str, str, str],
    counted: str,
    value_format: str,
    undefined: bool,
) -> None:
    if part.empty and undefined:
        return
    colour, dash, marker = look
    figure.add_trace(
        go.Scatter(
            x=part["group"] + shift,
            y=part["mean"],
            name=name,
            legendgroup=name,
            showlegend=not undefined,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.6},
            marker={"symbol": marker, "size": 9},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": part["high"] - part["mean"],
                "arrayminus": part["mean"] - part["low"],
                "thickness": 1.3,
                "width": 3,
            },
            customdata=[
                (_interval(low, high, value_format), size, title)
                for low, high, size, title in part[["low", "high", "size", "title"]].itertuples(index=False)
            ],
            hovertemplate=f"<b>{name}</b><br>%{{customdata[2]}}<br>mean %{{y:{value_format}}} (%{{customdata[0]}})<br>"
            f"%{{customdata[1]:,}} {counted}<extra></extra>",
        )
    )


def _interval(low: float, high: float, form: str) -> str:
    return f"95 %: {low:{form}} to {high:{form}}" if low == low else "no interval: all alike"
