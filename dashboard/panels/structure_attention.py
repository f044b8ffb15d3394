"""Attention over all histories on the Structure page: popular or rare items, and how focused it is by length of the history."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluation.item_groups import ItemRule, item_groups
from core.findings import Array
from dashboard import histories, selection, states, words
from dashboard.data_profile import percents
from dashboard.drawing import show
from dashboard.figures.evolution import lines_over_epochs
from dashboard.figures.groups import by_group
from dashboard.figures.palette import BLUE, GREY
from dashboard.figures.structure import SIDE_LOOKS, series_looks
from dashboard.glossary import meaning
from dashboard.histories import NEITHER, Histories, Preference
from dashboard.information import Stated
from dashboard.layout import row
from dashboard.panels.longtail_view import RULES
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import HEADS, View, no_attention
from dashboard.structure_words import entropy_sentence

_MOST_HEADS = 4  # more marks beside each other cannot be told apart


def preference_of(
    view: View, found: Histories | None, rule: ItemRule = "equal_mass"
) -> tuple[pd.DataFrame, Preference | None] | None:
    """Attention by popularity of the items; None where the run stored no histories, or its data set cannot tell popularity."""
    first = view.stated(HEADS[0])
    if found is None or first is None or not len(found.user):
        return None
    trained = view.trained(first.finding.axis("item").size)
    if trained is None:
        return None
    groups = item_groups(trained, rule)
    table = histories.preference_table(found, groups, with_heads=found.heads <= _MOST_HEADS)
    return table, histories.preference(found, groups)


def popularity(view: View) -> None:
    """Whether attention favours popular or rare items, over the sampled users."""
    found = view.histories()
    if found is None:
        absent(view, "attention over histories", no_attention(view))
        return
    view.stays("Attention of single users")
    with row("controls", "popularity", (3, 6))[0]:
        cut = selection.pick(
            "popularity",
            "Cut items by equal",
            list(RULES),
            title=RULES.__getitem__,
            widget="segments",
            help=meaning("popularity group"),
        )
    preferred = preference_of(view, found, "equal_number" if cut == "equal_number" else "equal_mass")
    if preferred is None:
        st.caption(
            "How popular the items are cannot be told without the data set that the run was trained on."
        )
        return
    table, about = preferred
    moment = view.moment.of_scored()
    st.markdown(
        f"**Attention by popularity of the item, {moment.when()}**: {_preference_sentence(about)}",
        help=meaning("relative attention"),
    )
    looks = series_looks(list(dict.fromkeys(table["name"])))
    figure = by_group(
        table,
        looks=looks,
        x="training pairs of the item",
        y="attention over an even share",
        counted="users",
        value_format=".3f",
    )
    figure.add_hline(y=1, line={"color": GREY, "dash": "dot", "width": 1.3})
    first = view.stated(HEADS[0])
    assert first is not None
    show(
        figure,
        moment.dated(table.drop(columns="undefined")),
        name=moment.name(f"attention-popularity-{cut}"),
        source=f"{first.finding.source}; a user's interactions in a group are averaged first; bars: 95 % interval over users (t); "
        "dotted: no preference",
        alt="Mean attention relative to an even share by popularity of the item",
    )
    kept = len(np.unique(found.user[found.length > 1]))
    states.sampled(kept, _able(view, kept), "users with two interactions or more")
    _table(table)


def _able(view: View, otherwise: int) -> int:
    """Users with two interactions or more, where known."""
    entropy = view.entropy()
    return otherwise if entropy is None else int((entropy[2] > 1).sum())


def _preference_sentence(about: Preference | None) -> str:
    if about is None:
        return (
            "hardly any sampled history reaches both the head and the tail, so there is nothing to compare."
        )
    ends = (
        f"of {words.count(about.users, 'user')} whose histories reach both, the head gets {about.head:.2f} times an even share, the "
        f"tail {about.tail:.2f} times"
    )
    if about.verdict == NEITHER:
        return f"neither popular nor rare items are clearly favoured; {ends} (95 % interval of the difference includes 0)."
    return f":primary[{about.verdict} items are {about.how}favoured]; {ends}."


def _table(table: pd.DataFrame) -> None:
    shown = table.assign(
        interval=[
            f"{low:.3f} to {high:.3f}" if low == low else "–"
            for low, high in zip(table["low"], table["high"])
        ]
    )
    st.dataframe(
        shown[["name", "title", "mean", "interval", "size", "pairs"]],
        hide_index=True,
        height="content" if len(shown) <= 15 else 440,
        column_config=_PREFERENCE_COLUMNS,
        alt="Table of attention relative to an even share by popularity of the item",
    )


_PREFERENCE_COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn("attention of"),
    "title": st.column_config.TextColumn("items, by training pairs", help=meaning("popularity group")),
    "mean": st.column_config.NumberColumn(
        "times even share", format="%.3f", help=meaning("relative attention")
    ),
    "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
    "size": st.column_config.NumberColumn("users", format="localized"),
    "pairs": st.column_config.NumberColumn("interactions", format="localized"),
}


def entropy(view: View) -> None:
    """How spread out attention is by length of the history, and over the epochs."""
    known = view.entropy()
    if known is None:
        absent(view, "attention over histories", no_attention(view))
        return
    stated, nats, length = known
    table, relative = histories.entropy_table(nats, length), histories.relative_entropy(nats, length)
    if table.empty:
        st.caption("No user has two interactions or more, so attention has nothing to choose between.")
        return
    st.markdown(entropy_sentence(float(np.nanmean(relative)), table), help=meaning("relative entropy"))
    left, right = row("pair", "entropy", (6, 5))
    with left:
        _by_length(view, stated, table)
    with right:
        _over_epochs(view, stated, length)
    st.dataframe(
        percents(table[["title", "size", "mean", "low", "high", "nats", "most"]], "mean", "low", "high"),
        hide_index=True,
        height="content",
        column_config=_ENTROPY_COLUMNS,
        alt="Table of attention entropy by length of the history",
    )
    alone = int((length < 2).sum())
    if alone:
        st.caption(
            f"Left out: {words.count(alone, 'user')} with fewer than two interactions, who have nothing to choose between."
        )


def _by_length(view: View, stated: Stated, table: pd.DataFrame) -> None:
    moment = view.moment.of_scored()
    st.markdown(f"**Entropy over ln n by length of the history n, {moment.when()}**")
    view.stays("Entropy of single users")
    figure = by_group(
        table,
        looks={"all users": SIDE_LOOKS["user"]},
        x="interactions of the user",
        y="entropy over ln n",
        counted="users",
        value_format=".2%",
    )
    figure.update_layout(showlegend=False)
    show(
        figure,
        moment.dated(table.drop(columns=["name", "undefined"])),
        name=moment.name("attention-entropy"),
        source=f"{stated.finding.source}; mean over heads; bars: 95 % interval over users (t); 100 %: all interactions alike",
        alt="Mean relative entropy of attention by length of the history",
    )


def _over_epochs(view: View, stated: Stated, length: Array) -> None:
    st.markdown("**Entropy over epochs**, mean over all users, in nats", help=meaning("relative entropy"))
    over = histories.entropy_over_epochs(stated)
    moment = view.moment_of(stated)
    epoch, mark = moment.mark()
    figure = lines_over_epochs(
        over,
        looks={"all users": (BLUE, "solid", "circle")},
        y="entropy (nats)",
        epoch=epoch,
        mark=mark,
        form=".3f",
    )
    even = float(np.log(np.maximum(length, 1)).mean())
    if not over.empty:
        figure.add_hline(y=even, line={"color": GREY, "dash": "dot", "width": 1.3})
        figure.update_yaxes(rangemode="tozero")
        figure.update_layout(height=380)
    show(
        figure,
        over,
        name=f"attention-entropy-epochs-{view.run.run_id}",
        source=f"{stated.finding.source}; band: middle half of the users; dotted: even attention, mean of ln n = {even:.2f}",
        alt="Line of mean attention entropy over the epochs",
    )


_ENTROPY_COLUMNS: dict[str, Any] = {
    "title": st.column_config.TextColumn("interactions"),
    "size": st.column_config.NumberColumn("users", format="localized"),
    "mean": st.column_config.NumberColumn(
        "entropy over ln n", format="%.2f %%", help=meaning("relative entropy")
    ),
    "low": st.column_config.NumberColumn("95 % from", format="%.2f %%"),
    "high": st.column_config.NumberColumn("to", format="%.2f %%"),
    "nats": st.column_config.NumberColumn("entropy (nats)", format="%.3f"),
    "most": st.column_config.NumberColumn("ln n (nats)", format="%.3f"),
}
