"""Shapes that several figures draw: bands around lines, and boxes from quantiles."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go


def translucent(colour: str, strength: float) -> str:
    """`colour`, #RRGGBB, at an opacity of `strength`."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{strength})"


def band(
    part: pd.DataFrame,
    low: str,
    high: str,
    colour: str,
    *,
    group: str,
    name: str | None = None,
    strength: float = 0.15,
) -> go.Scatter:
    """The area between the columns `low` and `high` over `epoch`. group: of the legend, with which it is switched on and off."""
    return go.Scatter(
        x=[*part["epoch"], *part["epoch"][::-1]],
        y=[*part[high], *part[low][::-1]],
        mode="lines",
        fill="toself",
        fillcolor=translucent(colour, strength),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
        name=name or f"{group} band",
    )


def quantile_box(name: str, row: Mapping[Any, Any], colour: str, width: float | None = None) -> go.Box:
    """A box from the 25th to the 75th percentile with whiskers from the 5th to the 95th and a dashed line at the mean, so that
    a million nodes cost as little as ten. row: mean, q05, q25, median, q75, q95."""
    return go.Box(
        x=[name],
        lowerfence=[row["q05"]],
        q1=[row["q25"]],
        median=[row["median"]],
        q3=[row["q75"]],
        upperfence=[row["q95"]],
        mean=[row["mean"]],
        name=name,
        marker={"color": colour},
        line={"width": 1.5},
        width=width,
    )
