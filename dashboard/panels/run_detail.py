"""One run on its page: what happened, its curves while they grow, its results, its log, how to repeat it."""

import json

import pandas as pd
import streamlit as st

from core.home import Home
from core.recipe import Recipe
from core.runs import launch
from core.runs.folder import RunFolder, Status, open_run
from dashboard import readers, results, states, words
from dashboard.drawing import show
from dashboard.figures.curves import curves
from dashboard.forms import difference_table
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.evaluation import other_protocols
from dashboard.panels.run_actions import actions
from dashboard.panels.run_learned import what_it_learned
from dashboard.panels.run_lineage import lineage_line
from dashboard.panels.run_list import ALIVE
from dashboard.panels.run_results import final_metrics


def live_detail(home: Home, run_id: str) -> None:
    """Everything about one run; state, curves and log refresh by themselves while it is queued or running."""
    state = open_run(home, run_id).status().state
    st.fragment(_live, run_every=2.0 if state in ALIVE else None)(home, run_id, state)
    with states.guarded():
        _static(home, open_run(home, run_id))


def _live(home: Home, run_id: str, drawn_state: str) -> None:
    with states.guarded():
        run = open_run(home, run_id)
        status = run.status()
        if status.state == "running":
            epoch = readers.epoch_now(run, status.epoch, status.started)
            status = status.model_copy(update={"epoch": epoch})
        cancelling = status.state in ALIVE and run_id in readers.cancelling(home)
        place = launch.queue_position(home, run_id) if status.state == "queued" else None
        _headline(run, status, place, cancelling=cancelling)
        lineage_line(home, run_id)
        actions(home, run, status, cancelling=cancelling)
        if status.state != drawn_state:
            st.rerun(scope="app")  # below the buttons: one that is pressed in this very moment is heard
        if status.state == "failed":
            _failure(run, status)
        if status.state != "queued" or run.metrics.exists():
            _curves(run, status)
        if status.state in ALIVE:
            _log(run)


