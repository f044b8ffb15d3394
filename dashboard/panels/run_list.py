"""Runs by name: their titles, the picker in the sidebar, and the few latest on the start page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.catalog.systems import CATALOG
from core.home import Home
from core.runs.summary import RunSummary
from dashboard import readers, selection, states, words
from dashboard.navigation import link
from dashboard.results import metric_title

ALIVE = ("queued", "running")
DELETED = "run-deleted"


def run_title(summary: RunSummary) -> str:
    """A run in a few words: system, variant, preset, noise, seed, changed settings, data; the end of its id tells repeats
    apart."""
    return f"{_about(summary)}  ({summary.run_id[-4:]})"


def listed_title(summary: RunSummary) -> str:
    """`run_title` for places that cut its end off: the end of the id comes first."""
    return f"({summary.run_id[-4:]}) {_about(summary)}"


def _about(summary: RunSummary) -> str:
    known = CATALOG.get(summary.system)
    name = known.title if known else summary.system or "unreadable"
    parts = [name, summary.variant.replace("_", " "), summary.preset]
    parts += [f"{words.noise(summary.auxiliary_noise)} noise"] if summary.auxiliary_noise else []
    parts += [f"seed {summary.seed}"]
    parts += [changes_in_words(own_changes(summary)), summary.dataset]
    return " · ".join(filter(None, parts))


def own_changes(summary: RunSummary) -> dict[str, Any]:
    """The settings of a run that neither its preset nor its variant set."""
    known = CATALOG.get(summary.system)
    variant = known.variants.get(summary.variant) if known else None
    patch = variant.patch if variant else {}
    changed = {name: value for name, (_, value) in summary.changes.items()}
    return {name: value for name, value in changed.items() if name not in patch or patch[name] != value}


def changes_in_words(changed: Mapping[str, Any]) -> str:
    """`num_layers=3, dim=24 +2 more`; the number of epochs says least and comes last."""
    ordered = sorted(changed.items(), key=lambda setting: setting[0] == "epochs")
    shown = ", ".join(f"{name}={_short(value)}" for name, value in ordered[:2])
    return f"{shown} +{len(changed) - 2} more" if len(changed) > 2 else shown


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:16]


def pick_run(home: Home, prefer: Callable[[RunSummary], bool] = lambda _: True) -> RunSummary | None:
    """The run picker in the sidebar: what the selection says, else the latest run that `prefer` likes, else the latest.

    None where there are no runs at all. A run that is asked for and does not exist is not replaced: the page says so
    and ends here.
    """
    runs = {run.run_id: run for run in readers.runs(home)}
    if not runs:
        return None
    default = next((run.run_id for run in runs.values() if prefer(run)), next(iter(runs)))

    def title(run_id: str) -> str:
        return f"{words.STATE_SIGNS[runs[run_id].state][0]} {listed_title(runs[run_id])}"

    with st.sidebar:
        chosen = selection.pick_or_none("run", "Run", list(runs), default=default, title=title)
        if chosen is not None:  # the box cuts long names off
            st.caption(states.plain(run_title(runs[chosen])))
    if chosen is None:
        _no_such_run(selection.asked("run") or "")
        st.stop()
    return runs[chosen]


def _no_such_run(run_id: str) -> None:
    named = states.plain(run_id[:80])
    if st.session_state.get(DELETED) == run_id:
        st.info(f"Run '{named}' is deleted. Pick another one.", icon=":material/delete:")
        return
    st.warning(
        "It may have been deleted, or the address has a mistake. Pick another one in the sidebar.",
        title=f"There is no run '{named}'",
        icon=":material/search_off:",
    )


def recent(runs: Sequence[RunSummary], now: float) -> None:
    """A few runs as lines that lead to their page."""
    for run in runs:
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
        ):
            link("runs", states.plain(run_title(run)), icon=words.STATE_ICONS[run.state], run=run.run_id)
            st.caption(_outcome(run, now), width="content")


def _outcome(run: RunSummary, now: float) -> str:
    if run.main_value is not None:
        return f"{metric_title(run.main_metric)} {words.score(run.main_value)}, {run.protocol}"
    if run.state == "running" and run.epochs:
        return f"running, epoch {run.epoch} of {run.epochs}"
    return f"{run.state}, {words.duration(max(now - run.created, 1))} ago"
