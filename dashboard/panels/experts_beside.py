"""Which runs stand beside the one whose groups of users are shown, and which are kept apart."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.home import Home
from core.runs.folder import open_run
from core.runs.summary import RunSummary
from dashboard import compare, readers, selection, states
from dashboard.compare import Entry
from dashboard.panels import compare_view
from dashboard.panels.experts_view import View
from dashboard.panels.run_list import run_title


def entries_beside(home: Home, view: View) -> list[Entry]:
    """This run and those picked to stand beside it, with what cannot be read told."""
    runs = {run.run_id: run for run in readers.runs(home)}
    others = [run_id for run_id, run in runs.items() if run_id != view.run.run_id and _may_compare(view, run)]
    others += [run_id for run_id in _asked() if run_id in runs and run_id not in (*others, view.run.run_id)]
    picked = selection.pick_many(
        "runs",
        "Runs beside this one",
        [view.run.run_id, *others],
        title=lambda run_id: run_title(runs[run_id]) if run_id in runs else run_id,
        help="Finished runs on the same data. A run under another protocol is kept apart and said so.",
    )
    shown = list(dict.fromkeys([view.run.run_id, *picked]))
    found = compare_view.load(home, [runs[run_id] for run_id in shown if run_id in runs])
    for title, reason in found.broken:
        st.caption(f":orange-badge[left out] {states.plain(title)}: {states.plain(reason)}")
    return list(found.entries)


def _asked() -> list[str]:
    return (selection.current("runs") or "").split(",")


def _may_compare(view: View, run: RunSummary) -> bool:
    return run.dataset_hash == view.recipe.dataset_hash and bool(run.results)


def guarded(own: Entry, entries: Sequence[Entry], protocol: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The runs whose results stand on the footing of `own`, and the others with why they do not."""
    fitting, apart = [], []
    mine = compare.footing(own, protocol)
    names = {entry.recipe.dataset_hash: entry.recipe.dataset for entry in entries}
    for entry in entries:
        if protocol not in entry.results:
            reasons = [compare.missing_result(entry, protocol)]
        else:
            reasons = compare.apart(mine, compare.footing(entry, protocol), names)
        if reasons:
            apart.append((run_title(entry.summary), "; ".join(reasons)))
        else:
            fitting.append(entry)
    return fitting, apart


def values_per_user(
    home: Home, entries: Sequence[Entry], protocol: str, metric: str
) -> dict[str, pd.DataFrame]:
    """The metric of every user per run. Runs that stored none are left out. Raises RunError if one is damaged."""
    found = {}
    for entry in entries:
        if metric in entry.results[protocol]["metrics"]:
            run = open_run(home, entry.run_id)
            table = readers.user_metric(run, protocol, metric)
            if table is not None:
                found[entry.run_id] = table
    return found
