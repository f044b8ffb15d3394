"""The answer on top of the Structure page, computed from the run, and what is alarming about it."""

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from core.errors import RelScopeError
from dashboard import branches, histories, hyperedges, states, structure_alarms, structure_words
from dashboard.alarms import Alarm
from dashboard.glossary import meaning
from dashboard.panels import structure_agreement
from dashboard.panels.structure_attention import preference_of
from dashboard.panels.structure_view import CONTRIBUTION, NORM, View


def answer(view: View) -> None:
    """What hyperedges group, what attention favours and which branch adds most, then the alarms.

    Damaged findings are told in their own sections.
    """
    if view.changed:
        st.caption(
            f":orange[The data set {states.plain(view.changed)}: items go by number, and what needs their categories or popularity is "
            "left out.]"
        )
    parts = (_hyperedges, _attention, _branches)
    text = structure_words.sentence([_said(partial(part, view)) for part in parts], view.moment.epoch)
    if text:
        st.markdown(f"#### {text}", help=f"{meaning('hyperedge')} {meaning('NMI')}", anchors=False)
    for alarm in found_alarms(view):
        st.warning(f":orange-badge[{alarm.name}] {alarm.text}", icon=":material/warning:")


def _said(part: Callable[[], str]) -> str:
    try:
        return part()
    except RelScopeError:
        return ""


def _hyperedges(view: View) -> str:
    stated = view.membership()
    if stated is None:
        return ""
    sizes = hyperedges.size_table(stated, view.moment.epoch)
    if view.moment.epoch is not None:
        return structure_words.largest_in_short(sizes)
    return (
        structure_words.categories_in_short(structure_agreement.with_categories(view, stated))
        or structure_words.modalities_in_short(structure_agreement.between_modalities(view, stated))
        or structure_words.largest_in_short(sizes)
    )


def _attention(view: View) -> str:
    known = view.entropy()
    if known is None or view.moment.epoch is not None:
        return ""
    _, nats, length = known
    if not (length > 1).any():
        return ""
    preferred = preference_of(view, view.histories())
    relative = float(np.nanmean(histories.relative_entropy(nats, length)))
    return structure_words.attention_in_short(preferred[1] if preferred else None, relative)


def _branches(view: View) -> str:
    stated = view.stated(CONTRIBUTION)
    if stated is None:
        return ""
    table = branches.branch_table(stated, view.readable(NORM), view.moment.epoch)
    return structure_words.branches_in_short(table, view.recipe.system)


def found_alarms(view: View) -> list[Alarm]:
    """Everything alarming at the picked epoch; damaged findings are told in their own sections."""
    found: list[Alarm | None] = []
    epoch = view.moment.epoch
    try:
        stated = view.membership()
    except RelScopeError:
        stated = None
    if stated is not None:
        found.append(structure_alarms.collapsed(hyperedges.size_table(stated, epoch)))
        if epoch is None:
            found.append(structure_alarms.undecided(hyperedges.sharpness_table(stated)))
    if (contribution := view.readable(CONTRIBUTION)) is not None:
        table = branches.branch_table(contribution, None, epoch)
        found.append(structure_alarms.idle_branches(table, view.recipe.system, view.recipe.config))
    return [alarm for alarm in found if alarm is not None]
