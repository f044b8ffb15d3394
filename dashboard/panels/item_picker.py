"""One row of many, such as an item: looked for by name or number, then picked from a list, mirrored in the address."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.findings import Array
from dashboard import learned, selection, states
from dashboard.layout import row

MOST_OFFERED = 100


def pick_linked(
    key: str,
    what: str,
    rows: Array,
    names: Sequence[str],
    *,
    order: str,
    title: Callable[[int], str],
) -> int | None:
    """The picked one of `rows`, which come in the order that `order` tells of; None where nothing has the name looked for.

    key: of the controls. what: is picked, `item`. names: of all rows, by number. title: of a row in the list.
    """
    cells = row("controls", key, (3, 5))
    with cells[0]:
        wanted = selection.text(
            "linked",
            f"Find {what}s by title or number",
            placeholder="part of a title, or a number",
            icon=":material/search:",
        )
    found = learned.matching(wanted, names, rows) if wanted.strip() else [int(place) for place in rows]
    if not found:
        st.caption(f"No {what} with links is called so: {states.plain(wanted)}. Look for less of its title.")
        return None
    offered, asked = found[:MOST_OFFERED], selection.current("item")
    if not wanted.strip() and asked is not None and int(asked) in set(found[MOST_OFFERED:]):
        offered = [int(asked), *offered]
    more = f"{len(offered):,} of {len(found):,} are listed, {order} first; look for others by title."
    with cells[1]:
        return int(
            selection.pick(
                "item",
                what.capitalize(),
                [str(place) for place in offered],
                title=lambda place: title(int(place)),
                help=more if len(found) > len(offered) else None,
            )
        )
