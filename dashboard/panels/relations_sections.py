"""The sections of the Relations page: the answer, the heatmap, the paths, and three closer looks."""

import pandas as pd
import streamlit as st

from dashboard import readers, relations, states, votes, words
from dashboard.drawing import is_dark, show
from dashboard.figures.distributions import spread_boxes
from dashboard.figures.evolution import attention_over_epochs
from dashboard.figures.heatmap import attention_heatmap
from dashboard.figures.paths import path_bars
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.relations_view import View, order_control, start_control

DETAILS = {
    "spread": "Do nodes agree?",
    "evolution": "How did it come about?",
    "segments": "Does it match the planted truth?",
}


def answer(view: View) -> None:
    """The answer in one sentence, computed from the run."""
    attention = str(view.recipe.config.get("attention", ""))
    if view.epoch is not None:
        _answer_by_mean(view)
        st.caption("Single nodes vote in the scored model only: at an earlier epoch the mean decides.")
    elif votes.is_one_for_all(attention):
        _answer_by_mean(view)
    elif (ratio := votes.personal_ratio(view.attention, view.group)) < votes.IMPERSONAL:
        _answer_by_mean(view)
        st.warning(
            f"Attention hardly differs between {view.group_title}: its deviation over them is {100 * ratio:.2g} % of its "
            "size, so each relation has in effect one weight for all, and a vote would say nothing about single "
            "nodes. A smaller score_scale or l2 lets embeddings, and with them attention, grow apart.",
            icon=":material/blur_on:",
        )
    else:
        _answer_by_vote(view)
    if design := votes.by_design(attention):
        st.caption(design)


def _answer_by_vote(view: View) -> None:
    vote = votes.vote(view.attention, view.group, view.composition)
    second = f"; {_named(vote.second)} for {words.percent(vote.second.share)}" if vote.second else ""
    st.markdown(
        f"#### :primary[{_named(vote.first)}] weighs most for {words.percent(vote.first.share)} of "
        f"{vote.nodes:,} {view.group_title}{_tie(vote.first)}{second}.",
        help=f"{meaning('vote')} {meaning('path')}",
        anchors=False,
    )


def _answer_by_mean(view: View) -> None:
    ballot, mean = votes.largest_mean(_attention_table(view), view.composition)
    when = f"At epoch {view.epoch} " if view.epoch is not None else ""
    st.markdown(
        f"#### {when}:primary[{_named(ballot)}] has the largest mean attention of {view.group_title} at order "
        f"{view.attention.axis('order').labels[0]}, {mean:.4f}{_tie(ballot)}.",
        help=f"{meaning('path')} {meaning('any')}",
        anchors=False,
    )


def _named(ballot: votes.Ballot) -> str:
    return states.plain(words.path(ballot.label))


def _tie(ballot: votes.Ballot) -> str:
    return f" ({len(ballot.paths)} paths tie)" if len(ballot.paths) > 1 else ""


def _attention_table(view: View) -> pd.DataFrame:
    if view.epoch is not None and view.history is not None:
        nodes = relations.group_sizes(view.attention)[view.group]
        return relations.attention_table_at(view.history, view.epoch, view.group, nodes)
    return relations.attention_table(view.attention, view.group)


