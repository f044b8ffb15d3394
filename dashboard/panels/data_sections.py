"""The sections of the Data page: the answer, key figures, funnel, overlaps, and the leakage audit."""

from typing import Any

import pandas as pd
import streamlit as st

from core.data.dataset import DatasetInfo
from dashboard import data_audit, data_graph, data_profile, drawing, selection, states, words
from dashboard.drawing import csv_button, show
from dashboard.figures.funnel import funnel_bars
from dashboard.figures.overlap import upset
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import link

Told = dict[str, Any]
_PERCENT: dict[str, Any] = {"format": "%.1f %%"}
_COLORS = {
    data_audit.SIGNS["fine"]: "green",
    data_audit.SIGNS["watch"]: "orange",
    data_audit.SIGNS["leak"]: "red",
    data_audit.SIGNS["unknown"]: "gray",
}


def context(info: DatasetInfo) -> None:
    """One line: what it is, its rule and origin."""
    parts = [f"**{states.plain(info.name)}**"]
    if info.behaviors:
        last = "(target last)" if len(info.behaviors) > 1 else "(target)"
        parts.append(f"{states.plain(' → '.join(info.behaviors))} {last}")
    else:
        parts.append("graph of typed nodes")
    parts.append(f"split: {states.plain(info.split_rule)}")
    parts.append("planted: generated with a known truth" if info.planted else f"imported by {info.importer}")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="stretch"):
            drawing.context(" · ".join(parts))
        if info.behaviors or info.nodes:
            link("train", "Train on this data", icon=":material/model_training:", dataset=info.name)


def answer(told: Told) -> None:
    """What a result on this data means, and what the auxiliary behaviours can teach."""
    if not data_profile.behaviors(told):
        st.markdown(f"#### {states.plain(data_graph.answer(told))}", anchors=False)
        st.markdown(states.plain(data_graph.lesson(told)), help=meaning("homophily"))
        return
    st.markdown(
        f"#### {states.plain(data_audit.answer(told))}",
        help=f"{meaning('seen')} {meaning('cold')}",
        anchors=False,
    )
    st.markdown(states.plain(data_audit.lesson(told)), help=meaning("behaviour correlation"))


def figures(told: Told) -> None:
    """The key numbers in a row."""
    names = data_profile.behaviors(told)
    target, splits = names[-1], told["behaviors"][names[-1]]
    cells = row("controls", "key-figures", (1,) * 6)
    cells[0].metric("Users", f"{told['users']:,}")
    cells[1].metric("Items", f"{told['items']:,}")
    cells[2].metric("Pairs", f"{sum(sum(found.values()) for found in told['behaviors'].values()):,}")
    cells[3].metric(f"Training pairs, {target}", f"{splits.get('train', 0):,}")
    cells[4].metric(f"Density, {target}", f"{told['density'][target]:.3%}", help=meaning("density"))
    cells[5].metric("Test pairs", f"{splits.get('test', 0):,}")


def scope_control() -> str:
    """Which pairs funnel, overlaps and tails count."""
    return selection.pick(
        "scope",
        "Pairs",
        list(data_profile.SCOPES),
        title=data_profile.SCOPES.__getitem__,
        widget="segments",
        help=meaning("scope"),
    )


def funnel(told: Told, scope: str) -> None:
    """The main figure: how pairs and users come down the funnel, and the conversions in numbers."""
    names, counted = data_profile.behaviors(told), told["scopes"][scope]
    if counted["overlap"] is None:
        st.caption("More behaviours than one figure can show: funnel and overlaps are left out.")
        return
    table = data_profile.funnel_table(counted, names)
    scoped = data_profile.SCOPES[scope]
    title = f"**{states.plain(names[0])}, {scoped}**: how many pairs and users"
    if len(names) > 1:
        title = (
            f"**From {states.plain(names[0])} to {states.plain(names[-1])}, {scoped}**: how many, and how many of them "
            "also under the behaviours before"
        )
    st.markdown(title, help=meaning("funnel"))
    show(
        funnel_bars(table),
        table,
        name=f"funnel-{scope}-{told['name']}",
        source="Distinct pairs counted in the data; colour: behaviour, hatching: what else the pair or user has. "
        + (
            "Which came first in time is in the table."
            if counted["order"]
            else "Without times, order is unknown."
        ),
        alt="Bars of pairs and users per behaviour, parted by whether they also occur under earlier behaviours",
    )
    if len(names) > 1:
        _conversions(data_profile.conversion_table(counted, names))


