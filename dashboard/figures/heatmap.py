"""Heatmaps: attention of start behaviour by relation, one panel per order, and how user segments differ from all."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.findings import Array
from dashboard.figures.palette import diverging, ink
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled


def grid(table: pd.DataFrame, row: str, column: str, value: str) -> tuple[list[str], list[str], Array]:
    """`table` as a matrix: its row names, column names (both in order of appearance) and values."""
    rows, columns = list(dict.fromkeys(table[row])), list(dict.fromkeys(table[column]))
    wide = table.pivot(index=row, columns=column, values=value).loc[rows, columns]
    return rows, columns, wide.to_numpy(dtype=float)


def attention_heatmap(table: pd.DataFrame, *, reach: float | None = None, dark: bool = False) -> go.Figure:
    """Mean attention, one panel per order: rows are start behaviours, columns relations. Source: CIGF, Eq. 9.

    table: columns order, start, relation, attention. The colour scale is shared, centred at zero, and ends at `reach`
    (the largest value of the table if not given), so that tables of several epochs can be compared.
    """
    if table.empty:
        return empty_figure("No attention to show")
    orders = list(dict.fromkeys(table["order"]))
    titles = [f"order {order}" for order in orders]
    figure = make_subplots(
        cols=len(orders), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.04
    )
    reach = reach or _reach(table["attention"])
    panels = [grid(table[table["order"] == order], "start", "relation", "attention") for order in orders]
    for place, (order, (starts, relations, values)) in enumerate(zip(orders, panels), start=1):
        hover = (
            f"order {order}<br>start behaviour <b>%{{y}}</b><br>relation <b>%{{x}}</b><br>"
            "mean attention %{z:.4f}<extra></extra>"
        )
        figure.add_trace(_cells(starts, relations, values, hover), row=1, col=place)
    for place, (starts, relations, values) in enumerate(panels, start=1):
        figure.add_trace(_numbers(starts, relations, values, reach, dark), row=1, col=place)
    styled(figure, height=min(MAIN_HEIGHT, 150 + 58 * table["start"].nunique()), x="relation weighed")
    figure.update_xaxes(ticks="", showgrid=False)
    figure.update_yaxes(ticks="", showgrid=False, autorange="reversed")
    figure.update_yaxes(title_text="start behaviour", col=1)
    figure.update_layout(coloraxis=_centred(reach, dark, "mean<br>attention"))
    return figure


def segment_heatmap(table: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """How far each planted segment's mean attention lies from the mean of all users, per relation; centred at zero.

    table: columns segment, relation, attention, difference, users.
    """
    if table.empty:
        return empty_figure("No segments to compare")
    segments, relations, values = grid(table, "segment", "relation", "difference")
    _, _, means = grid(table, "segment", "relation", "attention")
    users = table.drop_duplicates("segment").set_index("segment")["users"]
    names = [f"{segment} ({users[segment]:,} users)" for segment in segments]
    reach = _reach(table["difference"])
    hover = (
        "%{y}<br>relation <b>%{x}</b><br>difference from all users %{z:+.4f}<br>"
        "mean attention %{customdata:.4f}<extra></extra>"
    )
    cells = _cells(names, relations, values, hover).update(customdata=means)
    figure = go.Figure([cells, _numbers(names, relations, values, reach, dark, "+.3f")])
    styled(figure, height=130 + 50 * len(segments), x="relation weighed")
    figure.update_xaxes(ticks="", showgrid=False)
    figure.update_yaxes(ticks="", showgrid=False, autorange="reversed")
    figure.update_layout(coloraxis=_centred(reach, dark, "difference<br>from all"))
    return figure


def _cells(rows: list[str], columns: list[str], values: Array, hover: str) -> go.Heatmap:
    return go.Heatmap(z=values, x=columns, y=rows, coloraxis="coloraxis", xgap=2, ygap=2, hovertemplate=hover)


def _numbers(
    rows: list[str], columns: list[str], values: Array, reach: float, dark: bool, digits: str = ".3f"
) -> go.Scatter:
    """The value in every cell, each in the colour that reads on its background."""
    shown = [(x, y, float(values[r, c])) for r, y in enumerate(rows) for c, x in enumerate(columns)]
    return go.Scatter(
        x=[x for x, _, _ in shown],
        y=[y for _, y, _ in shown],
        text=[f"{round(value, 3) + 0.0:{digits}}" for _, _, value in shown],
        mode="text",
        textfont={"size": 14, "color": [ink(value / reach, dark) for _, _, value in shown]},
        hoverinfo="skip",
        showlegend=False,
    )


def _reach(values: "pd.Series[float]") -> float:
    return float(values.abs().max()) or 1.0


def _centred(reach: float, dark: bool, title: str) -> dict[str, object]:
    bar = {"title": {"text": title}, "thickness": 12, "outlinewidth": 0, "tickformat": ".2f"}
    return {"colorscale": diverging(dark), "cmin": -reach, "cmid": 0, "cmax": reach, "colorbar": bar}
