"""Means by groups of users or of items: one panel per measure, one mark per group, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import GREY
from dashboard.figures.template import empty_figure, styled

_DODGE = 0.12


@dataclass(frozen=True)
class Panel:
    """How a measure is drawn. title: of its axis. form: of its numbers. level: where a dotted line is drawn."""

    title: str
    form: str = ".4f"
    level: float | None = None


def group_panels(
    table: pd.DataFrame, side: str, *, panels: Mapping[str, Panel], looks: Mapping[str, tuple[str, str, str]]
) -> go.Figure:
    """Mean per group of one side with its 95 % interval: a panel per measure, a mark per series, ranges for both sides alike.

    table: columns measure, series, side, group, title, undefined, mean, low, high, size. panels: per measure. looks: series
    -> colour, dash and marker. Nodes never trained come last, behind a dotted line.
    """
    drawn = table[(table["side"] == side) & table["mean"].notna()]
    names = [name for name in panels if (drawn["measure"] == name).any()]
    if not names:
        return empty_figure("No group has anybody to measure")
    figure = make_subplots(rows=len(names), shared_xaxes=True, vertical_spacing=0.07)
    shown: set[str] = set()
    for row, name in enumerate(names, start=1):
        _add_series(figure, drawn[drawn["measure"] == name], panels[name], looks, row, shown)
    several = len(shown) > 1
    styled(figure, height=90 + 175 * len(names))
    figure.update_layout(showlegend=several, margin={"t": 34 if several else 12})
    for row, name in enumerate(names, start=1):
        _dress_measure(figure, table[table["measure"] == name], panels[name], row)
    _dress_groups(figure, table[table["side"] == side], len(names))
    return figure


def _add_series(
    figure: go.Figure,
    part: pd.DataFrame,
    panel: Panel,
    looks: Mapping[str, tuple[str, str, str]],
    place: int,
    shown: set[str],
) -> None:
    names = list(dict.fromkeys(part["series"]))
    for number, name in enumerate(names):
        shift = _DODGE * (number - (len(names) - 1) / 2)
        own = part[(part["series"] == name) & part["mean"].notna()]
        for undefined in (False, True):
            rows = own[own["undefined"] == undefined]
            if rows.empty:
                continue
            trace = _marks(rows, name, shift, panel.form, looks[name])
            trace.showlegend = name not in shown
            shown.add(name)
            figure.add_trace(trace, row=place, col=1)


def _marks(rows: pd.DataFrame, name: str, shift: float, form: str, look: tuple[str, str, str]) -> go.Scatter:
    colour, dash, marker = look
    told = [
        (
            row["title"],
            row["size"],
            f"95 %: {row['low']:{form}} to {row['high']:{form}}"
            if row["low"] == row["low"]
            else "no interval",
        )
        for row in rows.to_dict("records")
    ]
    return go.Scatter(
        x=rows["group"] + shift,
        y=rows["mean"],
        name=name,
        legendgroup=name,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 1.5},
        marker={"symbol": marker, "size": 9},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (rows["high"] - rows["mean"]).fillna(0),
            "arrayminus": (rows["mean"] - rows["low"]).fillna(0),
            "thickness": 1.4,
            "width": 4,
        },
        customdata=told,
        hovertemplate=f"<b>{name}</b>, %{{customdata[0]}}<br>mean %{{y:{form}}} (%{{customdata[2]}})<br>"
        "%{customdata[1]:,} of them<extra></extra>",
    )


def _dress_measure(figure: go.Figure, part: pd.DataFrame, panel: Panel, row: int) -> None:
    """Title and range of a measure."""
    numbers = part[["mean", "low", "high"]].to_numpy(dtype=float).ravel()
    drawn = np.append(numbers[np.isfinite(numbers)], [] if panel.level is None else [panel.level])
    slack = 0.08 * (float(np.ptp(drawn)) or 0.1)
    figure.update_yaxes(
        title_text=panel.title,
        range=[float(drawn.min()) - slack, float(drawn.max()) + slack],
        nticks=6,
        tickformat=".0%" if panel.form.endswith("%") else "",
        row=row,
    )
    if panel.level is not None:
        figure.add_hline(y=panel.level, line={"color": GREY, "width": 1, "dash": "dot"}, row=row, col=1)


def _dress_groups(figure: go.Figure, own: pd.DataFrame, rows: int) -> None:
    groups = own.drop_duplicates("group").sort_values("group")
    figure.update_xaxes(
        tickmode="array",
        tickvals=groups["group"],
        ticktext=[_tick(row["title"], row["size"]) for row in groups.to_dict("records")],
        tickangle=0,
        range=[groups["group"].min() - 0.6, groups["group"].max() + 0.6],
        showgrid=False,
    )
    figure.update_xaxes(title_text="training pairs", row=rows)
    if groups["undefined"].any():
        figure.add_vline(
            x=float(groups["group"].max()) - 0.5,
            line={"color": GREY, "dash": "dot", "width": 1},
            layer="below",
        )


def _tick(title: str, size: int) -> str:
    """Always three lines, so that two figures beside each other line up."""
    name, colon, pairs = title.partition(": ")
    number = f"<span style='font-size:11px'>{size:,}</span>"
    return f"{name}<br>{pairs}<br>{number}" if colon else f"{name}<br>{number}<br> "
