"""The main figure of the Nodes page: scores by label setting with their spread, beside the numbers."""

from typing import Any

import streamlit as st

from dashboard import nodes, words
from dashboard.drawing import show
from dashboard.figures.nodes import setting_scores
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.nodes_view import View
from dashboard.panels.run_view import absent


def scores(view: View) -> None:
    """Micro-F1, Macro-F1 and AUC of all classifiers by labels per class; NMI and ARI of k-means."""
    entry = view.entry()
    if entry is None:
        absent(view, "scores")
        return
    view.stays("Scores")
    table = nodes.score_table(entry)
    classifiers = int(table["classifiers"].max()) if len(table) else 0
    left, right = row("split", "scores", (7, 4))
    with left:
        st.markdown(
            f"**Scores of {classifiers} linear classifiers on frozen embeddings**, by labelled nodes per class",
            help=f"{meaning('linear classifier')} {meaning('label setting')}",
        )
        show(
            setting_scores(table),
            table,
            name=f"node-scores-{view.run.run_id}",
            source="HeCo (KDD 2021); box: middle half, whiskers: extremes",
            alt="Boxes: Micro-F1, Macro-F1 and AUC of all classifiers by labels per class",
        )
    with right:
        st.dataframe(
            _wide(table),
            hide_index=True,
            column_config=_COLUMNS,
            alt="Table of scores by label setting",
        )
        found = nodes.cluster_scores(entry)
        if len(found):
            st.dataframe(
                found[["quality", "mean", "deviation"]].assign(
                    mean=found["mean"].map(words.score), deviation=found["deviation"].map(words.score)
                ),
                hide_index=True,
                column_config={
                    "quality": st.column_config.TextColumn(
                        "k-means", help=f"{meaning('NMI of clusters')} {meaning('ARI')}"
                    ),
                    "deviation": st.column_config.TextColumn("± over seeds"),
                },
                alt="Table of clustering quality",
            )
            st.caption(
                f"Mean over {int(found['clusterings'].max())} clusterings into {len(nodes.class_titles(entry))} clusters, each the "
                "best of ten starts."
            )


def _wide(table: Any) -> Any:
    """One row per setting: labels, then mean and deviation of every metric in one text."""
    spread = zip(table["mean"], table["deviation"], strict=True)
    told = table.assign(
        text=[f"{words.score(mean)} ± {words.score(deviation)}" for mean, deviation in spread]
    )
    wide = told.pivot(index="labels", columns="metric", values="text")
    return wide[[title for title in nodes.METRICS.values() if title in wide]].reset_index()


_COLUMNS: dict[str, Any] = {
    "labels": st.column_config.NumberColumn("labels", width=60, help=meaning("label setting")),
    "Micro-F1": st.column_config.TextColumn(help=meaning("Micro-F1")),
    "Macro-F1": st.column_config.TextColumn(help=meaning("Macro-F1")),
    "AUC": st.column_config.TextColumn(help=meaning("AUC")),
}
