"""Expert gates: a heatmap of tasks by experts, their spread over pairs, and their course over epochs."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from core.findings import Array
from dashboard.figures.heatmap import grid
from dashboard.figures.palette import (
    DASHES,
    GREY,
    MARKERS,
    SEQUENTIAL,
    SERIES,
    behavior_color,
    behavior_position,
)
from dashboard.figures.shapes import band, quantile_box
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled

Look = tuple[str, str, str]
PERCENT = ".0%"


def expert_looks(experts: Sequence[str], tasks: Sequence[str]) -> Mapping[str, Look]:
    """Colour, dash and marker per expert: a behaviour's own where each expert is one behaviour's, otherwise by place."""
    if tuple(experts) == tuple(tasks):
        places = {name: behavior_position(name) for name in experts}
        return {name: (behavior_color(name), DASHES[p], MARKERS[p]) for name, p in places.items()}
    return {
        name: (SERIES[place % len(SERIES)], DASHES[place % len(DASHES)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(experts)
    }


def gate_heatmap(table: pd.DataFrame, *, task: str, top: float) -> go.Figure:
    """Mean gate with its deviation over pairs; rows are tasks (`task` in bold), columns experts. Source: CIGF, Eq. 15.

    table: columns task, expert, mean, deviation, leads, pairs. The colour scale runs from 0 to `top`.
    """
    if table.empty:
        return empty_figure("No gates to show")
    tasks, experts, means = grid(table, "task", "expert", "mean")
    _, _, deviations = grid(table, "task", "expert", "deviation")
    _, _, leads = grid(table, "task", "expert", "leads")
    names = [f"<b>{name}</b>" if name == task else name for name in tasks]
    pairs = int(table["pairs"].iloc[0])
    cells = go.Heatmap(
        z=means,
        x=experts,
        y=names,
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        customdata=[list(zip(*rows)) for rows in zip(deviations, leads)],
        hovertemplate="task %{y}<br>expert <b>%{x}</b><br>mean gate %{z:.1%}, deviation %{customdata[0]:.1%}<br>"
        f"leads for %{{customdata[1]:.1%}} of {pairs:,} pairs<extra></extra>",
    )
    figure = go.Figure([cells, _cell_texts(experts, names, means, deviations, top)])
    styled(figure, height=min(MAIN_HEIGHT, 120 + 58 * len(tasks)), x="expert", y="task")
    figure.update_xaxes(ticks="", showgrid=False)
    figure.update_yaxes(ticks="", showgrid=False, autorange="reversed")
    bar = {"title": {"text": "mean<br>gate"}, "thickness": 12, "outlinewidth": 0, "tickformat": PERCENT}
    figure.update_layout(
        coloraxis={"colorscale": SEQUENTIAL, "cmin": 0, "cmax": top, "colorbar": bar}, showlegend=False
    )
    return figure


def _cell_texts(
    experts: list[str], names: list[str], means: Array, deviations: Array, top: float
) -> go.Scatter:
    """The mean and beneath it the deviation, in the colour that reads on the scale: white on dark, dark on yellow."""
    shown = [
        (x, y, float(means[r, c]), float(deviations[r, c]))
        for r, y in enumerate(names)
        for c, x in enumerate(experts)
    ]
    colors = ["#1D2530" if mean > 0.62 * top else "#FFFFFF" for *_, mean, _ in shown]
    return go.Scatter(
        x=[x for x, *_ in shown],
        y=[y for _, y, *_ in shown],
        text=[
            f"{mean:.1%}<br><span style='font-size:11px'>± {deviation:.1%}</span>"
            for *_, mean, deviation in shown
        ],
        mode="text",
        textfont={"size": 14, "color": colors},
        hoverinfo="skip",
    )


def gate_boxes(table: pd.DataFrame, *, looks: Mapping[str, Look]) -> go.Figure:
    """Boxes of one task's gate over pairs, one per expert, from quantiles; a dashed line marks an even share.

    table: columns expert, mean, q05, q25, median, q75, q95, pairs.
    """
    if table.empty:
        return empty_figure("No gates to show")
    figure = go.Figure()
    for row in table.to_dict("records"):
        name = str(row["expert"])
        figure.add_trace(quantile_box(name, row, looks[name][0]))
    styled(figure, height=min(MAIN_HEIGHT, 120 + 58 * max(4, len(table))), x="expert", y="gate")
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=PERCENT, dtick=0.25)
    figure.update_layout(showlegend=False)
    return with_even_share(figure, len(table))


def with_even_share(figure: go.Figure, experts: int, **place: int) -> go.Figure:
    """A dashed line at an even share, named at its end where the figure has one panel. place: row and col of the panel."""
    line = {"color": GREY, "dash": "dash", "width": 1}
    if place:
        figure.add_hline(y=1 / experts, line=line, **place)
        return figure
    font = {"color": GREY, "size": 12}
    figure.add_hline(
        y=1 / experts,
        line=line,
        annotation_text="even<br>share",
        annotation_position="right",
        annotation_font=font,
    )
    figure.update_layout(margin_r=56)
    return figure


def gates_over_epochs(
    table: pd.DataFrame, *, looks: Mapping[str, Look], epoch: int | None, mark: str
) -> go.Figure:
    """Mean gate per expert over epochs, band over the middle half of the pairs; `epoch` is marked by `mark`.

    table: columns epoch, expert, mean, q25, q75.
    """
    if table.empty:
        return empty_figure("No snapshots to show")
    figure = go.Figure()
    for expert, part in table.groupby("expert", sort=False):
        _add_expert(figure, str(expert), part.sort_values("epoch"), looks[str(expert)])
    styled(figure, height=320, x="epoch", y="gate")
    figure.update_yaxes(tickformat=PERCENT, rangemode="tozero")
    return _marked(figure, epoch, mark)


def _add_expert(figure: go.Figure, expert: str, part: pd.DataFrame, look: Look) -> None:
    colour, dash, marker = look
    figure.add_trace(band(part, "q25", "q75", colour, group=expert))
    figure.add_trace(
        go.Scatter(
            x=part["epoch"],
            y=part["mean"],
            name=expert,
            legendgroup=expert,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": marker, "size": 7},
            customdata=part[["q25", "q75"]],
            hovertemplate=f"<b>{expert}</b><br>epoch %{{x}}<br>mean gate %{{y:.1%}}<br>"
            "middle half %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
        )
    )


def entropy_over_epochs(
    table: pd.DataFrame, *, flat: float, collapsed: float, epoch: int | None, mark: str
) -> go.Figure:
    """Normalised entropy of each task's gates over epochs; dotted lines mark where the alarms begin.

    table: columns task, epoch, even_entropy, pair_entropy. Solid: mean over pairs; hover: of the mean gate.
    """
    if table.empty:
        return empty_figure("No snapshots to show")
    figure = go.Figure()
    for task, part in table.groupby("task", sort=False):
        place = behavior_position(str(task))
        figure.add_trace(
            go.Scatter(
                x=part["epoch"],
                y=part["pair_entropy"],
                name=str(task),
                mode="lines+markers",
                line={"color": behavior_color(str(task)), "dash": DASHES[place], "width": 2},
                marker={"symbol": MARKERS[place], "size": 7},
                customdata=part[["even_entropy"]],
                hovertemplate=f"task <b>{task}</b><br>epoch %{{x}}<br>entropy pair by pair %{{y:.3f}}<br>"
                "of the mean gate %{customdata[0]:.3f}<extra></extra>",
            )
        )
    styled(figure, height=320, x="epoch", y="entropy, pair by pair")
    figure.update_yaxes(range=[-0.03, 1.1], dtick=0.25)
    for level, name in ((flat, "flat"), (collapsed, "collapsed")):
        figure.add_hline(
            y=level,
            line={"color": GREY, "dash": "dot", "width": 1},
            annotation_text=name,
            annotation_position="top",
            annotation_font={"color": GREY, "size": 12},
        )
    return _marked(figure, epoch, mark)


def _marked(figure: go.Figure, epoch: int | None, mark: str) -> go.Figure:
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=mark)
    return figure
