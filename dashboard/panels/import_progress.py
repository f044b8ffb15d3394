"""The third step of an import: what its process does, what became of it, and what can be done next."""

import time

import streamlit as st

from core.data import import_jobs
from core.data.graph_summary import GraphSummary
from core.data.import_folder import ImportJob, ImportRequest, ImportStatus, ImportSummary
from core.errors import DataError, RelScopeError
from core.home import Home
from dashboard import importing, states, words
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels.import_bring import forget_settings, refuse, start_over
from dashboard.panels.import_form import Entered

_DOING = {"check": "Checking", "import": "Importing"}
_NUMBERS = ("training", "validation", "test", "pairs")


def heading(home: Home, job: ImportJob, layout: str, *, running: bool = False) -> None:
    """What was brought, and the way back to bring something else."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{states.plain(importing.origin_sentence(job.origin(), layout))}**", width="stretch")
        if not running and st.button("Start over", icon=":material/restart_alt:", key="import-start-over"):
            with st.spinner("Removing what was uploaded"):
                import_jobs.discard(home, job.token)
            forget_settings()
            start_over()


def live(home: Home, job: ImportJob, drawn: ImportStatus) -> None:
    """Progress of the process, refreshed every second; survives a reload, since the address names the import."""
    st.fragment(_live, run_every=1.0)(home, job, drawn.act)


def _live(home: Home, job: ImportJob, act: str) -> None:
    try:
        told = import_jobs.status(home, job.token)
    except RelScopeError:
        st.rerun(scope="app")
    if told.state != "running":
        st.rerun(scope="app")
    with st.container(border=True):
        lasted = words.duration(time.time() - told.started)
        st.markdown(
            f"**{_DOING[act]}** for {lasted}. It goes on if you close this page; its address shows it again."
        )
        st.progress(told.fraction, text=states.plain(told.sentence.capitalize()))
        if st.button("Stop", icon=":material/stop_circle:", key="import-stop"):
            with states.guarded(), st.spinner("Stopping"):
                import_jobs.stop(home, job.token)
            st.rerun(scope="app")


def verdict(home: Home, job: ImportJob, told: ImportStatus, entered: Entered) -> None:
    """What the last process found out about the settings, above the form."""
    if told.state == "vanished":
        _vanished(home, job, told)
    elif told.state == "failed":
        states.failed(DataError(importing.in_form(told.error)))
    elif told.state == "done" and told.summary is not None:
        if is_checked(job, told, entered.request):
            _checked(home, job, told.summary, entered.request)
        else:
            st.info(
                "The settings were changed after the check: check again, or import at once.",
                icon=":material/edit:",
            )


def actions(home: Home, job: ImportJob, told: ImportStatus, entered: Entered) -> None:
    """Check and import, while nothing is missing; otherwise what is."""
    for problem in entered.problems:
        st.markdown(f":orange[:material/info: {states.plain(problem)}]")
    checked = is_checked(job, told, entered.request)
    with st.container(horizontal=True):
        blocked = bool(entered.problems)
        if st.button(
            "Check again" if checked else "Check",
            icon=":material/fact_check:",
            disabled=blocked,
            key="import-check",
            help=meaning("check"),
        ):
            _begin(home, job, entered.request, "check")
        if not checked:
            _import_button(home, job, entered.request, disabled=blocked)
    with st.expander("The same on the command line", icon=":material/terminal:"):
        origin = job.origin()
        source = origin.path or origin.folder or ", ".join(origin.names)
        st.code(words.command(importing.command(entered.request, source)), language="bash", wrap_lines=True)


def is_checked(job: ImportJob, told: ImportStatus, request: ImportRequest) -> bool:
    """Whether the last check was made of just these settings."""
    asked = job.request()
    return told.state == "done" and asked is not None and asked == request.model_copy(update={"act": "check"})


def outcome(home: Home, job: ImportJob, told: ImportStatus) -> None:
    """What was stored, what was repaired, and where to go on."""
    asked = job.request()
    if asked is None or told.summary is None:
        raise DataError(f"{job.folder}: what was stored is not recorded; see the list of data sets")
    forget_settings()
    lasted = f" in {words.duration(told.finished - told.started)}" if told.finished else ""
    st.success(
        f"**{states.plain(asked.name)}** is stored{lasted}: {states.plain(importing.summary_sentence(told.summary))}.",
        icon=":material/check_circle:",
    )
    with st.container(horizontal=True):
        if st.button("Look at the data", type="primary", icon=":material/database:", key="import-look"):
            go("data", dataset=asked.name)
        if st.button("Train on it", icon=":material/model_training:", key="import-train"):
            go("train", dataset=asked.name)
        if st.button("Import other data", icon=":material/add:", key="import-other"):
            import_jobs.discard(home, job.token)
            start_over()
    _summary(told.summary, "What was done to the data")


def give_up_if_useless(home: Home, job: ImportJob, told: ImportStatus) -> None:
    """A file that no setting can mend was removed by the worker already: say why and ask for another."""
    if told.state == "failed" and not told.mendable:
        refuse(home, job, DataError(told.error))


def _checked(home: Home, job: ImportJob, summary: ImportSummary, request: ImportRequest) -> None:
    with st.container(border=True):
        st.markdown(
            f"**Nothing stands in the way.** {states.plain(request.name)} would hold "
            f"{states.plain(importing.summary_sentence(summary))}."
        )
        _summary(summary, "What would be done to the data")
        _import_button(home, job, request)


def _import_button(home: Home, job: ImportJob, request: ImportRequest, *, disabled: bool = False) -> None:
    if st.button(
        "Import", type="primary", icon=":material/download:", disabled=disabled, key="import-import"
    ):
        _begin(home, job, request, "import")


def _summary(summary: ImportSummary, title: str) -> None:
    left, right = row("pair", "import-summary", (1, 1))
    with left:
        if summary.graph is not None:
            _graph(summary.graph, summary.split_rule)
        else:
            _pairs(summary)
    if summary.notes:
        lines = (f"- {states.plain(importing.in_form(note))}" for note in summary.notes)
        right.markdown(f"**{title}**\n" + "\n".join(lines))


def _pairs(summary: ImportSummary) -> None:
    st.dataframe(
        importing.counts_table(summary),
        hide_index=True,
        width="content",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in _NUMBERS},
        alt="Pairs per behaviour and split",
    )
    st.caption(f"Test pairs: {states.plain(summary.split_rule)}.", help=meaning("split rule"))


def _graph(graph: GraphSummary, rule: str) -> None:
    st.dataframe(
        importing.graph_table(graph),
        hide_index=True,
        width="content",
        column_config={"count": st.column_config.NumberColumn(format="localized")},
        alt="Nodes per type, edges per relation and entries per metapath",
    )
    st.caption(f"{states.plain(importing.classes_sentence(graph))}.")
    st.dataframe(
        importing.setting_table(graph),
        hide_index=True,
        width="content",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in _NUMBERS},
        alt="Labelled nodes per label setting and part",
    )
    st.caption(f"Labelled nodes: {states.plain(rule)}.", help=meaning("label settings"))


def _vanished(home: Home, job: ImportJob, told: ImportStatus) -> None:
    asked = job.request()
    stored = asked is not None and import_jobs.has_stored(home, asked, told)
    st.error(
        f"{_DOING[told.act]} ended without a word while it was at: {states.plain(told.sentence)}. It was killed, or the "
        "machine ran out of memory or was switched off. "
        + ("The data set had been stored before." if stored else "Nothing was stored.")
        + "\n\n**What to do:** "
        + (
            "Look at it on the Data page."
            if stored
            else "Try again; if it ends the same way, import a part of the data."
        ),
        title="The import's process is gone",
        icon=":material/error:",
    )
    lines = job.last_log_lines()
    if lines:
        st.caption("Last lines of its log")
        st.code("\n".join(lines), language=None, wrap_lines=True)


def _begin(home: Home, job: ImportJob, request: ImportRequest, act: str) -> None:
    with states.guarded():
        import_jobs.start(home, job.token, request.model_copy(update={"act": act}))
        st.rerun(scope="app")
