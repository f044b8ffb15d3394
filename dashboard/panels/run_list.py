"""The list of runs: as a live table, as a picker in the sidebar, and as the few latest on the start page."""

import hashlib
import time
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from core.catalog.systems import CATALOG
from core.home import Home
from core.runs.summary import RunSummary
from dashboard import readers, selection, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import link
from dashboard.panels.background import keep_supervisor

STATES = ("all", "queued", "running", "done", "failed", "cancelled")
ALIVE = ("queued", "running")
MOST_ROWS = 2_000
_CLICKED = "run-row-clicked"


def run_title(summary: RunSummary) -> str:
    """A run in a few words: system, variant, data, seed, and the end of its id, which tells repeats apart."""
    known = CATALOG.get(summary.system)
    name = known.title if known else summary.system or "unreadable"
    parts = [name, summary.variant.replace("_", " "), summary.dataset, f"seed {summary.seed}"]
    return " · ".join(filter(None, parts)) + f"  ({summary.run_id[-4:]})"


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
    st.fragment(_table, run_every=2.0 if alive else 15.0)(home)


def _table(home: Home) -> None:
    if st.session_state.pop(_CLICKED, False):
        st.rerun(scope="app")  # the click reran this fragment alone; the run is drawn outside of it
    with states.guarded():
        keep_supervisor(home)
        left, right = row("pair", "filter", (1, 1))
        with left:
            find = selection.text("find", "Find", placeholder="words in the id, system, data or tags")
        with right:
            state = selection.pick("state", "State", STATES, widget="segments")
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


_COLUMNS = {
    "run": st.column_config.TextColumn("run", width="medium"),
    "progress": st.column_config.ProgressColumn("progress", format="percent", min_value=0, max_value=1),
    "metric": st.column_config.TextColumn(
        "metric by protocol",
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

    None where there are no runs at all.
    """
    runs = {run.run_id: run for run in readers.runs(home)}
    if not runs:
        return None
    default = next((run.run_id for run in runs.values() if prefer(run)), next(iter(runs)))

    def title(run_id: str) -> str:
        return f"{words.STATE_SIGNS[runs[run_id].state][0]} {run_title(runs[run_id])}"

    with st.sidebar:
        chosen = selection.pick("run", "Run", list(runs), default=default, title=title)
    return runs[chosen]


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
