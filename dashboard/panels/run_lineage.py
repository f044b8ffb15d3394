"""The run that a run builds on, and those that build on it: a line on its page, and the details beside its own result."""

import pandas as pd
import streamlit as st

from core.catalog.systems import CATALOG
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder
from core.runs.summary import RunSummary
from dashboard import readers, states, words
from dashboard.glossary import meaning
from dashboard.lineage import Lineage, lineage, main_value, wanted_parent
from dashboard.navigation import link
from dashboard.panels.run_list import run_title
from dashboard.panels.run_view import RunView
from dashboard.results import metric_title

MOST_LISTED = 5


def lineage_line(home: Home, run_id: str) -> None:
    """What the run builds on and what builds on it, with links; nothing where it stands alone."""
    about = lineage(readers.runs(home), run_id)
    if about.is_empty:
        return
    if about.parent_id:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _parent_link(about)
    if about.children:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _children_links(about.children)


def _parent_link(about: Lineage) -> None:
    st.markdown("Builds on", width="content", help=meaning("parent run"))
    if about.parent is not None:
        run_link(about.parent)
        return
    st.markdown(f"`{states.plain(about.parent_id)}` :gray-badge[deleted]", width="content")


def _children_links(children: tuple[RunSummary, ...]) -> None:
    verb = "builds" if len(children) == 1 else "build"
    st.markdown(
        f"{words.count(len(children), 'run')} {verb} on it:", width="content", help=meaning("parent run")
    )
    for child in children[:MOST_LISTED]:
        run_link(child)
    if len(children) > MOST_LISTED:
        st.caption(f"and {len(children) - MOST_LISTED:,} more", width="content")


def run_link(run: RunSummary) -> None:
    """A link to the run's page."""
    link("runs", states.plain(run_title(run)), icon=words.STATE_ICONS[run.state], run=run.run_id)


def lineage_details(view: RunView) -> None:
    """Parent and children of a run with their results beside its own, and the command that trains the parent."""
    about = lineage(readers.runs(view.home), view.run.run_id)
    wanted = wanted_parent(view.recipe)
    if about.parent_id or wanted is not None:
        _builds_on(view, about, wanted)
    else:
        st.markdown(_stands_alone(view.recipe))
    if about.children:
        verb = "builds" if len(about.children) == 1 else "build"
        st.markdown(f"**{words.count(len(about.children), 'run')} {verb} on this one**")
        for child in about.children[:MOST_LISTED]:
            run_link(child)
        states.sampled(min(len(about.children), MOST_LISTED), len(about.children), "runs, the latest")


def _stands_alone(recipe: Recipe) -> str:
    """Why there is no parent."""
    title = CATALOG[recipe.system].title
    links = recipe.config.get("behavior_links")
    reasons = {
        "none": "its behaviour graph has **no item links**",
        "random": "its item links come from **random embeddings**",
        "raw_features": "its item links come from **raw features**",
    }
    if links in reasons:
        return f"This run builds on no other: {reasons[links]}, so nothing had to be pretrained."
    return f"{title} builds on no other run."


def _builds_on(view: RunView, about: Lineage, wanted: Recipe | None) -> None:
    protocol, metric = view.recipe.protocol.key, view.recipe.protocol.main_metric
    if not about.parent_id:
        st.caption("The run that this one builds on is not trained yet: that is the first thing it does.")
    elif about.parent is None:
        st.markdown(
            f"It built on `{states.plain(about.parent_id)}`, which is :gray-badge[deleted]. What this run took from it, the item "
            "embeddings, is kept in its own folder, so it can still be resumed and scored."
        )
    else:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("It builds on", width="content", help=meaning("parent run"))
            run_link(about.parent)
        st.markdown(_in_words(view, about.parent, protocol, metric))
    own = [run for run in (about.parent, view.summary) if run is not None]
    if about.parent is not None:
        _results(own, about.parent.run_id, protocol, metric)
    recipe = _recipe_of(view, about) or wanted
    if recipe is not None:
        st.caption("The command that trains it; this run's own command does so by itself where nobody has.")
        st.code(words.command(recipe.command()), language="bash", wrap_lines=True)


def _recipe_of(view: RunView, about: Lineage) -> Recipe | None:
    if about.parent is None or about.parent.damaged:
        return None
    return RunFolder(view.home.run(about.parent.run_id)).recipe()


def _in_words(view: RunView, parent: RunSummary, protocol: str, metric: str) -> str:
    """Did building on it pay: the main metric of both under one protocol."""
    own, theirs = main_value(view.summary, protocol, metric), main_value(parent, protocol, metric)
    if own is None or theirs is None:
        return f"One of them has no {metric_title(metric)} under {protocol} yet, so they cannot be compared."
    apart = (
        f"{words.score(abs(own - theirs))} {'above' if own > theirs else 'below'}"
        if own != theirs
        else "equal to"
    )
    return (
        f"{metric_title(metric)} is **{words.score(own)}**, {apart} its parent's {words.score(theirs)} (both {protocol}; one seed "
        "each, which says nothing about others)."
    )


def _results(runs: list[RunSummary], parent_id: str, protocol: str, metric: str) -> None:
    rows = [
        {
            "role": "parent" if run.run_id == parent_id else "this run",
            "run": run_title(run),
            metric_title(metric): words.score(main_value(run, protocol, metric)),
            "protocol": protocol,
            "epochs": run.epoch,
            "trained": words.duration(run.finished - run.started) if run.finished and run.started else "",
        }
        for run in runs
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={metric_title(metric): st.column_config.TextColumn(alignment="right")},
        alt="Table of the parent's and this run's main metric",
    )
