"""Fusion on the Information page: how much of each source goes into the output of users and items, by group."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import DataError
from core.findings import Array
from dashboard import fusion, readers, states, words
from dashboard.drawing import show
from dashboard.figures.fusion import fusion_shares
from dashboard.glossary import meaning
from dashboard.information import SIDES, Stated
from dashboard.panels.information_view import FUSION, View
from dashboard.panels.run_view import absent

_ALL = {"user": "all users", "item": "all items"}
Groups = dict[str, tuple[str, Array | None]]


def fused(view: View) -> None:
    """Mean shares of every source for both stages of the fusion, by groups of nodes."""
    keys = [key for key in FUSION if readers.has_finding(view.run, key)]
    if not keys:
        absent(view, "fusion attention", _by_design(view))
        return
    activity, segments, told = _groups(view)
    for key in keys:
        with states.guarded():
            stated = view.stated(key)
            assert stated is not None
            _stage(view, stated, activity | segments)
    if view.moment.epoch is not None:
        view.stays("Snapshots keep shares of all users and all items; groups need the scored model")
        return
    for text in told:
        st.caption(text)


def _by_design(view: View) -> str:
    config = view.hgib
    if config is None:
        return "Only HGIB and MuLe fuse levels by attention." if view.recipe.system != "mule" else ""
    if config.hierarchy == "flat":
        return "No fusion: with one level alone there is nothing to fuse."
    return ""


def _stage(view: View, stated: Stated, groups: Groups) -> None:
    if set(SIDES) - set(stated.finding.axis("node").groups):
        st.caption(
            f"{states.plain(stated.finding.title)}: its nodes are not told apart into users and items."
        )
        return
    moment = view.moment_of(stated)
    if moment.epoch is not None:
        table = fusion.share_table_at(stated, moment.epoch)
    else:
        table = fusion.share_table(stated, _by_side(groups))
    st.markdown(f"**{states.plain(stated.finding.title)}, {moment.when()}**", help=meaning("fusion"))
    st.markdown(_sentence(table, [title for title, (side, _) in groups.items() if title.startswith(_PAIRS)]))
    show(
        fusion_shares(table),
        moment.dated(table),
        name=moment.name(stated.finding.key.replace("_", "-")),
        source=stated.finding.source + (_HATCHES if any(" " in s for s in stated.labels("source")) else ""),
        alt=f"Stacked bars: {stated.finding.title.lower()} by group of nodes",
    )


_PAIRS = "users with "
_HATCHES = "; hatched: pairs that never reached the target, dotted: pairs that did"


def _by_side(groups: Groups) -> Groups:
    """All users, their groups, all items, and theirs."""
    ordered: Groups = {}
    for side in SIDES:
        ordered[_ALL[side]] = (side, None)
        ordered |= {title: group for title, group in groups.items() if group[0] == side}
    return ordered


def _sentence(table: pd.DataFrame, by_activity: list[str]) -> str:
    said = []
    for side in SIDES:
        about = fusion.leader(table, _ALL[side])
        if about is None:
            continue
        if about.is_flat:
            said.append(f"{_ALL[side]} draw evenly on all (an even share is {words.percent(about.even)})")
        else:
            named = " and ".join(f"*{states.plain(source)}*" for source in about.sources)
            said.append(
                f"{_ALL[side]} draw most on {named} ({words.percent(about.share)}; even: {words.percent(about.even)})"
            )
    text = "; ".join(said)
    text = text[:1].upper() + text[1:] + "." if text else ""
    known = [title for title in by_activity if (table["group"] == title).any()]
    if len(known) > 1:
        moved = fusion.moves(table, known[0], known[-1]).iloc[0]
        where = f"From the least to the most active users the share of *{states.plain(str(moved['source']))}*"
        if abs(moved["change"]) < fusion.CLOSE:
            text += " Activity hardly matters: no share moves by a percentage point from the least to the most active users."
        else:
            way = "rises" if moved["change"] > 0 else "falls"
            text += f" {where} {way} most, from {words.percent(moved['first'])} to {words.percent(moved['last'])}."
    return text


def _groups(view: View) -> tuple[Groups, Groups, list[str]]:
    """Users by activity, planted groups, and what there is to say of both."""
    if view.moment.epoch is not None:
        return {}, {}, []
    activity, about_activity = _activity(view)
    segments, about_segments = _planted(view)
    return activity, segments, [text for text in (about_activity, about_segments) if text]


def _activity(view: View) -> tuple[Groups, str]:
    protocol = view.recipe.protocol.key
    found = readers.user_metric(view.run, protocol, "num_train")
    if found is None:
        return (
            {},
            "Groups by activity need the results of the run's users, which are written when it is done.",
        )
    parts = fusion.activity_groups(found["value"].to_numpy(), found["user"].to_numpy())
    groups: Groups = {f"{_PAIRS}{pairs} pairs": ("user", users) for pairs, users in parts.items()}
    return (
        groups,
        f"“{_PAIRS}… pairs”: the {len(found):,} users that were tested, by their training pairs of the target.",
    )


def _planted(view: View) -> tuple[Groups, str]:
    """Segments of users and kinds of items that the generator knows, where the data is planted and unchanged."""
    try:
        data = readers.dataset(view.home, view.recipe.dataset)
        if not data.info.planted or data.info.content_hash != view.recipe.dataset_hash:
            return {}, ""
        users, items = data.truth("users"), data.truth("items")
    except DataError:
        return {}, ""
    groups: Groups = {
        f"{name}s": ("user", part["user"].to_numpy(np.int64))
        for name, part in users.groupby("segment", observed=True)
    }
    for is_tail, title in ((True, "tail items"), (False, "other items")):
        groups[title] = ("item", items.loc[items["tail"] == is_tail, "item"].to_numpy(np.int64))
    return (
        groups,
        ":violet-badge[planted truth] Segments and tail items come from the generator; the model never saw them.",
    )
