"""The held-out pairs behind the gates on the Experts page: which ones lean most on one expert."""

import streamlit as st

from dashboard import gates, readers, selection, states
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.experts_view import View

MOST_PAIRS = 20


def decided_pairs(view: View) -> None:
    """Pick an expert; the pairs whose gate of the chosen task leans most on it, with user, item and all gates."""
    if view.finding is None:
        st.caption("This run has no gates, so no pair is decided by an expert.")
        return
    now = view.now
    about = gates.task_gate(now, view.task)
    with row("controls", "pairs", (3, 7))[0]:
        expert = selection.pick(
            "expert", "Decided most by", now.experts, default=about.leaders[0], help=meaning("expert")
        )
    data = readers.dataset(readers.home(), view.recipe.dataset)
    changed = data.info.content_hash != view.recipe.dataset_hash
    titles = [] if changed else readers.titles(data)
    table = gates.decided_pairs(now, view.task, expert, titles, now.pairs)
    st.markdown(
        f"**Pairs whose gate of {states.plain(view.task)} leans most on {states.plain(expert)}, {view.moment.when()}**",
        help=meaning("held-out pairs"),
    )
    if changed:
        st.caption(
            ":orange[The data set has changed since this run was trained: items are told by number only.]"
        )
    shares = st.column_config.NumberColumn(format="%.1f %%", help=meaning("gate"))
    st.dataframe(
        table.head(MOST_PAIRS).assign(**{name: 100 * table[name] for name in now.experts}),
        hide_index=True,
        column_config={"item": None, "title": "item"} | dict.fromkeys(now.experts, shares),
        alt=f"Table of pairs decided most by {expert}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"{view.finding.source}; the first {min(MOST_PAIRS, now.pairs)} of {now.pairs:,} held-out pairs; the file has all.",
            width="stretch",
        )
        csv_button(
            view.moment.dated(table), view.moment.name(f"pairs-{view.task}-{expert.replace(' ', '-')}")
        )
