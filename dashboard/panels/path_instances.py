"""Drill-down on the Relations page: a user, an item recommended to them, and the nodes on a path between the two."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from core.catalog.cigf import CIGFConfig
from dashboard import instances, readers, relations, selection, states, words
from dashboard.drawing import csv_button
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.relations_view import View
from dashboard.panels.user_picker import original_ids, pick_user
from dashboard.readers import Recommendations

MOST_INSTANCES = 20
MOST_TRIED = 16


def drill_down(view: View) -> None:
    """Pick user, item and path; show the strongest instances in words."""
    data = readers.dataset(readers.home(), view.recipe.dataset)
    stored, results = readers.recommendations(view.run), readers.per_user(view.run)
    if stored is None or results is None or not len(stored.users):
        st.caption("This run stored no recommendations, so there is nothing to explain.")
        return
    if data.info.content_hash != view.recipe.dataset_hash:
        st.caption(
            ":orange[The data set has changed since this run was trained; the paths would not be those it saw.]"
        )
        return
    hits = instances.hit_users(
        stored.users, stored.items, results[results["protocol"] == results["protocol"].iloc[0]]
    )
    titles = readers.titles(data)
    view.stays("Attention of single nodes")
    st.caption(instances.why_three_hops(_config(view).num_layers, view.composition))
    known = set(map(int, stored.users))
    cells = row("controls", "instance", (3, 4, 4))
    with cells[0]:
        user = _user(known, hits, original_ids(data))
    if user not in known:
        states.empty(
            f"User {user} has no test items", "So no recommendations were stored for them: pick another user."
        )
        return
    with cells[1]:
        item = _item(stored, user, hits.get(user, set()), titles)
    matrices = readers.training_matrices(data, view.recipe)
    from core.evaluation.paths import path_instances  # loads scipy, which most pages do without

    find = partial(path_instances, matrices, view.attention, _config(view), user=user, item=item)
    with cells[2]:
        path = _path(view, find)
    if path is not None:
        _table(view, find(path, limit=MOST_INSTANCES), path, user, item, titles)


def _config(view: View) -> CIGFConfig:
    config = view.recipe.system_config()
    assert isinstance(config, CIGFConfig)
    return config


def _user(known: set[int], hits: dict[int, set[int]], originals: list[str]) -> int:
    """Any user of the data."""
    return pick_user(
        len(originals),
        default=min(hits, default=min(known)),
        title=lambda user: _user_title(user, originals[user], user in hits, user in known),
        about=f"{len(known):,} of {len(originals):,} users have test items, and so stored recommendations.",
        listed_tip="Type a number, the source's id, or ✓ for those with a test item among the recommendations.",
        examples=sorted(hits)[:5],
    )


def _user_title(user: int, original: str, is_hit: bool, is_known: bool) -> str:
    return f"user {user} · {original}" + (" ✓" if is_hit else "" if is_known else " (no test items)")


def _item(stored: Recommendations, user: int, hit: set[int], titles: list[str]) -> int:
    row = int((stored.users == user).argmax())
    items = [int(item) for item in stored.items[row] if item >= 0]
    ranks = {str(item): rank for rank, item in enumerate(items, start=1)}
    default = next((str(item) for item in items if item in hit), str(items[0]))
    chosen = selection.pick(
        "item",
        "Recommended item",
        list(ranks),
        default=default,
        title=lambda i: f"{ranks[i]}. {titles[int(i)]}" + (" ✓ bought later" if int(i) in hit else ""),
    )
    return int(chosen)


def _path(view: View, find: Callable[..., pd.DataFrame]) -> tuple[str, ...] | None:
    behaviors = view.attention.axis("relation").labels
    layers = int(view.recipe.config["num_layers"])
    paths = instances.reaching_paths(behaviors, layers, view.composition)
    if not paths:
        st.caption("Paths need at least two layers.")
        return None
    key = "relation_paths_3" if layers > 2 else "relation_paths_2"
    known = readers.has_finding(view.run, key)
    strongest = list(relations.paths_table(readers.finding(view.run, key), "user")["path"]) if known else []
    ranked = instances.strongest_first(paths, strongest)
    default = next((path for path in ranked[:MOST_TRIED] if len(find(path, limit=1))), ranked[0])
    labels = [" > ".join(path) for path in ranked]
    chosen = selection.pick(
        "path", "Path", labels, default=" > ".join(default), title=words.path, help=meaning("path")
    )
    return tuple(chosen.split(" > "))


def _table(
    view: View, found: pd.DataFrame, path: tuple[str, ...], user: int, item: int, titles: list[str]
) -> None:
    label, title = words.path(" > ".join(path)), states.plain(titles[item])
    if found.empty:
        states.empty(
            f"No {label} path leads from user {user} to {title}",
            "Other paths may: pick another path, item or user above.",
        )
        return
    table = instances.readable(found, path, user, item, titles)
    total = int(found.attrs.get("instances", len(found)))
    st.markdown(
        f"The strongest of the **{label}** paths from user {user} to **{title}**, of the scored model",
        help=meaning("path"),
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config=_COLUMNS,
        alt="Table of path instances from the user to the item",
    )
    states.sampled(len(table), total, "instances, the strongest first")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"CIGF, Eqs. 8 to 10; composition {view.composition}", width="stretch")
        figure = f"instances-user-{user}-item-{item}-{'-'.join(path)}"
        csv_button(view.dated(table, follows=False), view.name(figure, follows=False))


_COLUMNS = {
    "instance": st.column_config.TextColumn("instance"),
    "strength": st.column_config.NumberColumn("strength", format="%.2e", help=meaning("instance strength")),
    "share": st.column_config.NumberColumn(
        "share",
        format="percent",
        help="Of the absolute strength of all instances of this path between the two",
    ),
    "note": st.column_config.TextColumn("note", help=meaning("walk note")),
}
