"""A figure on a page: the chart, the equation it shows, and its data as CSV."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import selection
from dashboard.figures.template import export_config


def is_dark() -> bool:
    """Whether the reader's browser shows the dark theme."""
    return bool(st.context.theme.type == "dark")


def show(figure: go.Figure, data: pd.DataFrame, *, name: str, source: str, alt: str) -> None:
    """Draw `figure`; beneath it `source` (paper and equation) and a button for `data`.

    name: file name of exports, also the element's key. alt: what the figure shows, for screen readers.
    """
    image = selection.current("image") or "png"
    st.plotly_chart(figure, key=f"figure:{name}", config=export_config(name, image), alt=alt)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(source, width="stretch")
        csv_button(data, name)


def csv_button(data: pd.DataFrame, name: str) -> None:
    """A small button that downloads `data`."""
    st.download_button(
        "CSV",
        data.to_csv(index=False).encode(),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"csv:{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The numbers behind this figure",
    )


def image_format() -> None:
    """The reader's choice of what a figure's camera button saves."""
    selection.pick(
        "image",
        "Figures are saved as",
        ("png", "svg"),
        title=str.upper,
        widget="segments",
        help="Used by the camera button at the top right of every figure. SVG stays sharp in papers.",
    )
