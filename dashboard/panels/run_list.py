"""The list of runs: as a live table, as a picker in the sidebar, and as the few latest on the start page."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.catalog.systems import CATALOG
from core.home import Home
from core.runs.summary import RunSummary
from dashboard import readers, selection, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go, link
from dashboard.panels.background import keep_supervisor

STATES = ("all", "queued", "running", "done", "failed", "cancelled")
ALIVE = ("queued", "running")
MOST_ROWS = 2_000
DELETED = "run-deleted"
_CLICKED, _FILTER = "run-row-clicked", "run-filter"


def run_title(summary: RunSummary) -> str:
    """A run in a few words: system, variant, seed, changed settings, data, and the end of its id, which tells repeats apart."""
    known = CATALOG.get(summary.system)
    name = known.title if known else summary.system or "unreadable"
    parts = [name, summary.variant.replace("_", " "), f"seed {summary.seed}"]
    parts += [changes_in_words(own_changes(summary)), summary.dataset]
    return " · ".join(filter(None, parts)) + f"  ({summary.run_id[-4:]})"


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


def matching(summaries: Sequence[RunSummary], find: str, state: str) -> list[RunSummary]:
    """The runs in `state` (or all) whose id, system, data, variant or tags contain every word of `find`."""
    words_wanted = find.lower().split()

    def text(run: RunSummary) -> str:
        return " ".join((run.run_id, run.system, run.dataset, run.variant, run.preset, *run.tags)).lower()

    kept = (run for run in summaries if state in ("all", run.state))
    return [run for run in kept if all(word in text(run) for word in words_wanted)]


def run_table(summaries: Sequence[RunSummary], now: float) -> pd.DataFrame:
    """One row per run, as the table shows it. Progress is a share of the epochs; metrics stand behind their protocol."""
    rows = [
        {
            "state": words.STATE_SIGNS[run.state],
            "run": run_title(run),
            "progress": 1.0 if run.state == "done" else run.epoch / run.epochs if run.epochs else 0.0,
            "metric": _metric(run),
            "age": f"{words.duration(max(now - run.created, 1))} ago",
            "took": words.duration((run.finished or now) - run.started) if run.started else "",
            "device": run.device or run.slot,
            "run id": run.run_id,
        }
        for run in summaries
    ]
    return pd.DataFrame(rows)


def _metric(run: RunSummary) -> str:
    """The main metric after its protocol, so that sorting by it keeps protocols apart."""
    if run.main_value is not None:
        return f"{run.protocol}: {run.main_metric.upper()} {words.score(run.main_value)}"
    if run.best_valid is not None:
        return f"{run.protocol}: valid {run.main_metric.upper()} {words.score(run.best_valid)}"
    return run.protocol


def live_table(home: Home) -> None:
    """Search, filter and the table of runs, refreshed while anything is alive; a click on a row selects that run."""
    alive = any(run.state in ALIVE for run in readers.runs(home))
    st.session_state.pop(_FILTER, None)
    st.fragment(_table, run_every=2.0 if alive else 15.0)(home)


def _table(home: Home) -> None:
    if st.session_state.pop(_CLICKED, False):
        st.rerun(scope="app")  # the click reran this fragment alone; the run is drawn outside of it
    with states.guarded():
        left, right = row("pair", "filter", (1, 1))
        with left:
            find = selection.text("find", "Find", placeholder="words in the id, system, data or tags")
        with right:
            state = selection.pick("state", "State", STATES, widget="segments")
        if st.session_state.setdefault(_FILTER, (find, state)) != (find, state):
            st.rerun(scope="app")  # what is drawn beneath the table depends on the filter
        everything = readers.runs(home)
        runs = matching(everything, find, state)
        shown = runs[:MOST_ROWS]
        if not shown:
            st.caption("No run matches. Clear the search or choose another state.")
            return
        states.sampled(len(shown), len(everything), "runs")
        ids = [run.run_id for run in shown]
        digest = hashlib.sha1(" ".join(ids).encode(), usedforsecurity=False).hexdigest()[:12]
        key = f"runs-table:{digest}"
        st.dataframe(
            run_table(shown, time.time()),
            key=key,
            hide_index=True,
            height=min(320, 38 + 35 * len(shown)),
            on_select=lambda: _row_clicked(key, ids),
            selection_mode="single-row",
            placeholder="–",
            column_config=_COLUMNS,
            alt="Table of runs with state, progress and final metric",
        )
        keep_supervisor(home)


_COLUMNS = {
    "state": st.column_config.TextColumn("state", width=95),
    "run": st.column_config.TextColumn(
        "run", width=375, help="System, variant, seed, settings that differ, data, end of the id"
    ),
    "progress": st.column_config.ProgressColumn(
        "progress", format="percent", min_value=0, max_value=1, width=105
    ),
    "took": st.column_config.TextColumn("took", help="The last attempt, where a run was resumed"),
    "run id": st.column_config.TextColumn("run id", width=360, help="The run's folder in the home"),
    "metric": st.column_config.TextColumn(
        "metric by protocol",
        width=210,
        help=f"On test pairs; while there is none, the best on validation. {meaning('protocol')}",
    ),
}


def _row_clicked(key: str, ids: Sequence[str]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        selection.remember("run", ids[rows[0]])
        st.session_state[_CLICKED] = True


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
        return f"{words.STATE_SIGNS[runs[run_id].state][0]} {run_title(runs[run_id])}"

    with st.sidebar:
        chosen = selection.pick_or_none("run", "Run", list(runs), default=default, title=title)
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


def filtered(home: Home) -> list[RunSummary]:
    """The runs that pass the filter above the table."""
    return matching(readers.runs(home), selection.current("find") or "", selection.current("state") or "all")


def not_in_filter(run: RunSummary) -> None:
    """Says that the selected run is not among those listed, and offers to list all."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"The selected run, **{states.plain(run_title(run))}**, is not in this filter.", width="content"
        )
        if st.button("Clear the filter", icon=":material/filter_alt_off:"):
            selection.mirror("find", None)
            selection.mirror("state", None)
            go("runs", run=run.run_id)


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
        return f"{run.main_metric.upper()} {words.score(run.main_value)}, {run.protocol}"
    if run.state == "running" and run.epochs:
        return f"running, epoch {run.epoch} of {run.epochs}"
    return f"{run.state}, {words.duration(max(now - run.created, 1))} ago"
