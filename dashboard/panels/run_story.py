"""What pages about one run say alike: its result in a line, why a part is missing, and when to draw anew."""

import streamlit as st

from core.catalog.systems import CATALOG
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status
from core.runs.summary import RunSummary
from dashboard import readers, states, words
from dashboard.results import metric_title

_REFRESH_SECONDS = 5.0


def result_parts(run: RunFolder, recipe: Recipe) -> list[str]:
    """The main metric with its protocol, and how the epoch was chosen; nothing while there is no result."""
    result = ((run.result() or {}).get("protocols") or {}).get(recipe.protocol.key)
    if not result:
        return []
    main = recipe.protocol.main_metric
    scored = f"{metric_title(main)} {words.score(result['metrics'].get(main))} under {recipe.protocol.key}"
    chosen = f"{words.selection(result['selection'])}, epoch {result['epoch']}"
    return [scored, chosen] if result.get("epoch") else [scored]


def embeds_nodes(summary: RunSummary) -> bool:
    """Whether a run's system embeds nodes, so that pages about users and items have nothing to say of it."""
    known = CATALOG.get(summary.system)
    return known is not None and known.task == "nodes"


def nodes_instead(summary: RunSummary, what: str) -> None:
    """Why a page about `what` has nothing on a run that embeds nodes, and where to go."""
    states.empty(
        f"{CATALOG[summary.system].title} embeds the nodes of a graph: it has no {what}",
        "What its embeddings tell of the nodes is on the page Nodes. To look at a recommender, pick its run in the sidebar.",
        "nodes",
        "See its nodes",
        run=summary.run_id,
    )


def why_missing(status: Status, things: str) -> tuple[str, str]:
    """Title and advice where a run has none of the `things` (plural) that runs of its kind store."""
    advice = {
        "queued": (
            "Not trained yet",
            f"The run waits for a free slot. Its {things} appear here with its first snapshot.",
        ),
        "running": (
            "Still training",
            f"The {things} appear here with the first snapshot; this page looks for them by itself.",
        ),
        "failed": (
            f"The run failed before its {things} were written",
            "Its page says why and lets you resume it.",
        ),
        "cancelled": (f"The run was cancelled before its {things} were written", "Resume it on its page."),
        "done": (f"The run is done but has no {things}", "Its folder lost them; train it again."),
    }
    return advice[status.state]


def follow(run: RunFolder, status: Status, key: str) -> None:
    """While the run trains: draw the page anew when a snapshot of the finding `key` has been written."""
    if status.state != "running":
        return
    path = run.findings / f"{key}.history.npz"
    seen = readers.stamp(path)

    def look() -> None:
        if readers.stamp(path) != seen:
            st.rerun(scope="app")

    st.fragment(look, run_every=_REFRESH_SECONDS)()
