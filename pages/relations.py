"""Relations: which behaviours a CIGF run relies on, for whom, since when, and through which nodes."""

import streamlit as st

from core.runs.folder import open_run
from dashboard import drawing, readers, selection, states
from dashboard.panels import relations_sections as section
from dashboard.panels import relations_view as view
from dashboard.panels import run_story
from dashboard.panels.path_instances import drill_down
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.segments import segments

home = readers.home()
with states.page(
    "Which relations does the model rely on?", "Attention over behaviours, and the paths it makes."
):
    summary = pick_run(home, prefer=lambda run: view.is_stored(home, run.run_id))
    if summary is None:
        states.empty(
            "No runs yet",
            "Train CIGF on the demo data; it takes under a minute.",
            "home",
            "To the start page",
        )
        st.stop()
    if run_story.embeds_nodes(summary):
        run_story.nodes_instead(summary, "relations between users and items")
        st.stop()
    run = open_run(home, summary.run_id)
    loaded = view.load(run)
    if loaded is None:
        st.stop()
    recipe, attention = loaded
    drawing.context(f"{states.plain(run_title(summary))} · {view.context(run, recipe)}")
    picked = view.controls(run, recipe, attention)
    section.answer(picked)
    section.heatmap(picked)
    st.subheader("Which paths carry the most?", anchor=False)
    section.paths(picked)
    details = {"spread": section.spread, "evolution": section.evolution, "segments": segments}
    shown = selection.pick(
        "detail", "In detail", list(details), title=section.DETAILS.__getitem__, widget="segments"
    )
    with states.guarded():
        details[shown](picked)
    st.subheader("Through whom does a path reach a recommendation?", anchor=False)
    with states.guarded():
        drill_down(picked)
