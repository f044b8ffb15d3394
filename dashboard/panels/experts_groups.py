"""Groups of users on the Experts page: who is served how well, and whose pairs are decided by which expert."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.data.profile_store import standing
from core.evaluation.groups import Rule
from core.home import Home
from dashboard import compare, readers, selection, states, user_groups, words
from dashboard.compare import Entry
from dashboard.drawing import show
from dashboard.figures.gates import expert_looks
from dashboard.figures.groups import by_group
from dashboard.figures.palette import DASHES, MARKERS, run_colors
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.experts_beside import entries_beside, guarded, values_per_user
from dashboard.panels.experts_view import View
from dashboard.results import is_accuracy, metric_order, metric_title
from dashboard.user_groups import UserGroups

_CUTS: dict[str, str] = {"equal_count": "counts", "equal_width": "widths"}
_ACTIVITY = {"all": "all", "similar": "of similar activity"}
_WAIT_SECONDS = 1.5
MOST_TOLD = 4


def groups(home: Home, view: View) -> None:
    """A metric and the gates by groups of users, for this run and any others on the same footing."""
    entries = entries_beside(home, view)
    own = next((entry for entry in entries if entry.run_id == view.run.run_id), None)
    if own is None or not own.results:
        st.caption(
            "Groups of users need test results, and this run has none"
            + (": it is " + view.status.state + "." if view.status.state != "done" else ".")
        )
        return
    info = readers.dataset(home, view.recipe.dataset).info
    if info.content_hash != view.recipe.dataset_hash:
        st.caption(
            ":orange[The data set has changed since this run was trained, so its users cannot be told apart any more.]"
        )
        return
    profile = readers.user_profile(home, view.recipe.dataset)
    if profile is None:
        _waiting(home, view.recipe.dataset)
        return
    protocol, metric, cut, activity = _controls(own)
    fitting, apart = guarded(own, entries, protocol)
    values = values_per_user(home, fitting, protocol, metric)
    if own.run_id not in values:
        st.caption("The results of this run's users are gone from its folder; score it again on its page.")
        return
    named = compare.titles([entry for entry in fitting if entry.run_id in values], with_seed=True)
    own_users = values[own.run_id]["user"].to_numpy()
    cutting: Rule = "equal_width" if cut == "equal_width" else "equal_count"
    chosen = user_groups.user_groups(profile, own_users, cutting, similar=activity == "similar")
    if not chosen.grouping.count:
        st.caption(
            "No user tested here has a defined correlation: that takes training pairs under every behaviour."
        )
        return
    table = user_groups.metric_table({named[run_id]: part for run_id, part in values.items()}, chosen)
    _draw_metric(view, table, chosen, protocol, metric, cut)
    for title, reason in apart:
        st.caption(f":orange-badge[kept apart] {states.plain(title)}: {states.plain(reason)}.")
    _draw_gates(view, chosen)


def _waiting(home: Home, dataset: str) -> None:
    """While a process counts the users' behaviours: says so, and draws the page anew when it is done."""
    with st.container(border=True):
        st.markdown("**Correlating the behaviours of every user**")
        st.caption(
            "This is done once per data set, in a process of its own; the groups appear here by themselves.",
            help=meaning("behaviour correlation"),
        )
        st.fragment(_progress, run_every=_WAIT_SECONDS)(home, dataset)


def _progress(home: Home, dataset: str) -> None:
    with states.guarded():
        if readers.user_profile(home, dataset) is not None:
            st.rerun(scope="app")
        now = standing(home, readers.dataset(home, dataset).info)
        st.progress(now.share, text=states.plain(now.said) or "starting")


def _controls(own: Entry) -> tuple[str, str, str, str]:
    """Protocol, metric, how groups are cut, and of which users."""
    cells = row("controls", "groups", (3, 3, 3, 4))
    mine = own.recipe.protocol.key
    protocols = sorted(own.results, key=lambda key: (key != mine, key))
    with cells[0]:
        protocol = selection.pick("under", "Protocol", protocols, help=meaning("protocol"))
    with cells[1]:
        names = sorted(filter(is_accuracy, own.results[protocol]["metrics"]), key=metric_order)
        metric = selection.pick(
            "metric", "Metric", names, default=own.recipe.protocol.main_metric, title=metric_title
        )
    with cells[2]:
        cut = selection.pick(
            "cut",
            "Groups of equal",
            list(_CUTS),
            title=_CUTS.__getitem__,
            widget="segments",
            help=meaning("user groups"),
        )
    with cells[3]:
        activity = selection.pick(
            "activity",
            "Users",
            list(_ACTIVITY),
            title=_ACTIVITY.__getitem__,
            widget="segments",
            help=meaning("activity"),
        )
    return protocol, metric, cut, activity


