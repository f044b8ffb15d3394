"""MESI beside MMOE and PLE on the Experts page, as far as runs of them exist; otherwise how to train them."""

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import RelScopeError
from core.home import Home
from core.runs.folder import RunFolder
from core.runs.summary import RunSummary
from dashboard import gates, heads, readers, states, words
from dashboard.drawing import show
from dashboard.figures.gates import expert_looks
from dashboard.figures.heads import heads_side_by_side
from dashboard.glossary import meaning
from dashboard.heads import Stand
from dashboard.navigation import link
from dashboard.panels.experts_gates import VERDICTS
from dashboard.panels.experts_view import GATES, View
from dashboard.panels.run_actions import clone_address
from dashboard.results import metric_title


def side_by_side(home: Home, view: View) -> None:
    """Mean gates of the task per head, how decided they are, what else differs between the runs, and what is missing."""
    if view.recipe.system != "cigf":
        st.caption("Heads are a part of CIGF: pick one of its runs to see them side by side.")
        return
    standing = heads.stands(view.summary, _with_gates(home, view))
    if not standing:
        st.caption("No finished run on this data has gates.")
    else:
        view.stays("The gates of other runs")
        _draw(home, view, standing)
    _missing(view, heads.missing(standing))


def _with_gates(home: Home, view: View) -> list[RunSummary]:
    return [
        run
        for run in readers.runs(home)
        if run.system == "cigf"
        and run.dataset_hash == view.recipe.dataset_hash
        and readers.has_finding(RunFolder(home.run(run.run_id)), GATES)
    ]


def _draw(home: Home, view: View, standing: list[Stand]) -> None:
    found: dict[str, gates.Gates] = {}
    for stand in standing:
        with states.guarded():
            run = RunFolder(home.run(stand.run.run_id))
            if readers.has_finding(run, GATES):
                found[stand.title] = gates.gates_of(readers.finding(run, GATES))
    if not found:
        return
    task = view.task or next(iter(found.values())).tasks[-1]
    table = heads.gates_side_by_side(found, task)
    about = heads.entropies(found, task)
    st.markdown(
        f"**Mean gate of {states.plain(task)} under each head, scored models**",
        help=f"{meaning('head')} {meaning('gate')}",
    )
    if sentence := _sentence(about):
        st.markdown(sentence)
    looks = {title: expert_looks(of.experts, of.tasks) for title, of in found.items()}
    show(
        heads_side_by_side(table, looks=looks, task=task),
        table,
        name=f"heads-{task}-{view.run.run_id}",
        source="CIGF, Figure 9; line: middle half of the held-out pairs; dashed: an even share; experts of MMOE and PLE "
        "have no meaning of their own, so their order says nothing",
        alt=f"Bars of the mean gate of {task} per expert, one panel per head",
        about=f"Data: {view.recipe.dataset}, runs: {', '.join(stand.run.run_id for stand in standing)}",
    )
    runs = {stand.title: stand.run for stand in standing}
    about = about.assign(
        share=100 * about["share"],
        verdict=about["verdict"].map(VERDICTS),
        metric=pd.Series([_metric(view, runs[title]) for title in about["head"]], dtype=float),
        run=[runs[title].run_id for title in about["head"]],
    )
    st.dataframe(
        about,
        hide_index=True,
        placeholder="–",
        column_config=_columns(view),
        alt="How decided each head's gates are",
    )
    for stand in standing:
        if stand.differing:
            st.caption(
                f":orange-badge[differs] The run of {stand.title} differs in more than its head: "
                f"{states.plain('; '.join(stand.differing))}."
            )


def _sentence(about: pd.DataFrame) -> str:
    """Who tells experts apart most, on average and pair by pair: the two need not agree."""
    if len(about) < 2:
        return ""
    mean = about.sort_values("even_entropy", kind="stable").iloc[0]
    pair = about.sort_values("pair_entropy", kind="stable").iloc[0]
    first = f"**{mean['head']}** spreads least evenly on average (entropy of the mean gate {mean['even_entropy']:.3f})"
    if mean["head"] == pair["head"]:
        return f"{first}, and its single gates are the most decided too ({pair['pair_entropy']:.3f} pair by pair)."
    return (
        f"{first}, but the single gates of **{pair['head']}** are the most decided ({pair['pair_entropy']:.3f} pair by "
        "pair): even averages can hide gates that differ from pair to pair."
    )


def _metric(view: View, run: RunSummary) -> float | None:
    """The run's main metric, where it was scored and trained on the same footing as the run looked at."""
    same = all(
        getattr(run, name) == getattr(view.recipe, name)
        for name in ("fit_on", "selection", "auxiliary_noise")
    )
    protocol = view.recipe.protocol
    return run.results.get(protocol.key, {}).get(protocol.main_metric) if same else None


def _columns(view: View) -> dict[str, Any]:
    protocol = view.recipe.protocol
    return {
        "head": st.column_config.TextColumn("head", help=meaning("head")),
        "leads": st.column_config.TextColumn("leading expert"),
        "share": st.column_config.NumberColumn("mean gate", format="%.1f %%", help=meaning("gate")),
        "even_entropy": st.column_config.NumberColumn(
            "entropy (mean)", format="%.3f", help=meaning("gate entropy")
        ),
        "pair_entropy": st.column_config.NumberColumn(
            "entropy (pairs)", format="%.3f", help=meaning("gate entropy")
        ),
        "verdict": st.column_config.TextColumn("verdict", help=meaning("gate verdict")),
        "metric": st.column_config.NumberColumn(
            f"{metric_title(protocol.main_metric)}, {protocol.key}", format="%.4f", help=meaning("protocol")
        ),
        "run": st.column_config.TextColumn("run"),
    }


def _missing(view: View, absent: list[str]) -> None:
    """For each head without a run: a link to the form filled for it, and the command."""
    if not absent:
        return
    st.markdown(
        f"**Not trained on this data yet: {', '.join(heads.HEADS[head] for head in absent)}**",
        help=meaning("head"),
    )
    for head in absent:
        try:
            recipe = heads.recipe_with(view.recipe, head)
        except RelScopeError as error:
            st.caption(states.plain(states.readable(error)))
            continue
        link(
            "train",
            f"Train {heads.HEADS[head]} with the same settings",
            icon=":material/model_training:",
            **clone_address(recipe),
        )
        st.code(words.command(recipe.command()), language="bash", wrap_lines=True)
