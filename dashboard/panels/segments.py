"""On planted data: does attention follow the user segments that the generator knows and the model never saw?"""

import numpy as np
import streamlit as st

from core.errors import DataError
from core.findings import Array
from dashboard import planted, readers, votes
from dashboard.drawing import is_dark, show
from dashboard.figures.heatmap import segment_heatmap
from dashboard.figures.intervals import difference_intervals
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.relations_view import View, order_control, start_control


def segments(view: View) -> None:
    """The verdict, each segment against all other users from every start, and how segments weigh all relations."""
    data = readers.dataset(readers.home(), view.recipe.dataset)
    if not data.info.planted:
        st.caption("Only planted data has a truth to compare with; this data set is real.")
        return
    try:
        truth = data.truth("users")
    except DataError:
        st.caption("This data set keeps no truth about its users.")
        return
    view.stays("Attention of single users")
    if view.group != "user":
        st.caption(":orange-badge[users] Segments are groups of users: this part shows users, not items.")
    if votes.is_one_for_all(str(view.recipe.config.get("attention", ""))):
        st.caption(
            "With attention = global all users share one weight by design (CIGF, Table 4), so segments cannot differ. "
            "Look at a run whose attention is personal."
        )
        return
    members: dict[str, Array] = {
        str(name): part["user"].to_numpy(np.int64) for name, part in truth.groupby("segment", observed=True)
    }
    decisive = dict(zip(truth["segment"].astype(str), truth["decisive_relation"].astype(str)))
    with row("controls", "segments-order", (3, 7))[0]:
        order = order_control(view)
    _verdict(view, members, decisive, order)
    _all_relations(view, members, order)


def _verdict(view: View, members: dict[str, Array], decisive: dict[str, str], order: str) -> None:
    table = planted.comparisons(view.attention, members, decisive, order)
    if table.empty:
        st.caption("The model weighs none of the relations that were planted.")
        return
    st.markdown(planted.overall(table), help=meaning("planted verdict"))
    for sentence in planted.sentences(table):
        st.markdown(f"- {sentence}")
    st.caption(
        ":violet-badge[planted truth] The segments come from the generator; the model never saw them.",
        help=meaning("segment"),
    )
    st.markdown(
        f"**Each segment against all other users, order {order}, of the scored model**: attention to its decisive relation, "
        "from every start behaviour",
        help=meaning("start behaviour"),
    )
    show(
        difference_intervals(table),
        view.dated(table, follows=False),
        name=view.name(f"planted-{order}", follows=False),
        source=f"{view.attention.source}; bars: 95 % interval over users (Welch) for this one trained model; "
        "blue: more, orange: less, open: no difference",
        alt="Differences in attention to the decisive relation with 95 % intervals, by segment and start behaviour",
    )


def _all_relations(view: View, members: dict[str, Array], order: str) -> None:
    with row("controls", "segments-start", (3, 7))[0]:
        start = start_control(view)
    st.markdown(
        f"**Difference from the mean of all users, order {order}, start behaviour {start}, of the scored model**: "
        "all relations. Its colours have a scale of their own, centred at no difference.",
    )
    table = planted.segment_table(view.attention, members, start, order)
    show(
        segment_heatmap(table, dark=is_dark()),
        view.dated(table, follows=False),
        name=view.name(f"segments-{start}-{order}", follows=False),
        source=f"{view.attention.source}; segments: planted truth; blue: above the mean of all users, orange: below",
        alt="Heatmap of each segment's attention minus the mean of all users, by relation",
    )
