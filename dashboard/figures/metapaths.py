"""What metapaths join: how often nodes of one class, and what share of all pairs."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, GREY
from dashboard.figures.template import empty_figure, styled


def homophily_bars(table: pd.DataFrame, chance: float | None) -> go.Figure:
    """A bar per metapath: the share of its pairs (self-loops left out) that are of one class; chance is marked.

    table: columns metapath, walk, pairs, density, homophily (NaN where it joins no two labelled nodes).
    """
    stated = table.dropna(subset=["homophily"])
    if stated.empty:
        return empty_figure("No metapath joins two nodes with a label")
    figure = go.Figure(
        go.Bar(
            x=stated["homophily"],
            y=stated["metapath"],
            orientation="h",
            marker={"color": BLUE, "line": {"width": 0}},
            text=[
                f" {100 * share:.1f} %<br> joins {100 * density:.2g} % of all pairs"
                for share, density in zip(stated["homophily"], stated["density"])
            ],
            textposition="outside",
            cliponaxis=False,
            customdata=stated[["walk", "pairs"]],
            hovertemplate="<b>%{y}</b>: %{customdata[0]}<br>%{x:.1%} of one class<br>%{customdata[1]:,} pairs<extra></extra>",
        )
    )
    styled(figure, height=110 + 52 * len(stated), x="share of the joined pairs that are of one class")
    figure.update_layout(bargap=0.35, showlegend=False)
    figure.update_xaxes(range=[0, 1.3], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%")
    figure.update_yaxes(
        categoryorder="array", categoryarray=stated["metapath"].tolist()[::-1], ticks="", showgrid=False
    )
    if chance is not None:
        figure.add_vline(
            x=chance,
            line={"color": GREY, "dash": "dot", "width": 1.5},
            annotation_text=f"any two nodes {100 * chance:.1f} %",
            annotation_position="top",
        )
    return figure
