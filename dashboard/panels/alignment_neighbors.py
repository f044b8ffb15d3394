"""Item neighbours on the page Alignment: one item's in every graph side by side, and how far the graphs agree over all items."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.findings import Array
from dashboard import alignment_readers, neighbors, selection, states, words
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.item_facts import item_facts
from dashboard.layout import row
from dashboard.neighbors import ItemGraph
from dashboard.panels.alignment_epochs import checked_size
from dashboard.panels.alignment_links import all_links
from dashboard.panels.alignment_view import View, grouped_or_told
from dashboard.panels.item_picker import pick_linked
from dashboard.panels.run_view import absent

MOST_SHOWN = 10


def item_neighbors(view: View) -> None:
    """What links the items: all of them in a table, then one item's neighbours in every graph."""
    graphs = view.graphs()
    if not graphs:
        absent(view, "item links")
        return
    view.stays("Item links do not change in training")
    data = view.data
    groups = grouped_or_told(view)
    if groups is not None:
        checked_size(graphs[0].finding, graphs[0].num_items, groups["item"])
        all_links(view, graphs, groups["item"])
    users = alignment_readers.trained_users(data, view.recipe.fit_on) if data is not None else None
    names: Sequence[str] = (
        item_facts(data).names
        if data is not None
        else [f"item {place}" for place in range(graphs[0].num_items)]
    )
    trained = users.counts() if users is not None else None
    item = _pick(graphs, names, trained)
    if item is None:
        return
    st.markdown(_about(graphs, item, names, trained), help=meaning("item neighbours"))
    beside = _beside(graphs)
    for cell, graph in zip(row("pair", "neighbors", (1, 1)), beside):
        with cell:
            _neighbors(view, graph, graphs, item, names, users)
    st.caption(
        "Trained: training pairs of the neighbour. Shared: users with both items among their training pairs. Also in: other "
        "graphs with the same link.",
        help=meaning("shared users"),
    )


def _beside(graphs: Sequence[ItemGraph]) -> Sequence[ItemGraph]:
    """The first graph and one of the others, which is picked where there are several."""
    if len(graphs) < 3:
        return graphs
    others = {graph.name: graph for graph in graphs[1:]}
    with row("controls", "beside", (3, 4))[0]:
        name = selection.pick(
            "features",
            f"Beside the {graphs[0].title}",
            list(others),
            title=lambda key: others[key].title,
            widget="segments",
        )
    return graphs[0], others[name]


def _pick(graphs: Sequence[ItemGraph], names: Sequence[str], trained: Array | None) -> int | None:
    """The picked item; by default one of the tail that has links. None where nothing has the name looked for."""
    rows = neighbors.ordered_items(graphs, trained)
    if not len(rows):
        st.caption("The graphs of this run hold no links.")
        return None

    def title(place: int) -> str:
        pairs = f", {words.count(int(trained[place]), 'pair')}" if trained is not None else ""
        return f"{words.cut(names[place])} ({place}{pairs})"

    order = "those of the lowest number" if trained is None else "the least trained"
    return pick_linked("neighbors", "item", rows, names, order=order, title=title)


def _about(graphs: Sequence[ItemGraph], item: int, names: Sequence[str], trained: Array | None) -> str:
    first = graphs[0]
    own = set(first.neighbors(item).tolist())
    pairs = f" ({words.count(int(trained[item]), 'training pair')})" if trained is not None else ""
    said = f"**{states.plain(words.cut(names[item]))}**{pairs} has {words.count(len(own), 'neighbour')} {first.among}"
    told = [
        f"{len(own & set(graph.neighbors(item).tolist()))} of them among its {len(graph.neighbors(item))} {graph.among}"
        for graph in graphs[1:]
    ]
    return f"{said}{': ' + ', '.join(told) if told else ''}."


def _neighbors(
    view: View,
    graph: ItemGraph,
    graphs: Sequence[ItemGraph],
    item: int,
    names: Sequence[str],
    users: alignment_readers.TrainedUsers | None,
) -> None:
    others = [other for other in graphs if other is not graph]
    trained = users.counts() if users is not None else None
    table = neighbors.neighbor_table(graph, others, item, names, trained)
    st.markdown(
        f"**{states.plain(graph.title.capitalize())}**", help=states.plain(graph.finding.note) or None
    )
    if table.empty:
        st.caption("No neighbours in this graph.")
        return
    shown = table.head(MOST_SHOWN).copy()
    if users is not None:
        shown["shared"] = users.shared(item, shown["item"].tolist())
    told = shown.drop(columns=["place", "item"]).dropna(axis="columns", how="all")
    st.dataframe(
        told if others else told.drop(columns="also_in"),
        hide_index=True,
        height="content",
        column_order=["title", "cosine", "trained", "shared", "also_in"],
        column_config=_columns(view, graph),
        alt=f"Neighbours of {names[item]} in the {graph.title}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        first = f"The first {MOST_SHOWN} of {len(table):,}. " if len(table) > MOST_SHOWN else ""
        st.caption(f"{first}{graph.finding.source}", width="stretch")
        csv_button(table.assign(of=item), f"{graph.finding.key}-{item}-{view.run.run_id}")


def _columns(view: View, graph: ItemGraph) -> dict[str, Any]:
    is_binary = graph.finding.key == neighbors.BEHAVIOR and view.recipe.config.get("link_weights") == "binary"
    number = st.column_config.NumberColumn
    return {
        "title": st.column_config.TextColumn("item", width=205),
        "cosine": number("weight" if is_binary else "cosine", format="%.4f", width=66),
        "trained": number("trained", format="localized", width=66),
        "shared": number("shared", format="localized", width=62),
        "also_in": st.column_config.TextColumn("also in", width=92),
    }
