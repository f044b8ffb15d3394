"""What each part of a model contributes: the full model minus the one without it, with intervals over seeds."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, GREY, ORANGE
from dashboard.figures.template import empty_figure, styled

# verdict -> colour and marker: the sign does not rest on colour alone
_LOOKS = {"helps": (BLUE, "triangle-right"), "hurts": (ORANGE, "triangle-left")}


def contributions(table: pd.DataFrame, *, x: str) -> go.Figure:
    """One row per part: how much the metric falls without it, paired by seed; zero is marked.

    table: columns variant, part, pairs, difference, difference_low, difference_high, verdict.
    """
    drawn = table.dropna(subset="difference")
    if drawn.empty:
        return empty_figure("No two runs to compare yet")
    looks = [_LOOKS.get(verdict, (GREY, "circle-open")) for verdict in drawn["verdict"]]
    figure = go.Figure(
        go.Scatter(
            x=drawn["difference"],
            y=drawn["part"],
            mode="markers",
            marker={
                "size": 11,
                "color": [c for c, _ in looks],
                "symbol": [s for _, s in looks],
                "line": {"width": 2},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (drawn["difference_high"] - drawn["difference"]).fillna(0),
                "arrayminus": (drawn["difference"] - drawn["difference_low"]).fillna(0),
                "color": GREY,
                "thickness": 1.5,
            },
            customdata=[
                (
                    pairs,
                    f"95 %: {low:+.4f} to {high:+.4f}" if low == low else "one seed, no interval",
                    verdict,
                )
                for pairs, low, high, verdict in drawn[
                    ["pairs", "difference_low", "difference_high", "verdict"]
                ].itertuples(index=False)
            ],
            hovertemplate="without <b>%{y}</b>: %{customdata[2]}<br>difference %{x:+.4f} (%{customdata[1]})<br>"
            "seeds compared: %{customdata[0]}<extra></extra>",
        )
    )
    styled(figure, height=90 + 34 * len(drawn), x=x)
    ends = drawn[["difference", "difference_low", "difference_high"]].abs().max().max()
    reach = 1.12 * (float(ends) or 1e-4)
    figure.update_xaxes(range=[-reach, reach], zeroline=True, zerolinewidth=1.5, tickformat=".3~f", nticks=7)
    order = list(drawn["part"])
    figure.update_yaxes(categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6])
    figure.update_layout(showlegend=False)
    return figure
