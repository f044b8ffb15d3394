"""The relations of one run: its findings, what the reader looks at, and why there may be nothing to see."""

from dataclasses import dataclass

import streamlit as st

from core.catalog.cigf import CIGFConfig
from core.findings import Finding, History
from core.recipe import Recipe
from core.runs.folder import RunFolder, Status
from dashboard import readers, relations, selection, states, words
from dashboard.drawing import is_dark, show
from dashboard.figures.distributions import spread_boxes
from dashboard.figures.evolution import attention_over_epochs
from dashboard.figures.heatmap import attention_heatmap
from dashboard.figures.paths import path_bars
from dashboard.glossary import meaning
from dashboard.layout import row

ATTENTION = "relation_attention"


@dataclass(frozen=True)
class View:
    """One run's relation findings and what is picked of them."""

    run: RunFolder
    recipe: Recipe
    attention: Finding
    history: History | None
    group: str
    order: str
    start: str
    epoch: int | None

    @property
    def composition(self) -> str:
        return str(self.recipe.config.get("composition", "recursive"))

    @property
    def group_title(self) -> str:
        return relations.GROUP_TITLES[self.group]

    def name(self, figure: str) -> str:
        return f"{figure}-{self.group}-{self.run.run_id}"


def why_nothing(recipe: Recipe, status: Status) -> tuple[str, str] | None:
    """Title and advice where a run can have no relation attention, or has none yet; None if it should have."""
    if recipe.system != "cigf":
        return (
            "This system does not weigh relations",
            "Only CIGF learns attention over relations. Pick a CIGF run in the sidebar, or train one on the same data.",
        )
    config = recipe.system_config()
    if isinstance(config, CIGFConfig) and config.encoder == "per_behavior":
        return (
            "This variant has no attention",
            "It was trained without CIGCN: each behaviour's graph is convolved on its own, so nothing is weighed. "
            "Pick a run of the full model.",
        )
    if isinstance(config, CIGFConfig) and config.num_layers == 1:
        return (
            "With one layer there is nothing to weigh",
            "Attention begins at order 2 (CIGF, Eq. 8). Train with num_layers 2 or more.",
        )
    advice = {
        "queued": (
            "Not trained yet",
            "The run waits for a free slot. Its relations appear here when it is done.",
        ),
        "running": ("Still training", "Findings are written at the end. Follow the curves meanwhile."),
        "failed": (
            "The run failed before its findings were written",
            "Its page says why and lets you resume it.",
        ),
        "cancelled": ("The run was cancelled before its findings were written", "Resume it on its page."),
        "done": ("The run is done but has no relation findings", "Its folder lost them; train it again."),
    }
    return advice[status.state]


def load(run: RunFolder) -> tuple[Recipe, Finding] | None:
    """The recipe and attention of `run`, or None after drawing why there is none. Raises RunError if damaged."""
    recipe, status = run.recipe(), run.status()
    if readers.has_finding(run, ATTENTION):
        return recipe, readers.finding(run, ATTENTION)
    title, advice = why_nothing(recipe, status) or ("Nothing to show", "Pick another run.")
    if recipe.system != "cigf":
        states.empty(title, advice, "train", "Train CIGF on this data", system="cigf", dataset=recipe.dataset)
    else:
        states.empty(title, advice, "runs", "Open the run's page", run=run.run_id)
    return None


def controls(run: RunFolder, recipe: Recipe, attention: Finding) -> View:
    """One row of controls above the figures."""
    history = readers.history(run, ATTENTION)
    groups = [g for g, (first, last) in attention.axis("node").groups.items() if last > first]
    cells = row("controls", "look", (2, 2, 3, 4))
    with cells[0]:
        group = selection.pick(
            "group", "Attention of", groups, title=relations.GROUP_TITLES.__getitem__, widget="segments"
        )
    with cells[1]:
        orders = attention.axis("order").labels
        order = selection.pick("order", "Order", orders, widget="segments", help=meaning("order"))
    with cells[2]:
        starts = attention.axis("start").labels
        start = selection.pick(
            "start", "Start behaviour", starts, default=starts[-1], help=meaning("start behaviour")
        )
    with cells[3]:
        epoch = _epoch(history)
    return View(run, recipe, attention, history, group, order, start, epoch)


def _epoch(history: History | None) -> int | None:
    epochs = [str(int(epoch)) for epoch in history.epochs] if history is not None else []
    if len(epochs) < 2:
        st.caption("No snapshots over time: only the trained model is shown.", help=meaning("snapshot"))
        return None
    last = epochs[-1]
    chosen = selection.pick("epoch", "Epoch", epochs, default=last, widget="slider", help=meaning("snapshot"))
    return None if chosen == last else int(chosen)


