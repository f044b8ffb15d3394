"""A finding of links, such as the nearest items of every item: pick one, and see what it is linked to."""

from typing import Any

import streamlit as st

from core.errors import DataError
from core.findings import Axis, Finding
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder
from dashboard import learned, readers, states, words
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.learned_words import axis_title
from dashboard.panels.item_picker import pick_linked
from dashboard.panels.run_view import run_data

MOST_LINKED = 200
_ITEM_AXES = ("item", "neighbor")


def linked_items(home: Home, run: RunFolder, recipe: Recipe, finding: Finding) -> None:
    """Find a row by name or number, pick it, and see its links as a table."""
    rows = learned.linked_rows(finding)
    if not len(rows):
        st.caption("This finding holds no links.")
        return
    owner, target = finding.axes
    titles = _titles(home, recipe)
    names, others = _names(owner, titles), _names(target, titles)
    picked = pick_linked(
        "links",
        axis_title(owner),
        rows,
        names,
        order="those with most support",
        title=lambda place: f"{names[place]} ({place})",
    )
    if picked is None:
        return
    table = learned.links_table(finding, picked, others)
    best = table.iloc[0]
    with_support = f", support {best['support']:,.0f}" if best["support"] == best["support"] else ""
    st.markdown(
        f"**{states.plain(names[picked])} is linked most to {states.plain(str(best['name']))}**: "
        f"{best['value']:.4f}{with_support}; {words.count(len(table), 'link')} in all."
    )
    st.dataframe(
        table.head(MOST_LINKED),
        hide_index=True,
        column_order=["place", "name", "value", "support", "number"],
        height="auto" if len(table) <= 12 else 440,
        column_config=_columns(axis_title(target), bool(table["support"].notna().any())),
        alt=f"Table of {finding.title.lower()}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{finding.source}. {states.plain(finding.note)}", width="stretch")
        csv_button(table, f"{finding.key}-{picked}-{run.run_id}")
    states.sampled(min(len(table), MOST_LINKED), len(table), "links; the file has all")


def _titles(home: Home, recipe: Recipe) -> list[str]:
    """Titles of the items, none where the data set is gone or no longer the one the run was trained on, which is said."""
    data, reason = run_data(home, recipe)
    try:
        if data is not None:
            return readers.titles(data)
    except DataError:
        reason = "cannot be read"
    st.caption(f":orange[The data set {reason}: items are told by number only.]")
    return []


def _names(axis: Axis, titles: list[str]) -> list[str]:
    if axis.labels:
        return list(axis.labels)
    if axis.name in _ITEM_AXES and len(titles) == axis.size:
        return titles
    what = "item" if axis.name in _ITEM_AXES else axis_title(axis)
    return [f"{what} {place}" for place in range(axis.size)]


def _columns(what: str, has_support: bool) -> dict[str, Any]:
    support = st.column_config.NumberColumn("support", format="localized", help=meaning("finding support"))
    return {
        "place": st.column_config.NumberColumn("rank", width=50),
        "name": st.column_config.TextColumn(what),
        "number": st.column_config.NumberColumn("number", format="%d"),
        "value": st.column_config.NumberColumn("value", format="%.4f"),
        "support": support if has_support else None,
    }
