"""Overlap of behaviours as an UpSet plot: a bar per exclusive intersection above a matrix of who takes part."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import BLUE, GREY, MARKERS, behavior_color, behavior_position
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled


def upset(table: pd.DataFrame, totals: Mapping[str, int], *, unit: str, target: str) -> go.Figure:
    """Columns are sets of behaviours, the largest first; each pair or user stands in exactly one of them.

    table: columns behaviors, count, share, and a Boolean column per behaviour (see `data_profile.overlap_table`).
    totals: behaviour -> all its pairs or users. Bars of sets with the target are blue and hatched.
    Source: Lex et al. 2014, UpSet; it replaces the circles of CIGF's Figure 10.
    """
    if table.empty:
        return empty_figure("No interactions to show")
    names = list(totals)
    figure = make_subplots(
        rows=2, shared_xaxes=True, vertical_spacing=0.03, row_heights=[0.9, 0.26 * len(names)]
    )
    figure.add_trace(_bars(table, unit, target), row=1, col=1)
    for trace in _matrix(table, names):
        figure.add_trace(trace, row=2, col=1)
    titles = [f"{name}  <b>{totals[name]:,}</b>" for name in names]
    styled(figure, height=MAIN_HEIGHT - 150 + 34 * len(names))
    figure.update_layout(showlegend=False, bargap=0.35)
    figure.update_xaxes(showticklabels=False, showgrid=False, range=[-0.6, max(len(table), 7) - 0.4])
    figure.update_yaxes(row=1, title_text=unit, range=[0, 1.18 * float(table["count"].max())])
    figure.update_yaxes(
        row=2,
        tickvals=list(range(len(names))),
        ticktext=titles,
        range=[len(names) - 0.4, -0.6],
        ticks="",
        showgrid=False,
    )
    return figure


def _bars(table: pd.DataFrame, unit: str, target: str) -> go.Bar:
    with_target = table[target].tolist()
    return go.Bar(
        x=list(range(len(table))),
        y=table["count"],
        marker={
            "color": [BLUE if found else GREY for found in with_target],
            "pattern": {
                "shape": ["/" if found else "" for found in with_target],
                "fillmode": "overlay",
                "fgcolor": "rgba(255,255,255,0.7)",
                "size": 6,
            },
            "line": {"width": 0},
        },
        text=[f"{count:,}<br>{100 * share:.1f} %" for count, share in zip(table["count"], table["share"])],
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        customdata=table[["behaviors", "share"]],
        hovertemplate=f"<b>%{{customdata[0]}}</b> and nothing else<br>%{{y:,}} {unit}, "
        "%{customdata[1]:.1%} of all<extra></extra>",
    )


def _matrix(table: pd.DataFrame, names: Sequence[str]) -> list[go.Scatter]:
    """Empty dots everywhere, a line through each column's members, and each member in its behaviour's colour and shape."""
    columns = range(len(table))
    member = {name: table[name].tolist() for name in names}
    empty = [(x, y) for x in columns for y, name in enumerate(names) if not member[name][x]]
    spans = [[y for y, name in enumerate(names) if member[name][x]] for x in columns]
    lines = [(x, y) for x, span in enumerate(spans) if span for y in (span[0], span[-1], None)]
    traces = [
        go.Scatter(
            x=[x for x, _ in empty],
            y=[y for _, y in empty],
            mode="markers",
            marker={"size": 9, "color": GREY, "opacity": 0.25},
            hoverinfo="skip",
        ),
        go.Scatter(
            x=[x for x, _ in lines],
            y=[y for _, y in lines],
            mode="lines",
            line={"color": GREY, "width": 3},
            hoverinfo="skip",
        ),
    ]
    for y, name in enumerate(names):
        inside = [x for x in columns if member[name][x]]
        traces.append(
            go.Scatter(
                x=inside,
                y=[y] * len(inside),
                name=name,
                mode="markers",
                marker={
                    "size": 14,
                    "color": behavior_color(name),
                    "symbol": MARKERS[behavior_position(name)],
                },
                text=[str(table["behaviors"].iloc[x]) for x in inside],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return traces