def answer(view: View) -> None:
    """The answer in one sentence, computed from the run."""
    leader = relations.leading_path(view.attention, view.group, view.composition)
    st.markdown(
        f"#### :primary[{states.plain(words.path(leader.path))}] weighs most for {words.percent(leader.share)} of "
        f"{leader.nodes:,} {view.group_title}{_second(leader)}.",
        help=f"Each of the {view.group_title} votes for its path of order 2 with the largest attention. {meaning('path')}",
        anchors=False,
    )


def _second(leader: relations.Leader) -> str:
    if leader.runner_up_share == 0:
        return ""
    return f"; {words.path(leader.runner_up)} for {words.percent(leader.runner_up_share)}"


def heatmap(view: View) -> None:
    """The main figure: mean attention per order, start behaviour and relation."""
    if view.epoch is not None and view.history is not None:
        table, when = (
            relations.attention_table_at(view.history, view.epoch, view.group),
            f"at epoch {view.epoch}",
        )
    else:
        table, when = relations.attention_table(view.attention, view.group), "of the trained model"
    st.markdown(
        f"**Mean attention of {view.group_title}, {when}**: rows are where a path starts, columns the relation weighed",
        help=meaning("attention"),
    )
    show(
        attention_heatmap(table, dark=is_dark()),
        table,
        name=view.name("attention"),
        source=f"{view.attention.source}; composition {view.composition}; heads summed; blue adds, orange subtracts",
        alt=f"Heatmap of mean attention of {view.group_title} by start behaviour and relation",
    )


def paths(view: View) -> None:
    """The three strongest and three weakest paths of every order, with their support."""
    orders = [
        o for o in view.attention.axis("order").labels if readers.has_finding(view.run, f"relation_paths_{o}")
    ]
    if not orders:
        st.caption("This run stored no relation paths.")
        return
    for order in orders:
        _paths_of_order(view, order)


def _paths_of_order(view: View, order: str) -> None:
    finding = readers.finding(view.run, f"relation_paths_{order}")
    table = relations.paths_table(finding, view.group)
    chosen = relations.extremes(table)
    chosen = chosen.assign(path=chosen["path"].map(words.path))
    st.markdown(f"**Order {order}**: strongest and weakest of {len(table)} paths", help=meaning("strength"))
    bars, numbers = row("pair", f"paths-{order}", (6, 4))
    with bars:
        show(
            path_bars(chosen),
            table,
            name=view.name(f"paths-order-{order}"),
            source=f"{finding.source}; read from the {view.group} outward",
            alt=f"Bars of the strongest and weakest paths of order {order}",
        )
    with numbers:
        st.dataframe(
            chosen[["path", "strength", "support"]],
            hide_index=True,
            column_config=_PATH_COLUMNS,
            alt=f"Table of the paths of order {order}",
        )
        st.caption(states.plain(finding.note))


_PATH_COLUMNS = {
    "strength": st.column_config.NumberColumn("strength", format="%.4f", help=meaning("strength")),
    "support": st.column_config.NumberColumn("pairs connected", format="localized", help=meaning("support")),
}


def spread(view: View) -> None:
    """How attention differs between nodes."""
    table = relations.spread_table(view.attention, view.start, view.order)
    st.markdown(f"Do nodes agree? Order {view.order}, paths that start with **{view.start}**")
    show(
        spread_boxes(table),
        table,
        name=view.name(f"spread-{view.start}-{view.order}"),
        source=f"{view.attention.source}; box: middle half of the nodes, line: median, whiskers: 5th to 95th percentile",
        alt="Boxes of attention per relation, for users and for items",
    )


def evolution(view: View) -> None:
    """How attention came about while the model trained."""
    if view.history is None:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    table = relations.evolution_table(view.history, view.group, view.start, view.order)
    st.markdown(
        f"Attention of {view.group_title}, order {view.order}, paths that start with **{view.start}**"
    )
    show(
        attention_over_epochs(table, view.epoch),
        table,
        name=view.name(f"evolution-{view.start}-{view.order}"),
        source=f"{view.attention.source}; line: mean, band: middle half of the {view.group_title}",
        alt="Lines of mean attention per relation over the epochs",
    )


def context(run: RunFolder, recipe: Recipe) -> str:
    """One line: composition, result, protocol and epoch that the figures belong to."""
    result = ((run.result() or {}).get("protocols") or {}).get(recipe.protocol.key)
    parts = [f"composition {recipe.config.get('composition', '–')}"]
    if result:
        main = recipe.protocol.main_metric
        parts.append(f"{main.upper()} {words.score(result['metrics'].get(main))} under {recipe.protocol.key}")
        parts.append(f"{words.selection(result['selection'])}, epoch {result['epoch']}")
    return states.plain(" · ".join(parts))
