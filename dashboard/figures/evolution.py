"""How a value moved over the epochs: one line per relation with the middle half of the nodes as a band."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import DASHES, GREY, MARKERS, behavior_color, behavior_position
from dashboard.figures.template import empty_figure, styled


def attention_over_epochs(table: pd.DataFrame, epoch: int | None = None, mark: str = "shown") -> go.Figure:
    """Mean attention per relation over epochs, band from the 25th to the 75th percentile of the nodes.

    table: columns epoch, relation, mean, q25, q75. `epoch` is marked by a vertical line that says `mark`.
    """
    if table.empty:
        return empty_figure("This run took no snapshots: set snapshot_every above 0")
    figure = go.Figure()
    for relation, part in table.groupby("relation", sort=False):
        _add_relation(figure, str(relation), part.sort_values("epoch"))
    styled(figure, height=300, x="epoch", y="attention")
    figure.update_yaxes(zeroline=True, zerolinewidth=1)
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=mark)
    return figure


def _add_relation(figure: go.Figure, relation: str, part: pd.DataFrame) -> None:
    colour, place = behavior_color(relation), behavior_position(relation)
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_trace(
        go.Scatter(
            x=[*part["epoch"], *part["epoch"][::-1]],
            y=[*part["q75"], *part["q25"][::-1]],
            fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.15)",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=relation,
            name=f"{relation} band",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=part["epoch"],
            y=part["mean"],
            name=relation,
            legendgroup=relation,
            mode="lines+markers",
            line={"color": colour, "dash": DASHES[place], "width": 2},
            marker={"symbol": MARKERS[place], "size": 7},
            customdata=part[["q25", "q75"]],
            hovertemplate=f"<b>{relation}</b><br>epoch %{{x}}<br>mean %{{y:.4f}}<br>"
            "middle half %{customdata[0]:.4f} to %{customdata[1]:.4f}<extra></extra>",
        )
    )
