"""Compare: which of the picked runs is better, on what, and whether the difference is more than chance."""

import streamlit as st

from dashboard import readers, states
from dashboard.panels import compare_details as details
from dashboard.panels import compare_sections as section
from dashboard.panels import compare_tests
from dashboard.panels import compare_view as view

home = readers.home()
with states.page(
    "Which of these runs is better, and on what?",
    "Metrics, tests, curves and settings side by side. Results that do not compare are kept apart.",
):
    if not readers.runs(home):
        states.empty(
            "No runs yet",
            "Train two systems on the demo data, then compare them here.",
            "train",
            "Set up a run",
        )
        st.stop()
    picked = view.pick_runs(home)
    if not picked.entries and not picked.broken:
        states.empty(
            "No runs picked",
            "Pick two or more above, or tick them in the table of runs.",
            "runs",
            "To the table of runs",
        )
        st.stop()
    context, answer = st.empty(), st.empty()
    shown = view.controls(picked)
    context.caption(view.context(shown))
    section.first_words(shown, answer)
    asked = None
    if shown.benches and shown.metric:
        with states.guarded():
            section.metrics(shown, shown.benches[0])
        with states.guarded():
            asked = compare_tests.ask(shown, shown.benches[0])
        section.kept_apart(shown)
    section.left_out(shown)
    if shown.entries:
        details.chosen(shown)
    if asked:
        compare_tests.tests(shown, shown.benches[0], asked, answer)
