"""Planted noise on the Information page: whether edge weights find it, and whether what is pruned is noise."""

import pandas as pd
import streamlit as st

from dashboard import readers, refinement, states, words
from dashboard.drawing import show
from dashboard.figures.edges import noise_areas, pruning_precision
from dashboard.glossary import meaning
from dashboard.information import extreme
from dashboard.panels.information_edges import by_design, drawn
from dashboard.panels.information_view import DETECTION, KEEP, PRECISION, View
from dashboard.panels.run_view import absent
from dashboard.refinement import BETTER, CHANCE, DEALT, WEIGHT, WORSE


def found_noise(view: View) -> None:
    """Area under the ROC curve and precision against planted noise, where the data knows it."""
    if not readers.has_finding(view.run, DETECTION):
        absent(view, "weights held against planted noise", by_design(view) or _not_known(view))
        return
    with states.guarded():
        _areas(view)
    with states.guarded():
        _precision(view)


def _not_known(view: View) -> str:
    """Why a finished run was not held against noise."""
    if view.status.state != "done":
        return ""
    data = {info.name: info for info in readers.datasets(view.home)}.get(view.recipe.dataset)
    if view.recipe.auxiliary_noise or (data is not None and data.planted):
        return "This run's data knows its noise, but the run was not held against it when it ended: train it again."
    return (
        "This run's data does not say which of its edges are noise, so nothing can be checked. Planted data does, and so do "
        "runs that noise is added to (noise study)."
    )


def detection(view: View) -> pd.DataFrame | None:
    """How well scores find noise at the picked epoch, None where the run was not held against any. Raises RunError if damaged."""
    stated, keep = view.stated(DETECTION), view.readable(KEEP)
    if stated is None:
        return None
    kept = refinement.keep_table(keep, None, view.moment.epoch) if keep is not None else None
    return refinement.detection_table(stated, kept, view.moment.epoch)


def noise_in_short(view: View) -> None:
    """The verdict in a line, where the run was held against noise."""
    stated, table = view.stated(DETECTION), detection(view)
    if (
        stated is None
        or table is None
        or (view.moment.epoch is not None and not stated.follows(view.moment.epoch))
    ):
        return
    if (table["scorer"] == WEIGHT).any():
        st.markdown(f"{in_short(table)}. More under *Planted noise* below.", help=meaning("noise detection"))


def _areas(view: View) -> None:
    stated, table = view.stated(DETECTION), detection(view)
    if stated is None or table is None or table.empty:
        st.caption("No graph of this run holds a planted noise edge.")
        return
    moment = view.moment_of(stated)
    if not stated.follows(view.moment.epoch):
        view.stays("Weights are held against noise when a run ends")
    st.markdown(
        f"**Do weights find planted noise, {moment.when()}?**",
        help=f"{meaning('noise detection')} {meaning('planted')}",
    )
    st.markdown(verdict(table))
    show(
        noise_areas(table),
        moment.dated(table),
        name=moment.name("noise-areas"),
        source=f"{stated.finding.source}; bars: 95 % interval (Hanley and McNeil) as if edges were independent, too narrow where "
        "they share items; 1: every noise edge below every other, 0.5: chance",
        alt="Area under the ROC curve of noise edges by graph and score",
    )


def in_short(table: pd.DataFrame) -> str:
    """In how many graphs weights find noise, and where best. table: of `detection_table`, with edge weights among its scorers."""
    own = table[table["scorer"] == WEIGHT]
    better, best = int((own["verdict"] == BETTER).sum()), extreme(own, "area")
    return (
        f"**Weights find planted noise better than chance in {better} of {words.count(len(own), 'graph')}**, best in "
        f"*{states.plain(best['graph'])}* (area {best['area']:.3f}; chance is 0.5)"
    )


def verdict(table: pd.DataFrame) -> str:
    """Against chance and against the number of an item's users, graph by graph."""
    own = table[table["scorer"] == WEIGHT]
    if own.empty:
        return "The weights were not scored against the noise."
    said = [in_short(table)]
    for kind, text in (
        (CHANCE, "no better than chance in {}"),
        (WORSE, "worse in {}, where noise gets the larger weights"),
    ):
        graphs = own[own["verdict"] == kind]["graph"].tolist()
        said += [text.format(_names(graphs))] if graphs else []
    text = "; ".join(said) + "."
    dealt = table[table["scorer"] == DEALT]["area"]
    if len(dealt):
        text += f" The same weights dealt to edges at random reach {dealt.min():.3f} to {dealt.max():.3f}."
    against = refinement.against_count(table)
    parts = {BETTER: "find it better in", WORSE: "find it worse in", CHANCE: "are no better in"}
    compared = [f"{parts[kind]} {_names(graphs)}" for kind, graphs in against.items() if graphs]
    if compared:
        text += (
            " Against the mere number of users of an edge's item, which takes no model and is read the better way round, "
            f"weights {'; '.join(compared)}."
        )
    return text


def _names(graphs: list[str]) -> str:
    return states.plain(", ".join(map(str, graphs)))


def _precision(view: View) -> None:
    stated = view.stated(PRECISION)
    if stated is None:
        return
    moment = view.moment_of(stated)
    table = refinement.precision_table(stated, moment.epoch)
    pruning = table.dropna(subset="among_pruned")
    st.markdown(f"**Is what it prunes noise, {moment.when()}?**", help=meaning("pruning precision"))
    if pruning.empty:
        st.caption(
            f"No graph prunes an edge in evaluation, {drawn(view)}: nothing can be said of what is pruned."
        )
        return
    best = extreme(pruning.fillna({"lift": 0.0}), "lift")
    st.markdown(
        f"Of the {words.count(int(pruning['pruned'].sum()), 'pruned edge')}, those of *{states.plain(best['graph'])}* are noise "
        f"most often: {words.percent(best['among_pruned'])}, against {words.percent(best['among_all'])} of all its edges; "
        f"{words.percent(best['found'])} of its noise is pruned."
    )
    show(
        pruning_precision(table),
        moment.dated(table),
        name=moment.name("pruning-precision"),
        source=f"{stated.finding.source}; pruning at random would have red on grey",
        alt="Share of noise among pruned edges and among all edges by graph",
    )
