"""Home: what RelScope is, what this machine offers, what ran last, and the shortest way to a first result."""

import time

import streamlit as st

from dashboard import readers, states, words
from dashboard.layout import row
from dashboard.navigation import link
from dashboard.panels.demo import demo_card
from dashboard.panels.queue import live_queue
from dashboard.panels.run_list import recent
from dashboard.panels.training_form import data_title

home = readers.home()
with states.page(
    "What did your recommender learn from each behaviour?",
    "RelScope trains relation-aware recommenders and models of heterogeneous graphs on your machine, and shows what they "
    "learned: which behaviours they rely on, for whom, and through whom; which metapaths tell the classes of nodes.",
):
    runs = readers.runs(home)
    main, side = row("split", "home", (7, 3))
    with main:
        st.subheader("Start here", anchor=False)
        demo_card(home, runs)
        st.subheader("Latest runs", anchor=False)
        if runs:
            recent(runs[:6], time.time())
        else:
            st.caption("Nothing has been trained here yet.")
    with side:
        st.subheader("This machine", anchor=False)
        live_queue(home, with_queue=False)
        st.subheader("Data", anchor=False)
        for data in readers.datasets(home):
            link(
                "data",
                f"{states.plain(data.name)}: {data_title(data)}",
                icon=":material/database:",
                dataset=data.name,
            )
        link("import", "Import your own data", icon=":material/upload_file:")
        st.caption(f"Or type `{words.command('python -m core import')}`.")
