"""Alignment: whether modalities agree with behaviour, what a fusion takes from each, and which items are linked."""

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import alignment_view as view
from dashboard.panels.alignment_answer import other_answer
from dashboard.panels.alignment_epochs import aligned
from dashboard.panels.alignment_modalities import alarm, shared_out
from dashboard.panels.alignment_neighbors import item_neighbors
from dashboard.panels.run_lineage import lineage_details
from dashboard.panels.run_list import pick_run, run_title
from dashboard.panels.run_view import context

home = readers.home()
with states.page(
    "Do modalities agree with behaviour, and what links the items?",
    "EGRA aligns what people do with what items look and read like, and links items that a pretrained model finds alike.",
):
    summary = pick_run(home, prefer=view.preference(home))
    if summary is None:
        states.empty(
            "No runs yet",
            "Train EGRA on the demo data; it takes about a minute, pretraining included.",
            "train",
            "Set up a run",
            system="egra",
        )
        st.stop()
    line = st.container()
    picked = view.load(home, summary)
    with line:
        drawing.context(f"{states.plain(run_title(summary))} · {context(picked)}")
        view.reconstructed(picked)
    view.follow(picked)
    if not view.stored_keys(picked.run):
        view.nothing(picked)
        st.stop()
    with states.guarded():
        if (found := alarm(picked)) is not None:
            st.warning(f":orange-badge[{found.name}] {found.text}", icon=":material/warning:")
    with states.guarded():
        (aligned if picked.egra is not None else other_answer)(picked)
    details = {
        "modalities": ("What does the fusion take?", shared_out),
        "neighbors": ("What links the items?", item_neighbors),
        "lineage": ("What does it build on?", lineage_details),
    }
    default = "modalities" if readers.has_finding(picked.run, view.ATTENTION) else "neighbors"
    shown = selection.pick(
        "alignment",
        "In detail",
        list(details),
        default=default,
        title=lambda d: details[d][0],
        widget="segments",
    )
    with states.guarded():
        details[shown][1](picked)
