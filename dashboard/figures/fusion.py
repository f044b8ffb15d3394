"""What a fusion listens to: stacked shares of sources, one bar per group of nodes."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import behavior_color
from dashboard.figures.template import empty_figure, styled

PERCENT = ".0%"


def source_look(source: str) -> tuple[str, str]:
    """Colour and hatch: the behaviour's own colour; components that never reached the target are hatched, those that did are crossed."""
    return behavior_color(
        source.split(" ")[0]
    ), "/" if " without " in source else "." if " and " in source else ""


def fusion_shares(table: pd.DataFrame) -> go.Figure:
    """Mean share of every source, one bar per group. Source: HGIB, Section 4.5.

    table: columns group, side, source, share, deviation, nodes.
    """
    if table.empty:
        return empty_figure("No group of nodes to show")
    figure = go.Figure()
    groups = table.drop_duplicates("group")
    for source, part in table.groupby("source", sort=False):
        colour, hatch = source_look(str(source))
        figure.add_trace(
            go.Bar(
                x=part["share"],
                y=part["group"],
                name=str(source),
                orientation="h",
                marker={
                    "color": colour,
                    "pattern": {
                        "shape": hatch,
                        "fillmode": "overlay",
                        "fgcolor": "rgba(255,255,255,0.55)",
                        "size": 6,
                        "solidity": 0.25,
                    },
                    "line": {"width": 1, "color": "rgba(255,255,255,0.6)"},
                },
                text=[f"{share:.0%}" if share >= 0.045 else "" for share in part["share"]],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"size": 12, "color": "#10151B"},
                customdata=part[["nodes", "deviation"]].fillna(0),
                hovertemplate=f"<b>%{{y}}</b><br>{source}: %{{x:.1%}} ± %{{customdata[1]:.1%}} over %{{customdata[0]:,.0f}} nodes"
                "<extra></extra>",
            )
        )
    styled(figure, height=120 + 31 * len(groups), x="mean share of the fusion")
    figure.update_layout(barmode="stack", bargap=0.25, legend={"traceorder": "normal"})
    figure.update_xaxes(range=[0, 1.005], tickformat=PERCENT, dtick=0.25)
    order = list(groups["group"])
    figure.update_yaxes(
        categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6], showgrid=False
    )
    return figure
