"""Edges on the Information page: how many each graph keeps, and how their weights spread."""

import pandas as pd
import streamlit as st

from core.catalog.hgib import HGIBConfig
from dashboard import refinement, states
from dashboard.drawing import show
from dashboard.figures.edges import keep_rates, weight_histograms
from dashboard.glossary import meaning
from dashboard.information import extreme
from dashboard.layout import row
from dashboard.panels.information_levels import small_percent
from dashboard.panels.information_view import KEEP, WEIGHTS, View
from dashboard.panels.run_view import absent
from dashboard.refinement import EVALUATION, TRAINING


def edges(view: View) -> None:
    """How many edges each graph keeps, as a sentence, a figure and a table."""
    keep = view.stated(KEEP)
    if keep is None:
        absent(view, "edge weights", by_design(view))
        return
    table = refinement.keep_table(keep, view.readable(WEIGHTS), view.moment.epoch)
    moment = view.moment_of(keep)
    st.markdown(_kept_sentence(view, table), help=f"{meaning('edge refinement')} {meaning('keep rate')}")
    left, right = row("pair", "keep", (3, 4))
    with left:
        st.markdown(f"**Edges kept by graph, {moment.when()}**", help=meaning("keep rate"))
        show(
            keep_rates(table),
            moment.dated(table),
            name=moment.name("edges-kept"),
            source=f"{keep.finding.source}; in training noise decides too, so the expected share is shown",
            alt="Share of edges kept by graph, in training and in evaluation",
        )
    with right:
        st.markdown("**In numbers**", help=meaning("edge weight"))
        st.dataframe(
            table.assign(**{name: 100 * table[name] for name in (TRAINING, EVALUATION)}),
            hide_index=True,
            placeholder="–",
            height="content",
            column_order=["graph", "edges", TRAINING, "dropped", EVALUATION, "weight"],
            column_config=_KEEP_COLUMNS,
            alt="Table of edges kept by graph",
        )


def by_design(view: View) -> str:
    """Why a run has no edge weights where that is how it was made; empty where it is not."""
    config = view.recipe.system_config()
    if not isinstance(config, HGIBConfig):
        return "Edge refinement is a part of HGIB: this run has none to show."
    if config.refinement == "none":
        return (
            "No edge weights: this run was trained without edge refinement (GRE), so every edge counts 1 and none is "
            "dropped."
        )
    return ""


def drawn(view: View) -> str:
    """Whether evaluation draws edges."""
    is_noisy = view.hgib is not None and view.hgib.as_released
    return "with noise, as in the released code" if is_noisy else "without noise"


def _kept_sentence(view: View, table: pd.DataFrame) -> str:
    config = view.hgib
    least = extreme(table, TRAINING, least=True)
    dropped = 1 - float(least[TRAINING])
    if dropped <= 0:
        said = "**No graph drops an edge**, in training or later."
    else:
        named = states.plain(least["graph"])
        said = f"***{named}* drops most**: {small_percent(dropped)} of its edges in training"
        said += f", {small_percent(1 - float(least[EVALUATION]))} in evaluation, {drawn(view)}."
    if config is not None and config.refinement == "random":
        said += (
            " Its weights are dealt to edges at random: the same number is dropped, but not the same edges."
        )
    weights = table["weight"].dropna()
    if len(weights):
        said += f" Kept edges are weighed: mean weights run from {weights.min():.2f} to {weights.max():.2f}."
    return said


_KEEP_COLUMNS = {
    "graph": st.column_config.TextColumn("graph", width=150, help=meaning("level")),
    "edges": st.column_config.NumberColumn("edges", format="localized"),
    TRAINING: st.column_config.NumberColumn("kept, training", format="%.2f %%", help=meaning("keep rate")),
    "dropped": st.column_config.NumberColumn(
        "dropped", format="%.0f", help="Edges expected to be dropped in training"
    ),
    EVALUATION: st.column_config.NumberColumn(
        "kept, evaluation", format="%.2f %%", help=meaning("keep rate")
    ),
    "weight": st.column_config.NumberColumn("mean weight", format="%.2f", help=meaning("edge weight")),
}


def weights(view: View) -> None:
    """How the weights of each graph's edges spread."""
    stated = view.stated(WEIGHTS)
    if stated is None:
        absent(view, "edge weights", by_design(view))
        return
    moment = view.moment_of(stated)
    table = refinement.histogram_table(stated, moment.epoch)
    st.markdown(f"**How weights spread, {moment.when()}**, {drawn(view)}", help=meaning("edge weight"))
    show(
        weight_histograms(table),
        moment.dated(table),
        name=moment.name("edge-weights"),
        source=f"{stated.finding.source}; share of a graph's edges by weight, the highest bar labelled; orange: the bin that holds pruned edges",
        alt="Histograms of edge weights, one panel per graph",
    )
