"""The sections of the Relations page: the answer, the heatmap, the paths, and three closer looks."""

import streamlit as st

from dashboard import readers, relations, states, words
from dashboard.drawing import is_dark, show
from dashboard.figures.distributions import spread_boxes
from dashboard.figures.evolution import attention_over_epochs
from dashboard.figures.heatmap import attention_heatmap
from dashboard.figures.paths import path_bars
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.relations_view import View

DETAILS = {
    "spread": "Do nodes agree?",
    "evolution": "How did it come about?",
    "segments": "Does it match the planted truth?",
}


def answer(view: View) -> None:
    """The answer in one sentence, computed from the run."""
    leader = relations.leading_path(view.attention, view.group, view.composition)
    st.markdown(
        f"#### :primary[{states.plain(words.path(leader.path))}] weighs most for {words.percent(leader.share)} of "
        f"{leader.nodes:,} {view.group_title}{_second(leader)}.",
        help=f"Each of the {view.group_title} votes for its path of order 2 with the largest attention. {meaning('path')}",
        anchors=False,
    )
    ratio = relations.personal_ratio(view.attention, view.group)
    if ratio < relations.IMPERSONAL:
        st.warning(
            f"Attention hardly differs between {view.group_title}: its deviation over them is {100 * ratio:.2g} % of its "
            "size, so each relation has in effect one weight for all. The vote above then says nothing about single "
            "nodes. A smaller score_scale or l2 lets embeddings, and with them attention, grow apart.",
            icon=":material/blur_on:",
        )


def _second(leader: relations.Leader) -> str:
    if leader.runner_up_share == 0:
        return ""
    return f"; {words.path(leader.runner_up)} for {words.percent(leader.runner_up_share)}"


def heatmap(view: View) -> None:
    """The main figure: mean attention per order, start behaviour and relation."""
    if view.epoch is not None and view.history is not None:
        table, when = (
            relations.attention_table_at(view.history, view.epoch, view.group),
            f"at epoch {view.epoch}",
        )
    else:
        table, when = relations.attention_table(view.attention, view.group), "of the scored model"
    st.markdown(
        f"**Mean attention of {view.group_title}, {when}**: rows are where a path starts, columns the relation weighed",
        help=meaning("attention"),
    )
    show(
        attention_heatmap(table, dark=is_dark()),
        table,
        name=view.name("attention"),
        source=f"{view.attention.source}; composition {view.composition}; heads summed; blue adds, orange subtracts",
        alt=f"Heatmap of mean attention of {view.group_title} by start behaviour and relation",
    )


def paths(view: View) -> None:
    """The three strongest and three weakest paths of every order, with their support."""
    orders = [
        o for o in view.attention.axis("order").labels if readers.has_finding(view.run, f"relation_paths_{o}")
    ]
    if not orders:
        st.caption("This run stored no relation paths.")
        return
    for order in orders:
        _paths_of_order(view, order)


def _paths_of_order(view: View, order: str) -> None:
    finding = readers.finding(view.run, f"relation_paths_{order}")
    table = relations.paths_table(finding, view.group)
    chosen = relations.extremes(table)
    chosen = chosen.assign(path=chosen["path"].map(words.path))
    st.markdown(f"**Order {order}**: strongest and weakest of {len(table)} paths", help=meaning("strength"))
    bars, numbers = row("pair", f"paths-{order}", (6, 4))
    with bars:
        show(
            path_bars(chosen),
            table,
            name=view.name(f"paths-order-{order}"),
            source=f"{finding.source}; read from the {view.group} outward",
            alt=f"Bars of the strongest and weakest paths of order {order}",
        )
    with numbers:
        st.dataframe(
            chosen[["path", "strength", "support"]],
            hide_index=True,
            column_config=_PATH_COLUMNS,
            alt=f"Table of the paths of order {order}",
        )
        st.caption(states.plain(finding.note))


_PATH_COLUMNS = {
    "strength": st.column_config.NumberColumn("strength", format="%.4f", help=meaning("strength")),
    "support": st.column_config.NumberColumn("pairs connected", format="localized", help=meaning("support")),
}


def spread(view: View) -> None:
    """How attention differs between nodes."""
    table = relations.spread_table(view.attention, view.start, view.order)
    st.markdown(f"Do nodes agree? Order {view.order}, paths that start with **{view.start}**")
    show(
        spread_boxes(table),
        table,
        name=view.name(f"spread-{view.start}-{view.order}"),
        source=f"{view.attention.source}; box: middle half of the nodes, line: median, whiskers: 5th to 95th percentile",
        alt="Boxes of attention per relation, for users and for items",
    )


def evolution(view: View) -> None:
    """How attention came about while the model trained."""
    if view.history is None:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    table = relations.evolution_table(view.history, view.group, view.start, view.order)
    st.markdown(
        f"Attention of {view.group_title}, order {view.order}, paths that start with **{view.start}**"
    )
    show(
        attention_over_epochs(table, view.epoch),
        table,
        name=view.name(f"evolution-{view.start}-{view.order}"),
        source=f"{view.attention.source}; line: mean, band: middle half of the {view.group_title}",
        alt="Lines of mean attention per relation over the epochs",
    )
