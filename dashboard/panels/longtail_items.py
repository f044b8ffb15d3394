"""Single items on the page Long tail: which gained and which lost against another run, and what each is nearest to."""

from typing import Any

import pandas as pd
import streamlit as st

from core.evaluation.item_groups import ItemScores, item_scores
from core.runs.folder import open_run
from dashboard import longtail, longtail_items, longtail_readers, selection, states, words
from dashboard.compare_tables import MISSING
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.longtail_sides import Side
from dashboard.panels.longtail_view import View

MOST_ROWS = 100
NEAREST = 10
_TOWARD = {
    True: {"gained": "what gained most", "lost": "what lost most"},
    False: {"gained": "what was found", "lost": "what was missed"},
}


def single_items(view: View) -> None:
    """Items of one popularity group with what each run makes of them, and one of them closer."""
    group, toward = _controls(view)
    scores = [item_scores(view.items, side.ranks, len(view.titles), view.k) for side in view.sides]
    other = scores[1] if len(scores) > 1 else None
    table = longtail_items.item_table(scores[0], other, view.item_groups, view.titles, group)
    if table.empty:
        st.caption("No item of this group has a test pair.")
        return
    _in_words(view, table, scores)
    ordered = table if toward == "gained" else table.iloc[::-1].reset_index(drop=True)
    _table(view, ordered)
    _closer(view, ordered)


def _controls(view: View) -> tuple[int | None, str]:
    titles = longtail.item_titles(view.item_groups)
    options = [*map(str, reversed(range(len(titles)))), "all"]
    cells = row("controls", "longtail-items", (3, 4))
    with cells[0]:
        chosen = selection.pick(
            "items_of",
            "Items of",
            options,
            title=lambda key: "all groups" if key == "all" else titles[int(key)],
            help=meaning("popularity group"),
        )
    with cells[1]:
        names = _TOWARD[view.other is not None]
        toward = selection.pick(
            "toward", "Show first", list(names), title=names.__getitem__, widget="segments"
        )
    return None if chosen == "all" else int(chosen), toward


def _in_words(view: View, table: pd.DataFrame, scores: list[ItemScores]) -> None:
    tested = f"{words.count(len(table), 'item')} with {words.count(int(table['pairs'].sum()), 'test pair')}"
    one = states.plain(view.one.name)
    digits = _digits(view)
    hits = f"**{one}** hits {table['hits'].sum():,.{digits}f} within the first {view.k}"
    if view.other is None:
        st.markdown(f"{tested}: {hits}.")
        return
    gained, lost, same = longtail_items.gained_in_words(table)
    st.markdown(
        f"{tested}: {hits}, **{states.plain(view.other.name)}** {table['other_hits'].sum():,.{digits}f}. {gained:,} gained hits, "
        f"{lost:,} lost some, {same:,} did neither. With few test pairs each, single items show much chance."
    )


def _table(view: View, table: pd.DataFrame) -> None:
    st.dataframe(
        table.head(MOST_ROWS),
        hide_index=True,
        height="auto" if len(table) <= 10 else 400,
        column_order=[
            *("title", "trained", "pairs", "hits", "other_hits", "gained"),
            *("reciprocal", "other_reciprocal", "item"),
        ],
        column_config=_columns(view),
        alt="Items with training pairs, test pairs, hits and reciprocal ranks",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        averaged = "; hits are means over seeds" if len(view.one.entries) > 1 else ""
        st.caption(
            f"Hits: test pairs of the item within the first {view.k}{averaged}. Sorted by hits"
            f"{' gained' if view.other else ''}, then by reciprocal rank.",
            width="stretch",
            help=meaning("reciprocal rank"),
        )
        csv_button(table.assign(k=view.k, protocol=view.protocol), view.name("single-items"))
    states.sampled(min(len(table), MOST_ROWS), len(table), "items; the file has all")


def _columns(view: View) -> dict[str, Any]:
    one, other = view.one.name, view.other.name if view.other else MISSING
    number, digits = st.column_config.NumberColumn, _digits(view)
    return {
        "item": number("number", format="%d"),
        "title": st.column_config.TextColumn("item", width="medium"),
        "trained": number("training pairs", format="localized"),
        "pairs": number("test pairs", format="localized"),
        "hits": number(f"hits, {one}", format=f"%.{digits}f"),
        "reciprocal": number(f"reciprocal rank, {one}", format="%.4f", help=meaning("reciprocal rank")),
        "other_hits": number(f"hits, {other}", format=f"%.{digits}f"),
        "other_reciprocal": number(
            f"reciprocal rank, {other}", format="%.4f", help=meaning("reciprocal rank")
        ),
        "gained": number("hits gained", format=f"%+.{digits}f"),
    }


def _digits(view: View) -> int:
    """Hits are whole numbers but for means over seeds."""
    return 1 if len(view.one.entries) > 1 else 0


def _closer(view: View, table: pd.DataFrame) -> None:
    """One of the items listed: its nearest items under each run, side by side."""
    listed = [str(item) for item in table["item"].head(MOST_ROWS)]
    asked = selection.current("item")
    if asked is not None and asked not in listed and int(asked) < len(view.titles):
        listed = [*listed, asked]
    with row("controls", "longtail-item", (4, 5))[0]:
        item = int(
            selection.pick(
                "item",
                "Nearest items of",
                listed,
                title=lambda key: f"{view.titles[int(key)]} ({key})",
                help=meaning("nearest items"),
            )
        )
    cells = row("pair", "longtail-nearest", (1, 1)) if view.other else [st.container()]
    for cell, side in zip(cells, view.sides):
        with cell, states.guarded():
            _nearest(view, side, item)


def _nearest(view: View, side: Side, item: int) -> None:
    entry = side.entries[0]
    seed = f"seed {entry.recipe.seed}"
    st.markdown(f"**{states.plain(side.name)}**" + ("" if side.name.endswith(seed) else f", {seed}"))
    run = open_run(view.home, entry.run_id)
    directions = longtail_readers.item_directions(run, len(view.titles))
    if directions is None:
        st.caption("This run stored no final embeddings of items, so none are near each other in it.")
        return
    table = longtail_items.nearest(directions, item, view.titles, view.counts.items, NEAREST)
    if table.empty:
        st.caption("The embedding of this item is zero: it points nowhere and has no nearest items.")
        return
    st.dataframe(
        table.drop(columns="item"),
        hide_index=True,
        height="content",
        column_config={
            "place": st.column_config.NumberColumn("rank", width=50),
            "title": st.column_config.TextColumn("item"),
            "trained": st.column_config.NumberColumn("training pairs", format="localized"),
            "cosine": st.column_config.NumberColumn("cosine", format="%.4f"),
        },
        alt=f"Nearest items of {view.titles[item]} under {side.name}",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Cosine of final item embeddings.", width="stretch")
        csv_button(table, f"nearest-{item}-{entry.run_id}")
