"""Classes on the Nodes page: which are confused, and how clusters fall over them."""

from typing import Any

import streamlit as st

from dashboard import node_readers, node_words, nodes, selection, words
from dashboard.drawing import is_dark, show
from dashboard.figures.nodes import class_cells
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.nodes_view import View
from dashboard.panels.run_view import absent


def pick_setting(sizes: list[int], name: str) -> int:
    """A control that picks one label setting."""
    with row("controls", name, (3, 7))[0]:
        chosen = selection.pick(
            "labels",
            "Labels per class",
            [str(size) for size in sizes],
            default=str(sizes[0]),
            widget="segments",
            help=meaning("label setting"),
        )
    return int(chosen)


def classes(view: View) -> None:
    """The confusion of one label setting, and precision, recall and F1 per class."""
    entry = view.entry()
    size = pick_setting(nodes.sizes_of(entry), "classes") if entry is not None else 0
    votes = view.votes(size) if size else None
    if entry is None or votes is None:
        absent(view, "predictions")
        return
    view.stays("Predictions")
    titles = nodes.class_titles(entry)
    table = nodes.confusion(votes, titles)
    left, right = row("pair", "classes", (6, 4))
    with left:
        st.markdown(
            f"**Which class test nodes are put into**, {size} labels per class, mean over classifiers",
            help=meaning("confusion"),
        )
        show(
            class_cells(table, y="true class", x="predicted class", dark=is_dark()),
            table.rename(
                columns={"row": "true", "label": "predicted", "value": "share", "support": "test nodes"}
            ),
            name=f"confusion-{size}-{view.run.run_id}",
            source="HeCo (KDD 2021); every row sums to 100 %",
            alt="Heatmap: share of each class's test nodes by predicted class",
        )
        st.markdown(node_words.confused_sentence(nodes.confused(table)))
    with right:
        st.markdown(f"**By class**, {len(votes):,} test nodes", help=meaning("Macro-F1"))
        st.dataframe(
            nodes.class_table(votes, titles),
            hide_index=True,
            column_config=_CLASS_COLUMNS,
            alt="Table of scores by class",
        )
        divided = ((votes["right"] > 0) & (votes["right"] < 1)).mean()
        st.caption(
            f"{words.percent(float((votes['right'] == 1).mean()))} of the nodes are right for every classifier, "
            f"{words.percent(float((votes['right'] == 0).mean()))} wrong for every one, {words.percent(float(divided))} divide them."
        )


def clusters(view: View) -> None:
    """How k-means' clusters fall over the classes."""
    entry, found = view.entry(), node_readers.clusters(view.run)
    if entry is None or found is None:
        absent(view, "clusters")
        return
    view.stays("Clusters")
    table = nodes.cluster_table(found, view.recipe.protocol.key, nodes.class_titles(entry))
    st.markdown(
        "**What each cluster of k-means holds**, of the first seed",
        help=f"{meaning('NMI of clusters')} {meaning('ARI')}",
    )
    show(
        class_cells(table, y="cluster", x="class", dark=is_dark()),
        table.rename(
            columns={"row": "cluster", "label": "class", "value": "share", "support": "nodes of the cluster"}
        ),
        name=f"clusters-{view.run.run_id}",
        source="k-means with as many clusters as classes, all labelled nodes; every row sums to 100 %",
        alt="Heatmap: share of each cluster's nodes by class",
    )
    st.markdown(
        f"{words.percent(nodes.purity(table))} of the nodes have the leading class of their cluster.",
        help=meaning("purity"),
    )


_SHARE: dict[str, Any] = {"format": "%.4f"}
_CLASS_COLUMNS: dict[str, Any] = {
    "test nodes": st.column_config.NumberColumn(format="localized"),
    "precision": st.column_config.NumberColumn(
        help="Of the nodes put into the class, the share that belongs there.", **_SHARE
    ),
    "recall": st.column_config.NumberColumn(
        help="Of the nodes of the class, the share that is put there.", **_SHARE
    ),
    "F1": st.column_config.NumberColumn(help="The harmonic mean of precision and recall.", **_SHARE),
}
