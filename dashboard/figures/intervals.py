"""Differences with their intervals: one panel per segment, one row per start behaviour, zero marked."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import BLUE, GREY, ORANGE
from dashboard.figures.template import empty_figure, styled

# verdict -> colour and marker: the sign does not rest on colour alone
_LOOKS = {
    "more": (BLUE, "triangle-right"),
    "less": (ORANGE, "triangle-left"),
    "no difference": (GREY, "circle-open"),
}


def difference_intervals(table: pd.DataFrame) -> go.Figure:
    """Each segment's attention to its decisive relation minus everybody else's, with 95 % intervals.

    table: columns segment, relation, start, attention, others, difference, low, high, verdict.
    """
    if table.empty:
        return empty_figure("No segment has a relation that the model weighs")
    segments = list(dict.fromkeys(table["segment"]))
    relations = table.drop_duplicates("segment").set_index("segment")["relation"]
    titles = [f"{segment}s: {relations[segment]}" for segment in segments]
    figure = make_subplots(
        cols=len(segments), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04
    )
    for panel, segment in enumerate(segments, start=1):
        _add_rows(figure, table[table["segment"] == segment], panel)
    starts = list(dict.fromkeys(table["start"]))
    styled(figure, height=110 + 34 * len(starts))
    figure.update_layout(showlegend=False)
    reach = 1.1 * (float(table[["low", "high"]].abs().to_numpy().max()) or 1.0)
    figure.update_xaxes(zeroline=True, zerolinewidth=1.5, range=[-reach, reach], nticks=5)
    figure.update_xaxes(title_text="difference in attention", col=(len(segments) + 1) // 2)
    figure.update_yaxes(categoryorder="array", categoryarray=starts, range=[len(starts) - 0.5, -0.5])
    figure.update_yaxes(title_text="start behaviour", col=1)
    return figure


def _add_rows(figure: go.Figure, part: pd.DataFrame, panel: int) -> None:
    looks = [_LOOKS[verdict] for verdict in part["verdict"]]
    figure.add_trace(
        go.Scatter(
            x=part["difference"],
            y=part["start"],
            mode="markers",
            marker={"size": 10, "color": [c for c, _ in looks], "symbol": [s for _, s in looks]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": part["high"] - part["difference"],
                "arrayminus": part["difference"] - part["low"],
                "color": GREY,
                "thickness": 1.5,
            },
            customdata=part[["low", "high", "attention", "others", "verdict"]],
            hovertemplate="start behaviour <b>%{y}</b>: %{customdata[4]}<br>difference %{x:+.4f} "
            "(95 %: %{customdata[0]:+.4f} to %{customdata[1]:+.4f})<br>"
            "this segment %{customdata[2]:.4f}, all others %{customdata[3]:.4f}<extra></extra>",
        ),
        row=1,
        col=panel,
    )
