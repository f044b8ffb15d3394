"""Experts: which experts decide a recommendation, whether tasks get in each other's way, and for whom."""

from functools import partial

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import experts_gates as section
from dashboard.panels import experts_view as view
from dashboard.panels.experts_conflict import tasks_conflict
from dashboard.panels.experts_groups import groups
from dashboard.panels.experts_heads import side_by_side
from dashboard.panels.experts_pairs import decided_pairs
from dashboard.panels.run_list import pick_run, run_title

home = readers.home()
with states.page(
    "Which experts decide a recommendation, and do the tasks get in each other's way?",
    "Every behaviour is a task, and each task mixes experts by a gate.",
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
    line = st.container()
    picked = view.load(home, summary)
    with line:
        drawing.context(f"{states.plain(run_title(summary))} · {view.context(picked)}")
    view.follow(picked)
    if picked.finding is None:
        view.no_gates(picked)
    else:
        section.answer(picked)
        section.figures(picked)
        section.entropy_and_load(picked)
    st.subheader("Do the tasks get in each other's way?", anchor=False)
    with states.guarded():
        tasks_conflict(picked)
    details = {
        "groups": ("For whom?", partial(groups, home)),
        "evolution": ("How did it come about?", section.evolution),
        "heads": ("MESI beside MMOE and PLE", partial(side_by_side, home)),
        "pairs": ("Which pairs?", decided_pairs),
    }
    shown = selection.pick(
        "experts", "In detail", list(details), title=lambda d: details[d][0], widget="segments"
    )
    with states.guarded():
        details[shown][1](picked)
