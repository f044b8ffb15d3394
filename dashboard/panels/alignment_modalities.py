"""Modalities on the page Alignment: what the fusion takes from each, over users and items, their groups, and epochs."""

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import modalities, selection, states, words
from dashboard.alarms import Alarm
from dashboard.alignment import sides_of
from dashboard.drawing import show
from dashboard.figures.modalities import modality_boxes, modality_lines
from dashboard.figures.node_groups import Panel
from dashboard.figures.palette import modality_look
from dashboard.glossary import meaning
from dashboard.information import SIDES, Stated
from dashboard.layout import row
from dashboard.node_groups import Measure, group_table
from dashboard.panels.alignment_epochs import checked_size, side_by_side
from dashboard.panels.alignment_view import ATTENTION, GATE, View, grouped_or_told
from dashboard.panels.run_view import absent
from dashboard.relations import GROUP_TITLES

SHARES, RATES = "attention", "gate"
_NEARLY_ALL = f"{100 * modalities.TAKES_ALL:g} %"
_TITLES = {
    ATTENTION: ("Attention over modalities", "share of attention", "modality attention"),
    GATE: ("Preference gate", "mean gate", "preference gate"),
}
_VIEWS = {"spread": "over users and items", "groups": "by group", "epochs": "over epochs"}


def shared_out(view: View) -> None:
    """Attention and gates of the fusion, in one of three views."""
    found = {key: stated for key in (ATTENTION, GATE) if (stated := view.stated(key)) is not None}
    if not found:
        absent(view, "attention over modalities", _by_design(view))
        return
    if ATTENTION in found and view.egra is not None:  # elsewhere it is the page's answer
        st.markdown(in_words(view, found[ATTENTION]))
    with row("controls", "modalities", (3, 4))[0]:
        shown = selection.pick(
            "modalities", "Show", list(_VIEWS), title=_VIEWS.__getitem__, widget="segments"
        )
    if shown == "groups":
        _by_group(view, found)
        return
    for cell, (key, stated) in zip(row("pair", "modalities", (1, 1)), found.items()):
        with cell:
            (_spread if shown == "spread" else _over_epochs)(view, key, stated)
    if shown == "spread":
        _table(view, found)


def _by_design(view: View) -> str:
    known = ("egra", "mgcn")
    return "" if view.recipe.system in known else "This system's modalities are not fused by attention."


def alarm(view: View) -> Alarm | None:
    """One modality takes nearly all the attention of nearly every user, or item."""
    stated = view.readable(ATTENTION)
    if stated is None:
        return None
    taken = modalities.takes_all(modalities.spread(stated, view.moment.epoch))
    if not taken:
        return None
    whose = " and ".join(f"{GROUP_TITLES[t.side]} (*{states.plain(t.modality)}*)" for t in taken)
    return Alarm(
        "One modality takes all",
        f"At least 95 % of {whose} give one modality more than {_NEARLY_ALL} of their attention, so the "
        "fusion hardly hears the others. Look at the other features: they may be constant, or of a much larger scale. Try the "
        "features at unit length (import with --features unit), or another seed.",
    )


def in_words(view: View, stated: Stated) -> str:
    """Which modality leads, and how decided nodes are."""
    names = stated.labels("modality")
    if len(names) < 2:
        return f"There is one modality alone, *{states.plain(names[0])}*: all attention goes to it."
    table = modalities.spread(stated, view.moment.epoch)
    leads = {side: modalities.lead(table, side) for side in SIDES}
    even = f"draw **evenly** on all modalities (even: {words.percent(1 / len(names))})"
    if all(lead.is_even for lead in leads.values()):
        text = f"Users and items {even}"
    else:
        told = [
            f"{GROUP_TITLES[side]} {even}"
            if lead.is_even
            else f"{GROUP_TITLES[side]} attend most to **{states.plain(lead.modality)}** ({words.percent(lead.share)} on average)"
            for side, lead in leads.items()
        ]
        text = "; ".join(told)
    text = f"{text[:1].upper()}{text[1:]}, {view.moment_of(stated).when()}."
    return text if stated.follows(view.moment.epoch) else f"{text} {_decided(stated)}"


