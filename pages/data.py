"""Data: what a stored data set contains, what its behaviours can teach, and what a result on it is worth."""

import streamlit as st

from dashboard import readers, selection, states
from dashboard.data_profile import behaviors
from dashboard.panels import data_details as detail
from dashboard.panels import data_graph as graph
from dashboard.panels import data_sections as section
from dashboard.panels.data_all import all_sets
from dashboard.panels.data_state import pick_dataset, profile_or_wait

home = readers.home()
with states.page(
    "What is in this data, and what can it teach?",
    "Counts, funnel, overlaps and leaks, or nodes, metapaths and classes, counted once per data set.",
):
    info = pick_dataset(home)
    if info is None:
        states.empty(
            "No data yet",
            "Import your own, or write the demo data from the start page.",
            "import",
            "Import data",
        )
        st.stop()
    section.context(info)
    told = profile_or_wait(home, info)
    if told is not None:
        section.answer(told)
        scope = "train"
        if behaviors(told):
            section.figures(told)
            scope = section.scope_control()
            section.funnel(told, scope)
            section.audit(told)
            section.overlap(told, scope)
        elif "nodes" in told:
            graph.figures(told)
            graph.metapaths(told)
        titles = detail.sections(told)
        about = selection.pick(
            "about", "In detail", list(titles), title=titles.__getitem__, widget="segments"
        )
        with states.guarded():
            match about:
                case "tails":
                    detail.tails(told, scope)
                case "correlation":
                    detail.correlation(told)
                case "split":
                    detail.split(told)
                case "contents":
                    detail.contents(told)
                case _:
                    detail.origin(told, info)
    all_sets(home)
