"""What is recommended, on the page Long tail: coverage, Gini and popularity, and which items take the places."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.findings import Array
from core.runs.folder import open_run
from dashboard import longtail_items, readers, states, words
from dashboard.data_profile import percents
from dashboard.drawing import csv_button, show
from dashboard.figures.longtail import place_bars
from dashboard.figures.palette import run_colors
from dashboard.glossary import meaning
from dashboard.longtail import short
from dashboard.longtail_items import EXPOSURE, TESTED, TRAINED
from dashboard.panels.longtail_sides import Side
from dashboard.panels.longtail_view import RULES, View


def shown_items(view: View) -> None:
    """How wide and how popular the recommendations of both runs are, and whose items they are."""
    lists = {side.name: _lists(view, side) for side in view.sides}
    for name in [name for name, found in lists.items() if not found]:
        st.caption(f"{states.plain(name)} has stored no recommendations.")
    longest = min((items.shape[1] for found in lists.values() for items in found), default=view.k)
    k = min(view.k, longest)
    if k < view.k:
        st.caption(
            f"Stored lists end after {longest} items, so the first {k} places are shown instead of {view.k}."
        )
    _exposure(view, lists, k)
    if any(lists.values()):
        _places(view, lists, k)
        shown = min(len(items) for found in lists.values() for items in found)
        states.sampled(shown, len(np.unique(view.users)), "tested users, whose lists were stored")


def _lists(view: View, side: Side) -> list[Array]:
    """The items recommended to users with a test pair here [V, R], of each seed; empty where some seed stored none."""
    found = [readers.recommendations(open_run(view.home, entry.run_id)) for entry in side.entries]
    tested = np.unique(view.users)
    lists = [one.items[np.isin(one.users, tested)] for one in found if one is not None]
    return lists if all(found) and all(len(one) for one in lists) else []


def _exposure(view: View, lists: dict[str, list[Array]], k: int) -> None:
    rows: list[dict[str, Any]] = []
    for side in view.sides:
        stored = [entry.results[view.protocol]["metrics"] for entry in side.entries]
        found = longtail_items.exposure(stored, lists[side.name], view.counts.items, k)
        if found is not None:
            source = "test result" if found[1] else "stored lists over all items"
            rows.append({"run": side.name, **found[0], "from": source})
    if not rows:
        return
    tested = float(view.counts.items[view.items].mean())
    rows.append({"run": "test pairs, for comparison", "popularity": tested, "from": "data"})
    table = pd.DataFrame(rows, columns=["run", *EXPOSURE, "from"])
    st.markdown(f"**What the first {k} places show**, whether right or not")
    st.dataframe(
        percents(table, "coverage"),
        hide_index=True,
        placeholder="–",
        column_config=_columns(),
        alt="Coverage, Gini and mean popularity",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(
            f"Over {words.count(len(view.counts.items), 'item')}; mean popularity in training pairs per place.",
            width="stretch",
        )
        csv_button(table.assign(k=k, protocol=view.protocol), view.name(f"exposure-at-{k}"))


def _columns() -> dict[str, Any]:
    return {
        "coverage": st.column_config.NumberColumn("coverage", format="%.1f %%", help=meaning("coverage")),
        "gini": st.column_config.NumberColumn("Gini", format="%.4f", help=meaning("Gini")),
        "popularity": st.column_config.NumberColumn(
            "mean popularity", format="%.1f", help=meaning("mean popularity")
        ),
        "from": st.column_config.TextColumn("taken from"),
    }


def _places(view: View, lists: dict[str, list[Array]], k: int) -> None:
    table = longtail_items.place_shares(lists, view.items, view.item_groups, k)
    last = table[table["group"] == table["group"].max()]
    tested = float(last.loc[last["name"] == TESTED, "share"].iloc[0])
    parts = [
        f"**{states.plain(name)}** gives it {words.percent(share)} of its places"
        for name, share in zip(last["name"], last["share"])
        if name in lists
    ]
    st.markdown(f"**Who takes the first {k} places**", help=meaning("recommended places"))
    st.markdown(
        f"The last group ({short(last['title'].iloc[0])}) holds {words.percent(tested)} of the test pairs: {', '.join(parts)}."
    )
    colors = run_colors([side.name for side in view.sides])
    show(
        place_bars(
            table,
            colors=colors,
            marked=(TESTED, TRAINED),
            x=f"training pairs of an item, groups of equal {RULES[view.rule]}",
            y="share of places",
        ),
        table.assign(k=k, protocol=view.protocol),
        name=view.name(f"places-at-{k}"),
        source=f"first {k} places of the users tested, all items competing; groups as in EGRA, Figure 2",
        alt="Share of recommended places by popularity group, per run, beside the shares of test and training pairs",
        about=f"first {k} places, data: {view.own.recipe.dataset}, protocol {view.protocol}",
    )
