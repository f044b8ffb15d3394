"""Final test metrics of a run under one protocol: accuracy first, then what the recommendations expose."""

import pandas as pd
import streamlit as st

from core.runs.folder import RunFolder
from dashboard import results, words
from dashboard.drawing import csv_button
from dashboard.glossary import meaning


def final_metrics(run: RunFolder, key: str, result: dict[str, object]) -> None:
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
    rule = words.selection(result["selection"]) if result.get("selection") else ""  # type: ignore[arg-type]
    noise = float(result.get("auxiliary_noise") or 0.0)  # type: ignore[arg-type]
    trained = words.fit_on(result["fit_on"], noise) if result.get("fit_on") else ""  # type: ignore[arg-type]
    epoch = f"; epoch {result['epoch']}" if result.get("epoch") else ""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"{words.sentence(words.protocol(key))}; {rule}{epoch}; trained on {trained}.",
            width="stretch",
            help=meaning("seen"),
        )
        csv_button(table, f"test-{run.run_id}-{key.partition(':')[0]}")
    _exposure(run, key, results.exposure_table(result))


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
            csv_button(table, f"exposure-{run.run_id}-{key.partition(':')[0]}")


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
