"""The sections of the Data page about a heterogeneous graph: key figures, metapaths, nodes, relations and labels."""

from typing import Any

import streamlit as st

from dashboard import data_graph, data_profile, states
from dashboard.drawing import show
from dashboard.figures.metapaths import homophily_bars
from dashboard.glossary import meaning
from dashboard.layout import row

Told = dict[str, Any]
_COUNT: dict[str, Any] = {"format": "localized"}
_PERCENT: dict[str, Any] = {"format": "%.2f %%"}


def figures(told: Told) -> None:
    """The key numbers of a graph in a row."""
    target = told["target_type"]
    cells = row("controls", "key-figures", (1,) * 6)
    cells[0].metric("Nodes", f"{sum(told['nodes'].values()):,}")
    cells[1].metric("Edges", f"{sum(told['edges'].values()):,}")
    cells[2].metric(f"To classify: {target}", f"{told['nodes'][target]:,}", help=meaning("target type"))
    cells[3].metric("Classes", f"{told['classes']:,}")
    cells[4].metric("With a label", f"{sum(told['class_sizes']):,}")
    cells[5].metric("Labels per class", data_graph.labelled(told), help=meaning("label settings"))


def metapaths(told: Told) -> None:
    """How often each metapath joins nodes of one class, as a figure, and its numbers."""
    st.markdown(
        "**What metapaths say about the classes**", help=f"{meaning('metapath')} {meaning('homophily')}"
    )
    table = data_graph.metapath_table(told)
    show(
        homophily_bars(table, told["homophily_by_chance"]),
        table,
        name=f"metapaths-{told['name']}",
        source=f"Pairs of labelled {told['target_type']} nodes that the walk joins, self-loops left out; dotted: any two of them",
        alt="Bars of the share of each metapath's pairs that are of one class",
    )
    st.dataframe(
        data_profile.percents(table, "density", "homophily"),
        hide_index=True,
        placeholder="–",
        column_config={
            "pairs": st.column_config.NumberColumn(
                "pairs", **_COUNT, help="Entries of its matrix, self-loops included"
            ),
            "density": st.column_config.NumberColumn("of all pairs", **_PERCENT),
            "homophily": st.column_config.NumberColumn(
                "of one class", format="%.1f %%", help=meaning("homophily")
            ),
            "alone": st.column_config.NumberColumn("nodes joined to no other", **_COUNT),
        },
        alt="Table of metapaths",
    )


def contents(told: Told) -> None:
    """Nodes, relations, classes and label settings as tables."""
    left, right = row("pair", "graph", (5, 5))
    with left:
        st.markdown("**Nodes**", help=meaning("target type"))
        st.dataframe(
            data_profile.percents(data_graph.node_table(told), "not zero"),
            hide_index=True,
            placeholder="–",
            column_config={
                "nodes": st.column_config.NumberColumn("nodes", **_COUNT),
                "without an edge": st.column_config.NumberColumn("without an edge", **_COUNT),
                "features": st.column_config.NumberColumn(
                    "feature dims", **_COUNT, help="A type without features gets an embedding table"
                ),
                "not zero": st.column_config.NumberColumn("not zero", format="%.3g %%"),
            },
            alt="Table of node types",
        )
    with right:
        st.markdown("**Relations**")
        st.dataframe(
            data_graph.relation_table(told),
            hide_index=True,
            column_config={
                "edges": st.column_config.NumberColumn("edges", **_COUNT),
                "per source": st.column_config.NumberColumn("per node of the first", format="%.2f"),
                "per destination": st.column_config.NumberColumn("of the second", format="%.2f"),
            },
            alt="Table of relations",
        )
    left, right = row("pair", "graph-labels", (5, 5))
    with left:
        st.markdown(f"**Classes of {states.plain(told['target_type'])}**")
        st.dataframe(
            data_profile.percents(data_graph.class_table(told), "share"),
            hide_index=True,
            placeholder="–",
            column_config={
                "nodes": st.column_config.NumberColumn("nodes", **_COUNT),
                "share": st.column_config.NumberColumn("of the labelled", format="%.1f %%"),
            },
            alt="Table of classes",
        )
    with right:
        st.markdown("**Label settings**", help=meaning("label settings"))
        st.dataframe(
            data_graph.setting_table(told),
            hide_index=True,
            column_config=dict.fromkeys(data_graph.PARTS.values(), st.column_config.NumberColumn(**_COUNT)),
            alt="Table of label settings",
        )
