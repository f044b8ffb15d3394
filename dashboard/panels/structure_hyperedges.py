"""The main figure of the Structure page: how many users and items belong to each hyperedge, and how clearly."""

from typing import Any

import streamlit as st

from dashboard import hyperedges, states
from dashboard.data_profile import percents
from dashboard.drawing import show
from dashboard.figures.structure import hyperedge_bars, largest_hyperedges
from dashboard.glossary import meaning
from dashboard.learned import MOST_LABELS
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import View, no_hyperedges
from dashboard.structure_words import sharpness_sentence, sizes_sentence


def sizes(view: View) -> None:
    """The main figure: how many users and items belong to each hyperedge, and how clearly; then the numbers."""
    stated = view.membership()
    if stated is None:
        absent(view, "hyperedges", no_hyperedges(view))
        return
    moment = view.moment_of(stated)
    table = hyperedges.size_table(stated, moment.epoch)
    even = 1 / stated.finding.axis("hyperedge").size
    st.markdown(
        f"**Share of users and items in each hyperedge, {moment.when()}**, by modality; dotted: an even share",
        help=f"{meaning('hyperedge')} {meaning('membership')}",
    )
    drawn = largest_hyperedges(table)
    show(
        hyperedge_bars(drawn, even=even),
        moment.dated(table),
        name=moment.name("hyperedges"),
        source=f"{stated.finding.source}; bars: mean membership"
        + ("; diamonds: nodes whose largest share it is" if moment.epoch is None else ""),
        alt="Bars: share of users and of items in each hyperedge, by modality",
    )
    edges = table["hyperedge"].nunique()
    states.sampled(min(MOST_LABELS, edges), edges, "hyperedges of each modality, the largest")
    told = sizes_sentence(table)
    if moment.epoch is None:
        told += f" {sharpness_sentence(hyperedges.sharpness_table(stated))}"
    else:
        told += " How clearly single nodes belong to one hyperedge is known of the scored model alone."
    st.markdown(told)
    wide = hyperedges.wide_table(table).dropna(axis="columns")
    counted = wide.columns.intersection(["users", "users_mostly", "items", "items_mostly"])
    st.dataframe(
        percents(wide.round(dict.fromkeys(counted, 0)), "share"),
        hide_index=True,
        height="content" if len(wide) <= 12 else 440,
        column_config=_SIZE_COLUMNS,
        alt="Table of hyperedges with their users and items",
    )


_COUNT: dict[str, Any] = {"format": "localized", "step": 1}
_SIZE_COLUMNS = {
    "users": st.column_config.NumberColumn("users", help=meaning("membership"), **_COUNT),
    "users_mostly": st.column_config.NumberColumn("users mostly", help=meaning("mostly"), **_COUNT),
    "items": st.column_config.NumberColumn("items", help=meaning("membership"), **_COUNT),
    "items_mostly": st.column_config.NumberColumn("items mostly", help=meaning("mostly"), **_COUNT),
    "share": st.column_config.NumberColumn("of users and items", format="%.1f %%"),
}
