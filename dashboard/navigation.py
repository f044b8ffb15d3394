"""Where the pages are, in which order they are listed, and how one page leads to another."""

from pathlib import Path
from typing import NoReturn

import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
Entry = tuple[str, str, str]
# section -> (file in pages/ without .py, title, icon); the first page of all is the start page
SECTIONS: dict[str, list[Entry]] = {
    "": [
        ("home", "Home", ":material/home:"),
        ("train", "Train", ":material/model_training:"),
        ("runs", "Runs", ":material/monitoring:"),
        ("compare", "Compare", ":material/balance:"),
    ],
    "Data": [
        ("data", "Data", ":material/database:"),
        ("import", "Import", ":material/upload_file:"),
    ],
    "What it learned": [
        ("relations", "Relations", ":material/hub:"),
        ("experts", "Experts", ":material/groups:"),
        ("information", "Information", ":material/layers:"),
        ("longtail", "Long tail", ":material/trending_down:"),
        ("alignment", "Alignment", ":material/join_inner:"),
        ("structure", "Structure", ":material/workspaces:"),
        ("nodes", "Nodes", ":material/scatter_plot:"),
    ],
}


def page_file(name: str) -> Path:
    """The script of the page `name`."""
    return ROOT / "pages" / f"{name}.py"


def go(name: str, **params: str | list[str]) -> NoReturn:
    """Leave for another page with `params` in its address."""
    st.switch_page(page_file(name), query_params=params)


def link(name: str, label: str, icon: str | None = None, **params: str | list[str]) -> None:
    """A link to another page with `params` in its address."""
    st.page_link(page_file(name), label=label, icon=icon, query_params=params)
