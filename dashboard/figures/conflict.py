"""Gradient conflict between tasks: the matrix of one snapshot, and each pair over the epochs."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.heatmap import grid
from dashboard.figures.palette import DASHES, GREY, MARKERS, SERIES, diverging, ink
from dashboard.figures.template import empty_figure, styled


def conflict_heatmap(table: pd.DataFrame, *, reach: float, dark: bool = False) -> go.Figure:
    """Cosine between the gradients of two tasks; the diagonal is left empty. Source: CIGF, Section 3.3.

    table: columns task, other, cosine, both orders of every pair. The scale is centred at zero and ends at `reach`.
    """
    if table.empty:
        return empty_figure("A single task has nothing to conflict with")
    tasks = sorted(set(table["task"]), key=list(dict.fromkeys(table["task"])).index)
    _, columns, values = grid(table, "task", "other", "cosine")
    ordered = [columns.index(task) for task in tasks]
    values = values[:, ordered]
    cells = go.Heatmap(
        z=values,
        x=tasks,
        y=tasks,
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{y} against %{x}<br>cosine %{z:+.4f}<extra></extra>",
    )
    shown = [(row["other"], row["task"], float(row["cosine"])) for row in table.to_dict("records")]
    numbers = go.Scatter(
        x=[x for x, _, _ in shown],
        y=[y for _, y, _ in shown],
        text=[f"{round(value, 3) + 0.0:+.3f}" for _, _, value in shown],
        mode="text",
        textfont={"size": 14, "color": [ink(value / reach, dark) for _, _, value in shown]},
        hoverinfo="skip",
        showlegend=False,
    )
    figure = styled(go.Figure([cells, numbers]), height=130 + 52 * len(tasks), x="task", y="task")
    figure.update_xaxes(ticks="", showgrid=False, categoryorder="array", categoryarray=tasks)
    figure.update_yaxes(
        ticks="", showgrid=False, autorange="reversed", categoryorder="array", categoryarray=tasks
    )
    bar = {"title": {"text": "cosine"}, "thickness": 12, "outlinewidth": 0, "tickformat": "+.2f"}
    figure.update_layout(
        coloraxis={
            "colorscale": diverging(dark),
            "cmin": -reach,
            "cmid": 0,
            "cmax": reach,
            "colorbar": bar,
        }
    )
    return figure


def conflict_curves(table: pd.DataFrame, *, epoch: int | None = None) -> go.Figure:
    """Cosine of each pair of tasks over epochs, with the line at zero; `epoch` is marked.

    table: columns pair, epoch, cosine.
    """
    if table.empty:
        return empty_figure("A single task has nothing to conflict with")
    figure = go.Figure()
    for place, (pair, part) in enumerate(table.groupby("pair", sort=False)):
        figure.add_trace(
            go.Scatter(
                x=part["epoch"],
                y=part["cosine"],
                name=str(pair),
                mode="lines+markers",
                line={
                    "color": SERIES[place % len(SERIES)],
                    "dash": DASHES[place % len(DASHES)],
                    "width": 1.8,
                },
                marker={"symbol": MARKERS[place % len(MARKERS)], "size": 7},
                hovertemplate=f"<b>{pair}</b><br>epoch %{{x}}<br>cosine %{{y:+.4f}}<extra></extra>",
            )
        )
    styled(figure, height=340, x="epoch", y="cosine of gradients")
    figure.add_hline(y=0, line={"color": GREY, "width": 1.5})
    if epoch is not None:
        figure.add_vline(
            x=epoch, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=f"epoch {epoch}"
        )
    return figure
