"""The answer on top of the Nodes page, computed from the run, and what is alarming about it."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import RelScopeError
from dashboard import node_alarms, node_learning, node_words, nodes, states
from dashboard.alarms import Alarm
from dashboard.glossary import meaning
from dashboard.panels.nodes_view import ATTENTION, HARDNESS, KL, MEAN, View


def answer(view: View) -> None:
    """How well classes are told apart and what the encoder listens to, then the alarms.

    Damaged parts are told in their own sections.
    """
    if view.changed:
        st.caption(f":orange[The data set {states.plain(view.changed)}: nodes go by number.]")
    text = node_words.sentence(
        [_said(partial(part, view)) for part in (_scores, _attention)], view.moment.epoch
    )
    if text:
        st.markdown(
            f"#### {text}", help=f"{meaning('Micro-F1')} {meaning('metapath attention')}", anchors=False
        )
    for alarm in found_alarms(view):
        st.warning(f":orange-badge[{alarm.name}] {alarm.text}", icon=":material/warning:")


def _said(part: Callable[[], str]) -> str:
    try:
        return part()
    except RelScopeError:
        return ""


def _scores(view: View) -> str:
    entry = view.entry()
    if entry is None or view.moment.epoch is not None:
        return ""
    parts = (node_words.scores_in_short(entry), node_words.clusters_in_short(entry["metrics"]))
    return "; ".join(filter(None, parts))


def _attention(view: View) -> str:
    stated = view.stated(ATTENTION)
    if stated is None:
        return ""
    return node_words.attention_in_short(node_learning.metapath_shares(stated, view.moment.epoch))


def found_alarms(view: View) -> list[Alarm]:
    """Everything alarming at the picked epoch; damaged parts are told in their own sections."""
    found: list[Alarm | None] = []
    epoch = view.moment.epoch
    kl, mean = view.readable(KL), view.readable(MEAN)
    if kl is not None:
        dims = node_learning.dims_of(mean.finding) if mean is not None else 0
        found.append(node_alarms.kl_collapse(node_learning.mean_divergence(kl, epoch), dims))
    if (attention := view.readable(ATTENTION)) is not None:
        found.append(node_alarms.one_metapath(node_learning.metapath_shares(attention, epoch)))
    if (hardness := view.readable(HARDNESS)) is not None:
        kinds, values = hardness.labels("negative"), hardness.values(epoch)
        place = hardness.labels("statistic").index("max")
        found.append(node_alarms.negatives_too_easy(dict(zip(kinds, values[:, place].tolist(), strict=True))))
    if epoch is None:
        found += _of_scores(view)
    return [alarm for alarm in found if alarm is not None]


def _of_scores(view: View) -> list[Alarm | None]:
    try:
        entry = view.entry()
        if entry is None:
            return []
        votes = view.votes(nodes.sizes_of(entry)[-1])
        lost = (
            None
            if votes is None
            else node_alarms.lost_classes(nodes.class_table(votes, nodes.class_titles(entry)))
        )
        return [node_alarms.clusters_at_chance(entry["metrics"]), lost]
    except RelScopeError:
        return []