def _decided(stated: Stated) -> str:
    """How many nodes listen to one modality alone."""
    shares = {side: modalities.decided(values) for side, values in sides_of(stated.finding).items()}
    if not any(shares.values()):
        return f"Nobody gives one modality more than {_NEARLY_ALL}."
    ends = [f"{words.percent(share)} of {GROUP_TITLES[side]}" for side, share in shares.items()]
    return f"{' and '.join(ends)} give one modality more than {_NEARLY_ALL}."


def _looks(stated: Stated) -> dict[str, tuple[str, str, str]]:
    return {name: modality_look(name, place) for place, name in enumerate(stated.labels("modality"))}


def _spread(view: View, key: str, stated: Stated) -> None:
    title, axis, term = _TITLES[key]
    moment = view.moment_of(stated)
    table = modalities.spread(stated, moment.epoch)
    st.markdown(f"**{title}, {moment.when()}**", help=meaning(term))
    show(
        modality_boxes(table, looks=_looks(stated), y=axis),
        moment.dated(table),
        name=moment.name(key.replace("_", "-")),
        source=f"{stated.finding.source}; box: middle half, whiskers: middle 90 % of the nodes",
        alt=f"Boxes of {title.lower()} over users and over items",
    )


def _over_epochs(view: View, key: str, stated: Stated) -> None:
    title, axis, term = _TITLES[key]
    table = modalities.over_epochs(stated)
    epoch, mark = view.moment.mark()
    st.markdown(f"**{title}, over epochs**", help=meaning(term))
    if table.empty:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    show(
        modality_lines(table, looks=_looks(stated), y=axis, epoch=epoch, mark=mark),
        table,
        name=f"{key.replace('_', '-')}-epochs-{view.run.run_id}",
        source=f"{stated.finding.source}; line: mean, band: middle half of the nodes",
        alt=f"Lines of {title.lower()} over epochs, for users and for items",
    )


def _by_group(view: View, found: dict[str, Stated]) -> None:
    view.stays("Values of single nodes are stored for the scored model alone")
    groups = grouped_or_told(view)
    if groups is None:
        return
    measures = []
    for key, stated in found.items():
        names = stated.labels("modality")
        for side, values in sides_of(stated.finding).items():
            checked_size(stated.finding, len(values), groups[side])
            measures.append(Measure(SHARES if key == ATTENTION else RATES, side, values, names, (0.0, 1.0)))
    table = group_table(measures, groups)
    first = next(iter(found.values()))
    even = 1 / len(first.labels("modality"))
    st.markdown(
        "**Mean attention and gate by group**, from the least to the most trained",
        help=f"{meaning('modality attention')} {meaning('preference gate')}",
    )
    side_by_side(
        view,
        table,
        key="modalities-groups",
        panels={SHARES: Panel("mean attention", ".1%", even), RATES: Panel("mean gate", ".1%")},
        looks={name: look for stated in found.values() for name, look in _looks(stated).items()},
        source=f"{first.finding.source}; dotted: an even share",
        what="mean attention and mean gate of every modality",
    )


def _table(view: View, found: dict[str, Stated]) -> None:
    parts = []
    for key, stated in found.items():
        table = modalities.spread(stated, view.moment_of(stated).epoch)
        parts.append(table.assign(what=SHARES if key == ATTENTION else RATES))
    table = pd.concat(parts, ignore_index=True)
    percent = table[["mean", "q05", "median", "q95"]].mul(100)
    told = pd.DataFrame(
        {"of": table["side"].map(GROUP_TITLES), "what": table["what"], "modality": table["modality"]}
    )
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(
            pd.concat([told, percent, table["nodes"].astype(np.int64)], axis=1),
            hide_index=True,
            height="content",
            column_config={
                **{
                    name: st.column_config.NumberColumn(title, format="%.1f %%")
                    for name, title in {
                        "mean": "mean",
                        "q05": "5th percentile",
                        "median": "median",
                        "q95": "95th percentile",
                    }.items()
                },
                "nodes": st.column_config.NumberColumn("number", format="localized"),
            },
            alt="Table of attention and gate per modality, over users and items",
        )
