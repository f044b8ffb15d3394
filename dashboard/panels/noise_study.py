"""The noise study of one run's data: what random auxiliary pairs cost, what helps, what is missing and how to train it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import streamlit as st

from core.catalog.systems import system
from core.errors import ConfigError, DataError, RelScopeError
from core.home import Home
from core.recipe import Recipe
from core.runs import launch
from core.runs.folder import open_run
from core.runs.standing import ALIVE, Cell, Step, known, steps, submit_missing
from core.runs.summary import RunSummary
from core.studies.noise import CONTESTANTS, SEEDS, SHARES, contestant, planned
from core.studies.noise_results import measured, summarised
from dashboard import noise, readers, states, words
from dashboard.drawing import show
from dashboard.figures.noise import noise_curves
from dashboard.glossary import meaning
from dashboard.navigation import link
from dashboard.panels.background import keep_supervisor
from dashboard.panels.run_list import changes_in_words, run_title
from dashboard.results import metric_title

_NOTICE, _REFUSED = "noise-study-notice", "noise-study-refused"
_REFRESH_SECONDS = 5.0
_MOST_FAILED = 5


@dataclass(frozen=True)
class Study:
    """The study that a picked run belongs to. own: that run's recipe. recipes: the plan. cells: every run that fits it, at
    any share and seed."""

    own: Recipe
    recipes: tuple[Recipe, ...]
    cells: Mapping[Cell, RunSummary]

    @property
    def steps(self) -> tuple[Step, ...]:
        return steps(self.recipes, self.cells)

    @property
    def metric(self) -> str:
        return self.recipes[0].protocol.main_metric


def noise_study(home: Home, summary: RunSummary) -> None:
    """The study on the data of `summary`, under its protocol, preset, pairs trained on and selection.

    Refreshes by itself while a run of it waits or trains.
    """
    with states.guarded():
        _notices()
        own = open_run(home, summary.run_id).recipe()
        try:
            recipes = study_recipes(own)
        except ConfigError as error:
            st.caption(f"There is no noise study for this run: {states.plain(states.readable(error))}")
            return
        alive = any(step.state in ALIVE for step in _load(home, own, recipes).steps)
        st.fragment(_draw, run_every=_REFRESH_SECONDS if alive else None)(home, own, recipes)


def study_recipes(own: Recipe) -> tuple[Recipe, ...]:
    """The plan of the study that a run of `own` would be a part of. Raises ConfigError where HGIB has no such preset."""
    return planned(
        own.dataset,
        own.dataset_hash,
        preset=own.preset,
        overrides=_lent(own),
        protocol=own.protocol.key,
        fit_on=own.fit_on,
        selection=own.selection,
    )


def _lent(own: Recipe) -> dict[str, Any]:
    """Settings that a run of a system of the study lends to it: those that neither its preset nor its variant set.

    Told by the recipe and not by the list of runs, which may have been written before a preset was changed.
    """
    if not any(own.system == one.system for one in CONTESTANTS):
        return {}
    named = system(own.system).resolve(own.preset, own.variant).model_dump()
    return {name: value for name, value in own.system_config().model_dump().items() if named[name] != value}


def _load(home: Home, own: Recipe, recipes: tuple[Recipe, ...]) -> Study:
    return Study(own, recipes, known(home, recipes, readers.runs(home)))


def _draw(home: Home, own: Recipe, recipes: tuple[Recipe, ...]) -> None:
    with states.guarded():
        study = _load(home, own, recipes)
        _results(study)
        _missing(home, study)
        if any(step.state in ALIVE for step in study.steps):
            keep_supervisor(home)  # last: what is known is shown before anybody waits for a process to start


def _results(study: Study) -> None:
    table = measured(study.recipes, study.cells, everywhere=True)
    st.caption(_about(study.own), help=meaning("auxiliary noise"))
    if table.empty:
        st.markdown(
            "**No run of this study is done yet.** It trains HGIB, HGIB without edge refinement, HGIB without compression, "
            "and LightGCN_M on the data as they are and with random pairs added, and shows which loses least."
        )
        return
    said = noise.answer(table, study.metric)
    st.markdown(
        said or "HGIB was not trained both with noise and without yet, so there is no loss to compare with.",
        help=meaning("interval over seeds"),
    )
    summary, title = summarised(table), metric_title(study.metric)
    name = f"noise-study-{study.own.dataset}-{study.own.protocol.name}"
    show(
        noise_curves(summary, metric=title, titles=noise.TITLES),
        summary.assign(contestant=summary["contestant"].map(noise.TITLES), metric=study.metric),
        name=name,
        source="HGIB, Sections 4.3 and 4.4; our study. Bars: 95 % interval over seeds (Student), cut where two seeds alone "
        "make it wider than the figure, and not corrected for several comparisons; loss: a share of the same system's and "
        "seed's own value without noise, so that a system that ranks badly has less to lose",
        alt=f"Lines of {title} and of its relative loss over the share of random auxiliary pairs, one per system",
        about=_about(study.own),
    )
    st.dataframe(
        noise.shown_table(summary, study.metric),
        hide_index=True,
        alt=f"{title} and its loss per system and share of noise",
    )


def _about(own: Recipe) -> str:
    """On what the study stands: data, protocol, preset, pairs, rule, changed settings."""
    parts = [
        f"Data {own.dataset}",
        f"protocol {own.protocol.key}: {words.protocol_title(own.protocol)}",
        f"preset {own.preset}",
        f"trained on {words.fit_on(own.fit_on)}",
        f"scored: {words.selection(own.selection)}",
    ]
    if lent := changes_in_words(_lent(own)):
        parts.append(f"with {lent} where a system has it")
    return states.plain(" · ".join(parts))


def _missing(home: Home, study: Study) -> None:
    """How far the study is, what failed, and the button that trains the rest."""
    found = study.steps
    done = sum(step.state == "done" for step in found)
    if any(step.state in ALIVE for step in found):
        st.progress(done / len(found), text=noise.standing(found))
    else:
        st.markdown(noise.standing(found))
    _failures([step.run for step in found if step.run and step.state in ("failed", "cancelled")])
    wanted = [step for step in found if step.is_open]
    if not wanted:
        return
    if refusal := _refusal(home, study.own):
        st.caption(f":orange[The missing runs cannot be trained: {states.plain(refusal)}]")
        return
    label = f"Train the {len(wanted)} missing runs" if len(wanted) > 1 else "Train the missing run"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="noise-study:train"):
        _confirm(home, study)


def _failures(runs: Sequence[RunSummary]) -> None:
    for run in runs[:_MOST_FAILED]:
        link("runs", states.plain(run_title(run)), icon=words.STATE_ICONS[run.state], run=run.run_id)
        if run.error:
            st.caption(f":orange[{states.plain(run.error)}]")
    states.sampled(min(len(runs), _MOST_FAILED), len(runs), "runs that failed or were stopped")


def _refusal(home: Home, own: Recipe) -> str:
    """Why nothing can be trained on this data; empty if it can."""
    try:
        info = readers.dataset(home, own.dataset).info
    except DataError as error:
        return states.readable(error)
    if info.content_hash != own.dataset_hash:
        return (
            "the data set has changed since this run was trained; train a run on the new content and pick it"
        )
    if len(info.behaviors) < 2:
        return "the data has one behaviour alone, so there is none that noise could be added to"
    return ""


@st.dialog("Train the missing runs?")
def _confirm(home: Home, study: Study) -> None:
    wanted = [step for step in study.steps if step.is_open]
    again = sum(step.run is not None for step in wanted)
    lines = [
        f"{words.count(len(wanted), 'run')} join the queue: {len(CONTESTANTS)} systems, noise of "
        f"{', '.join(words.noise(share) for share in SHARES)}, seeds {', '.join(map(str, SEEDS))}, without what is done or "
        "waits already."
    ]
    if again:
        go_on = (
            "1 of them failed or was stopped before and goes"
            if again == 1
            else f"{again} of them failed or were stopped before and go"
        )
        lines.append(f"{go_on} on from the last checkpoint.")
    if estimate := _estimate(study.steps):
        lines.append(estimate)
    lines.append("You may close the page meanwhile; each run can be cancelled on its own page.")
    st.markdown("\n\n".join(lines))
    with st.container(horizontal=True):
        sure = st.button(
            f"Queue {words.count(len(wanted), 'run')}",
            type="primary",
            icon=":material/playlist_add:",
            on_click=_queue,
            args=(home, study.recipes),
        )
        if sure or st.button("Not now"):
            st.rerun()


def _estimate(found: Sequence[Step]) -> str:
    """How long what is missing takes, by the runs that are done; empty while some system has none."""
    lasted: dict[str, list[float]] = {one.key: [] for one in CONTESTANTS}
    for step in found:
        if step.run and step.state == "done" and step.run.started and step.run.finished:
            lasted[contestant(step.recipe).key].append(step.run.finished - step.run.started)
    wanted = [lasted[contestant(step.recipe).key] for step in found if step.is_open]
    if not all(wanted):
        return ""
    seconds = words.duration(sum(median(times) for times in wanted))
    return f"By the runs that are done this takes about {seconds} of training, one after another."


def _queue(home: Home, recipes: Sequence[Recipe]) -> None:
    try:
        queued = submit_missing(home, recipes)
        launch.ensure_supervisor(home)
    except (RelScopeError, OSError) as error:
        st.session_state[_REFUSED] = str(error)
    else:
        number = len(queued.new) + len(queued.again)
        st.session_state[_NOTICE] = f"{words.count(number, 'run')} {'is' if number == 1 else 'are'} queued."
    readers.forget_runs()


def _notices() -> None:
    """Say what the button did, once."""
    if told := st.session_state.pop(_NOTICE, None):
        st.toast(told)
    if refused := st.session_state.pop(_REFUSED, None):
        states.failed(RelScopeError(refused))
