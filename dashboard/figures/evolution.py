"""How a value moved over the epochs: one line per name with the middle half of the nodes as a band."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import DASHES, GREY, MARKERS, behavior_color, behavior_position
from dashboard.figures.shapes import band
from dashboard.figures.template import empty_figure, styled

# colour, dash and marker of a line
Look = tuple[str, str, str]
_NO_SNAPSHOTS = "This run took no snapshots: set snapshot_every above 0"


def attention_over_epochs(table: pd.DataFrame, epoch: int | None = None, mark: str = "shown") -> go.Figure:
    """Mean attention per relation over epochs, band from the 25th to the 75th percentile of the nodes.

    table: columns epoch, relation, mean, q25, q75. `epoch` is marked by a vertical line that says `mark`.
    """
    if table.empty:
        return empty_figure(_NO_SNAPSHOTS)
    places = {str(relation): behavior_position(str(relation)) for relation in table["relation"].unique()}
    looks = {name: (behavior_color(name), DASHES[place], MARKERS[place]) for name, place in places.items()}
    named = table.rename(columns={"relation": "name", "q25": "low", "q75": "high"})
    figure = lines_over_epochs(named, looks=looks, y="attention", epoch=epoch, mark=mark)
    figure.update_yaxes(zeroline=True, zerolinewidth=1)
    return figure


def lines_over_epochs(
    table: pd.DataFrame,
    *,
    looks: Mapping[str, Look],
    y: str,
    epoch: int | None = None,
    mark: str = "shown",
    form: str = ".4f",
    titles: Mapping[str, str] | None = None,
) -> go.Figure:
    """Mean per name over epochs; where low and high are known, a band between them (the middle half of the nodes).

    table: columns epoch, name, mean, low, high. looks: of each name. titles: what a name is called, where not itself. `epoch` is
    marked by a vertical line that says `mark`.
    """
    if table.empty:
        return empty_figure(_NO_SNAPSHOTS)
    figure = go.Figure()
    for name, part in table.groupby("name", sort=False):
        title = (titles or {}).get(str(name), str(name))
        _add_line(figure, title, part.sort_values("epoch"), looks[str(name)], (y, form))
    styled(figure, height=300, x="epoch", y=y)
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1}, annotation_text=mark)
    return figure


def _add_line(figure: go.Figure, name: str, part: pd.DataFrame, look: Look, value: tuple[str, str]) -> None:
    (colour, dash, marker), (y, form) = look, value
    has_band = bool(part[["low", "high"]].notna().all(axis=None))
    if has_band:
        figure.add_trace(band(part, "low", "high", colour, group=name))
    spread = f"<br>middle half %{{customdata[0]:{form}}} to %{{customdata[1]:{form}}}" if has_band else ""
    figure.add_trace(
        go.Scatter(
            x=part["epoch"],
            y=part["mean"],
            name=name,
            legendgroup=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": marker, "size": 7},
            customdata=part[["low", "high"]],
            hovertemplate=f"<b>{name}</b><br>epoch %{{x}}<br>{y} %{{y:{form}}}{spread}<extra></extra>",
        )
    )
