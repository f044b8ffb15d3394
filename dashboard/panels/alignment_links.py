"""Item links on the page Alignment, over all items: how many, how far the graphs agree, whether the tail reaches the head."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import alignment_readers, neighbors, readers, words
from dashboard.compare_tables import MISSING
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.neighbors import ItemGraph
from dashboard.node_groups import NodeGroups
from dashboard.panels.alignment_epochs import checked_size, with_interval
from dashboard.panels.alignment_view import ATTENTION, DEGREE, View


def all_links(view: View, graphs: Sequence[ItemGraph], groups: NodeGroups) -> None:
    """How far the graphs agree, and whether the tail reaches the head."""
    table = neighbors.summary_table(graphs, groups, alignment_readers.overlaps(view.run, graphs))
    if readers.has_finding(view.run, DEGREE) or readers.has_finding(view.run, ATTENTION):
        st.markdown(in_words(graphs, groups, table), help=meaning("overlap of neighbours"))
    st.dataframe(
        _told(graphs, table),
        hide_index=True,
        height="content",
        column_config=_SUMMARY
        | {f"overlap, {g.name}": st.column_config.TextColumn(alignment="right") for g in graphs},
        alt="Table of links, overlap of neighbours and links to the head by popularity of the item",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        sources = "; ".join(dict.fromkeys(graph.finding.source for graph in graphs))
        others = [f"{table.iloc[-1][f'links_{graph.name}']:.1f} {graph.among}" for graph in graphs[1:]]
        st.caption(
            f"{sources}. Links {graphs[0].among}{', beside ' + ', '.join(others) if others else ''}. Overlap: mean Jaccard index "
            "with these neighbours, ± half a 95 % interval over items.",
            width="stretch",
        )
        csv_button(table, f"item-links-{view.run.run_id}")


def links_in_words(view: View) -> str:
    """What the graphs say in a sentence, for a page that has nothing else to answer with; empty without data or links."""
    graphs, groups = view.graphs(), view.groups()
    if not graphs or groups is None:
        return ""
    checked_size(graphs[0].finding, graphs[0].num_items, groups["item"])
    table = neighbors.summary_table(graphs, groups["item"], alignment_readers.overlaps(view.run, graphs))
    return in_words(graphs, groups["item"], table)


def in_words(graphs: Sequence[ItemGraph], groups: NodeGroups, table: pd.DataFrame) -> str:
    """How many neighbours, how far the graphs agree, and whether the tail reaches the head."""
    whole, first = table.iloc[-1], graphs[0]
    overlaps = {graph.among: float(whole[f"overlap_{graph.name}"]) for graph in graphs[1:]}
    parts = [  # a graph without links overlaps with none
        f"{words.percent(overlap)} with those {among}"
        for among, overlap in overlaps.items()
        if not np.isnan(overlap)
    ]
    start = f"{first.among[:1].upper()}{first.among[1:]}"
    said = f"{start} an item has {whole[f'links_{first.name}']:.1f} neighbours on average"
    said += f"; they overlap by **{' and '.join(parts)}**" if parts else ""
    if groups.grouping.count < 2:
        return f"{said}."
    tail, reached = groups.is_tail, neighbors.reaches(first, groups.is_head)[groups.is_tail]
    return (
        f"{said}. Of {words.count(int(tail.sum()), 'tail item')}, never trained ones included, {int(reached.sum()):,} "
        f"(**{words.percent(float(reached.mean()))}**) are linked to a head item."
    )


def _told(graphs: Sequence[ItemGraph], table: pd.DataFrame) -> pd.DataFrame:
    shown = table[["title", "items"]].assign(links=table[f"links_{graphs[0].name}"])
    shown["linked to the head"] = 100 * table["to_head"]
    for graph in graphs[1:]:
        columns = table[[f"{part}_{graph.name}" for part in ("overlap", "low", "high")]]
        shown[f"overlap, {graph.name}"] = [
            with_interval(*ends) if ends[0] == ends[0] else MISSING for ends in columns.to_numpy().tolist()
        ]
    return shown


_SUMMARY = {
    "title": st.column_config.TextColumn("training pairs", help=meaning("node group")),
    "items": st.column_config.NumberColumn("items", format="localized"),
    "links": st.column_config.NumberColumn("mean links", format="%.1f", help=meaning("item neighbours")),
    "linked to the head": st.column_config.NumberColumn(
        "linked to the head", format="%.1f %%", help=meaning("linked to the head")
    ),
}
