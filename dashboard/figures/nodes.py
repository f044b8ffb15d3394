"""Node embeddings: scores by label setting, confusion of classes, a map of nodes, and what is masked."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from core.findings import Kind
from dashboard.figures.evolution import Look
from dashboard.figures.finding import finding_cells
from dashboard.figures.palette import (
    BLUE,
    DASHES,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PURPLE,
    SERIES,
    SKY,
    VERMILLION,
)
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled

METRIC_LOOKS: dict[str, Look] = {
    "Micro-F1": (BLUE, DASHES[0], MARKERS[0]),
    "Macro-F1": (ORANGE, DASHES[1], MARKERS[1]),
    "AUC": (GREEN, DASHES[2], MARKERS[2]),
}
NEGATIVE_LOOKS: dict[str, Look] = {
    "variational": (VERMILLION, DASHES[0], MARKERS[0]),
    "dropout": (SKY, DASHES[1], MARKERS[1]),
    "positive": (GREEN, DASHES[2], MARKERS[2]),
}
PART_LOOKS: dict[str, Look] = {
    "mask token": (PURPLE, DASHES[0], MARKERS[0]),
    "own features": (GREEN, DASHES[1], MARKERS[1]),
    "another node's": (ORANGE, DASHES[2], MARKERS[2]),
}
VERDICT_LOOKS = {
    "all right": (BLUE, "circle"),
    "divided": (ORANGE, "diamond"),
    "all wrong": (VERMILLION, "x"),
    "not tested": (GREY, "circle-open"),
}
# Of more groups colours and markers repeat, and a legend tells nothing any more.
MOST_GROUPS = 24


def metapath_looks(names: Sequence[str]) -> dict[str, Look]:
    """Colour, dash and marker per metapath, in the order of the data set."""
    return {
        name: (SERIES[p % len(SERIES)], DASHES[p % len(DASHES)], MARKERS[p % len(MARKERS)])
        for p, name in enumerate(names)
    }


def setting_scores(table: pd.DataFrame) -> go.Figure:
    """Scores by labels per class: a line through the means, a box with whiskers to the extremes for the single classifiers.

    table: of `nodes.score_table`.
    """
    if table.empty:
        return empty_figure("This run has no scores yet")
    figure = go.Figure()
    metrics = list(dict.fromkeys(table["metric"]))
    labels = sorted(table["labels"].unique())
    width = 0.5 / max(1, len(metrics))
    for place, metric in enumerate(metrics):
        part = table[table["metric"] == metric]
        colour, dash, marker = METRIC_LOOKS[metric]
        at = [labels.index(size) + (place - (len(metrics) - 1) / 2) * width for size in part["labels"]]
        figure.add_trace(
            go.Box(
                x=at,
                lowerfence=part["low"],
                q1=part["q25"],
                median=part["median"],
                q3=part["q75"],
                upperfence=part["high"],
                name=metric,
                legendgroup=metric,
                showlegend=False,
                marker={"color": colour},
                line={"width": 1.5},
                width=0.8 * width,
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=at,
                y=part["mean"],
                mode="lines+markers",
                name=metric,
                legendgroup=metric,
                line={"color": colour, "dash": dash, "width": 1.5},
                marker={"symbol": marker, "size": 8, "color": colour, "line": {"width": 1, "color": "white"}},
                customdata=part[["labels", "deviation", "low", "high", "classifiers"]],
                hovertemplate=f"<b>{metric}</b>, %{{customdata[0]}} labels per class<br>%{{y:.4f}} ± %{{customdata[1]:.4f}}"
                "<br>%{customdata[4]} classifiers from %{customdata[2]:.4f} to %{customdata[3]:.4f}<extra></extra>",
            )
        )
    styled(figure, height=MAIN_HEIGHT - 40, x="labelled nodes per class", y="score on test nodes")
    figure.update_xaxes(
        tickvals=list(range(len(labels))), ticktext=[str(size) for size in labels], showgrid=False
    )
    return figure


def class_cells(table: pd.DataFrame, *, y: str, x: str, dark: bool = False) -> go.Figure:
    """Shares of each row that fall into each class, as a heatmap with its numbers. table: of `nodes.confusion` or
    `nodes.cluster_table`."""
    figure = finding_cells(table, kind=Kind.SHARE, y=y, x=x, reach=1.0, dark=dark)
    if not table.empty:
        rows = table["row"].nunique()
        figure.update_layout(height=max(MAIN_HEIGHT - 40 if rows <= 6 else 0, 130 + 34 * rows))
    return figure


def node_map(table: pd.DataFrame, by: str, order: Sequence[str]) -> go.Figure:
    """Every node as a point, coloured by the column `by`. table: of `nodes.node_table`. order: of the groups."""
    if table.empty:
        return empty_figure("No node to show")
    figure = go.Figure()
    present = [name for name in order if (table[by] == name).any()]
    for place, name in enumerate(present):
        part = table[table[by] == name]
        colour, marker = VERDICT_LOOKS.get(
            name, (SERIES[place % len(SERIES)], MARKERS[place // len(SERIES) % len(MARKERS)])
        )
        figure.add_trace(
            go.Scattergl(
                x=part["x"],
                y=part["y"],
                mode="markers",
                name=f"{name} ({len(part):,})",
                marker={
                    "color": colour,
                    "symbol": marker,
                    "size": 5 if len(table) > 2000 else 6,
                    "opacity": 0.75,
                },
                customdata=part[["node", "name", "class", "cluster", "verdict"]],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}, %{customdata[3]}<br>%{customdata[4]}<extra></extra>",
            )
        )
    styled(figure, height=520)
    figure.update_xaxes(showticklabels=False, ticks="", showgrid=False)
    figure.update_yaxes(showticklabels=False, ticks="", showgrid=False, scaleanchor="x")
    figure.update_layout(dragmode="lasso", legend={"itemsizing": "constant"}, hovermode="closest")
    return figure


def stacked_parts(
    table: pd.DataFrame, looks: Mapping[str, Look], *, y: str, epoch: int | None, mark: str
) -> go.Figure:
    """Parts on top of each other over the epochs. table: columns epoch, name, mean. looks: of each part, from the bottom up."""
    if table.empty:
        return empty_figure("This run took no snapshots: set snapshot_every above 0")
    figure = go.Figure()
    for part, (colour, dash, _) in looks.items():
        rows = table[table["name"] == part].sort_values("epoch")
        if rows.empty or not rows["mean"].any():
            continue
        figure.add_trace(
            go.Scatter(
                x=rows["epoch"],
                y=rows["mean"],
                name=part,
                mode="lines",
                stackgroup="parts",
                line={"color": colour, "width": 1.5, "dash": dash},
                hovertemplate=f"<b>{part}</b><br>epoch %{{x}}<br>%{{y:.4~g}}<extra></extra>",
            )
        )
    styled(figure, height=300, x="epoch", y=y)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(showlegend=True)
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=mark)
    return figure


def bounded(figure: go.Figure, value: float, name: str) -> None:
    """A dashed line at `value` with its name above its left end."""
    figure.add_hline(
        y=value,
        line={"color": GREY, "dash": "dash", "width": 1.3},
        annotation_text=name,
        annotation_position="top left",
    )
