"""A metric in groups of items or users on the page Long tail: each run, one minus the other with tests, and the numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation.groups import grouped
from core.evaluation.item_groups import NUM_GROUPS, grouped_values
from dashboard import longtail, states, words
from dashboard.compare_tables import MISSING, interval
from dashboard.drawing import show
from dashboard.figures.groups import by_group
from dashboard.figures.palette import DASHES, MARKERS, run_colors
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.longtail import Groups, Values
from dashboard.panels.longtail_sides import Side
from dashboard.panels.longtail_view import RULES, View
from dashboard.results import metric_title

_AXES = {"items": "training pairs of an item", "users": "training pairs of a user"}
_PER_USER = "a user's pairs are averaged first; bars: 95 % interval over users (t, or Wilson where users are hit or missed)"


@dataclass(frozen=True)
class Cut:
    """The test pairs in groups, each system's values in them (by seed and user, and as a table of means), and the places on
    the page that one run minus the other will take."""

    groups: Groups
    values: Mapping[str, Sequence[Values]]
    table: pd.DataFrame
    figure_place: DeltaGenerator
    table_place: DeltaGenerator


def item_cut(view: View) -> Groups:
    return longtail.by_popularity(view.item_groups, view.items)


def user_cut(view: View) -> Groups:
    activity = view.counts.users
    tested = np.unique(view.users)
    return longtail.by_activity(grouped(activity[tested], NUM_GROUPS), activity, view.users, view.items)


def values(view: View, groups: Groups) -> Cut:
    """The figure and the table of each run's values, and places for what takes longer: one run minus the other."""
    found = {side.name: _values(view, side, groups) for side in view.sides}
    table = longtail.value_table({name: longtail.averaged(seeds) for name, seeds in found.items()}, groups)
    cells = row("pair", f"longtail-{groups.of}", (1, 1)) if view.other else [st.container()]
    with cells[0]:
        _figure(view, table, groups)
    place = cells[-1].container()
    _warnings(view, groups, table)
    _sizes(table, groups)
    return Cut(groups, found, table, place, st.container())


def first_words(view: View, cut: Cut) -> str:
    """What can be said before anything is tested."""
    own = cut.table[cut.table["name"] == view.one.name]
    return longtail.alone_sentence(own, states.plain(view.one.name), view.metric)


def _values(view: View, side: Side, groups: Groups) -> list[Values]:
    """Users and values by group, of each seed."""
    return [
        grouped_values(
            view.users, ranks, groups.group, groups.count, view.metric, own_candidates=view.own_candidates
        )
        for ranks in side.ranks
    ]


def _figure(view: View, table: pd.DataFrame, groups: Groups) -> None:
    names = [side.name for side in view.sides]
    colors = run_colors(names)
    looks = {name: (colors[name], DASHES[place], MARKERS[place]) for place, name in enumerate(names)}
    title = metric_title(view.metric)
    which = "popularity of the test item" if groups.of == "items" else "activity of the user"
    st.markdown(
        f"**{title} by {which}**, {states.plain(view.protocol)}",
        help=f"{meaning('popularity group' if groups.of == 'items' else 'activity group')} {meaning('value in a group')}",
    )
    show(
        by_group(
            table.assign(title=[name.replace(": ", "<br>") for name in table["title"]]),
            looks=looks,
            y=title,
            x=axis(view, groups),
            counted="users",
        ).update_yaxes(rangemode="tozero"),
        table.assign(protocol=view.protocol, metric=view.metric).drop(columns="undefined"),
        name=view.name(groups.of),
        source=f"{source(groups)}; {_PER_USER}",
        alt=f"{title} in {groups.count} groups of {groups.of}, one line per run",
        about=about(view),
    )


def axis(view: View, groups: Groups) -> str:
    cut = f", groups of equal {RULES[view.rule]}" if groups.of == "items" else ", groups of about equal size"
    return _AXES[groups.of] + cut


def source(groups: Groups) -> str:
    return (
        "EGRA, Figure 2 (Long-Tail Evaluation)"
        if groups.of == "items"
        else "users by number of training pairs"
    )


def about(view: View) -> str:
    seeds = f", seeds {', '.join(map(str, view.one.seeds))}"
    names = " against ".join(states.plain(side.name) for side in view.sides)
    return f"{metric_title(view.metric)}, data: {view.own.recipe.dataset}, protocol {view.protocol}, {names}{seeds}"


def _warnings(view: View, groups: Groups, table: pd.DataFrame) -> None:
    """Which groups prove little, which have nothing to measure, and what the tail holds that was never trained."""
    few = {title: users for title, users in longtail.small_groups(table).items() if users}
    if few:
        told = ", ".join(f"{title} ({words.count(users, 'user')})" for title, users in few.items())
        st.caption(
            f":orange-badge[small groups] {told}: fewer than {longtail.FEW_USERS} users prove little, whatever the interval says."
        )
    if empty := [title for title, pairs in zip(groups.titles, groups.pairs) if not pairs]:
        st.caption(f"No test pair lies in {', '.join(empty)}, so nothing can be measured there.")
    if groups.of == "items" and (untrained := view.item_groups.untrained):
        tested = int((view.counts.items[view.items] == 0).sum())
        st.caption(
            f"{untrained:,} of {words.count(len(view.counts.items), 'item')} have no training pair and belong to the last group; "
            f"{words.count(tested, 'test pair')} of its {groups.pairs[-1]:,} {'is' if tested == 1 else 'are'} theirs."
        )


def _sizes(table: pd.DataFrame, groups: Groups) -> None:
    """One row per group: how much stands behind it, and each run's value with its interval."""
    first = table.drop_duplicates("group")
    told: dict[str, list[str]] = {"training pairs": list(first["title"])}
    if groups.of == "items":
        told["items"] = [f"{number:,}" for number in groups.members]
    told["items tested"] = [f"{number:,}" for number in first["items"]]
    told["test pairs"] = [f"{number:,}" for number in first["pairs"]]
    told["users"] = [f"{number:,}" for number in first["size"]]
    for name, part in table.groupby("name", sort=False):
        told[states.plain(str(name))] = [
            f"{words.score(mean)} ({interval(low, high)})" if size else MISSING
            for mean, low, high, size in part[["mean", "low", "high", "size"]].itertuples(index=False)
        ]
    st.table(pd.DataFrame(told).reset_index(drop=True), border="horizontal", hide_index=True)
