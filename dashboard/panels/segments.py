"""On planted data: attention by the user segments that the generator knows and the model never saw."""

import numpy as np
import streamlit as st

from core.errors import DataError
from core.findings import Array
from dashboard import readers, relations
from dashboard.drawing import is_dark, show
from dashboard.figures.heatmap import segment_heatmap
from dashboard.glossary import meaning
from dashboard.panels.relations_view import View


def segments(view: View) -> None:
    """Attention of each segment's users, and whether it follows what was planted."""
    data = readers.dataset(readers.home(), view.recipe.dataset)
    if not data.info.planted:
        st.caption("Only planted data has a truth to compare with; this data set is real.")
        return
    try:
        truth = data.truth("users")
    except DataError:
        st.caption("This data set keeps no truth about its users.")
        return
    members: dict[str, Array] = {
        str(name): part["user"].to_numpy(np.int64) for name, part in truth.groupby("segment", observed=True)
    }
    decisive = dict(zip(truth["segment"].astype(str), truth["decisive_relation"].astype(str)))
    table = relations.segment_table(view.attention, members, view.start, view.order)
    st.markdown(
        f"Order {view.order}, paths that start with **{view.start}**. "
        ":violet-badge[planted truth] The segments come from the generator; the model never saw them.",
        help=meaning("segment"),
    )
    for sentence in relations.segment_sentences(table, decisive):
        st.markdown(f"- {sentence}")
    show(
        segment_heatmap(table, dark=is_dark()),
        table,
        name=view.name(f"segments-{view.start}-{view.order}"),
        source=f"{view.attention.source}; segments: planted truth",
        alt="Heatmap of mean attention by planted user segment and relation",
    )
