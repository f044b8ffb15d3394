"""Information: what each level of a hierarchical model keeps, which edges it drops, and what each part contributes."""

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import information_details as closer
from dashboard.panels import information_levels as levels
from dashboard.panels import information_view as view
from dashboard.panels.information_edges import edges, weights
from dashboard.panels.information_fusion import fused
from dashboard.panels.information_noise import found_noise, noise_in_short
from dashboard.panels.information_parts import contributed
from dashboard.panels.noise_study import noise_study
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.run_view import context

home = readers.home()
with states.page(
    "What does each level keep, and which edges does it drop?",
    "Hierarchical models pass users and items from graph to graph; HGIB weighs their edges, too.",
):
    summary = pick_run(home, prefer=lambda run: view.is_stored(home, run.run_id))
    if summary is None:
        states.empty(
            "No runs yet",
            "Train HGIB on the demo data; it takes about a minute.",
            "home",
            "To the start page",
        )
        st.stop()
    line = st.container()
    picked = view.load(home, summary)
    with line:
        drawing.context(f"{states.plain(run_title(summary))} · {context(picked)}")
    view.follow(picked)
    if not view.is_stored(home, summary.run_id):
        view.no_levels(picked)
    else:
        with states.guarded():
            levels.answer(picked)
            levels.abundance(picked)
    st.subheader("Which edges does it drop?", anchor=False)
    with states.guarded():
        edges(picked)
        noise_in_short(picked)
    details = {
        "parts": ("What does each part contribute?", contributed),
        "weights": ("Edge weights", weights),
        "noise": ("Planted noise", found_noise),
        "fusion": ("Fusion", fused),
        "spectra": ("Singular values", closer.spectrum),
        "dependence": ("Dependence (HSIC)", closer.dependence),
        "preservation": ("Preservation", closer.preservation),
        "study": ("Noise study", lambda picked: noise_study(home, picked.summary)),
    }
    shown = selection.pick(
        "information", "In detail", list(details), title=lambda d: details[d][0], widget="segments"
    )
    with states.guarded():
        details[shown][1](picked)
