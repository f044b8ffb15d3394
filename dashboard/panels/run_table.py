"""The table of runs: search, filters, rows to tick, refreshed while anything is alive."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.catalog.systems import CATALOG
from core.home import Home
from core.runs.summary import RunSummary
from dashboard import readers, selection, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels.background import keep_supervisor
from dashboard.panels.run_list import ALIVE, listed_title, run_title
from dashboard.results import metric_title

ANY = "all"
STATES = (ANY, "queued", "running", "done", "failed", "cancelled")
MOST_ROWS = 2_000
_CLICKED, _FILTER, _TOO_MANY = "run-row-clicked", "run-filter", "run-too-many"


@dataclass(frozen=True)
class Filter:
    """Which runs are listed. find: words that must all occur; the others: exactly this, or `all`."""

    find: str = ""
    state: str = ANY
    system: str = ANY
    data: str = ANY
    tag: str = ANY


def matching(summaries: Sequence[RunSummary], wanted: Filter) -> list[RunSummary]:
    """The runs that pass. Words are looked for in id, system, data, preset, variant, settings, tags and notes."""
    words_wanted = wanted.find.lower().split()
    kept = [
        run
        for run in summaries
        if wanted.state in (ANY, run.state)
        and wanted.system in (ANY, run.system)
        and wanted.data in (ANY, run.dataset)
        and (wanted.tag == ANY or wanted.tag in run.tags)
    ]
    if not words_wanted:
        return kept
    return [run for run in kept if _holds(_text(run), words_wanted)]


def _holds(text: str, wanted: Sequence[str]) -> bool:
    return all(word in text for word in wanted)


def _text(run: RunSummary) -> str:
    known = CATALOG.get(run.system)
    settings = (f"{name}={value}" for name, (_, value) in run.changes.items())
    about = (run.run_id, run.system, known.title if known else "", run.dataset, run.variant, run.preset)
    fixed = (f"seed={run.seed}", f"auxiliary_noise={run.auxiliary_noise:g}")
    return " ".join((*about, run.protocol, *fixed, *settings, *run.tags, run.notes)).lower()


def run_table(summaries: Sequence[RunSummary], now: float) -> pd.DataFrame:
    """One row per run, as the table shows it. Progress is a share of the epochs; metrics stand behind their protocol."""
    rows = [
        {
            "state": words.STATE_SIGNS[run.state],
            "run": listed_title(run),
            "tags": list(run.tags),
            "progress": 1.0 if run.state == "done" else run.epoch / run.epochs if run.epochs else 0.0,
            "metric": _metric(run),
            "age": f"{words.duration(max(now - run.created, 1))} ago",
            "took": words.duration((run.finished or now) - run.started) if run.started else "",
            "device": _device(run),
            "notes": run.notes.partition("\n")[0][:80],
            "run id": run.run_id,
        }
        for run in summaries
    ]
    table = pd.DataFrame(rows)
    return table.drop(columns=[name for name in ("tags", "notes") if not table[name].map(len).any()])


def _device(run: RunSummary) -> str:
    """The device without the model of a GPU, which its run tells."""
    return run.slot or run.device.partition(" ")[0]


def _metric(run: RunSummary) -> str:
    """The main metric after its protocol, so that sorting by it keeps protocols apart."""
    if run.main_value is not None:
        return f"{run.protocol}: {metric_title(run.main_metric)} {words.score(run.main_value)}"
    if run.best_valid is not None:
        return f"{run.protocol}: valid {metric_title(run.main_metric)} {words.score(run.best_valid)}"
    return run.protocol


def live_table(home: Home) -> None:
    """Search, filters and the table of runs; ticked rows are the compared runs, the last one ticked is shown below."""
    alive = any(run.state in ALIVE for run in readers.runs(home))
    st.session_state.pop(_FILTER, None)
    st.fragment(_table, run_every=2.0 if alive else 15.0)(home)


def _table(home: Home) -> None:
    if st.session_state.pop(_CLICKED, False):
        st.rerun(scope="app")  # the click reran this fragment alone; the run is drawn outside of it
    with states.guarded():
        everything = readers.runs(home)
        wanted = _filters(everything)
        if st.session_state.setdefault(_FILTER, wanted) != wanted:
            st.rerun(scope="app")  # what is drawn beneath the table depends on the filter
        runs = matching(everything, wanted)
        shown = runs[:MOST_ROWS]
        if not shown:
            st.caption("No run matches. Clear the search or widen the filters.")
            return
        states.sampled(len(shown), len(everything), "runs")
        ids = [run.run_id for run in shown]
        digest = hashlib.sha1(" ".join(ids).encode(), usedforsecurity=False).hexdigest()[:12]
        key = f"runs-table:{digest}"
        places = {run_id: place for place, run_id in enumerate(ids)}
        st.dataframe(
            run_table(shown, time.time()),
            key=key,
            hide_index=True,
            height=min(320, 38 + 35 * len(shown)),
            on_select=lambda: _rows_ticked(key, ids),
            selection_mode="multi-row",
            selection_default={"selection": {"rows": [places[r] for r in _ticked_ids() if r in places]}},
            placeholder="–",
            column_config=_COLUMNS,
            alt="Table of runs with state, progress and final metric",
        )
        keep_supervisor(home)


def _filters(everything: Sequence[RunSummary]) -> Filter:
    cells = row("controls", "filter", (4, 2, 2, 2))
    with cells[0]:
        find = selection.text("find", "Find", placeholder="id, setting (dim=24), tag, note, data")
    choices = {
        "of_system": ("System", sorted({run.system for run in everything if run.system})),
        "of_data": ("Data", sorted({run.dataset for run in everything if run.dataset})),
        "tag": ("Tag", sorted({tag for run in everything for tag in run.tags})),
    }
    picked = {}
    for cell, (field, (label, values)) in zip(cells[1:], choices.items()):
        with cell:
            picked[field] = selection.pick(field, label, [ANY, *values], title=_name)
    state = selection.pick("state", "State", STATES, widget="segments")
    return Filter(find, state, picked["of_system"], picked["of_data"], picked["tag"])


def _name(value: str) -> str:
    return CATALOG[value].title if value in CATALOG else value


_COLUMNS = {
    "state": st.column_config.TextColumn("state", width=95),
    "run": st.column_config.TextColumn(
        "run", width=315, help="End of the id, system, variant, preset, seed, settings that differ, data"
    ),
    "tags": st.column_config.ListColumn("tags", width=130, help="Your own words; edit them below the table"),
    "progress": st.column_config.ProgressColumn(
        "progress", format="percent", min_value=0, max_value=1, width=105
    ),
    "age": st.column_config.TextColumn("age", width=105),
    "device": st.column_config.TextColumn("device", width=70),
    "took": st.column_config.TextColumn("took", width=90, help="The last attempt, where a run was resumed"),
    "run id": st.column_config.TextColumn("run id", width=360, help="The run's folder in the home"),
    "metric": st.column_config.TextColumn(
        "metric by protocol",
        width=200,
        help=f"On test data; while there is none, the best on validation. {meaning('protocol')}",
    ),
    "notes": st.column_config.TextColumn("notes", width=220),
}


def _rows_ticked(key: str, ids: Sequence[str]) -> None:
    """Ticked rows become the compared runs, those that a filter hides stay among them; the newest is the shown one."""
    selection.address_is_old()
    before = _ticked_ids()
    now = [ids[place] for place in st.session_state[key]["selection"]["rows"] if place < len(ids)]
    kept, shown = ticked_now(before, now, ids)
    st.session_state[_TOO_MANY] = len(kept) > selection.MOST_RUNS
    selection.remember("runs", ",".join(kept[: selection.MOST_RUNS]))
    if shown:
        selection.remember("run", shown)
    st.session_state[_CLICKED] = True


def ticked_now(
    before: Sequence[str], ticked: Sequence[str], listed: Sequence[str]
) -> tuple[list[str], str | None]:
    """The compared runs after a click, in the order they were ticked, and the run to show: the newest of them."""
    new = [run_id for run_id in ticked if run_id not in before]
    kept = [run_id for run_id in before if run_id in ticked or run_id not in listed] + new
    return kept, new[-1] if new else kept[-1] if kept else None


def _ticked_ids() -> list[str]:
    return [run_id for run_id in (selection.current("runs") or "").split(",") if run_id]


def compare_bar(home: Home) -> None:
    """What the ticked rows can be used for."""
    ticked = selection.chosen_many("runs", [run.run_id for run in readers.runs(home)])
    selection.mirror("runs", ",".join(ticked) or None)
    selection.remember("runs", ",".join(ticked))
    selection.tell_left_out("runs", "ticked runs")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Compare {words.count(len(ticked), 'run')}" if len(ticked) > 1 else "Compare",
            icon=":material/balance:",
            disabled=len(ticked) < 2,
            type="primary" if len(ticked) > 1 else "secondary",
        ):
            go("compare", runs=",".join(ticked))
        if ticked and st.button("Untick all", icon=":material/close:", type="tertiary"):
            selection.mirror("runs", None)
            selection.remember("runs", "")
            st.rerun()
        limit = (
            f" At most {selection.MOST_RUNS} runs can be compared." if st.session_state.get(_TOO_MANY) else ""
        )
        if len(ticked) < 2 or limit:
            st.caption(f"Tick two or more rows to compare them.{limit}")


def filtered(home: Home) -> list[RunSummary]:
    """The runs that pass the filter above the table."""
    fields = ("state", "of_system", "of_data", "tag")
    state, system, data, tag = (selection.current(field) or ANY for field in fields)
    return matching(readers.runs(home), Filter(selection.current("find") or "", state, system, data, tag))


def not_in_filter(run: RunSummary) -> None:
    """Says that the selected run is not among those listed, and offers to list all."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"The selected run, **{states.plain(run_title(run))}**, is not in this filter.", width="content"
        )
        if st.button("Clear the filter", icon=":material/filter_alt_off:"):
            for field in ("find", "state", "of_system", "of_data", "tag"):
                selection.mirror(field, None)
            go("runs", run=run.run_id)
