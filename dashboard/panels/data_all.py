"""All data sets of the home side by side, from stored profiles; those that are missing are counted one by one."""

from typing import Any

import streamlit as st

from core.data import profile_store
from core.data.dataset import DatasetInfo
from core.home import Home
from dashboard import readers, selection, states, words
from dashboard.data_comparison import GRAPH, comparison_table
from dashboard.data_profile import percents
from dashboard.drawing import csv_button
from dashboard.glossary import meaning

_COUNT: dict[str, Any] = {"format": "localized"}
_PERCENT: dict[str, Any] = {"format": "%.1f %%"}


def all_sets(home: Home) -> None:
    """Every data set of the home with its key figures, from stored profiles; the missing ones are counted one by one."""
    found = readers.datasets(home)
    profiles = {info.name: readers.data_profile(home, info) for info in found}
    missing = [info for info in found if profiles[info.name] is None]
    st.subheader("How do all data sets compare?", anchor=False)
    table = comparison_table(found, profiles)
    names = [info.name for info in found]
    table = table.drop(columns=[column for column in GRAPH if table[column].isna().all()])
    st.dataframe(
        percents(table, "density", "seen", "cold"),
        key="all-data-sets",
        hide_index=True,
        placeholder="–",
        on_select=lambda: _row_clicked(names),
        selection_mode="single-row",
        column_config=_COMPARED,
        alt="Table of all data sets with their key figures",
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption("A click on a row shows that data set. Shares are of the test pairs.", width="stretch")
        csv_button(table, "data-sets")
    if missing:
        st.fragment(_count_next, run_every=2.0)(home, missing)


def _count_next(home: Home, missing: list[DatasetInfo]) -> None:
    """Has one missing profile after the other counted; draws the page anew whenever one is done."""
    standings = {info.name: profile_store.standing(home, info) for info in missing}
    if any(now.state == "stored" for now in standings.values()):
        st.rerun(scope="app")
    failed = [name for name, now in standings.items() if now.state == "failed"]
    absent = [info for info in missing if standings[info.name].state == "absent"]
    if absent and not any(now.state == "running" for now in standings.values()):
        with states.guarded():
            readers.start_profile(home, absent[0])
    waiting = len(missing) - len(failed)
    if waiting:
        st.caption(f"{words.count(waiting, 'data set')} still being profiled.")
    if failed:
        st.caption(f"Could not be profiled: {states.plain(', '.join(failed))}. Pick it to see why.")


def _row_clicked(names: list[str]) -> None:
    rows = st.session_state["all-data-sets"]["selection"]["rows"]
    if rows:
        selection.choose("dataset", names[rows[0]])


_COMPARED = {
    "data set": st.column_config.TextColumn("data set", pinned=True),
    **{
        name: st.column_config.NumberColumn(name, **_COUNT)
        for name in ("users", "items", "pairs", "nodes", "edges", "classes", "repairs")
    },
    "target": st.column_config.NumberColumn("training pairs, target", **_COUNT),
    "density": st.column_config.NumberColumn("density, target", format="%.3f %%", help=meaning("density")),
    "test": st.column_config.NumberColumn("test pairs", **_COUNT),
    "seen": st.column_config.NumberColumn("touched in training", **_PERCENT, help=meaning("seen")),
    "cold": st.column_config.NumberColumn("of cold items", **_PERCENT, help=meaning("cold")),
    "correlation": st.column_config.NumberColumn(
        "median correlation", format="%.3f", help=meaning("behaviour correlation")
    ),
}
