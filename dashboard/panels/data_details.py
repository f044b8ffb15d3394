"""Closer looks at a data set: degree tails, correlations, split, features and graph, origin."""

from typing import Any

import pandas as pd
import streamlit as st

from core.data.dataset import DatasetInfo
from dashboard import data_contents, data_graph, data_profile, states, words
from dashboard.drawing import show
from dashboard.figures.correlations import correlation_histogram
from dashboard.figures.tails import degree_tails
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels import data_graph as data_graph_panel

Told = dict[str, Any]
_COUNT: dict[str, Any] = {"format": "localized"}
_PERCENT: dict[str, Any] = {"format": "%.1f %%"}


def sections(told: Told) -> dict[str, str]:
    """Which closer looks the data set has: key in the address -> title."""
    titles = {
        "tails": "Degree tails",
        "correlation": "Correlation of behaviours",
        "split": "Split and counts",
        "contents": "Features and graph",
        "origin": "Origin and repairs",
    }
    names = data_profile.behaviors(told)
    kept = {"tails": bool(names), "correlation": len(names) > 1, "split": bool(names), "origin": True}
    kept["contents"] = "modalities" in told or "nodes" in told
    return {key: title for key, title in titles.items() if kept[key]}


def tails(told: Told, scope: str) -> None:
    """How unevenly pairs are spread over users and items."""
    names, counted = data_profile.behaviors(told), told["scopes"][scope]
    top = counted["tails"][names[-1]]["item"]["top_share"]
    if top is not None:
        st.markdown(
            f"The tenth of the items with the most {states.plain(names[-1])} pairs holds **{words.percent(top)}** of them.",
            help=meaning("degree tail"),
        )
    table = data_profile.tail_table(counted, names)
    show(
        degree_tails(table),
        table,
        name=f"tails-{scope}-{told['name']}",
        source=f"Complementary cumulative distribution, {data_profile.SCOPES[scope]}, both axes logarithmic; "
        "colour and dash: behaviour",
        alt="Degree tails of users and items per behaviour on logarithmic axes",
    )
    st.dataframe(
        data_profile.percents(data_profile.degree_table(told, counted, names), "top_share"),
        hide_index=True,
        placeholder="–",
        column_config={
            "without": st.column_config.NumberColumn("without a pair", **_COUNT),
            "median": st.column_config.NumberColumn("median", **_COUNT),
            "mean": st.column_config.NumberColumn("mean", format="%.2f"),
            "p99": st.column_config.NumberColumn("99th percentile", **_COUNT),
            "max": st.column_config.NumberColumn("most", **_COUNT),
            "top_share": st.column_config.NumberColumn("share of the top tenth", **_PERCENT),
        },
        alt="Table of degrees per behaviour",
    )
    st.caption("Median to most: training pairs.")


def correlation(told: Told) -> None:
    """How alike users' behaviours are, over all users and by pair of behaviours."""
    found = told["correlation"]["mean_of_pairs"]
    without = (
        f"; {words.count(found['undefined'], 'user')} without: they lack a behaviour"
        if found["undefined"]
        else ""
    )
    st.markdown(
        f"**Mean correlation of each user's behaviours, training pairs**: {words.count(found['users'], 'user')}{without}",
        help=meaning("behaviour correlation"),
    )
    table = data_profile.correlation_table(told)
    left, right = row("pair", "correlations", (5, 5))
    with left:
        show(
            correlation_histogram(table, found.get("median")),
            table,
            name=f"correlations-{told['name']}",
            source="CIGF, Eqs. 25 and 26, over the training pairs; bins of .02",
            alt="Histogram of users by the mean correlation of their behaviours",
        )
    with right:
        st.dataframe(
            data_profile.pair_correlation_table(told),
            hide_index=True,
            placeholder="–",
            column_config={
                "users": st.column_config.NumberColumn("users", **_COUNT),
                "undefined": st.column_config.NumberColumn("undefined", **_COUNT),
                **{name: st.column_config.NumberColumn(name, format="%.3f") for name in ("mean", "median")},
            },
            alt="Table of correlations by pair of behaviours",
        )
        st.caption("CIGF's Figure 8 compares models on six groups of users cut along this number.")


