"""The parts of the page Compare: the answer, metrics side by side, paired tests, and what had to be left out."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.home import Home
from core.runs.folder import open_run
from dashboard import compare, paired, readers, results, selection, states, words
from dashboard.compare import Bench, Group
from dashboard.compare_tables import (
    BEST,
    GAP,
    PANELS,
    PARTS,
    SIGNS,
    cell,
    epochs_of,
    interval,
    measured,
    metrics_of,
    seeds_of,
    values_of,
)
from dashboard.drawing import show
from dashboard.figures.comparison import difference_rows, metric_bars
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.navigation import go
from dashboard.panels.compare_view import View, protocol_words
from dashboard.panels.evaluation import other_protocols

ALL_OTHERS = "all"


def first_words(view: View, slot: DeltaGenerator) -> None:
    """What can be said before anything is tested."""
    if not view.benches:
        slot.markdown("**None of the picked runs has a test result yet.** Their curves are below.")
    elif len(view.benches[0].groups) < 2 or not view.metric:
        only = view.titles[view.benches[0].groups[0].key]
        said = "Its seeds make one row" if len(view.entries) > 1 else "Pick another run above"
        slot.markdown(f"**{states.plain(only)}** stands alone under `{view.protocol}`. {said}.")
    else:
        first, second = _ranked(view, view.benches[0])[:2]
        means = measured(view.benches[0], [view.metric]).set_index("group")["mean"]
        ahead = words.score(float(means[first.key] - means[second.key]))
        slot.markdown(
            f"**{states.plain(view.titles[first.key])}** leads **{states.plain(view.titles[second.key])}** by {ahead} "
            f"{results.metric_title(view.metric)} in the mean over users; not tested yet."
        )


def metrics(view: View, bench: Bench) -> None:
    """The main figure and the table of one bench."""
    shown = measured(bench, [view.metric], tuple(PARTS))
    seeds = {
        (group.key, part): values_of(group, bench.footing.protocol, view.metric, part)
        for group in bench.groups
        for part in PARTS
    }
    title = results.metric_title(view.metric)
    st.markdown(
        f"**{title}**, of all test pairs, those seen before and those never seen", help=meaning("seen")
    )
    show(
        metric_bars(
            shown,
            seeds,
            metric=view.metric,
            titles=view.titles,
            parts=PANELS,
            colors={group.key: view.looks[group.key][0] for group in bench.groups},
            signs=SIGNS,
        ),
        shown.assign(group=shown["group"].map(view.titles), protocol=bench.footing.protocol),
        name=f"compare-{_file(view.metric)}-{_file(bench.footing.protocol)}-{view.benches.index(bench) + 1}",
        source=f"Protocol {bench.footing.protocol}; all: mean over users; seen, unseen: over test pairs; "
        "dots: seeds, whiskers: 95 % interval of their mean (t)",
        alt=f"Bars of {title} per group of runs, for all test pairs and for those seen and never seen before",
    )
    _table(view, bench)


def _table(view: View, bench: Bench) -> None:
    with row("controls", f"part-{view.benches.index(bench)}", (7, 3))[0]:
        part: str = "all"
        if bench is view.benches[0]:
            part = selection.pick(
                "part",
                "Test pairs",
                list(PARTS),
                title=lambda p: PARTS[p],
                widget="segments",
            )
    cut = view.metric.partition("@")[2]
    names = [name for name in metrics_of(bench, part) if name.endswith(f"@{cut}")]
    if not names:
        st.caption("These runs have no such test pairs.")
        return
    table = measured(bench, names, (part,))
    st.table(_cells(view, bench, table, names), border="horizontal", hide_index=True)
    st.caption(
        f"{_sentence_case(protocol_words(bench.footing.protocol))}; trained on {words.fit_on(bench.footing.fit_on)}. "
        f"Mean ± standard deviation over seeds; {SIGNS[1]} best, {SIGNS[2]} second.",
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
        if view.metric in own:
            ends = own[view.metric]
            about[f"{results.metric_title(view.metric)}, 95 %"] = interval(ends["low"], ends["high"])
        epoch = {"scored epoch": epochs_of(group, bench.footing.protocol)}
        rows.append({"runs": about.pop("runs"), "seeds": about.pop("seeds")} | told | about | epoch)
    return pd.DataFrame(rows).fillna("–")


def _marked(values: "pd.Series[float]") -> str:
    text, place = cell(values["mean"], values["deviation"]), int(values["place"])
    sign = f"{GAP}{SIGNS[place]}" if place else ""
    return f"**{text}**{sign}" if place == BEST else text + sign


def tests(view: View, bench: Bench, slot: DeltaGenerator) -> None:
    """Paired tests of one group against the others of its bench; the answer goes into `slot`."""
    ranked = _ranked(view, bench)
    if len(ranked) < 2:
        return
    st.subheader("Is the difference more than chance among users?", anchor=False)
    keys = [group.key for group in ranked]
    cells = row("controls", "tests", (4, 4, 2))
    with cells[0]:
        one = selection.pick("one", "Is this ahead", keys, default=keys[0], title=view.titles.__getitem__)
    others = [key for key in keys if key != one]
    with cells[1]:
        other = selection.pick(
            "other",
            "of",
            [ALL_OTHERS, *others],
            title=lambda key: "each of the others" if key == ALL_OTHERS else view.titles[key],
        )
    against = others if other == ALL_OTHERS else [other]
    chosen = [next(group for group in ranked if group.key == key) for key in (one, *against)]
    table, dropped = _tested(view, bench, chosen)
    said = paired.sentence(
        {str(name): value for name, value in table.iloc[0].items()},
        states.plain(view.titles[one]),
        states.plain(view.titles[against[0]]),
        view.metric,
    )
    slot.markdown(said + paired.overall(table, states.plain(view.titles[one])), help=meaning("paired test"))
    _draw_tests(view, bench, table, one, dropped)


def _ranked(view: View, bench: Bench) -> list[Group]:
    """The groups by the metric, the best first."""
    table = measured(bench, [view.metric]).sort_values("mean", ascending=False, kind="stable")
    groups = {group.key: group for group in bench.groups}
    return [groups[key] for key in table["group"]]


def _draw_tests(view: View, bench: Bench, table: pd.DataFrame, one: str, dropped: int) -> None:
    title = results.metric_title(view.metric)
    named = table.assign(group=table["group"].map(view.titles))
    show(
        difference_rows(table, one=one, metric=title, titles=view.titles),
        named.assign(reference=view.titles[one], metric=view.metric, protocol=bench.footing.protocol),
        name=f"tests-{_file(view.metric)}-{_file(bench.footing.protocol)}",
        source=f"{view.titles[one]} minus each other, per user, seeds averaged; bootstrap over users, 95 %",
        alt=f"Differences in {title} per user with 95 % intervals",
    )
    st.table(
        pd.DataFrame(
            {
                "against": [states.plain(name) for name in named["group"]],
                "verdict": named["verdict"],
                "difference": [f"{value:+.4f}" for value in named["difference"]],
                "95 % interval": [f"{a:+.4f} to {b:+.4f}" for a, b in zip(named["low"], named["high"])],
                "p, t-test": named["t_p"].map(paired.p_text),
                "p, Wilcoxon": named["wilcoxon_p"].map(paired.p_text),
                "effect size d": [f"{value:+.3f}" for value in named["effect"]],
                "users ahead": named["better"].map(_percent),
                "users behind": named["worse"].map(_percent),
                "users": [f"{value:,}" for value in named["users"]],
            }
        ),
        border="horizontal",
        hide_index=True,
    )
    corrected = f"; p-values after Holm's correction for {len(table)} comparisons" if len(table) > 1 else ""
    left = f" {words.count(dropped, 'user')} that not every run evaluated are left out." if dropped else ""
    st.caption(
        f"Two-sided paired tests{corrected}. They cover chance among users, not among seeds.{left}",
        help=meaning("paired test"),
    )


def _tested(view: View, bench: Bench, chosen: Sequence[Group]) -> tuple[pd.DataFrame, int]:
    runs = tuple(tuple(entry.run_id for entry in group.entries) for group in chosen)
    written = tuple(
        readers.stamp(view.home.run(run_id) / "per_user.parquet") for ids in runs for run_id in ids
    )
    return _tests(str(view.home.root), runs, written, bench.footing.protocol, view.metric)


@st.cache_data(max_entries=64, show_spinner="Testing on the users they share")
def _tests(
    root: str,
    runs: tuple[tuple[str, ...], ...],
    written: tuple[readers.Stamp, ...],
    protocol: str,
    metric: str,
) -> tuple[pd.DataFrame, int]:
    """The table of tests of the first group against the others, and how many users are left out. Raises RunError."""
    home = Home(Path(root))
    groups = [[open_run(home, run_id) for run_id in ids] for ids in runs]
    tests, dropped = paired.tested(groups, protocol, metric)
    return paired.test_table([ids[0] for ids in runs[1:]], tests), dropped


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
    for entry in without:
        st.markdown(
            f"**{states.plain(view.run_titles[entry.run_id])}**: "
            f"{states.plain(compare.missing_result(entry, str(view.protocol)))}"
        )
        if entry.summary.state == "done":
            known = {*entry.results} | {key for key in ("full", "sampled99") if key != view.protocol}
            other_protocols(view.home, open_run(view.home, entry.run_id), known)


def _percent(share: float) -> str:
    return words.percent(share).replace(" ", GAP)


def _file(text: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in text)


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
