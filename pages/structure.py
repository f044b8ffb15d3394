"""Structure: what hyperedges group, which past interactions a transformer attends to, and what each branch adds."""

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import structure_attention as attention
from dashboard.panels import structure_view as view
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.run_view import context
from dashboard.panels.structure_answer import answer
from dashboard.panels.structure_branches import contributed
from dashboard.panels.structure_categories import categories
from dashboard.panels.structure_history import history
from dashboard.panels.structure_hyperedges import sizes
from dashboard.panels.structure_items import defining_items

home = readers.home()
with states.page(
    "What do hyperedges group, and which past interactions count?",
    "SRGFormer and LGMRec sort users and items into hyperedges by item features; SRGFormer attends to each user's history, too.",
):
    summary = pick_run(home, prefer=lambda run: view.is_stored(home, run.run_id))
    if summary is None:
        states.empty(
            "No runs yet",
            "Train SRGFormer on the demo data; it takes about a minute.",
            "train",
            "Set up a run",
            system="srgformer",
        )
        st.stop()
    line = st.container()
    picked = view.load(home, summary)
    with line:
        drawing.context(f"{states.plain(run_title(summary))} · {context(picked)}")
    view.follow(picked)
    if not view.is_stored(home, summary.run_id):
        view.no_structure(picked)
        st.stop()
    answer(picked)
    with states.guarded():
        sizes(picked)
    details = {
        "items": ("What defines a hyperedge?", defining_items),
        "categories": ("Do they follow categories?", categories),
        "history": ("One user's history", history),
        "popularity": ("Popular or rare items?", attention.popularity),
        "entropy": ("How focused is attention?", attention.entropy),
        "branches": ("What does each branch add?", contributed),
    }
    shown = selection.pick(
        "structure", "In detail", list(details), title=lambda d: details[d][0], widget="segments"
    )
    with states.guarded():
        details[shown][1](picked)
