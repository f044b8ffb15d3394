"""Gradient conflict on the Experts page: do the tasks' gradients pull apart, at one snapshot and over all of them?"""

import pandas as pd
import streamlit as st

from core.catalog.systems import CATALOG
from dashboard import conflict, states, words
from dashboard.drawing import is_dark, show
from dashboard.figures.conflict import conflict_curves, conflict_heatmap
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.experts_view import View

_BATCH = "one batch per snapshot"


def tasks_conflict(view: View) -> None:
    """The answer, the matrix of one snapshot beside the curves over all, and a table of pairs."""
    history = view.conflict
    if history is None or not len(history.epochs):
        st.caption(why_none(view))
        return
    table = conflict.summary(history)
    if table.empty:
        st.caption("A single task has nothing to conflict with.")
        return
    source = "; ".join(filter(None, (view.conflict_source, _BATCH)))
    st.markdown(sentence(table), help=meaning("gradient conflict"))
    epoch = _snapshot(view)
    left, right = row("pair", "conflict", (4, 6))
    with left:
        st.markdown(f"**Conflict at epoch {epoch}**", help=meaning("gradient conflict"))
        matrix = conflict.matrix_at(history, epoch)
        show(
            conflict_heatmap(matrix, reach=conflict.reach(history), dark=is_dark()),
            matrix.assign(epoch=epoch),
            name=f"conflict-epoch-{epoch}-{view.run.run_id}",
            source=f"{source}; orange: apart, blue: together; one colour scale for all epochs",
            alt=f"Heatmap of the cosine between the tasks' gradients at epoch {epoch}",
        )
    with right:
        st.markdown("**Conflict over epochs**", help=meaning("gradient conflict"))
        curves = conflict.curves(history)
        show(
            conflict_curves(curves, epoch=epoch),
            curves,
            name=f"conflict-{view.run.run_id}",
            source=f"{source}; below zero the tasks pull apart",
            alt="Lines of the cosine between each pair of tasks over the epochs",
        )
    st.dataframe(
        table.assign(share=100 * table["negative"] / table["snapshots"]),
        hide_index=True,
        column_order=["pair", "verdict", "median", "share", "snapshots", "lowest", "lowest_epoch"],
        column_config=_COLUMNS,
        alt="Table of gradient conflict by pair of tasks",
    )


def why_none(view: View) -> str:
    """Why a run has no gradient conflict to show."""
    if not CATALOG[view.recipe.system].is_multi_task:
        return "This system trains a single task, so no two tasks can get in each other's way."
    if not view.recipe.config.get("snapshot_every"):
        return (
            "Conflict is measured while a run trains, at its snapshots, and this run took none: "
            "set snapshot_every above 0 when training."
        )
    if view.status.state in ("queued", "running"):
        return "Conflict is measured at snapshots; the first one is still to come."
    if view.status.state in ("failed", "cancelled"):
        return "Conflict is measured at snapshots, and the run ended before its first one."
    return "This run stored no gradient conflict; train it again."


def sentence(table: pd.DataFrame) -> str:
    """The answer over all snapshots in words. table: as from `conflict.summary`."""
    about = conflict.overall(table)
    counted = (
        f"the cosine is negative in {about.negative:,} of {about.measured:,} measurements "
        f"({words.percent(about.share)}), each on a single batch"
    )
    limit = f"{conflict.NEAR_ZERO:g}"
    if about.apart:
        return (
            f"**Yes: {_named(about.apart)} {_pulls(about.apart)} apart**, with a median cosine below −{limit} over all "
            f"snapshots; {counted}."
        )
    if about.together:
        return (
            f"**No: none of {words.count(about.pairs, 'pair')} of tasks pulls apart, and {_named(about.together)} "
            f"{_pulls(about.together)} together** (median cosine above {limit} over all snapshots); {counted}."
        )
    return f"**Hardly: no two tasks typically pull apart or together**, all median cosines lie within ±{limit}; {counted}."


def _pulls(pairs: tuple[str, ...]) -> str:
    return "pulls" if len(pairs) == 1 else "pull"


def _named(pairs: tuple[str, ...]) -> str:
    more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    return states.plain("; ".join(pairs[:3])) + more


def _snapshot(view: View) -> int:
    """The snapshot to show: the picked epoch, or the one nearest to the scored model, which is said."""
    assert view.conflict is not None
    wanted = view.moment.epoch if view.moment.epoch is not None else view.moment.scored
    shown = conflict.nearest(view.conflict, wanted)
    if shown != wanted:
        of = (
            f"the scored model (epoch {wanted})"
            if view.moment.epoch is None and wanted
            else f"epoch {wanted}"
        )
        near = f", the snapshot nearest to {of}" if wanted else ", the last snapshot"
        st.caption(f"Conflict is measured at snapshots only; shown: epoch {shown}{near}.")
    return shown


_COLUMNS = {
    "pair": st.column_config.TextColumn("pair of tasks"),
    "verdict": st.column_config.TextColumn(
        "typically they", help=f"Median cosine beyond ±{conflict.NEAR_ZERO:g}, or hardly touching"
    ),
    "median": st.column_config.NumberColumn(
        "median cosine", format="%+.4f", help=meaning("gradient conflict")
    ),
    "share": st.column_config.NumberColumn("snapshots below zero", format="%.1f %%"),
    "snapshots": st.column_config.NumberColumn("snapshots", format="%d"),
    "lowest": st.column_config.NumberColumn("lowest", format="%+.4f"),
    "lowest_epoch": st.column_config.NumberColumn("at epoch", format="%d"),
}