def _draw_metric(
    view: View, table: pd.DataFrame, chosen: UserGroups, protocol: str, metric: str, cut: str
) -> None:
    title = metric_title(metric)
    st.markdown(
        f"**{title} by the correlation of a user's behaviours**, {states.plain(protocol)}, scored model",
        help=f"{meaning('behaviour correlation')} {meaning('user groups')}",
    )
    if said := _sentence(table, title):
        st.markdown(said)
    names = list(dict.fromkeys(table["name"]))
    colors = run_colors(names)
    looks = {
        name: (colors[name], DASHES[place % len(DASHES)], MARKERS[place % len(MARKERS)])
        for place, name in enumerate(names)
    }
    show(
        by_group(
            table, looks=looks, y=title, x="mean Pearson correlation of a user's behaviours", counted="users"
        ),
        view.moment.of_scored().dated(table).assign(protocol=protocol, metric=metric),
        name=f"groups-{metric.replace('@', '-at-')}-{view.run.run_id}",
        source="CIGF, Figure 8, Eqs. 25 and 26; bars: 95 % interval over users (t, or Wilson where users are hit or "
        f"missed); groups of equal {_CUTS[cut]}, edges from the users tested",
        alt=f"{title} by groups of users, one line per run",
        about=f"{title}, data: {view.recipe.dataset}, protocol {protocol}, runs: {', '.join(names)}",
    )
    sizes = user_groups.size_table(chosen)
    st.dataframe(
        _wide(table, sizes),
        hide_index=True,
        placeholder="–",
        column_config=_SIZE_COLUMNS,
        alt=f"{title} by group",
    )


def _sentence(table: pd.DataFrame, title: str) -> str:
    """How the metric moves from the least to the most correlated users, run by run."""
    found = user_groups.trends(table)
    if not found:
        return ""
    first = found[0]
    moves = [f"- {_move(trend)}" for trend in found[:MOST_TOLD]]
    moves += [f"- and {len(found) - MOST_TOLD} more below"] if len(found) > MOST_TOLD else []
    lead = f"From the least correlated users ({first.low_title}) to the most ({first.high_title}), {title}"
    return "\n".join([lead, "", *moves])


def _move(trend: user_groups.Trend) -> str:
    way = (
        "does not clearly change" if not trend.apart else "rises" if trend.highest > trend.lowest else "falls"
    )
    if trend.apart and (trend.peak or trend.dip):
        way = "ends higher" if trend.highest > trend.lowest else "ends lower"
    overlap = "their intervals lie apart" if trend.apart else "their intervals overlap"
    if trend.apart is None:
        overlap = "one of them has no interval, its users being all alike"
    between = f"from {words.score(trend.lowest)} to {words.score(trend.highest)}"
    turns = [
        f"; {word} in between: {words.score(group[1])} ({group[0]})"
        for word, group in (("highest", trend.peak), ("lowest", trend.dip))
        if group
    ]
    return f"**{way}** under {states.plain(trend.name)}, {between}; {overlap}{''.join(turns)}"


def _wide(table: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """One row per group: its size and activity, then the metric of every run with its interval."""
    wide = sizes.copy()
    for name, part in table.groupby("name", sort=False):
        told = {
            row["title"]: f"{words.score(row['mean'])}  ({_interval(row)})"
            for row in part.to_dict("records")
            if row["size"]
        }
        wide[str(name)] = wide["group"].map(told)
    return wide


def _interval(row: Mapping[Hashable, Any]) -> str:
    if row["low"] != row["low"]:
        return "no interval: all alike"
    return f"{words.score(row['low'])} to {words.score(row['high'])}"


_SIZE_COLUMNS = {
    "group": st.column_config.TextColumn("correlation", help=meaning("behaviour correlation")),
    "users": st.column_config.NumberColumn("users", format="localized"),
    "pairs": st.column_config.NumberColumn(
        "training pairs", format="%.0f", help=meaning("training pairs of a user")
    ),
}


def _draw_gates(view: View, chosen: UserGroups) -> None:
    if view.finding is None:
        return
    now = view.now
    table = user_groups.gate_by_group(now, view.task, chosen)
    st.markdown(
        f"**Gate of {states.plain(view.task)} in the same groups, {view.moment.when()}**",
        help=meaning("held-out pairs"),
    )
    if table["size"].sum() == 0:
        st.caption("None of the held-out pairs belongs to a user in these groups.")
        return
    show(
        by_group(
            table,
            looks=expert_looks(now.experts, now.tasks),
            y=f"gate of {view.task}",
            x="mean Pearson correlation of a user's behaviours",
            counted="users",
            value_format=".1%",
        ),
        view.moment.dated(table),
        name=view.moment.name(f"groups-gates-{view.task}"),
        source=f"{view.finding.source}; mean over users with held-out pairs, bars: 95 % interval over users (t)",
        alt=f"Mean gate of {view.task} per expert by groups of users",
    )
