"""One user's history on the Structure page: which past interactions the transformer attends to, head by head."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from core.findings import Array
from dashboard import histories, states, words
from dashboard.data_profile import percents
from dashboard.drawing import show
from dashboard.figures.structure import MOST_BARS, history_bars
from dashboard.glossary import meaning
from dashboard.histories import Histories
from dashboard.information import Stated
from dashboard.item_facts import name_width
from dashboard.layout import row
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import ATTENDED, View, no_attention
from dashboard.panels.user_picker import original_ids, pick_user
from dashboard.structure_words import history_sentence


def history(view: View) -> None:
    """Pick a user: the whole history for those of the sample, the most attended interactions for all others."""
    found, most, entropy = view.histories(), view.stated(ATTENDED), view.entropy()
    if found is None or most is None or entropy is None or not len(found.user):
        absent(view, "attention over histories", no_attention(view))
        return
    view.stays("Attention of single users")
    _, _, lengths = entropy
    with row("controls", "user", (4, 5))[0]:
        user = _user(view, found, lengths)
    items = most.finding.axis("item").size
    names, trained = view.names(items), view.trained(items)
    length, is_whole = int(lengths[user]), user in found.lengths()
    if length == 0:
        st.caption(f"User {user} has no training pairs, so there is nothing to attend to. Pick another user.")
        return
    if is_whole:
        table = histories.history_table(found, user, names, trained)
    else:
        table = histories.shortened_table(most.finding, user, length, names, trained)
    _draw(view, most, found if is_whole else None, table, (user, length))


def _user(view: View, found: Histories, lengths: Array) -> int:
    whole = found.lengths()
    originals = original_ids(view.data) if view.data else []
    longest = sorted(whole, key=lambda user: (-whole[user], user))

    def title(user: int) -> str:
        named = f" · {originals[user]}" if user < len(originals) else ""
        sign = " ✓" if user in whole else ""
        return f"user {user}{named} · {words.count(int(lengths[user]), 'interaction')}{sign}"

    return pick_user(
        len(lengths),
        default=longest[0],
        title=title,
        about=f"The whole history is stored for a sample of {len(whole):,} of {len(lengths):,} users, the most attended interactions for all.",
        listed_tip="Type a number, the source's id, or ✓ for the users of the sample.",
        examples=longest[:5],
    )


def _draw(
    view: View, most: Stated, found: Histories | None, table: pd.DataFrame, whose: tuple[int, int]
) -> None:
    """found: None where the user's history is not stored as a whole."""
    (user, length), moment = whose, view.moment.of_scored()
    heads = [histories.head_title(head) for head in range(found.heads)] if found else []
    part = "" if found else f", the {len(table)} most attended of {words.count(length, 'interaction')}"
    st.markdown(
        f"**What user {user} attends to, {moment.when()}**{part}", help=meaning("attention over histories")
    )
    st.markdown(history_sentence(table, length, is_whole=found is not None))
    left, right = row("pair", "history", (1, 1))
    with left:
        show(
            history_bars(table, even=1 / length, heads=heads if len(heads) > 1 else []),
            moment.dated(table),
            name=moment.name(f"history-user-{user}"),
            source=f"{most.finding.source}; bars: mean over heads; dotted: an even share, 1 / {length:,}",
            alt=f"Bars of the shares of attention of user {user} over past interactions",
        )
        states.sampled(min(len(table), MOST_BARS), len(table), "interactions, the most attended")
    with right:
        st.dataframe(
            percents(table.drop(columns="item"), *heads, "mean"),
            hide_index=True,
            height="content" if len(table) <= 20 else 740,
            column_config=_columns(heads, table["name"]),
            alt=f"Table of the interactions of user {user} with their shares of attention",
        )
        if found is None:
            st.caption("Single heads are stored for the users of the sample alone, marked ✓ in the list.")


def _columns(heads: list[str], names: Iterable[str]) -> dict[str, Any]:
    share: dict[str, Any] = {"format": "%.1f %%"}
    named = {head: st.column_config.NumberColumn(head, **share) for head in heads}
    return named | {
        "name": st.column_config.TextColumn("item", width=name_width(names)),
        "mean": st.column_config.NumberColumn("mean", **share),
        "relative": st.column_config.NumberColumn(
            "of even", format="%.2f", help=meaning("relative attention")
        ),
        "trained": st.column_config.NumberColumn("training pairs", format="localized"),
    }
