"""Gates on the Experts page: the answer, its alarms, the heatmap with its spread, entropy and load, and the evolution."""

import pandas as pd
import streamlit as st

from core.findings import Array
from dashboard import gates, states, words
from dashboard.drawing import show
from dashboard.figures.gates import (
    entropy_over_epochs,
    expert_looks,
    gate_boxes,
    gate_heatmap,
    gates_over_epochs,
)
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.panels.experts_view import View


def answer(view: View) -> None:
    """Which expert decides the chosen task, in one sentence computed from the gates, and what is alarming about them."""
    now = view.now
    about = gates.task_gate(now, view.task)
    st.markdown(
        f"#### {_sentence(view, now, about)}", help=f"{meaning('gate')} {meaning('expert')}", anchors=False
    )
    for alarm in alarms(now):
        st.warning(alarm, icon=":material/warning:")


def _sentence(view: View, now: gates.Gates, about: gates.TaskGate) -> str:
    when = f"At epoch {view.moment.epoch}, " if view.moment.epoch is not None else ""
    task, names = states.plain(about.task), states.plain(" and ".join(about.leaders))
    kind = "expert" if len(about.leaders) == 1 else "experts"
    kind = "" if about.leaders[0].startswith("expert ") else f"the {kind} "
    shares = " and ".join(words.percent(share) for share in about.shares)
    even = f"an even share would be {words.percent(now.even)}"
    if about.verdict == "flat":
        mean = now.of(about.task).mean(axis=0)
        span = f"{words.percent(float(mean.min()))} to {words.percent(float(mean.max()))}"
        said = f"no expert decides *{task}*: the gates are flat, {span} on average; {even}"
    elif about.verdict == "collapsed":
        said = f"{kind}:primary[{names}] alone decides *{task}*, with {shares} of its gate"
    elif about.verdict == "same":
        verb = "weighs" if len(about.leaders) == 1 else "weigh"
        said = f"{kind}:primary[{names}] {verb} most in *{task}*, {shares} for every pair alike; {even}"
    else:
        leads = f"the largest gate for {words.percent(about.leads)} of {now.pairs:,} held-out pairs"
        one = len(about.leaders) == 1
        verb, leads = ("weighs", leads) if one else ("weigh", f"one of them has {leads}")
        said = f"{kind}:primary[{names}] {verb} most in *{task}*: mean gate {shares}, {leads}; {even}"
    said = when + said
    return (said[:1].upper() + said[1:] if said[0] != ":" else said) + "."


def alarms(now: gates.Gates) -> list[str]:
    """What should worry the reader, in sentences with the threshold and a remedy; empty where all is well."""
    about = [gates.task_gate(now, task) for task in now.tasks]
    found = {
        verdict: [one for one in about if one.verdict == verdict] for verdict in ("collapsed", "flat", "same")
    }
    said = []
    if collapsed := found["collapsed"]:
        most = max(one.even_entropy for one in collapsed)
        said.append(
            f"**Gate collapse** in {_tasks(collapsed)}: the entropy of the mean gate is {most:.3f} or less, below "
            f"{gates.COLLAPSED}: one expert takes it all, and the others learn nothing from "
            f"{'this task' if len(collapsed) == 1 else 'these tasks'}. Try another seed or a lower learning_rate."
        )
    if flat := found["flat"]:
        least = min(one.pair_entropy for one in flat)
        said.append(
            f"**Flat gates** in {_tasks(flat)}: the entropy pair by pair is {least:.3f} or more, above {gates.FLAT}: "
            "no expert specialises, and the head acts like a plain mean. Train longer, or try a smaller score_scale "
            "or l2."
        )
    if same := found["same"]:
        said.append(
            f"**One gate for all pairs** in {_tasks(same)}: no gate deviates over pairs by more than "
            f"{100 * gates.SAME:g} percentage points, so users and items do not matter to the mixture. A smaller "
            "score_scale or l2 lets embeddings, and with them gates, grow apart."
        )
    return said


def _tasks(about: list[gates.TaskGate]) -> str:
    return states.plain(", ".join(one.task for one in about))


def figures(view: View) -> None:
    """The main figure: mean gates of all tasks, and beside it the spread of the chosen task's gate over pairs."""
    now = view.now
    table = gates.gate_table(now)
    wide, narrow = row("pair", "gates", (5, 5))
    assert view.finding is not None
    with wide:
        st.markdown(
            f"**Mean gate by task and expert, {view.moment.when()}**",
            help=f"{meaning('gate')} {meaning('task')} {meaning('held-out pairs')}",
        )
        show(
            gate_heatmap(table, task=view.task, top=_top(view, table)),
            view.moment.dated(table),
            name=view.moment.name("gates"),
            source=f"{view.finding.source}; ± deviation over {now.pairs:,} held-out pairs; one colour scale for all epochs",
            alt="Heatmap of the mean gate by task and expert",
        )
    with narrow:
        st.markdown(
            f"**How the gate of {states.plain(view.task)} differs between pairs**",
            help=meaning("held-out pairs"),
        )
        part = table[table["task"] == view.task]
        show(
            gate_boxes(part, looks=expert_looks(now.experts, now.tasks)),
            view.moment.dated(part),
            name=view.moment.name(f"gate-spread-{view.task}"),
            source=f"{view.finding.source}; box: middle half of the pairs, whiskers: 5th to 95th percentile, dotted: mean",
            alt=f"Boxes of the gate of {view.task} per expert",
        )
    if any(expert.startswith("own ") for expert in now.experts):
        st.caption(
            "An own expert serves one task alone, so own 1 of two tasks are two experts; shared ones serve all."
        )


