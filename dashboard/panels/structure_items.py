"""Pick a hyperedge on the Structure page: the items that define it, and how its share came about."""

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import RunError
from dashboard import hyperedges, selection, states, words
from dashboard.data_profile import percents
from dashboard.drawing import csv_button, show
from dashboard.figures.evolution import lines_over_epochs
from dashboard.figures.structure import SIDE_LOOKS
from dashboard.glossary import meaning
from dashboard.information import Stated
from dashboard.item_facts import name_width
from dashboard.layout import row
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import ITEMS, View, no_hyperedges
from dashboard.relations import GROUP_TITLES


def defining_items(view: View) -> None:
    """Pick a hyperedge: the items that define it, and how its share came about."""
    membership, defining = view.membership(), view.stated(ITEMS)
    if membership is None or defining is None:
        absent(view, "hyperedges", no_hyperedges(view))
        return
    table = hyperedges.size_table(membership, None)
    label = _pick(view, membership, defining, table)
    modality, _, edge = label.rpartition(" ")
    left, right = row("pair", "hyperedge", (6, 4))
    with left:
        _items_of(view, membership, defining, label)
    with right:
        st.markdown("**Its share over epochs**, of users and of items", help=meaning("membership"))
        over = hyperedges.over_epochs(membership, modality, edge)
        moment = view.moment_of(membership)
        epoch, mark = moment.mark()
        figure = lines_over_epochs(
            over,
            looks=SIDE_LOOKS,
            y="mean membership",
            epoch=epoch,
            mark=mark,
            form=".1%",
            titles=GROUP_TITLES,
        )
        figure.update_yaxes(tickformat=".0%", rangemode="tozero")
        show(
            figure,
            over.drop(columns=["low", "high"]),
            name=f"hyperedge-{modality}-{edge}-epochs-{view.run.run_id}",
            source=f"{membership.finding.source}; mean over nodes",
            alt=f"Lines of mean membership in hyperedge {label} over the epochs",
        )


def _pick(view: View, membership: Stated, defining: Stated, table: pd.DataFrame) -> str:
    known = {f"{m} {k}" for m in membership.labels("modality") for k in membership.labels("hyperedge")}
    labels = [label for label in defining.labels("hyperedge") if label in known]
    held = {
        f"{modality} {edge}": (items, users)
        for modality, edge, users, items in hyperedges.wide_table(table)[
            ["modality", "hyperedge", "users_mostly", "items_mostly"]
        ].itertuples(index=False)
    }
    about = {
        label: f"{users:,.0f} users, {items:,.0f} items mostly" for label, (items, users) in held.items()
    }
    if not labels:
        raise RunError(
            f"{view.run.run_id}: hyperedge_items and hyperedge_membership name no hyperedge in common; resume or repeat the run to "
            "write them again"
        )
    with row("controls", "hyperedge", (4, 5))[0]:
        return selection.pick(
            "hyperedge",
            "Hyperedge",
            labels,
            default=max(labels, key=held.__getitem__),
            title=lambda label: f"{label} · {about[label]}",
            help=meaning("hyperedge"),
        )


def _items_of(view: View, membership: Stated, defining: Stated, label: str) -> None:
    modality, _, edge = label.rpartition(" ")
    shares = hyperedges.shares_of(membership, modality, "item")
    items, place = len(shares), defining.labels("hyperedge").index(label)
    table = hyperedges.defining_table(
        defining.finding,
        place,
        shares[:, membership.labels("hyperedge").index(edge)],
        view.names(items),
        view.trained(items),
        view.categories(items),
    )
    st.markdown(
        f"**{words.count(len(table), 'item')} that define {states.plain(label)}**, of the scored model{_common(table)}",
        help=meaning("defining items"),
    )
    st.dataframe(
        percents(table.drop(columns="number"), "share"),
        hide_index=True,
        height=440,
        column_config=_ITEM_COLUMNS
        | {"name": st.column_config.TextColumn("item", width=name_width(table["name"]))},
        alt=f"Table of the items that define hyperedge {label}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"{defining.finding.source}. {states.plain(defining.finding.note)}", width="stretch")
        csv_button(table, f"hyperedge-items-{label.replace(' ', '-')}-{view.run.run_id}")
    view.stays("The items that define a hyperedge")


def _common(table: pd.DataFrame) -> str:
    """`: 14 of them are outdoor`."""
    if "category" not in table or not (table["category"] != "").any():
        return ""
    counts = table.loc[table["category"] != "", "category"].value_counts()
    return f": {int(counts.iloc[0])} are of category *{states.plain(str(counts.index[0]))}*"


_ITEM_COLUMNS: dict[str, Any] = {
    "place": st.column_config.NumberColumn("rank", width=50),
    "value": st.column_config.NumberColumn("weight", format="%.3f", help=meaning("defining items")),
    "share": st.column_config.NumberColumn("belongs", format="%.1f %%", help=meaning("membership")),
    "trained": st.column_config.NumberColumn("training pairs", format="localized"),
}