def split(told: Told) -> None:
    """How the target was split, when its events happened, and rows per behaviour."""
    names = data_profile.behaviors(told)
    st.markdown(f"**{states.plain(names[-1])}** is split by the rule: {states.plain(told['split_rule'])}.")
    counts = dict.fromkeys(("pairs", "users", "items"), st.column_config.NumberColumn(**_COUNT))
    st.dataframe(data_profile.split_table(told), hide_index=True, column_config=counts, alt="Table of splits")
    time = told.get("time")
    if time:
        st.caption(
            f"All events with a time: {data_profile.when(time['first'])} to {data_profile.when(time['last'])} (UTC)."
        )
    else:
        st.caption("The source has no times.")
    st.markdown("**Rows per behaviour**: the other behaviours only train")
    columns = dict.fromkeys(
        ("train", "valid", "test", "users", "items"), st.column_config.NumberColumn(**_COUNT)
    )
    st.dataframe(
        data_profile.percents(data_profile.count_table(told, names), "density"),
        hide_index=True,
        column_config=columns
        | {
            "density": st.column_config.NumberColumn("density", format="%.3f %%", help=meaning("density")),
        },
        alt="Table of rows per behaviour and split",
    )


def contents(told: Told) -> None:
    """Modalities and the heterogeneous graph."""
    if "modality_checks" in told:
        table = data_contents.feature_table(told)
        bad = int(table["not_finite"].sum())
        said = (
            "every number is finite"
            if not bad
            else f"**{bad:,} numbers are not finite**: import the features again"
        )
        st.markdown(f"**Features of items**: {said}.")
        st.dataframe(
            data_profile.percents(table, "zero_share"),
            hide_index=True,
            placeholder="–",
            column_config={
                "rows": st.column_config.NumberColumn("rows", **_COUNT),
                "not_finite": st.column_config.NumberColumn("not finite", **_COUNT),
                "zero_rows": st.column_config.NumberColumn("rows of zeros", **_COUNT),
                "zero_share": st.column_config.NumberColumn("items without", **_PERCENT),
                "mean_norm": st.column_config.NumberColumn("mean length of a row", format="%.3f"),
            },
            alt="Table of modalities",
        )
    if "nodes" in told:
        if data_profile.behaviors(told):  # else the page begins with them
            st.markdown(states.plain(data_graph.answer(told)))
            data_graph_panel.metapaths(told)
        data_graph_panel.contents(told)


def origin(told: Told, info: DatasetInfo) -> None:
    """Where the data came from, what was repaired at import, and when it was profiled."""
    if info.notes and not info.planted:
        st.markdown(
            "**Repaired or removed at import**" if info.behaviors else "**Found and repaired at import**"
        )
        for note in info.notes:
            st.markdown(f"- {states.plain(note)}")
    else:
        st.markdown(
            "**Nothing was repaired at import.**" if not info.planted else states.plain(info.notes[0]) + "."
        )
    profiled = told["profiled"]
    rows = {
        "source": info.source,
        "importer": f"{info.importer}, version {info.importer_version}",
        "created": info.created,
        "kind": ", ".join(info.kind),
        "content hash": info.content_hash,
        "profiled": f"{data_profile.when(profiled['at'])} UTC in {words.duration(profiled['seconds'])}",
    }
    st.dataframe(
        pd.DataFrame({"what": list(rows), "value": list(rows.values())}),
        hide_index=True,
        column_config={
            "what": st.column_config.TextColumn(width=110),
            "value": st.column_config.TextColumn(width=900),
        },
        alt="Table of the origin of the data set",
    )
