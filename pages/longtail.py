"""Long tail: how well popular and rarely bought items are recommended, to whom, and what another run does to them."""

from functools import partial

import streamlit as st

from dashboard import drawing, readers, selection, states
from dashboard.panels import longtail_groups as section
from dashboard.panels import longtail_tests as tests
from dashboard.panels import longtail_view as view
from dashboard.panels.longtail_items import single_items
from dashboard.panels.longtail_shown import shown_items
from dashboard.panels.run_list import pick_run, run_title

home = readers.home()
with states.page(
    "Who gains: popular items or the long tail?",
    "Test pairs by how popular their item is and how active their user, for any recommender and against any other run.",
):
    summary = pick_run(home, prefer=view.is_tested)
    if summary is None:
        states.empty(
            "No runs yet",
            "Train EASE on the demo data; it takes a few seconds.",
            "train",
            "Set up a run",
            system="ease",
        )
        st.stop()
    line, answer = st.container(), st.empty()
    picked = view.load(home, summary)
    with line:
        about = view.context(picked) if picked else ""
        drawing.context(" · ".join(filter(None, (states.plain(run_title(summary)), about))))
    if picked is None:
        st.stop()
    cut = section.values(picked, section.item_cut(picked))
    answer.markdown(section.first_words(picked, cut))
    details = {
        "users": ("For whom?", partial(tests.by_users, picked)),
        "shown": ("What is recommended?", partial(shown_items, picked)),
        "items": ("Which items?", partial(single_items, picked)),
    }
    shown = selection.pick(
        "longtail", "In detail", list(details), title=lambda d: details[d][0], widget="segments"
    )
    with states.guarded():
        details[shown][1]()
    tests.differences(picked, cut, answer)
