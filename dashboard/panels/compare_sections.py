"""The parts of the page Compare: the answer, metrics side by side, paired tests, and what had to be left out."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.protocol import PROTOCOLS
from core.runs.folder import open_run
from dashboard import compare, paired, results, selection, states, words
from dashboard.compare import Bench, Entry
from dashboard.compare_tables import (
    BEST,
    GAP,
    PANELS,
    PARTS,
    SIGNS,
    cell,
    epochs_of,
    file_part,
    interval,
    measured,
    metrics_of,
    ranked,
    seeds_of,
    values_of,
)
from dashboard.drawing import show
from dashboard.figures.comparison import metric_bars
from dashboard.glossary import meaning, metric_meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels.compare_view import View, about_bench, protocol_words
from dashboard.panels.evaluation import other_protocols, score_all


def first_words(view: View, slot: DeltaGenerator) -> None:
    """What can be said before anything is tested."""
    if not view.benches:
        slot.markdown("**None of the picked runs has a test result yet.** Their curves are below.")
    elif len(view.benches[0].groups) < 2 or not view.metric:
        only = view.titles[view.benches[0].groups[0].key]
        said = "Its seeds make one row" if len(view.entries) > 1 else "Pick another run above"
        slot.markdown(f"**{states.plain(only)}** stands alone under `{view.protocol}`. {said}.")
    else:
        first, second = ranked(view.benches[0], view.metric)[:2]
        means = measured(view.benches[0], [view.metric]).set_index("group")["mean"]
        ahead = words.score(float(means[first.key] - means[second.key]))
        named = f"{results.metric_title(view.metric)} {_over(view.benches[0], view.metric)}"
        slot.markdown(
            f"**{states.plain(view.titles[first.key])}** leads **{states.plain(view.titles[second.key])}** by {ahead} "
            f"{named}{'; not tested yet' if paired.unit(view.metric) else ''}."
        )


def _over(bench: Bench, metric: str) -> str:
    """What the value of one run is a mean over."""
    if bench.task == "ranking":
        return "in the mean over users"
    said = results.setting_title(metric)
    return f"in the {said}" if said.startswith("mean") else said


def metrics(view: View, bench: Bench) -> None:
    """The main figure and the table of one bench."""
    shown = measured(bench, [view.metric], tuple(PARTS))
    seeds = {
        (group.key, part): values_of(group, bench.footing.protocol, view.metric, part)
        for group in bench.groups
        for part in PARTS
    }
    title = results.metric_title(view.metric)
    is_ranking = bench.task == "ranking"
    if is_ranking:
        st.markdown(
            f"**{title}**, of all test pairs, those seen before and those never seen", help=meaning("seen")
        )
    else:
        st.markdown(f"**{title}**, {results.setting_title(view.metric)}", help=metric_meaning(view.metric))
    show(
        metric_bars(
            shown,
            seeds,
            metric=view.metric,
            titles=view.titles,
            parts=PANELS if is_ranking else {"all": ""},
            colors={group.key: view.looks[group.key][0] for group in bench.groups},
            signs=SIGNS,
            title=title,
        ),
        shown.assign(group=shown["group"].map(view.titles), protocol=bench.footing.protocol),
        name=f"compare-{file_part(view.metric)}-{file_part(bench.footing.protocol)}-{view.benches.index(bench) + 1}",
        source=f"Protocol {bench.footing.protocol}; {_repeats(bench, view.metric)}"
        + ("; dots: seeds, whiskers: 95 % interval of their mean (t)" if _has_seeds(bench) else ""),
        about=about_bench(view, bench),
        alt=f"Bars of {title} per group of runs"
        + (", for all test pairs and for those seen and never seen before" if is_ranking else ""),
    )
    _table(view, bench)


def _repeats(bench: Bench, metric: str) -> str:
    """What the value of one run is made of, for the line beneath a figure."""
    if bench.task == "ranking":
        return "all: mean over users; seen, unseen: over test pairs"
    if results.is_clustering(metric):
        return "mean over ten k-means clusterings"
    return "mean over the classifiers on test nodes"


def _table(view: View, bench: Bench) -> None:
    part: str = "all"
    if bench.task == "ranking":
        with row("controls", f"part-{view.benches.index(bench)}", (7, 3))[0]:
            if bench is view.benches[0]:
                part = selection.pick(
                    "part",
                    "Test pairs",
                    list(PARTS),
                    title=lambda p: PARTS[p],
                    widget="segments",
                )
    names = results.beside(view.metric, metrics_of(bench, part))
    if not names:
        st.caption("These runs have no such test pairs.")
        return
    table = measured(bench, names, (part,))
    st.table(_cells(view, bench, table, names), border="horizontal", hide_index=True)
    trained = words.trained_on(bench.task, bench.footing.fit_on, bench.footing.auxiliary_noise)
    about = "; ".join(filter(None, (protocol_words(bench.footing.protocol), trained)))
    st.caption(
        f"{words.sentence(about)}. "
        f"{'Mean ± standard deviation over seeds; ' if _has_seeds(bench) else ''}{SIGNS[1]} best, {SIGNS[2]} second.",
        help=meaning("interval over seeds"),
    )
    if bench.footing.is_optimistic:
        st.warning(
            "The epochs of these runs were chosen on the test pairs themselves, as published: their values are optimistic.",
            icon=":material/warning:",
        )


def _cells(view: View, bench: Bench, table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    rows = []
    for group in bench.groups:
        own = {str(values["metric"]): values for _, values in table[table["group"] == group.key].iterrows()}
        about = {"runs": states.plain(view.titles[group.key]), "seeds": seeds_of(group)}
        told = {results.metric_title(name): _marked(own[name]) for name in names if name in own}
        if view.metric in own and _has_seeds(bench):
            ends = own[view.metric]
            about[f"{results.metric_title(view.metric)}, 95 %"] = interval(ends["low"], ends["high"])
        epoch = {"scored epoch": epochs_of(group, bench.footing.protocol)}
        rows.append({"runs": about.pop("runs"), "seeds": about.pop("seeds")} | told | about | epoch)
    return pd.DataFrame(rows).fillna("–")


def _marked(values: "pd.Series[float]") -> str:
    text, place = cell(values["mean"], values["deviation"]), int(values["place"])
    sign = f"{GAP}{SIGNS[place]}" if place else ""
    return f"**{text}**{sign}" if place == BEST else text + sign


def _has_seeds(bench: Bench) -> bool:
    return any(len(group.entries) > 1 for group in bench.groups)


def kept_apart(view: View) -> None:
    """Tables of the runs that do not compare with the main ones, each under the reason."""
    for bench in view.benches[1:]:
        reasons = compare.apart(view.benches[0].footing, bench.footing, view.data_names)
        st.subheader(f"Kept apart: {'; '.join(reasons)}", anchor=False)
        with states.guarded():
            metrics(view, bench)
        if len(bench.groups) > 1 and st.button(
            "Compare only these", key=f"only:{bench.groups[0].key}", icon=":material/filter_alt:"
        ):
            go(
                "compare",
                runs=",".join(entry.run_id for entry in bench.entries),
                under=bench.footing.protocol,
            )


def left_out(view: View) -> None:
    """The picked runs without a result under the protocol, why, and what can be done."""
    for name, reason in view.broken:
        st.error(states.plain(reason), title=f"{states.plain(name)} cannot be read", icon=":material/error:")
    without = [e for e in view.entries if view.protocol and view.protocol not in e.results]
    if not without:
        return
    st.subheader("Not in this comparison", anchor=False)
    fitting = [entry for entry in without if _can_be_scored(entry, str(view.protocol))]
    if view.protocol in PROTOCOLS:
        score_all([open_run(view.home, entry.run_id) for entry in fitting], str(view.protocol))
    for entry in without:
        st.markdown(
            f"**{states.plain(view.run_titles[entry.run_id])}**: "
            f"{states.plain(compare.missing_result(entry, str(view.protocol)))}"
        )
        if entry in fitting:
            known = {*entry.results} | {key for key in PROTOCOLS if key != view.protocol}
            other_protocols(view.home, open_run(view.home, entry.run_id), known)


def _can_be_scored(entry: Entry, protocol: str) -> bool:
    return entry.summary.state == "done" and compare.protocol_task(protocol) == entry.task
