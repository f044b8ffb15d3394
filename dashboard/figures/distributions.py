"""Spread of a value over nodes: boxes drawn from quantiles, so that a million nodes cost as little as ten."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import behavior_color
from dashboard.figures.shapes import quantile_box
from dashboard.figures.template import empty_figure, styled


def spread_boxes(table: pd.DataFrame) -> go.Figure:
    """Boxes from the 25th to the 75th percentile, whiskers from the 5th to the 95th, one panel per node group.

    table: columns group, relation, mean, q05, q25, median, q75, q95, nodes.
    """
    if table.empty:
        return empty_figure("No nodes to show")
    groups = list(dict.fromkeys(table["group"]))
    counts = {group: int(table[table["group"] == group]["nodes"].iloc[0]) for group in groups}
    titles = [f"{counts[group]:,} {group}" for group in groups]
    figure = make_subplots(
        cols=len(groups), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04
    )
    for place, group in enumerate(groups, start=1):
        for row in table[table["group"] == group].to_dict("records"):
            name = str(row["relation"])
            figure.add_trace(quantile_box(name, row, behavior_color(name)), row=1, col=place)
    styled(figure, height=300, y="")
    figure.update_layout(showlegend=False)
    figure.update_yaxes(zeroline=True, zerolinewidth=1)
    figure.update_yaxes(title_text="attention", col=1)
    return figure
