"""What goes through each modality: boxes over users and over items, and means over epochs."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import GREY
from dashboard.figures.shapes import band, quantile_box
from dashboard.figures.template import SMALL_HEIGHT, empty_figure, styled
from dashboard.information import SIDES
from dashboard.relations import GROUP_TITLES

PERCENT = ".0%"
Looks = Mapping[str, tuple[str, str, str]]


def modality_boxes(table: pd.DataFrame, *, looks: Looks, y: str) -> go.Figure:
    """Boxes from the 25th to the 75th percentile, whiskers from the 5th to the 95th, a dashed line at the mean; users left,
    items right.

    table: columns side, modality, mean, q05, q25, median, q75, q95, nodes. looks: modality -> colour, dash and marker.
    """
    if table.empty:
        return empty_figure("No nodes to show")
    figure = _sides(table)
    for column, side in enumerate(SIDES, start=1):
        for row in table[table["side"] == side].to_dict("records"):
            name = str(row["modality"])
            figure.add_trace(quantile_box(name, row, looks[name][0], width=0.45), row=1, col=column)
    styled(figure, height=SMALL_HEIGHT + 40)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(tickformat=PERCENT, range=[-0.02, 1.02], dtick=0.25)
    figure.update_yaxes(title_text=y, col=1)
    return figure


def modality_lines(table: pd.DataFrame, *, looks: Looks, y: str, epoch: int | None, mark: str) -> go.Figure:
    """Mean per modality over epochs with the middle half of the nodes as a band; users left, items right.

    table: columns epoch, side, modality, mean, q25, q75, nodes. `epoch` is marked by a line that says `mark`.
    """
    if table.empty:
        return empty_figure("This run took no snapshots: set snapshot_every above 0 when training")
    figure = _sides(table)
    for column, side in enumerate(SIDES, start=1):
        for name, part in table[table["side"] == side].groupby("modality", sort=False):
            for trace in _course(part.sort_values("epoch"), str(name), looks[str(name)], column == 1):
                figure.add_trace(trace, row=1, col=column)
    styled(figure, height=SMALL_HEIGHT + 60, x="epoch")
    figure.update_layout(legend={"y": 1.14}, margin={"t": 58})
    figure.update_yaxes(tickformat=PERCENT, range=[-0.02, 1.02], dtick=0.25)
    figure.update_yaxes(title_text=y, col=1)
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1})
        figure.add_annotation(
            x=epoch, y=0, yref="y", xref="x", text=mark, yanchor="bottom", xanchor="left", showarrow=False
        )
    return figure


def _sides(table: pd.DataFrame) -> go.Figure:
    nodes = table.drop_duplicates("side").set_index("side")["nodes"]
    titles = [f"{int(nodes.get(side, 0)):,} {GROUP_TITLES[side]}" for side in SIDES]
    return make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=titles)


def _course(
    part: pd.DataFrame, name: str, look: tuple[str, str, str], is_named: bool
) -> tuple[go.Scatter, go.Scatter]:
    colour, dash, marker = look
    area = band(part, "q25", "q75", colour, group=name)
    line = go.Scatter(
        x=part["epoch"],
        y=part["mean"],
        name=name,
        legendgroup=name,
        showlegend=is_named,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": marker, "size": 6},
        customdata=part[["q25", "q75"]],
        hovertemplate=f"<b>{name}</b>, epoch %{{x}}<br>mean %{{y:.1%}}<br>middle half %{{customdata[0]:.1%}} to "
        "%{customdata[1]:.1%}<extra></extra>",
    )
    return area, line
