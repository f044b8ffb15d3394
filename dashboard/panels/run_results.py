"""Final test metrics of a run under one protocol: accuracy first, then what the recommendations expose; of node embeddings
what classifiers and clusters make of them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.runs.folder import RunFolder
from dashboard import results, words
from dashboard.compare_tables import file_part
from dashboard.drawing import csv_button
from dashboard.glossary import meaning


def final_metrics(run: RunFolder, key: str, result: Mapping[str, Any]) -> None:
    if any(map(results.is_of_nodes, result["metrics"])):
        _node_metrics(run, key, result)
    else:
        _ranking_metrics(run, key, result)


def _ranking_metrics(run: RunFolder, key: str, result: Mapping[str, Any]) -> None:
    table = results.result_table(result)
    st.markdown(f"**Test metrics** under `{key}`", help=meaning("protocol"))
    st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            name: st.column_config.NumberColumn(name, format="%.4f") for name in table.columns[2:]
        },
        alt=f"Final test metrics under {key}",
    )
    rule = words.selection(result["selection"]) if result.get("selection") else ""
    noise = float(result.get("auxiliary_noise") or 0.0)
    trained = words.fit_on(result["fit_on"], noise) if result.get("fit_on") else ""
    epoch = f"; epoch {result['epoch']}" if result.get("epoch") else ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"{words.sentence(words.protocol(key))}; {rule}{epoch}; trained on {trained}.",
            width="stretch",
            help=meaning("seen"),
        )
        csv_button(table, f"test-{run.run_id}-{file_part(key)}")
    _exposure(run, key, results.exposure_table(result))


def _node_metrics(run: RunFolder, key: str, result: Mapping[str, Any]) -> None:
    """A row per label setting, then how well clusters follow the classes."""
    table = results.setting_table(result)
    st.markdown(f"**Test metrics** under `{key}`", help=meaning("heco"))
    shown = table[["labels per class", "train", "validate", "test"]].copy()
    for name in table.columns[4::2]:
        shown[name] = [_spread(*values) for values in zip(table[name], table[f"± {name}"])]
    st.dataframe(
        shown,
        hide_index=True,
        width="content",
        placeholder="–",
        column_config=_SETTINGS,
        alt=f"Test metrics by label setting under {key}",
    )
    clusters = (
        f"{results.metric_title(name)} **{_spread(result['metrics'][name], (result.get('spread') or {}).get(name))}**"
        for name in ("nmi", "ari")
        if name in result["metrics"]
    )
    st.markdown(f"Clusters by k-means: {' · '.join(clusters)}", help=meaning("clusters"))
    rule = [words.selection(result["selection"]), f"epoch {result['epoch']}"] if result.get("epoch") else []
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        told = "; ".join((words.sentence(words.protocol(key)), *rule))
        st.caption(f"{told}.", width="stretch", help=meaning("linear classifier"))
        csv_button(_numbers(table, result), f"test-{run.run_id}-{file_part(key)}")


def _spread(mean: float | None, deviation: float | None) -> str:
    """`.8732 ± .0043`."""
    told = words.score(mean)
    return told if deviation is None or deviation != deviation else f"{told} ± {words.score(deviation)}"


def _numbers(table: pd.DataFrame, result: Mapping[str, Any]) -> pd.DataFrame:
    """`table` with NMI and ARI, which no label setting has, in its last row."""
    told = table.copy()
    for name in ("nmi", "ari"):
        if name in result["metrics"]:
            told.loc[told.index[-1], results.metric_title(name)] = result["metrics"][name]
            told.loc[told.index[-1], f"± {results.metric_title(name)}"] = (result.get("spread") or {}).get(
                name
            )
    return told


_SETTINGS = {
    "labels per class": st.column_config.TextColumn("labels per class", help=meaning("label setting")),
    "train": st.column_config.NumberColumn(
        "train", format="localized", help="Labelled nodes that classifiers learn from"
    ),
    "validate": st.column_config.NumberColumn(
        "validate", format="localized", help="Nodes that choose their step"
    ),
    "test": st.column_config.NumberColumn("test", format="localized", help="Nodes that they are tested on"),
    **{
        name: st.column_config.TextColumn(name, alignment="right", help=meaning(name))
        for name in ("Micro-F1", "Macro-F1", "AUC")
    },
}


def _exposure(run: RunFolder, key: str, table: pd.DataFrame) -> None:
    if table.empty:
        return
    with st.expander("What the recommendations expose", icon=":material/visibility:"):
        st.dataframe(
            table, hide_index=True, width="content", placeholder="–", column_config=_EXPOSURE, alt="Exposure"
        )
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.caption(
                "Over all evaluated users, whether a recommendation was right or not.", width="stretch"
            )
            csv_button(table, f"exposure-{run.run_id}-{file_part(key)}")


_EXPOSURE = {
    "coverage": st.column_config.NumberColumn(
        "coverage", format="percent", help="The share of all items that somebody was recommended"
    ),
    "gini": st.column_config.NumberColumn(
        "Gini", format="%.4f", help="How unevenly items are recommended: 0 all alike, 1 one item alone"
    ),
    "popularity": st.column_config.NumberColumn(
        "popularity", format="%.1f", help="Training pairs of a recommended item, on average"
    ),
}
