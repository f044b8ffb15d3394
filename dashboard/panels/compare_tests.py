"""Is the difference more than chance among users, or among test nodes? Paired tests of the page Compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.home import Home
from core.runs.folder import open_run
from dashboard import paired, readers, results, selection, states, words
from dashboard.compare import Bench, Group
from dashboard.compare_tables import GAP, file_part, metrics_of, ranked
from dashboard.drawing import show
from dashboard.figures.comparison import difference_rows
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.compare_view import View, about_bench

ALL_OTHERS = "all"


@dataclass(frozen=True)
class Asked:
    """The groups to test, the first against each other one, and the place on the page that the tests will take."""

    groups: tuple[Group, ...]
    place: DeltaGenerator


def ask(view: View, bench: Bench) -> Asked | None:
    """What is to be tested, and a place for it where nothing of an earlier choice is left; None for less than two groups."""
    groups = ranked(bench, view.metric)
    if len(groups) < 2:
        return None
    tested = paired.unit(view.metric)
    st.subheader(f"Is the difference more than chance among {tested or 'test node'}s?", anchor=False)
    if not tested:
        _no_test(bench, view.metric)
        return None
    keys = [group.key for group in groups]
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
    chosen = tuple(next(group for group in groups if group.key == key) for key in (one, *against))
    place = st.empty()
    place.caption(f":material/hourglass_empty: Testing on the {tested}s they share…")
    return Asked(chosen, place)


def _no_test(bench: Bench, metric: str) -> None:
    """Why a metric of node embeddings cannot be tested, and the way to one that can."""
    reason = (
        "Each label setting tests other nodes, so their mean cannot be tested."
        if metric == "micro_f1"
        else f"{results.metric_title(metric)} has no value per node to test."
    )
    st.caption(
        f"{reason} Micro-F1 under one label setting can: a node's value is the share of classifiers that put it in its class."
    )
    offered = [name for name in metrics_of(bench) if paired.unit(name)]
    with st.container(horizontal=True):
        for name in offered:
            st.button(
                f"Test {results.metric_title(name)}",
                key=f"test:{name}",
                icon=":material/science:",
                on_click=selection.choose,
                args=("metric", name),
            )


def tests(view: View, bench: Bench, asked: Asked, slot: DeltaGenerator) -> None:
    """Paired tests of what is asked, in its place; the answer goes into `slot`. Drawn last, since it may take long."""
    with asked.place.container(), states.guarded():
        _tests_in_place(view, bench, asked.groups, slot)


def _tests_in_place(view: View, bench: Bench, chosen: Sequence[Group], slot: DeltaGenerator) -> None:
    table, dropped = _tested(view, bench, chosen)
    one, other = chosen[0].key, chosen[1].key
    said = paired.sentence(
        {str(name): value for name, value in table.iloc[0].items()},
        states.plain(view.titles[one]),
        states.plain(view.titles[other]),
        view.metric,
    )
    slot.markdown(
        said + paired.overall(table, states.plain(view.titles[one])), help=_about_tests(view.metric)
    )
    _draw_tests(view, bench, table, one, dropped)


def _draw_tests(view: View, bench: Bench, table: pd.DataFrame, one: str, dropped: int) -> None:
    title, tested = results.metric_title(view.metric), paired.unit(view.metric)
    named = table.assign(group=table["group"].map(view.titles))
    show(
        difference_rows(table, one=one, metric=title, titles=view.titles),
        named.assign(reference=view.titles[one], metric=view.metric, protocol=bench.footing.protocol).rename(
            columns={"users": f"{tested}s"}
        ),
        name=f"tests-{file_part(view.metric)}-{file_part(bench.footing.protocol)}",
        source=f"{view.titles[one]} minus each other, per {tested}, seeds averaged; bootstrap over {tested}s, 95 %",
        about=about_bench(view, bench),
        alt=f"Differences in {title} per {tested} with 95 % intervals",
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
                "effect size d": [paired.effect_text(value) for value in named["effect"]],
                f"{tested.split()[-1]}s ahead": named["better"].map(_percent),
                f"{tested.split()[-1]}s behind": named["worse"].map(_percent),
                f"{tested.split()[-1]}s": [f"{value:,}" for value in named["users"]],
            }
        ),
        border="horizontal",
        hide_index=True,
    )
    corrected = f"; p-values after Holm's correction for {len(table)} comparisons" if len(table) > 1 else ""
    left = f" {words.count(dropped, tested)} that not every run evaluated are left out." if dropped else ""
    st.caption(
        f"Two-sided paired tests{corrected}. They cover chance among {tested}s, not among seeds.{left}",
        help=_about_tests(view.metric),
    )


def _about_tests(metric: str) -> str:
    return meaning("paired test" if paired.unit(metric) == "user" else "paired test of nodes")


def _tested(view: View, bench: Bench, chosen: Sequence[Group]) -> tuple[pd.DataFrame, int]:
    runs = tuple(tuple(entry.run_id for entry in group.entries) for group in chosen)
    file = "per_user.parquet" if bench.task == "ranking" else "per_node.parquet"
    written = tuple(readers.stamp(view.home.run(run_id) / file) for ids in runs for run_id in ids)
    return _tests(str(view.home.root), runs, written, bench.footing.protocol, view.metric)


@st.cache_data(max_entries=64, show_spinner="Testing on what they share")
def _tests(
    root: str,
    runs: tuple[tuple[str, ...], ...],
    written: tuple[readers.Stamp, ...],
    protocol: str,
    metric: str,
) -> tuple[pd.DataFrame, int]:
    """The table of tests of the first group against the others, and how many users or nodes are left out. Raises RunError."""
    home = Home(Path(root))
    groups = [[open_run(home, run_id) for run_id in ids] for ids in runs]
    tests, dropped = paired.tested(groups, protocol, metric)
    return paired.test_table([ids[0] for ids in runs[1:]], tests), dropped


def _percent(share: float) -> str:
    return words.percent(share).replace(" ", GAP)
