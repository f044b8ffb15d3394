"""Heatmaps: attention of start behaviour by relation, one panel per order, and attention by user segment."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.findings import Array
from dashboard.figures.palette import diverging
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled


def grid(table: pd.DataFrame, row: str, column: str, value: str) -> tuple[list[str], list[str], Array]:
    """`table` as a matrix: its row names, column names (both in order of appearance) and values."""
    rows, columns = list(dict.fromkeys(table[row])), list(dict.fromkeys(table[column]))
    wide = table.pivot(index=row, columns=column, values=value).loc[rows, columns]
    return rows, columns, wide.to_numpy(dtype=float)


def attention_heatmap(table: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Mean attention, one panel per order: rows are start behaviours, columns relations. Source: CIGF, Eq. 9.

    table: columns order, start, relation, attention. The colour scale is shared and centred at zero.
    """
    if table.empty:
        return empty_figure("No attention to show")
    orders = list(dict.fromkeys(table["order"]))
    titles = [f"order {order}" for order in orders]
    figure = make_subplots(
        cols=len(orders), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04
    )
    for place, order in enumerate(orders, start=1):
        starts, relations, values = grid(table[table["order"] == order], "start", "relation", "attention")
        figure.add_trace(
            go.Heatmap(
                z=values,
                x=relations,
                y=starts,
                coloraxis="coloraxis",
                texttemplate="%{z:.3f}",
                textfont={"size": 14},
                xgap=2,
                ygap=2,
                hovertemplate=f"order {order}<br>paths that start with <b>%{{y}}</b><br>"
                "relation <b>%{x}</b><br>mean attention %{z:.4f}<extra></extra>",
            ),
            row=1,
            col=place,
        )
    styled(figure, height=min(MAIN_HEIGHT, 150 + 58 * table["start"].nunique()), x="relation weighted")
    figure.update_yaxes(autorange="reversed")
    figure.update_yaxes(title_text="start behaviour", col=1)
    figure.update_layout(coloraxis=_centred(table["attention"].to_numpy(), dark, "mean<br>attention"))
    return figure


def segment_heatmap(table: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Mean attention per planted user segment and relation. table: segment, relation, attention, users."""
    if table.empty:
        return empty_figure("No segments to compare")
    segments, relations, values = grid(table, "segment", "relation", "attention")
    users = table.drop_duplicates("segment").set_index("segment")["users"]
    names = [f"{segment} ({users[segment]:,} users)" for segment in segments]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=relations,
            y=names,
            coloraxis="coloraxis",
            texttemplate="%{z:.3f}",
            xgap=2,
            ygap=2,
            hovertemplate="%{y}<br>relation <b>%{x}</b><br>mean attention %{z:.4f}<extra></extra>",
        )
    )
    styled(figure, height=130 + 50 * len(segments), x="relation weighted")
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(coloraxis=_centred(values, dark, "mean<br>attention"))
    return figure


def _centred(values: Array, dark: bool, title: str) -> dict[str, object]:
    reach = float(np.abs(values).max()) or 1.0
    bar = {"title": {"text": title}, "thickness": 12, "outlinewidth": 0, "tickformat": ".2f"}
    return {"colorscale": diverging(dark), "cmin": -reach, "cmid": 0, "cmax": reach, "colorbar": bar}