def _headline(run: RunFolder, status: Status, place: int | None, *, cancelling: bool) -> None:
    sentence = words.state_sentence(
        status,
        resumable=run.is_resumable,
        place=place,
        cancelling=cancelling,
        trained=results.seconds_trained(readers.metrics(run)),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = "cancelled" if cancelling else status.state
        text = "cancelling" if cancelling else status.state
        st.badge(text, icon=words.STATE_ICONS[shown], color=words.STATE_COLORS[shown])  # type: ignore[arg-type]
        st.markdown(states.plain(sentence), width="content")
    if status.state == "running" and status.epochs:
        st.progress(min(status.epoch / status.epochs, 1.0))


def _failure(run: RunFolder, status: Status) -> None:
    lines = run.last_log_lines(12)
    if lines:
        st.caption("Last lines of the log")
        st.code("\n".join(lines), language=None, wrap_lines=True)
    if status.error and status.error.traceback:
        with st.expander("Technical details for a bug report"):
            st.code(status.error.traceback, language="python")


def _curves(run: RunFolder, status: Status) -> None:
    metrics = readers.metrics(run)
    recipe = run.recipe()
    if metrics.empty:
        if status.state in ALIVE:
            st.skeleton(height=260)
        else:
            st.caption(
                "This run recorded no curves: it was fitted in closed form, or ended before its first epoch."
            )
        return
    loss, valid = results.wide_series(metrics, "loss/"), results.wide_series(metrics, "valid/")
    left, right = row("pair", "curves", (1, 1))
    with left:
        st.markdown("**Training loss by term**")
        show(
            curves(loss, y="loss (log scale)", log=True, title=_loss_title),
            loss,
            name=f"loss-{run.run_id}",
            source="Terms as the trainer sums them; CIGF, Eq. 17"
            if recipe.system == "cigf"
            else "Terms as the trainer sums them",
            alt="Lines of each loss term over the epochs",
        )
        if status.state == "done" and recipe.selection == "loss" and results.still_falling(loss):
            st.markdown(
                ":material/trending_down: The loss was still falling at the last epoch: more epochs may help."
            )
    with right:
        st.markdown("**Validation metrics**", help=meaning("protocol"))
        _valid_curve(run, recipe, valid)
        chosen_by_loss = recipe.selection == "loss"
        if chosen_by_loss:
            st.caption("For looking only: the scored epoch has the lowest training loss.")
        elif status.state == "done" and results.still_improving(valid, recipe.protocol.main_metric):
            st.markdown(
                ":material/trending_up: Validation was still improving at the last epoch: more epochs may help."
            )
    _costs(run, status, metrics)


def _valid_curve(run: RunFolder, recipe: Recipe, valid: pd.DataFrame) -> None:
    if valid.empty:
        reason = (
            "no validation pairs are held out"
            if recipe.fit_on == "train+valid"
            else "none has been measured yet"
        )
        st.caption(f"No validation metrics: {reason}.")
        return
    shown = [f"valid/{name}" for name in results.shown_metrics(recipe.protocol.main_metric)]
    wanted = [name for name in shown if (valid["name"] == name).any()]
    best = readers.best_epoch(run, recipe)
    show(
        curves(
            valid,
            y="metric",
            names=wanted or None,
            from_zero=recipe.protocol.task == "ranking",
            best_epoch=best,
            title=results.metric_title,
        ),
        valid,
        name=f"valid-{run.run_id}",
        source=_valid_source(recipe),
        alt="Lines of validation metrics over the epochs",
    )


def _valid_source(recipe: Recipe) -> str:
    if recipe.protocol.task == "nodes":
        return words.sentence(words.validation_of_nodes())
    return f"Protocol {recipe.protocol.key}: {words.protocol_title(recipe.protocol)}"


def _loss_title(name: str) -> str:
    return name.replace("_", " ")


def _costs(run: RunFolder, status: Status, metrics: pd.DataFrame) -> None:
    latest = metrics.groupby("name")["value"].last()
    seconds = metrics[metrics["name"] == "seconds/epoch"]["value"]
    tiles = row("controls", "costs", (1, 1, 1, 1))
    tiles[0].metric(
        "Seconds per epoch", f"{seconds.median():.2f}" if len(seconds) else "–", help="Median over the epochs"
    )
    for tile, name, title in (
        (tiles[1], "memory/host", "Host memory"),
        (tiles[2], "memory/device", "GPU memory"),
    ):
        value = latest.get(name)
        tile.metric(title, words.size(float(value)) if value is not None and value > 0 else "–")
    tiles[3].metric("Epochs", f"{status.epoch or int(metrics['epoch'].max()):,}")
    with st.expander("Time and memory per epoch"):
        times, memory = results.wide_series(metrics, "seconds/"), results.wide_series(metrics, "memory/")
        memory["value"] = memory["value"] / 1e6
        left, right = row("pair", "time-memory", (1, 1))
        with left:
            figure = curves(times, y="seconds per epoch", from_zero=True, value_format=".2f")
            show(figure, times, name=f"seconds-{run.run_id}", source="Wall clock", alt="Seconds per epoch")
        with right:
            figure = curves(memory, y="memory (MB)", from_zero=True, value_format=",.0f")
            show(
                figure,
                memory,
                name=f"memory-{run.run_id}",
                source="Peak within the epoch",
                alt="Memory per epoch",
            )


def _log(run: RunFolder) -> None:
    lines = run.last_log_lines(40)
    if not lines:
        return
    with st.expander("Log (last 40 lines)", icon=":material/notes:"):
        st.code("\n".join(lines), language=None, height=260)


def _static(home: Home, run: RunFolder) -> None:
    status, recipe = run.status(), run.recipe()
    final = run.result()
    if final:
        for key, result in final["protocols"].items():
            final_metrics(run, key, result)
        if status.state == "done":
            other_protocols(home, run, final["protocols"])
    elif status.state == "done":
        command = words.command(f"python -m core evaluate {run.run_id}")
        st.caption(f"No test result is stored: evaluate the run with `{command}`.")
    what_it_learned(home, run, recipe)
    if status.state not in ALIVE:
        _log(run)
    _provenance(run, recipe)


def _provenance(run: RunFolder, recipe: Recipe) -> None:
    with st.expander("Settings, and how to repeat this run", icon=":material/replay:"):
        st.code(words.command(recipe.command()), language="bash", wrap_lines=True)
        changed = recipe.changes()
        if changed:
            st.caption(f"What differs from preset {recipe.preset}", help=meaning("preset"))
            st.dataframe(difference_table(changed, type(recipe.system_config())), hide_index=True)
        else:
            st.caption(f"All settings are those of preset {recipe.preset}.")
        settings = pd.DataFrame(
            {"setting": list(recipe.config), "value": [str(v) for v in recipe.config.values()]}
        )
        st.dataframe(settings, hide_index=True, height=240)
    environment = run.environment()
    with st.expander("Environment", icon=":material/memory:"):
        if environment:
            st.code(json.dumps(environment, indent=2, ensure_ascii=False), language="json", height=260)
        else:
            st.caption("Written when the worker starts: commit, package versions, device and data hash.")
