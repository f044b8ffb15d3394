"""Levels on the Information page: the answer, its alarms, and abundance by level with the verdict on HGIB's Figure 6."""

import pandas as pd
import streamlit as st

from dashboard import alarms, information, refinement, states, words
from dashboard.drawing import show
from dashboard.figures.information import Mark, depth_lines, level_bars
from dashboard.glossary import meaning
from dashboard.information import FALLS, Stated, extreme
from dashboard.layout import row
from dashboard.panels.information_view import (
    ABUNDANCE,
    DETECTION,
    KEEP,
    PRESERVATION,
    View,
)

FIGURE_6 = {"holds": "✓ holds", "holds in part": "≈ holds in part", "does not hold": "✕ does not hold"}
STEP_SIGNS = {"falls": "↓ falls", "rises": "↑ rises", "stays": "= stays"}


def answer(view: View) -> None:
    """What the levels keep and what the edges lose, in one or two sentences, and what is alarming about them."""
    stated = view.stated(ABUNDANCE)
    assert stated is not None
    table = information.abundance_table(stated, view.side, view.moment.epoch)
    st.markdown(f"#### {_sentence(view, table)}", help=meaning("information abundance"), anchors=False)
    for alarm in found_alarms(view, table):
        st.warning(f":orange-badge[{alarm.name}] {alarm.text}", icon=":material/warning:")


def _sentence(view: View, table: pd.DataFrame) -> str:
    when = f"At epoch {view.moment.epoch}, a" if view.moment.epoch is not None else "A"
    found = information.steps(table)
    means = table.groupby("depth")["value"].mean()
    down = sum(step.verdict == FALLS for step in found)
    said = (
        f"{when}bundance of {view.side_title} goes from {means.iloc[0]:.1f} in the initial table to "
        f":primary[{means.iloc[-1]:.1f} in the output], of {view.dims} at most: it falls at {down} of "
        f"{words.count(len(found), 'step')}."
    )
    return said + _edges(view)


def _edges(view: View) -> str:
    keep = view.readable(KEEP)
    if keep is None:
        return ""
    table = refinement.keep_table(keep, None, view.moment.epoch)
    least = extreme(table, refinement.TRAINING, least=True)
    share = 1 - float(least[refinement.TRAINING])
    if share <= 0:
        return " No graph drops an edge."
    return f" The graph that drops most edges, *{states.plain(least['graph'])}*, drops {small_percent(share)} in training."


def small_percent(share: float) -> str:
    """A percentage with as many decimals as a small share needs: `none`, `0.083 %`, `12.3 %`."""
    if share <= 0:
        return "none"
    if 0 < share < 0.0005:
        return f"{100 * share:.2g} %" if share >= 5e-6 else "less than 0.001 %"
    return f"{100 * share:.2f} %" if share < 0.01 else words.percent(share)


def found_alarms(view: View, table: pd.DataFrame) -> list[alarms.Alarm]:
    """Everything alarming at the picked epoch; damaged findings are told in their own sections."""
    epoch, config = view.moment.epoch, view.hgib
    found = [alarms.collapsed(table, view.dims, view.side, has_beta=config is not None)]
    keep = view.readable(KEEP)
    kept = refinement.keep_table(keep, None, epoch) if keep is not None else None
    if kept is not None:
        one = config.threshold if config is not None and config.thresholds == "one" else None
        tau = config.noise_temperature if config is not None else 1.0
        found.append(alarms.nothing_pruned(kept, one, tau))
    if (preserved := view.readable(PRESERVATION)) is not None:
        found.append(alarms.lost_output(information.preservation_table(preserved, epoch)))
    detection = view.readable(DETECTION)
    if detection is not None and (epoch is None or detection.follows(epoch)):
        found.append(alarms.blind_weights(refinement.detection_table(detection, kept, epoch)))
    return [alarm for alarm in found if alarm is not None]


def abundance(view: View) -> None:
    """The main figure: abundance by level, and over epochs by depth; then where HGIB's Figure 6 holds."""
    stated = view.stated(ABUNDANCE)
    assert stated is not None
    table = information.abundance_table(stated, view.side, view.moment.epoch)
    marks = [
        Mark(float(view.dims), f"the most: {view.dims}"),
        Mark(alarms.collapse_below(view.dims), "collapse"),
    ]
    levels_beside_epochs(
        view,
        stated,
        table,
        key="abundance",
        what=f"Information abundance of {view.side_title} by level",
        axis="information abundance",
        term="information abundance",
        marks=marks,
        note="dotted: the most there can be, and where the alarm for collapse begins",
    )
    _figure_6(view, table)


def levels_beside_epochs(
    view: View,
    stated: Stated,
    table: pd.DataFrame,
    *,
    key: str,
    what: str,
    axis: str,
    term: str,
    marks: list[Mark],
    note: str = "",
    digits: str = ".1f",
) -> None:
    """A value by level at the picked epoch, beside its mean by depth over all of them."""
    moment = view.moment_of(stated)
    side = view.side if any(a.name == "side" for a in stated.finding.axes) else None
    left, right = row("pair", key, (5, 5))
    named = f"{key}-{side}" if side else key
    with left:
        st.markdown(f"**{what}, {moment.when()}**", help=meaning(term))
        show(
            level_bars(table, x=axis, marks=marks, digits=digits),
            moment.dated(table),
            name=moment.name(named),
            source="; ".join(filter(None, (stated.finding.source, note))),
            alt=f"Bars: {what}",
        )
    with right:
        st.markdown("**The same over epochs**, mean over the levels of a depth", help=meaning("level"))
        over = information.by_depth_over_epochs(stated, side)
        if over.empty:
            st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
            return
        epoch, mark = moment.mark()
        show(
            depth_lines(over, y=axis, epoch=epoch, mark=mark, digits=digits),
            over,
            name=f"{named}-epochs-{view.run.run_id}",
            source=f"{stated.finding.source}; band: from the smallest to the largest level of a depth",
            alt=f"Lines over epochs, by depth: {what}",
        )


def _figure_6(view: View, table: pd.DataFrame) -> None:
    found = information.steps(table)
    verdict = information.falling(found)
    if not verdict:
        return
    down = sum(step.verdict == FALLS for step in found)
    st.markdown(
        f"**“Abundance falls from level to level” (HGIB, Figure 6): {FIGURE_6[verdict]}** for {view.side_title} of this run; "
        f"it falls at {down} of {words.count(len(found), 'step')}.",
        help=meaning("figure 6"),
    )
    steps = information.step_table(found)
    st.dataframe(
        steps.assign(change=100 * steps["change"], verdict=steps["verdict"].map(STEP_SIGNS)),
        hide_index=True,
        height="content",
        column_config=_STEP_COLUMNS,
        alt="Table of the steps from one depth to the next",
    )


_STEP_COLUMNS = {
    "step": st.column_config.TextColumn("step", help=meaning("level")),
    "before": st.column_config.NumberColumn("mean abundance before", format="%.1f"),
    "after": st.column_config.NumberColumn("after", format="%.1f"),
    "change": st.column_config.NumberColumn("change", format="%+.1f %%"),
    "verdict": st.column_config.TextColumn("Figure 6", help=meaning("figure 6")),
}
