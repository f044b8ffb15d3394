"""The one look of all figures: fonts, margins, axes, and how a figure is exported."""

from typing import Any

import plotly.graph_objects as go

MAIN_HEIGHT = 380
SMALL_HEIGHT = 240


def styled(figure: go.Figure, *, height: int = SMALL_HEIGHT, x: str = "", y: str = "") -> go.Figure:
    """`figure` with RelScope's margins, axes and hover box; surfaces and text colour come from the page's theme."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 34, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 13},
        hoverlabel={"align": "left", "namelength": -1},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": None},
        modebar={"orientation": "v"},
        uirevision="keep",
    )
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_yaxes(automargin=True, zeroline=False)
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def empty_figure(reason: str) -> go.Figure:
    """A figure that draws nothing but the reason why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(text=reason, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return styled(figure)


def export_config(name: str) -> dict[str, Any]:
    """Modebar settings: a camera that saves `name` as PNG, zoom and its end; nothing else is shown.

    The camera comes first: the buttons beneath a figure (assets/figure_images.js) press it.
    """
    return {
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtons": [["toImage", "zoom2d", "resetScale2d"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
