"""A figure on a page: the chart, the equation it shows, its data as CSV, its picture as PNG and SVG."""

import re

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.figures.template import export_config
from dashboard.navigation import ROOT

_CONTEXT = "picture-context"
_ARROW = (
    '<svg width="14" height="14" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'aria-hidden="true"><path d="M12 4v11m-5-5 5 5 5-5M5 20h14"/></svg>'
)
# The browser builds the picture from what it drew: an exporter on the server would need a browser of its own.
_image_buttons = st.components.v2.component(
    "figure_images",
    html="<div>"
    + "".join(f'<button data-format="{kind}">{_ARROW}{kind.upper()}</button>' for kind in ("png", "svg"))
    + "</div>",
    css=(ROOT / "assets" / "small_buttons.css").read_text(),
    js=(ROOT / "assets" / "figure_images.js").read_text(),
)


def is_dark() -> bool:
    """Whether the reader's browser shows the dark theme."""
    return bool(st.context.theme.type == "dark")


def context(text: str, title: str = "") -> None:
    """The line of a page that tells which run or data it shows; pictures saved from that page repeat it after `title`."""
    st.caption(text)
    st.session_state[_CONTEXT] = " · ".join(filter(None, (title, text)))


def forget_context() -> None:
    """Another page begins, which shows something else."""
    st.session_state.pop(_CONTEXT, None)


def show(figure: go.Figure, data: pd.DataFrame, *, name: str, source: str, alt: str, about: str = "") -> None:
    """Draw `figure`; beneath it `source` (paper and equation) and buttons for `data` and for the picture.

    name: file name of exports, also the element's key. alt: what the figure shows, for screen readers. about: what the
    page says elsewhere and a picture cannot do without, such as metric, data and protocol, where that is not the page's
    `context`; saved pictures end with it and with `source`.
    """
    key = f"figure:{name}"
    told = about or st.session_state.get(_CONTEXT, "")
    st.plotly_chart(figure, key=key, config=export_config(name), alt=alt)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(source, width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            csv_button(data, name)
            _image_buttons(
                key=f"images:{name}",
                data={"key": key, "name": name, "footer": footer(told, source)},
                width="content",
            )


def footer(*parts: str) -> str:
    """The last line of a saved picture: `parts` without the marks of Markdown."""
    told = " · ".join(filter(None, parts))
    return re.sub(r"\\([^\w\s])|\*\*|`", r"\1", told)


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