def heatmap(view: View) -> None:
    """The main figure: mean attention per order, start behaviour and relation."""
    table = _attention_table(view)
    st.markdown(
        f"**Mean attention of {view.group_title}, {view.when()}**: rows are start behaviours "
        f"({relations.start_place(view.composition)} of a path), columns the relation weighed; order 1 has no attention",
        help=f"{meaning('attention')} {meaning('start behaviour')} {meaning('order')}",
    )
    reach = relations.largest_weight(view.attention, view.history, view.group)
    show(
        attention_heatmap(table, reach=reach, dark=is_dark()),
        view.dated(table),
        name=view.name(f"attention-{view.group}"),
        source=f"{view.attention.source}; composition {view.composition}; heads summed; blue adds, orange subtracts; one colour scale for all epochs",
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
    key = f"relation_paths_{order}"
    finding, history = readers.finding(view.run, key), readers.history(view.run, key)
    follows = view.epoch is not None and relations.has_epoch(history, view.epoch)
    at = (history, view.epoch) if follows and view.epoch is not None else (None, 0)
    table = relations.paths_table(finding, view.group, *at)
    extrapolated = relations.is_extrapolated(finding)
    chosen = relations.extremes(table)
    chosen = chosen.assign(
        path=chosen["path"].map(words.path),
        pairs=[relations.pairs_text(pairs, extrapolated) for pairs in chosen["support"]],
    )
    st.markdown(
        f"**Order {order}**: strongest and weakest of {len(table)} paths from the {view.group_title}, "
        f"{view.when(follows=follows)}",
        help=meaning("strength"),
    )
    if not follows:
        view.stays("The strength of these paths")
    bars, numbers = row("pair", f"paths-{order}", (6, 4))
    with bars:
        show(
            path_bars(chosen, extrapolated=extrapolated),
            view.dated(table.assign(support_extrapolated=extrapolated), follows=follows),
            name=view.name(f"paths-order-{order}-{view.group}", follows=follows),
            source=f"{finding.source}; read from the {view.group} outward",
            alt=f"Bars of the strongest and weakest paths of order {order}",
        )
    with numbers:
        st.dataframe(
            chosen[["path", "strength", "pairs"]],
            hide_index=True,
            column_config=_PATH_COLUMNS,
            alt=f"Table of the paths of order {order}",
        )
        st.caption(states.plain(finding.note))
        strong, weak = relations.equal_but_hidden(table)
        if strong or weak:
            st.caption(
                f"Ties: {words.count(strong, 'path')} not listed here as strong as the third, "
                f"{words.count(weak, 'path')} as weak as the third last."
            )


_PATH_COLUMNS = {
    "strength": st.column_config.NumberColumn("strength", format="%.4f", help=meaning("strength")),
    "pairs": st.column_config.TextColumn("pairs connected", alignment="right", help=meaning("support")),
}


def spread(view: View) -> None:
    """How attention differs between nodes."""
    order, start = _look(view)
    sizes = relations.group_sizes(view.attention)
    st.markdown(
        f"Do nodes agree? Users and items side by side, {view.when()}, order {order}, {_starting(view, start)}"
    )
    several = len(view.attention.axis("head").labels) > 1
    if view.epoch is not None and view.history is not None:
        table = relations.spread_table_at(view.history, view.epoch, sizes, start, order)
        note = "; quantiles of several heads are summed, an approximation" if several else ""
    else:
        table, note = relations.spread_table(view.attention, start, order), ""
    show(
        spread_boxes(table),
        view.dated(table),
        name=view.name(f"spread-{start}-{order}"),
        source=f"{view.attention.source}; box: middle half of the nodes, line: median, "
        f"whiskers: 5th to 95th percentile{note}",
        alt="Boxes of attention per relation, for users and for items",
    )


def evolution(view: View) -> None:
    """How attention came about while the model trained."""
    if view.history is None:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    order, start = _look(view)
    table = relations.evolution_table(view.history, view.group, start, order)
    st.markdown(f"Attention of {view.group_title}, order {order}, {_starting(view, start)}")
    marked = (view.scored, "scored model") if view.epoch is None else (view.epoch, f"epoch {view.epoch}")
    show(
        attention_over_epochs(table, *marked),
        table,
        name=f"evolution-{view.group}-{start}-{order}-{view.run.run_id}",
        source=f"{view.attention.source}; line: mean, band: middle half of the {view.group_title}",
        alt="Lines of mean attention per relation over the epochs",
    )


def _look(view: View) -> tuple[str, str]:
    """The order and the start behaviour of a closer look."""
    cells = row("controls", "closer", (3, 3, 4))
    with cells[0]:
        order = order_control(view)
    with cells[1]:
        return order, start_control(view)


def _starting(view: View, start: str) -> str:
    return f"paths that start with **{start}** {relations.start_place(view.composition)} (start behaviour)"
