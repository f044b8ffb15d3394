"""Runs: what is training, what became of each run, and what can be done with it."""

import streamlit as st

from dashboard import drawing, readers, states
from dashboard.panels.run_actions import notice
from dashboard.panels.run_detail import live_detail
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.run_notes import notes_panel
from dashboard.panels.run_table import compare_bar, filtered, live_table, not_in_filter

home = readers.home()
with states.page(
    "What are my runs doing?",
    "Every run of this home, live. Tick a row to see that run, several to compare them.",
):
    notice()
    if not readers.runs(home):
        states.empty(
            "No runs yet",
            "Train something: the demo data is enough for a first look.",
            "train",
            "Set up a run",
        )
        st.stop()
    live_table(home)
    compare_bar(home)
    listed = {run.run_id for run in filtered(home)}
    run = pick_run(home, prefer=lambda run: run.run_id in listed)
    if run is None:
        st.stop()
    if run.run_id not in listed:
        not_in_filter(run)
        st.stop()
    title = states.plain(run_title(run))
    st.subheader(title, anchor=False)
    drawing.context(f"`{run.run_id}`", f"{title} · {run.protocol}")
    if run.damaged:
        st.error(states.plain(run.error), title="This run folder is damaged", icon=":material/error:")
    notes_panel(home, run.run_id)
    live_detail(home, run.run_id)
