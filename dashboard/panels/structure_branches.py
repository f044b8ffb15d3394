"""Branches on the Structure page: how much each adds to the final embedding of users and items, now and over the epochs."""

from typing import Any

import streamlit as st

from dashboard import branches, selection
from dashboard.data_profile import percents
from dashboard.drawing import show
from dashboard.figures.evolution import lines_over_epochs
from dashboard.figures.palette import GREY
from dashboard.figures.structure import branch_bars, branch_look
from dashboard.glossary import meaning
from dashboard.information import SIDES, Stated
from dashboard.layout import row
from dashboard.panels.run_view import absent
from dashboard.panels.structure_view import CONTRIBUTION, NORM, View
from dashboard.relations import GROUP_TITLES
from dashboard.structure_words import branches_sentence


def contributed(view: View) -> None:
    """Contributions and lengths of all branches, of users and items."""
    contribution, norm = view.stated(CONTRIBUTION), view.stated(NORM)
    if contribution is None:
        absent(
            view,
            "branches",
            "" if view.recipe.system in ("srgformer", "lgmrec") else "This system has no branches.",
        )
        return
    moment, system = view.moment_of(contribution), view.recipe.system
    table = branches.branch_table(contribution, norm, moment.epoch)
    with row("controls", "branches", (3, 6))[0]:
        side = selection.pick(
            "group", "Over epochs, of", SIDES, title=GROUP_TITLES.__getitem__, widget="segments"
        )
    titles = {b: branches.branch_title(b, system) for b in contribution.labels("branch")}
    st.markdown(branches_sentence(table, system), help=meaning("branch contribution"))
    left, right = row("pair", "branches", (1, 1))
    with left:
        st.markdown(f"**Part of each branch in the final embedding, {moment.when()}**")
        show(
            branch_bars(table, titles=titles),
            moment.dated(table),
            name=moment.name("branches"),
            source=f"{contribution.finding.source}; the parts of users, and of items, add up to 100 %",
            alt="Bars: part of each branch in the final embedding of users and of items",
        )
    with right:
        _over_epochs(view, contribution, side, titles)
    wide = branches.wide_table(table).dropna(axis="columns")
    wide["what"] = wide["branch"].map(branches.MEANING).fillna("")
    st.dataframe(
        percents(wide.assign(branch=wide["branch"].map(titles)), "contribution_user", "contribution_item"),
        hide_index=True,
        height="content",
        column_config=_COLUMNS,
        alt="Table of branches with their part and length for users and items",
    )
    st.caption(_by_design(view))


def _over_epochs(view: View, contribution: Stated, side: str, titles: dict[str, str]) -> None:
    st.markdown(f"**The same over epochs**, of {GROUP_TITLES[side]}")
    over = branches.over_epochs(contribution, side)
    moment = view.moment_of(contribution)
    epoch, mark = moment.mark()
    figure = lines_over_epochs(
        over,
        looks={branch: branch_look(branch) for branch in titles},
        y="part",
        epoch=epoch,
        mark=mark,
        form=".1%",
        titles=titles,
    )
    figure.update_yaxes(tickformat=".0%", zeroline=True, zerolinecolor=GREY, rangemode="tozero")
    show(
        figure,
        over.drop(columns=["low", "high"]).rename(columns={"name": "branch", "mean": "part"}),
        name=f"branches-{side}-epochs-{view.run.run_id}",
        source=f"{contribution.finding.source}; mean over {GROUP_TITLES[side]}",
        alt=f"Lines of each branch's part in the final embedding of {GROUP_TITLES[side]} over the epochs",
    )


def _by_design(view: View) -> str:
    """What the weights of the settings fix."""
    config, system = view.recipe.config, view.recipe.system
    weights = {
        "srgformer": (("transformer", "alpha"), ("hypergraph", "beta")),
        "lgmrec": (("hypergraph", "alpha"),),
    }
    said = [
        f"{branch} vectors are scaled to length {config[name]:g} ({name})"
        for branch, name in weights.get(system, ())
        if config.get(name)
    ]
    fixed = f"By design {' and '.join(said)}; " if said else "By design "
    return (
        f"{fixed}in the modal branch each modality's vector has length 1. Vectors of nodes without any interaction may be nil, which "
        "lowers the mean. The collaborative branch alone is free."
    )


_PART: dict[str, Any] = {"format": "%.1f %%"}
_COLUMNS = {
    "what": st.column_config.TextColumn("what it is", width="large"),
    "contribution_user": st.column_config.NumberColumn(
        "part, users", help=meaning("branch contribution"), **_PART
    ),
    "contribution_item": st.column_config.NumberColumn(
        "part, items", help=meaning("branch contribution"), **_PART
    ),
    "norm_user": st.column_config.NumberColumn("length, users", format="%.3f", help=meaning("branch norm")),
    "norm_item": st.column_config.NumberColumn("length, items", format="%.3f", help=meaning("branch norm")),
}
