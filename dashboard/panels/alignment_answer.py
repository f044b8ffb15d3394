"""The answer of the page Alignment for systems that weigh no alignment but fuse modalities or link items."""

import streamlit as st

from core.catalog.systems import CATALOG
from dashboard.glossary import meaning
from dashboard.panels.alignment_links import links_in_words
from dashboard.panels.alignment_modalities import in_words
from dashboard.panels.alignment_view import ATTENTION, View


def other_answer(view: View) -> None:
    """What the fusion takes, or without one how far the item graphs agree."""
    attention = view.stated(ATTENTION)
    said = in_words(view, attention) if attention is not None else links_in_words(view)
    if said:
        term = "modality attention" if attention is not None else "overlap of neighbours"
        st.markdown(f"#### {said.replace('**', '')}", help=meaning(term), anchors=False)
    st.caption(
        f"{CATALOG[view.recipe.system].title} states no degree of alignment; what it does state follows. EGRA runs show "
        "agreement and weights."
    )
