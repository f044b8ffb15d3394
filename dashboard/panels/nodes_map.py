"""The map of embeddings on the Nodes page: coloured by class, cluster or verdict; what is selected goes to a table."""

from typing import Any, cast

import pandas as pd
import streamlit as st

from core.runs import projections
from core.runs.projections import Method
from dashboard import node_readers, nodes, selection, states, words
from dashboard.drawing import csv_button
from dashboard.figures.nodes import MOST_GROUPS, VERDICT_LOOKS, node_map
from dashboard.figures.template import export_config
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.nodes_view import View
from dashboard.panels.run_view import absent

_METHODS: dict[Method, str] = {"pca": "principal components", "umap": "UMAP"}
_LEVELS = {
    "h": "embeddings that are classified",
    "latent": "latent means",
    "mean": "means that are classified",
    "metapaths": "metapath view",
    "schema": "schema view",
}
_COLOURS = {"class": "class", "cluster": "cluster", "verdict": "verdict of classifiers"}
_MOST_POINTS = 60_000
_LOOK_EVERY = 2.0


def node_maps(view: View) -> None:
    """Pick embeddings, method and colour; the map, and a table of the nodes that are selected on it."""
    entry, levels = view.entry(), projections.levels(view.run)
    if entry is None or not levels:
        absent(view, "embeddings")
        return
    view.stays("The map")
    level, method, by, size = _controls(levels, nodes.sizes_of(entry))
    places = node_readers.mapped(view.run, level, method)
    if places is None:
        _make(view, level, method)
        return
    titles = nodes.class_titles(entry)
    clusters = node_readers.clusters(view.run)
    votes = view.votes(size)
    if clusters is None or votes is None:
        absent(view, "clusters and predictions")
        return
    own = clusters[clusters["protocol"] == view.recipe.protocol.key].set_index("node")
    table = nodes.node_table(places, own["label"], own["cluster"], votes, titles, view.names(len(places)))
    shown = table if len(table) <= _MOST_POINTS else table.sample(_MOST_POINTS, random_state=0)
    order = {
        "class": [*titles, "none"],
        "cluster": [*(f"cluster {c + 1}" for c in range(len(titles))), "none"],
        "verdict": list(VERDICT_LOOKS),
    }[by]
    _draw(view, table, shown, by, order, (level, method))


def level_title(level: str) -> str:
    """`h_20`, of a system with embeddings per label setting, as `embeddings of 20 labels`."""
    name, _, size = level.partition("_")
    return f"embeddings of {size} labels" if name == "h" and size else _LEVELS.get(level, level)


def _controls(levels: list[str], sizes: list[int]) -> tuple[str, Method, str, int]:
    cells = row("controls", "map", (3, 3, 3, 3))
    with cells[0]:
        level = selection.pick(
            "level", "Embeddings", levels, default="h" if "h" in levels else levels[0], title=level_title
        )
    with cells[1]:
        methods = [str(name) for name in _METHODS]
        method = selection.pick(
            "method", "Map by", methods, title=lambda m: _METHODS[cast(Method, m)], help=meaning("map")
        )
    with cells[2]:
        by = selection.pick("colour", "Colour", list(_COLOURS), title=_COLOURS.__getitem__)
    size = sizes[0]
    if by == "verdict":
        with cells[3]:
            size = int(
                selection.pick(
                    "labels", "Labels per class", [str(s) for s in sizes], help=meaning("label setting")
                )
            )
    return level, cast(Method, method), by, size


def _draw(
    view: View, table: pd.DataFrame, shown: pd.DataFrame, by: str, order: list[str], what: tuple[str, Method]
) -> None:
    level, method = what
    st.markdown(
        f"**Every node of the graph, {states.plain(level_title(level))}**, by {_METHODS[method]}; draw around nodes to list them",
        help=meaning("map"),
    )
    name = f"map-{level}-{method}-{by}-{view.run.run_id}"
    buttons = ["toImage", "lasso2d", "select2d", "zoom2d", "resetScale2d"]
    event = st.plotly_chart(
        node_map(shown, by, order[:MOST_GROUPS]),
        key=f"figure:{name}",
        on_select="rerun",
        selection_mode=("lasso", "box", "points"),
        config=export_config(name) | {"modeBarButtons": [buttons]},
        alt=f"Map of all nodes by {_METHODS[method]}, coloured by {by}",
    )
    states.sampled(len(shown), len(table), "nodes")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"{_METHODS[method]} of {states.plain(level)}; distances between far groups mean little.",
            width="stretch",
        )
        csv_button(table, name)
    points = cast(dict[str, Any], event).get("selection", {}).get("points", [])
    chosen = {int(point["customdata"][0]) for point in points if point.get("customdata")}
    _selected(table[table["node"].isin(chosen)], len(table), view)


def _selected(table: pd.DataFrame, total: int, view: View) -> None:
    """The nodes inside the selection, with what their classes are."""
    if table.empty:
        st.caption("Nothing is selected: draw a line around nodes, or click one.")
        return
    counts = table["class"].value_counts()
    parts = ", ".join(f"{count:,} {states.plain(str(name))}" for name, count in counts.head(4).items())
    st.markdown(f"**{words.count(len(table), 'node')} selected of {total:,}**: {parts}")
    columns = ["node", "name", "class", "cluster", "predicted", "right"]
    st.dataframe(
        table[columns].assign(right=100 * table["right"]),
        hide_index=True,
        height=360,
        column_config={
            "right": st.column_config.NumberColumn(
                "classifiers right",
                format="%.0f %%",
                help="Of the classifiers of the label setting; empty for nodes not tested.",
            )
        },
        alt="Table of the selected nodes",
    )
    csv_button(table[columns], f"selected-nodes-{view.run.run_id}")


def _make(view: View, level: str, method: Method) -> None:
    """A button that makes the map, and what becomes of it."""
    now = projections.standing(view.run, level, method)
    if now.state == "running":
        _wait(view, level, method)
        return
    if now.state == "failed":
        st.error(states.plain(now.said), title="The map could not be made", icon=":material/error:")
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"**No map by {_METHODS[method]} yet**", text_alignment="center")
        st.caption(
            "It is made once, beside the app, and takes half a minute to a few minutes.",
            text_alignment="center",
        )
        if st.button(
            "Make the map", type="primary", icon=":material/scatter_plot:", key=f"make:{level}:{method}"
        ):
            try:
                projections.start(view.home, view.run, level, method)
            except OSError as error:
                st.error(
                    states.plain(str(error)), title="The map could not be started", icon=":material/error:"
                )
                return
            _wait(view, level, method)


def _wait(view: View, level: str, method: Method) -> None:
    st.info(
        f"Making the map by {_METHODS[method]}; this page shows it as soon as it is there.",
        icon=":material/hourglass_top:",
    )
    seen = {"tries": 0}

    def look() -> None:
        seen["tries"] += 1
        state = projections.standing(view.run, level, method).state
        if state in ("stored", "failed") or (state == "absent" and seen["tries"] > 10):
            st.rerun(scope="app")

    st.fragment(look, run_every=_LOOK_EVERY)()