def _conversions(table: pd.DataFrame) -> None:
    if table["first"].isna().all():
        table = table.drop(columns=["first", "same", "later"])
    st.dataframe(
        data_profile.percents(table, "converted", "came_from", "first", "same", "later"),
        hide_index=True,
        placeholder="–",
        column_config={
            "both": st.column_config.NumberColumn("pairs under both", format="localized"),
            "converted": st.column_config.NumberColumn(
                "of the first",
                **_PERCENT,
                help="Conversion: of the pairs under `from`, how many are also under `to`",
            ),
            "came_from": st.column_config.NumberColumn(
                "of the second", **_PERCENT, help="Of the pairs under `to`, how many are also under `from`"
            ),
            "first": st.column_config.NumberColumn(
                "in that order", **_PERCENT, help="Of the pairs with both times: `from` was strictly earlier"
            ),
            "same": st.column_config.NumberColumn("same second", **_PERCENT),
            "later": st.column_config.NumberColumn(
                "reverse order", **_PERCENT, help="`to` came before `from`, by the earliest event of each"
            ),
        },
        alt="Table of conversions between any two behaviours",
    )


def overlap(told: Told, scope: str) -> None:
    """Which behaviours occur together, as an UpSet plot."""
    names, counted = data_profile.behaviors(told), told["scopes"][scope]
    if len(names) < 2 or counted["overlap"] is None:
        return
    st.subheader("Which behaviours occur together?", anchor=False)
    with row("controls", "overlap", (3, 7))[0]:
        unit = selection.pick("unit", "Count", data_profile.UNITS, widget="segments", help=meaning("overlap"))
    table = data_profile.overlap_table(counted, names, unit)
    what = (
        data_profile.SCOPES[scope].capitalize()
        if unit == "pairs"
        else f"Users by their {data_profile.SCOPES[scope]}"
    )
    shown = table.head(data_profile.MOST_COLUMNS)
    states.sampled(len(shown), len(table), "combinations of behaviours")
    show(
        upset(shown, counted[unit], unit=unit, target=names[-1]),
        table,
        name=f"overlap-{unit}-{scope}-{told['name']}",
        source=f"{what}, each in exactly one column (UpSet; CIGF's Fig. 10 as a Venn "
        f"diagram); blue, hatched: with {names[-1]}",
        alt=f"Bars of exclusive intersections of behaviours, counted in {unit}, above a matrix of dots",
    )


def audit(told: Told) -> None:
    """The leakage audit: what was counted, whether it harms, what to do."""
    st.subheader("Can a result on this data be trusted?", anchor=False, help=meaning("leakage"))
    found = data_audit.findings(told)
    loud = sum(one.verdict in ("leak", "watch") for one in found)
    st.caption(
        f"{len(found)} questions, {words.count(loud, 'answer')} to keep in mind. A watch is a property of the task to "
        "report beside results; a leak makes them wrong."
    )
    table = data_audit.table(found)
    shown = pd.DataFrame(
        {
            "verdict": [f":{_COLORS[verdict]}-badge[{verdict}]" for verdict in table["verdict"]],
            "counted": table["question"],
            "count": [f"{count:,.0f}" if of == of else "–" for count, of in zip(table["count"], table["of"])],
            "share": [_percent(share) for share in table["share"]],
            "what it means, what to do": table["advice"],
        }
    )
    st.table(shown.set_index("verdict"), border="horizontal")
    csv_button(table, f"audit-{told['name']}")


def _percent(share: float) -> str:
    """A share that does not break at its sign; a dash where there is none, and nothing above zero rounded to zero."""
    if share != share:
        return "–"
    text = "<0.1 %" if 0 < share < 0.0005 else words.percent(share)
    return text.replace(" ", "\u00a0")
