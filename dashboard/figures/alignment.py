"""Agreement of behaviour and modalities over epochs, with the alignment's weights, and how far its loss counts, beneath."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import GREY, side_look
from dashboard.figures.shapes import band
from dashboard.figures.template import empty_figure, styled
from dashboard.relations import GROUP_TITLES

AGREEMENT, WEIGHT, LAMBDA = "cosine", "weight", "λ"


def alignment_over_epochs(
    degree: pd.DataFrame, weight: pd.DataFrame, schedule: pd.DataFrame, *, epoch: int | None, mark: str
) -> go.Figure:
    """Three panels on the same epochs: mean cosine, median weight, and the weight of the alignment loss, lambda.

    degree, weight: columns epoch, side, mean, q05, q25, median, q75, q95, nodes; bands from the 25th to the 75th and, paler,
    from the 5th to the 95th percentile. schedule: columns epoch, value. Panels without rows are left out. `epoch` is marked.
    Source: EGRA (reconstruction), bi-level weights.
    """
    panels = [
        (name, table, share)
        for name, table, share in (
            (AGREEMENT, degree, 0.44),
            (WEIGHT, weight, 0.34),
            (LAMBDA, schedule, 0.22),
        )
        if len(table)
    ]
    if not panels:
        return empty_figure("This run took no snapshots: set snapshot_every above 0 when training")
    figure = make_subplots(
        rows=len(panels),
        shared_xaxes=True,
        vertical_spacing=0.05,
        row_heights=[share for _, _, share in panels],
    )
    for place, (name, table, _) in enumerate(panels, start=1):
        if name == LAMBDA:
            figure.add_trace(_schedule(table), row=place, col=1)
        else:
            _add_sides(figure, table, "mean" if name == AGREEMENT else "median", place)
    styled(figure, height=round(70 + 470 * sum(share for _, _, share in panels)))
    _dress(figure, [name for name, _, _ in panels])
    figure.update_xaxes(title_text="epoch", row=len(panels))
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1.2})
        figure.add_annotation(
            x=epoch, y=1, yref="paper", text=mark, yanchor="bottom", showarrow=False, font={"color": GREY}
        )
    return figure


_TITLES = {AGREEMENT: "mean cosine", WEIGHT: "median weight", LAMBDA: "λ"}


def _dress(figure: go.Figure, names: list[str]) -> None:
    """Titles and ranges of the panels; the weight's mean, which is 1, as a line."""
    for place, name in enumerate(names, start=1):
        figure.update_yaxes(title_text=_TITLES[name], row=place, nticks=6 if name == AGREEMENT else 4)
        if name == WEIGHT:
            figure.add_hline(y=1, line={"color": GREY, "width": 1, "dash": "dot"}, row=place)
        if name == LAMBDA:
            figure.update_yaxes(rangemode="tozero", row=place)
    figure.update_layout(hovermode="closest")


def _add_sides(figure: go.Figure, table: pd.DataFrame, line: str, row: int) -> None:
    for side, part in table.groupby("side", sort=False):
        ordered = part.sort_values("epoch")
        for low, high, strength in (("q05", "q95", 0.1), ("q25", "q75", 0.22)):
            figure.add_trace(_band(ordered, str(side), low, high, strength), row=row, col=1)
        figure.add_trace(_line(ordered, str(side), line, is_named=row == 1), row=row, col=1)


def _band(part: pd.DataFrame, side: str, low: str, high: str, strength: float) -> go.Scatter:
    name = f"{GROUP_TITLES[side]} {low} to {high}"
    return band(part, low, high, side_look(side)[0], group=side, name=name, strength=strength)


def _line(part: pd.DataFrame, side: str, column: str, *, is_named: bool) -> go.Scatter:
    colour, dash, marker = side_look(side)
    named = GROUP_TITLES[side]
    return go.Scatter(
        x=part["epoch"],
        y=part[column],
        name=f"{named} ({int(part['nodes'].iloc[0]):,})",
        legendgroup=side,
        showlegend=is_named,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"symbol": marker, "size": 7},
        customdata=part[["q05", "q25", "q75", "q95"]],
        hovertemplate=f"<b>{named}</b>, epoch %{{x}}<br>{column} %{{y:.4f}}<br>middle half %{{customdata[1]:.4f}} to "
        "%{customdata[2]:.4f}<br>90 % of them %{customdata[0]:.4f} to %{customdata[3]:.4f}<extra></extra>",
    )


def _schedule(table: pd.DataFrame) -> go.Scatter:
    return go.Scatter(
        x=table["epoch"],
        y=table["value"],
        name="lambda",
        showlegend=False,
        mode="lines+markers",
        line={"color": GREY, "width": 2},
        marker={"symbol": "diamond", "size": 6},
        hovertemplate="epoch %{x}<br>lambda %{y:.4g}<extra></extra>",
    )
