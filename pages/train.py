"""Train: choose data, system and settings, see what differs from the paper's preset, and queue the runs."""

import streamlit as st

from dashboard import readers, states, words
from dashboard.layout import row
from dashboard.navigation import link
from dashboard.panels.queue import live_queue
from dashboard.panels.training_form import draft, review
from dashboard.training_choices import fitting_systems

home = readers.home()
with states.page(
    "What should be trained, and how?",
    "One run per seed. Everything here is stored with the run and in the address.",
):
    datasets = [data for data in readers.datasets(home) if fitting_systems(data)]
    if not datasets:
        states.empty(
            "No data yet",
            "Write the demo data from the start page, or import your own, here or with "
            f"`{words.command('python -m core import')}`.",
            "home",
            "To the start page",
        )
        link("import", "Import data", icon=":material/upload_file:")
        st.stop()
    form, side = row("split", "train", (7, 3))
    with form, states.guarded():
        review(draft(datasets), home)
    with side:
        st.subheader("Slots and queue", anchor=False)
        live_queue(home)
