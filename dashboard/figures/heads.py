"""Prediction heads side by side: how each spreads its gate over its experts."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.gates import PERCENT, Look, with_even_share
from dashboard.figures.palette import GREY
from dashboard.figures.template import empty_figure, styled

_PANELS_IN_A_ROW = 3


def heads_side_by_side(
    table: pd.DataFrame, *, looks: Mapping[str, Mapping[str, Look]], task: str
) -> go.Figure:
    """Mean gate of `task` per expert, one panel per head, line over the middle half of the pairs. Source: CIGF, Figure 9.

    table: columns head, expert, mean, q25, q75, pairs. looks: head -> expert -> look.
    """
    if table.empty:
        return empty_figure("No run with gates to compare")
    heads = list(dict.fromkeys(table["head"]))
    columns = min(_PANELS_IN_A_ROW, len(heads))
    rows = -(-len(heads) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=heads, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.26
    )
    for place, head in enumerate(heads):
        part, cell = table[table["head"] == head], {"row": 1 + place // columns, "col": 1 + place % columns}
        figure.add_trace(_bars(part, looks[head]), **cell)
        with_even_share(figure, len(part), **cell)
    styled(figure, height=60 + 260 * rows)
    top = 1.12 * float(table[["mean", "q75"]].to_numpy().max())
    figure.update_yaxes(tickformat=PERCENT, range=[0, top])
    figure.update_yaxes(title_text=f"gate of {task}", col=1)
    figure.update_xaxes(tickangle=0, tickfont_size=11)
    figure.update_layout(showlegend=False, bargap=0.35)
    return figure


def _bars(part: pd.DataFrame, looks: Mapping[str, Look]) -> go.Bar:
    return go.Bar(
        x=[
            f"{expert.replace(' ', '<br>')}<br>{mean:.1%}"
            for expert, mean in zip(part["expert"], part["mean"])
        ],
        y=part["mean"],
        marker={"color": [looks[expert][0] for expert in part["expert"]]},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (part["q75"] - part["mean"]).clip(lower=0),
            "arrayminus": (part["mean"] - part["q25"]).clip(lower=0),
            "color": GREY,
            "thickness": 1.5,
        },
        customdata=part[["q25", "q75", "pairs", "expert"]],
        hovertemplate="expert <b>%{customdata[3]}</b><br>mean gate %{y:.1%}<br>middle half %{customdata[0]:.1%} to "
        "%{customdata[1]:.1%} of %{customdata[2]:,} pairs<extra></extra>",
    )
