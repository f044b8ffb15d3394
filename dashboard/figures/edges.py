"""Edges of refined graphs: what is kept, how weights spread, and how well scores find planted noise."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import BLUE, GREEN, GREY, ORANGE, VERMILLION
from dashboard.figures.template import empty_figure, styled

_PANELS_IN_A_ROW = 4
_DODGE = 0.2
# scorer -> colour and marker
_SCORERS = {
    "edge weight": (BLUE, "circle"),
    "users of the item": (ORANGE, "diamond"),
    "dealt at random": (GREY, "x"),
}
_MEASURES = (
    ("among_pruned", "noise among pruned edges", VERMILLION, "circle"),
    ("among_all", "noise among all edges", GREY, "x"),
    ("found", "noise that is pruned", GREEN, "diamond"),
)
# Where every graph keeps more, the axis begins here, so that a few dropped edges are seen.
_ALMOST_ALL = 0.99


def keep_rates(table: pd.DataFrame) -> go.Figure:
    """Share of each graph's edges that is kept, in training (with noise) and in evaluation (without). Source: HGIB, Eq. 10.

    table: columns graph, edges, training, evaluation.
    """
    if table.empty:
        return empty_figure("No graph has edges to keep")
    figure = go.Figure()
    for name, symbol, colour in (("training", "circle", BLUE), ("evaluation", "diamond-open", VERMILLION)):
        figure.add_trace(
            go.Scatter(
                x=table[name],
                y=table["graph"],
                name=f"in {name}",
                mode="markers",
                marker={"symbol": symbol, "color": colour, "size": 10, "line": {"width": 2}},
                customdata=table[["edges"]],
                hovertemplate=f"<b>%{{y}}</b><br>kept in {name}: %{{x:.3%}} of %{{customdata[0]:,.0f}} edges<extra></extra>",
            )
        )
    least = float(table[["training", "evaluation"]].min().min())
    low = max(0.0, min(_ALMOST_ALL, 1 - 1.15 * (1 - least)))
    _rows(figure, table["graph"], x="share of edges kept", height=110 + 27 * len(table))
    figure.update_xaxes(range=[low, 1 + 0.03 * (1 - low)], tickformat=".1~%")
    return figure


def _rows(figure: go.Figure, names: pd.Series, *, x: str, height: int) -> None:
    styled(figure, height=height, x=x)
    order = list(dict.fromkeys(names))
    figure.update_yaxes(categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6])


def weight_histograms(table: pd.DataFrame) -> go.Figure:
    """Share of each graph's edges by weight, one panel per graph, whose highest bar is labelled; the first bin, which holds pruned edges, in orange.

    table: columns graph, bin, low, high, edges, share, total.
    """
    if table.empty:
        return empty_figure("No edge has a weight to show")
    graphs = list(dict.fromkeys(table["graph"]))
    columns = min(_PANELS_IN_A_ROW, len(graphs))
    rows = -(-len(graphs) // columns)
    totals = table.groupby("graph")["total"].first()
    titles = [
        f"{graph}<br><span style='font-size:11px'>{totals[graph]:,.0f} edges</span>" for graph in graphs
    ]
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=titles,
        horizontal_spacing=0.03,
        vertical_spacing=0.48 / (rows + 1),
    )
    for place, graph in enumerate(graphs):
        part = table[table["graph"] == graph]
        cell = {"row": 1 + place // columns, "col": 1 + place % columns}
        figure.add_trace(
            go.Bar(
                x=(part["low"] + part["high"]) / 2,
                y=part["share"],
                width=0.95 * (part["high"] - part["low"]),
                text=[f"{share:.0%}" if share == part["share"].max() > 0 else "" for share in part["share"]],
                textposition="outside",
                textangle=0,
                textfont={"size": 11},
                constraintext="none",
                cliponaxis=False,
                marker={"color": [VERMILLION, *[BLUE] * (len(part) - 1)]},
                customdata=part[["bin", "edges"]],
                hovertemplate=f"<b>{graph}</b><br>weight %{{customdata[0]}}<br>%{{y:.1%}}, %{{customdata[1]:,.0f}} edges"
                "<extra></extra>",
            ),
            **cell,
        )
        figure.update_yaxes(range=[0, 1.3 * float(part["share"].max()) or 1.0], **cell)
    styled(figure, height=80 + 160 * rows)
    figure.update_layout(showlegend=False, margin_t=48)
    figure.update_annotations(font_size=13)
    figure.update_xaxes(range=[0, 1], dtick=0.5, tickformat="~g", showgrid=False)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_xaxes(showticklabels=False)
    for column in range(1, columns + 1):
        last = max(row for row in range(1, rows + 1) if (row - 1) * columns + column <= len(graphs))
        figure.update_xaxes(title_text="weight", showticklabels=True, row=last, col=column)
    figure.update_yaxes(title_text="edges", col=1)
    return figure


def noise_areas(table: pd.DataFrame) -> go.Figure:
    """Area under the ROC curve of each score against planted noise, per graph, with 95 % intervals and chance at 0.5.

    table: columns graph, scorer, area, low, high, noise, verdict.
    """
    if table.empty:
        return empty_figure("No graph holds planted noise")
    figure = go.Figure()
    order = {graph: place for place, graph in enumerate(dict.fromkeys(table["graph"]))}
    scorers = [name for name in _SCORERS if (table["scorer"] == name).any()]
    for place, scorer in enumerate(scorers):
        part = table[table["scorer"] == scorer]
        shift = _DODGE * (place - (len(scorers) - 1) / 2)
        colour, symbol = _SCORERS[scorer]
        figure.add_trace(
            go.Scatter(
                x=part["area"],
                y=[order[graph] + shift for graph in part["graph"]],
                name=scorer,
                mode="markers",
                marker={"symbol": symbol, "color": colour, "size": 9},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": part["high"] - part["area"],
                    "arrayminus": part["area"] - part["low"],
                    "color": colour,
                    "thickness": 1.3,
                    "width": 3,
                },
                customdata=part[["graph", "low", "high", "noise", "verdict"]],
                hovertemplate=f"<b>%{{customdata[0]}}</b>, by {scorer}<br>area %{{x:.3f}} (95 %: %{{customdata[1]:.3f}} to "
                "%{customdata[2]:.3f})<br>%{customdata[3]:,.0f} noise edges; %{customdata[4]} than chance<extra></extra>",
            )
        )
    styled(figure, height=110 + 44 * len(order), x="area under the ROC curve of noise against other edges")
    figure.update_yaxes(
        tickmode="array", tickvals=list(order.values()), ticktext=list(order), range=[len(order) - 0.05, -0.6]
    )
    low, high = min(0.45, float(table["low"].min())), max(0.55, float(table["high"].max()))
    figure.update_xaxes(range=[max(0.0, low - 0.03), min(1.0, high + 0.03)], tickformat=".2f")
    figure.add_vline(
        x=0.5,
        line={"color": GREY, "dash": "dot", "width": 1.5},
        annotation_text="chance",
        annotation_position="bottom right",
        annotation_font={"color": GREY, "size": 12},
    )
    return figure


def pruning_precision(table: pd.DataFrame) -> go.Figure:
    """Per graph the share of noise among pruned and among all edges, and of noise that is pruned.

    table: columns graph, among_pruned, among_all, found, pruned; NaN where nothing is pruned.
    """
    if table.empty:
        return empty_figure("No graph holds planted noise")
    figure = go.Figure()
    for column, name, colour, symbol in _MEASURES:
        part = table.dropna(subset=column)
        figure.add_trace(
            go.Scatter(
                x=part[column],
                y=part["graph"],
                name=name,
                mode="markers",
                marker={"symbol": symbol, "color": colour, "size": 10},
                hovertemplate=f"<b>%{{y}}</b><br>{name}: %{{x:.2%}}<extra></extra>",
            )
        )
    _rows(figure, table["graph"], x="share of edges", height=110 + 30 * len(table))
    top = float(table[[column for column, *_ in _MEASURES]].max().max())
    figure.update_xaxes(range=[-0.02 * top, min(1.0, 1.1 * top) or 1.0], tickformat=".1~%")
    return figure
