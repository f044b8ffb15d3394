"""Details of a comparison: curves laid over each other, settings side by side, and the table for a paper."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.protocol import Task
from core.runs.folder import open_run
from dashboard import compare, compare_export, readers, results, selection, states, words
from dashboard.compare import Bench, Entry, data_name
from dashboard.compare_tables import PARTS, along_epochs, measured, metrics_of, settings_table
from dashboard.drawing import show
from dashboard.figures.curves import overlay
from dashboard.layout import row
from dashboard.panels.compare_view import View, protocol_words
from dashboard.panels.run_list import ALIVE
from dashboard.results import metric_title

DETAILS = {"curves": "Curves", "settings": "Settings", "export": "Table for a paper"}
_KINDS = ("valid", "loss", "seconds")


def curves(view: View) -> None:
    """One quantity of every run over epochs or time; refreshed while a run is queued or training."""
    st.fragment(_curves, run_every=2.0 if view.is_alive else None)(view)


def _curves(view: View) -> None:
    with states.guarded():
        runs = {entry.run_id: open_run(view.home, entry.run_id) for entry in view.entries}
        if view.is_alive and _has_moved_on(view):
            st.rerun(scope="app")
        metrics = {run_id: readers.metrics(run) for run_id, run in runs.items()}
        terms = sorted(
            {name for table in metrics.values() for name in table["name"].unique() if _kind(name) in _KINDS},
            key=_term_order,
        )
        if not terms:
            st.caption("None of these runs has recorded a curve: fitted in closed form, or not trained yet.")
            return
        cells = row("controls", "compare-curves", (4, 3, 3))
        with cells[0]:
            term = selection.pick("term", "Curve", terms, title=_term_title)
        with cells[1]:
            along = selection.pick(
                "along",
                "Along",
                ("epoch", "seconds"),
                title={"epoch": "epochs", "seconds": "seconds of training"}.__getitem__,
                widget="segments",
            )
        shown, apart = _of_the_comparison(view, term)
        if apart:
            named = "; ".join(
                f"{states.plain(view.run_titles[e.run_id])} ({e.recipe.protocol.key})" for e in apart
            )
            st.caption(f"Not drawn, on other data or under another protocol than the comparison: {named}.")
        parts = [
            (about, those)
            for about, entries in _comparable(view, shown, term)
            if (those := [e for e in entries if (metrics[e.run_id]["name"] == term).any()])
        ]
        for place, (about, entries) in enumerate(parts):
            if len(parts) > 1:
                st.markdown(f"**{states.plain(about)}**")
            tables = {e.run_id: along_epochs(metrics[e.run_id], term) for e in entries}
            titles = compare.titles(entries, with_seed=True)
            data = [table.assign(run=titles[run_id], run_id=run_id) for run_id, table in tables.items()]
            show(
                overlay(
                    tables,
                    view.looks,
                    x="seconds" if along == "seconds" else "epoch",
                    y=_term_title(term) + (" (log scale)" if _kind(term) == "loss" else ""),
                    titles=titles,
                    log=_kind(term) == "loss",
                    from_zero=_kind(term) != "valid" or entries[0].task == "ranking",
                    value_format=".2f" if _kind(term) == "seconds" else ".4f",
                ),
                results.stacked(data),
                name=f"curves-{term.replace('/', '-')}-{place}",
                source=_curve_source(term, about),
                about=about,
                alt=f"Lines of {_term_title(term)} of each run",
            )
        without = [e.run_id for e in shown if not (metrics[e.run_id]["name"] == term).any()]
        if without:
            named = "; ".join(states.plain(view.run_titles[run_id]) for run_id in without)
            st.caption(f"Without this curve: {named}.")


def _has_moved_on(view: View) -> bool:
    """Whether a living run has ended since the page was drawn: then it may have a result."""
    drawn = {e.run_id: e.summary.state for e in view.entries if e.summary.state in ALIVE}
    return any(open_run(view.home, run_id).state_or_none() != state for run_id, state in drawn.items())


def _of_the_comparison(view: View, term: str) -> tuple[list[Entry], list[Entry]]:
    """Runs with curves beside the shown results, and the others: validation metrics of other data or protocols stay out."""
    if _kind(term) != "valid" or not view.benches:
        return list(view.entries), []
    bench = view.benches[0]
    stand, members = bench.footing, {entry.run_id for entry in bench.entries}

    def belongs(
        entry: Entry,
    ) -> bool:  # also without a result, so that a run in training is watched beside the others
        own = entry.recipe.dataset_hash, entry.recipe.protocol.key
        return entry.run_id in members or own == (stand.data_hash, stand.protocol)

    shown = [entry for entry in view.entries if belongs(entry)]
    return shown, [entry for entry in view.entries if entry not in shown]


def _comparable(view: View, entries: Sequence[Entry], term: str) -> list[tuple[str, list[Entry]]]:
    """Runs whose curves share a figure: the same data and task, and for validation metrics the same protocol."""
    found: dict[tuple[str, str, Task], list[Entry]] = {}
    for entry in entries:
        protocol = entry.recipe.protocol.key if _kind(term) == "valid" else ""
        found.setdefault((entry.recipe.dataset_hash, protocol, entry.task), []).append(entry)
    tasks = {task for _, _, task in found}
    learns: Mapping[Task, str] = compare.DOES if len(tasks) > 1 and _kind(term) != "valid" else {}
    return [
        (", ".join(filter(None, (data_name(data, view.data_names), protocol, learns.get(task)))), entries)
        for (data, protocol, task), entries in found.items()
    ]


def _curve_source(term: str, about: str) -> str:
    if _kind(term) == "valid":
        protocol = about.rpartition(", ")[2]
        if compare.protocol_task(protocol) == "nodes":
            return words.sentence(words.validation_of_nodes())
        return f"Validation pairs under each run's own protocol: {protocol_words(protocol)}"
    if _kind(term) == "loss":
        return (
            "Terms as the trainer sums them; losses of different systems or settings have scales of their own"
        )
    return "Wall clock of an epoch, on the device each run trained on"


def _kind(name: str) -> str:
    return name.partition("/")[0]


def _term_title(name: str) -> str:
    kind, _, rest = name.partition("/")
    if kind == "valid":
        return f"validation {metric_title(rest)}"
    return f"loss: {rest.replace('_', ' ')}" if kind == "loss" else f"seconds per {rest}"


def _term_order(name: str) -> tuple[object, ...]:
    kind, _, rest = name.partition("/")
    return _KINDS.index(kind), *(results.metric_order(rest) if kind == "valid" else (rest != "total", rest))


def settings(view: View) -> None:
    """What the runs were made with: only what differs, or everything."""
    with row("controls", "compare-settings", (4, 6))[0]:
        shown = selection.pick(
            "settings",
            "Settings",
            ("differing", "all"),
            title={"differing": "only what differs", "all": "all"}.__getitem__,
            widget="segments",
        )
    table = settings_table(view.entries, view.run_titles, only_differing=shown == "differing")
    if table.empty:
        known = all(entry.commit for entry in view.entries)
        code = "same code" if known else "but which code trained each of them is not known"
        st.caption(
            f"These runs differ in nothing that is stored: same settings, same seed, same data, {code}."
        )
        return
    st.dataframe(table, hide_index=True, alt="Settings of each run", height="content")
    st.caption("A dash: that system has no such setting, or it is not known.")


def export(view: View) -> None:
    """The table of the first bench as CSV, Markdown and LaTeX."""
    if not view.benches or not view.metric:
        st.caption("There is no result to write down yet.")
        return
    bench = view.benches[0]
    part: str = (selection.current("part") if bench.task == "ranking" else None) or "all"
    names = results.beside(view.metric, metrics_of(bench, part))
    table = measured(bench, names, (part,))
    caption = table_caption(view, bench, part)
    everything = measured(bench, metrics_of(bench), tuple(PARTS))
    about = {
        "protocol": bench.footing.protocol,
        "data": data_name(bench.footing.data_hash, view.data_names),
    }
    if bench.task == "ranking":
        about |= {
            "trained_on": bench.footing.fit_on,
            "auxiliary_noise": f"{bench.footing.auxiliary_noise:g}",
        }
    texts = {
        "CSV": (compare_export.csv(everything, view.titles, about, _parts(bench)), "csv", "text/csv"),
        "Markdown": (compare_export.markdown(table, view.titles, caption), "md", "text/markdown"),
        "LaTeX": (compare_export.latex(table, view.titles, caption), "tex", "application/x-tex"),
    }
    with st.container(horizontal=True):
        for name, (text, ending, mime) in texts.items():
            st.download_button(
                name,
                text.encode(),
                file_name=f"comparison-{bench.footing.protocol.partition(':')[0]}.{ending}",
                mime=mime,
                key=f"export:{name}",
                icon=":material/download:",
                on_click="ignore",
            )
    st.code(texts["LaTeX"][0], language="latex", wrap_lines=True)
    st.code(texts["Markdown"][0], language="markdown", wrap_lines=True)


def _parts(bench: Bench) -> dict[str, str]:
    return PARTS if bench.task == "ranking" else {"all": "all test nodes"}


def table_caption(view: View, bench: Bench, part: str) -> str:
    """Under what the numbers were measured: a table never stands without it."""
    stand, counts = bench.footing, sorted({len(group.entries) for group in bench.groups})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    optimistic = " Epochs chosen on test data: optimistic." if stand.is_optimistic else ""
    first = results.beside(view.metric, metrics_of(bench))[0]
    measured_on = PARTS[part] if bench.task == "ranking" else results.setting_title(first)
    about = (
        f"{data_name(stand.data_hash, view.data_names)}, protocol {stand.protocol} ({protocol_words(stand.protocol)})",
        measured_on,
        words.trained_on(bench.task, stand.fit_on, stand.auxiliary_noise),
    )
    return (
        f"{', '.join(filter(None, about))}; mean and standard deviation over {seeds} "
        f"seed{'' if counts == [1] else 's'}; best bold, second underlined.{optimistic}"
    )


def chosen(view: View, sections: Sequence[str] = tuple(DETAILS)) -> None:
    """The detail that the address names."""
    shown = selection.pick("compared", "In detail", sections, title=DETAILS.__getitem__, widget="segments")
    with states.guarded():
        {"curves": curves, "settings": settings, "export": export}[shown](view)