def _top(view: View, table: pd.DataFrame) -> float:
    """The largest mean gate now or at any snapshot."""
    means: list[float] = [float(table["mean"].max())]
    if view.history is not None:
        values: Array = view.history.values
        means.append(float(values.mean(axis=2, dtype=float).max()))
    return max(means)


def entropy_and_load(view: View) -> None:
    """How decided each task's gates are, and how much every expert carries."""
    now = view.now
    tasks = pd.DataFrame([vars(gates.task_gate(now, task)) for task in now.tasks])
    tasks = tasks.assign(
        leaders=[" and ".join(names) for names in tasks["leaders"]],
        shares=[100 * shares[0] for shares in tasks["shares"]],
        leads=100 * tasks["leads"],
        verdict=[VERDICTS[verdict] for verdict in tasks["verdict"]],
    )
    load = gates.load_table(now)
    left, right = row("pair", "entropy", (7, 4))
    with left:
        st.markdown(f"**How decided the gates are, {view.moment.when()}**", help=meaning("gate verdict"))
        st.dataframe(tasks, hide_index=True, column_config=_TASK_COLUMNS, alt="Entropy of the gates by task")
    with right:
        st.markdown("**What each expert carries**, over all tasks", help=meaning("load"))
        st.dataframe(
            load.assign(load=100 * load["load"])[["expert", "load"]],
            hide_index=True,
            column_config=_LOAD_COLUMNS,
            alt="Load of the experts",
        )
    idle = load.loc[load["idle"], "expert"].tolist()
    if idle:
        st.caption(
            f":orange-badge[idle] {states.plain(', '.join(idle))}: less than a tenth of an even share "
            f"({words.percent(now.even)}) over all tasks."
        )


VERDICTS = {"collapsed": "✕ collapsed", "flat": "≈ flat", "same": "= same for all pairs", "mixed": "✓ mixed"}
_TASK_COLUMNS = {
    "task": st.column_config.TextColumn("task", help=meaning("task")),
    "leaders": st.column_config.TextColumn("leading expert"),
    "shares": st.column_config.NumberColumn("mean gate", format="%.1f %%", help=meaning("gate")),
    "leads": st.column_config.NumberColumn("leads for", format="%.1f %%", help=meaning("leads")),
    "even_entropy": st.column_config.NumberColumn(
        "entropy (mean)", format="%.3f", help=meaning("gate entropy")
    ),
    "pair_entropy": st.column_config.NumberColumn(
        "entropy (pairs)", format="%.3f", help=meaning("gate entropy")
    ),
    "verdict": st.column_config.TextColumn("verdict", help=meaning("gate verdict")),
}
_LOAD_COLUMNS = {
    "expert": st.column_config.TextColumn("expert"),
    "load": st.column_config.ProgressColumn(
        "load", format="%.1f %%", min_value=0, max_value=100, help=meaning("load")
    ),
}


def evolution(view: View) -> None:
    """How the gates of the chosen task, and the entropy of all tasks, moved while the model trained."""
    if view.finding is None:
        st.caption("This run has no gates, so nothing to follow over epochs.")
        return
    if view.history is None:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    now = view.moment
    marked = (now.scored, "scored") if now.epoch is None else (now.epoch, f"epoch {now.epoch}")
    left, right = row("pair", "evolution", (5, 5))
    table, entropies = gates.evolution_table(view.history, view.task), gates.entropy_table(view.history)
    looks = expert_looks(view.finding.axis("expert").labels, view.finding.axis("task").labels)
    with left:
        st.markdown(f"**Gate of {states.plain(view.task)}** over epochs")
        show(
            gates_over_epochs(table, looks=looks, epoch=marked[0], mark=marked[1]),
            table,
            name=f"gates-evolution-{view.task}-{view.run.run_id}",
            source=f"{view.finding.source}; line: mean, band: middle half of the pairs",
            alt=f"Lines of the mean gate of {view.task} per expert over the epochs",
        )
    with right:
        st.markdown("**Entropy of every task's gates** over epochs", help=meaning("gate entropy"))
        show(
            entropy_over_epochs(
                entropies, flat=gates.FLAT, collapsed=gates.COLLAPSED, epoch=marked[0], mark=marked[1]
            ),
            entropies,
            name=f"gates-entropy-{view.run.run_id}",
            source=f"Normalised entropy pair by pair, mean over pairs; flat above {gates.FLAT}; collapse is judged by "
            f"the entropy of the mean gate (hover), below {gates.COLLAPSED}",
            alt="Lines of the entropy of the gates per task over the epochs",
        )
