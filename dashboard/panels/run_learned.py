"""What a run learned, for every finding that no page of its own shows: drawn by kind and axes, whatever the model."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.findings import Finding, History, Kind
from core.home import Home
from core.recipe import Recipe
from core.runs.folder import RunFolder
from dashboard import learned, readers, selection, states
from dashboard.drawing import is_dark, show
from dashboard.figures.finding import finding_bars, finding_cells
from dashboard.glossary import meaning
from dashboard.layout import row
from dashboard.learned import Form
from dashboard.learned_words import answer, axis_title, group_title, named_columns, value_title
from dashboard.moments import Moment
from dashboard.panels.alignment_view import shows as alignment_shows
from dashboard.panels.epoch_slider import pick_epoch
from dashboard.panels.experts_view import CONFLICT, GATES
from dashboard.panels.information_view import ABUNDANCE
from dashboard.panels.information_view import AXES as INFORMATION
from dashboard.panels.nodes_view import AXES as NODES
from dashboard.panels.relations_view import ATTENTION
from dashboard.panels.run_links import linked_items
from dashboard.panels.structure_view import AXES as STRUCTURE
from dashboard.panels.structure_view import CONTRIBUTION

_PATHS = "relation_paths_"
_PICKS = ("axis_1", "axis_2", "axis_3", "axis_4")
_MEAN = "mean"


@dataclass(frozen=True, eq=False)
class Shown:
    """The finding that is drawn, and what is picked of it. history: its snapshots, if they fit."""

    finding: Finding
    history: History | None
    picks: learned.Picks
    moment: Moment

    def table(self) -> pd.DataFrame:
        if self.moment.epoch is not None and self.history is not None:
            return learned.table_at(self.finding, self.history, self.moment.epoch, self.picks)
        return learned.table_of(self.finding, self.picks)


def what_it_learned(home: Home, run: RunFolder, recipe: Recipe) -> None:
    """The section, closed where a page of its own tells the most; nothing where the run stored nothing else.

    Values are read only while it is open.
    """
    stored = {key: about for key, about in readers.finding_titles(run).items() if not has_page(key)}
    if not stored:
        return
    is_main = not any(readers.has_finding(run, key) for key in (ATTENTION, GATES, ABUNDANCE, CONTRIBUTION))
    box = st.expander(
        "What it learned",
        expanded=is_main or selection.current("finding") in stored,
        icon=":material/lightbulb:",
        key=f"learned:{run.run_id}",
        on_change="rerun",
    )
    if box.open:
        with box, states.guarded():
            _pick_and_draw(home, run, recipe, stored)


def has_page(key: str) -> bool:
    """Whether the page of relations, experts, information, structure, alignment or nodes shows the finding `key`."""
    own = (ATTENTION, GATES, CONFLICT, *INFORMATION, *STRUCTURE, *NODES)
    return key in own or key.startswith(_PATHS) or alignment_shows(key)


def _pick_and_draw(home: Home, run: RunFolder, recipe: Recipe, stored: dict[str, tuple[str, str]]) -> None:
    titles = {key: title for key, (title, kind) in stored.items() if kind != Kind.POINT}
    points = [title for title, kind in stored.values() if kind == Kind.POINT]
    if titles:
        cells = row("controls", "finding", (3, 5))
        with cells[0]:
            key = selection.pick(
                "finding", "Finding", list(titles), title=titles.__getitem__, help=meaning("finding")
            )
        finding = readers.finding(run, key)
        if learned.form(finding) is Form.LINKS:
            linked_items(home, run, recipe, finding)
        else:
            with cells[1]:
                history, moment = _when(run, recipe, finding)
            _draw(Shown(finding, history, _picks(finding), moment))
    if points:
        named = ", ".join(states.plain(title) for title in points)
        st.caption(f"Clouds of points are stored but not drawn here: {named}.")


def _when(run: RunFolder, recipe: Recipe, finding: Finding) -> tuple[History | None, Moment]:
    """The snapshots of `finding`, if they fit, and which of them is picked."""
    history = readers.history(run, finding.key)
    history = history if learned.fits(finding, history) else None
    scored = readers.best_epoch(run, recipe)
    if history is not None and history.epochs[-1] != scored and learned.is_last_snapshot(finding, history):
        scored = None
    return history, Moment(run.run_id, pick_epoch(history, scored), scored)


def _picks(finding: Finding) -> learned.Picks:
    """The picked position on each axis that the figure does not show; None is the mean."""
    axes = learned.picked_axes(finding)
    picks: dict[str, int | None] = {axis.name: None for axis in axes}
    offered = [axis for axis in axes if axis.size > 1][: len(_PICKS)]
    if not offered:
        return picks
    for field, axis, cell in zip(
        _PICKS, offered, row("controls", "finding-axes", [1] * max(4, len(offered)))
    ):
        names = {_MEAN: "mean of all"} | {str(k): name for k, name in enumerate(learned.labels_of(axis))}
        with cell:
            chosen = selection.pick(
                field, axis_title(axis).capitalize(), list(names), title=names.__getitem__
            )
        picks[axis.name] = None if chosen == _MEAN else int(chosen)
    return picks


def _draw(shown: Shown) -> None:
    """The answer, the figure, and how to read it."""
    finding, table = shown.finding, shown.table()
    is_nodes = learned.form(finding) is Form.NODES
    st.markdown(answer(finding, table), help=meaning("nodes" if is_nodes else "finding value"))
    if table.empty:
        return
    form, axes = learned.form(finding), learned.drawn_axes(finding)
    drawn = learned.cut_long(learned.cut_long(table, "label"), "row")
    reach = learned.reach(finding, shown.history, shown.picks)
    x = axis_title(axes[-1]) if axes else ""
    if form is Form.CELLS:
        figure = finding_cells(
            drawn, kind=finding.kind, y=axis_title(axes[0]), x=x, reach=reach, dark=is_dark()
        )
    else:
        groups = {group: group_title(group) for group in drawn["group"].unique() if group}
        title = value_title(finding)
        figure = finding_bars(
            drawn,
            kind=finding.kind,
            axis=axes[-1].name if axes else "",
            y=x,
            x=title,
            reach=reach,
            groups=groups,
        )
    show(
        figure,
        shown.moment.dated(named_columns(finding, table)),
        name=shown.moment.name(finding.key + _picked_name(shown)),
        source=f"{finding.source}; {shown.moment.when()}{_how(form, drawn)}",
        alt=f"{finding.title}, {shown.moment.when()}",
    )
    states.sampled(drawn["label"].nunique(), table["label"].nunique(), f"{x} values, the largest")
    if form is Form.CELLS:
        states.sampled(
            drawn["row"].nunique(), table["row"].nunique(), f"{axis_title(axes[0])} values, the largest"
        )
    has_support = bool(table["support"].notna().any())
    if finding.note:
        st.caption(states.plain(finding.note), help=meaning("finding support") if has_support else None)


def _how(form: Form, drawn: pd.DataFrame) -> str:
    """How to read the spread of a figure."""
    if form is not Form.NODES:
        return ""
    if drawn["low"].isna().any():
        return "; snapshots keep no spread of a mean over several: pick a single one above to see it"
    whose = " and of ".join(group_title(group) for group in drawn["group"].unique())
    return f"; lines span the middle 90 % of {whose}"


def _picked_name(shown: Shown) -> str:
    """What is picked, as part of a file name."""
    picked = {name: place for name, place in shown.picks.items() if place is not None}
    return "".join(f"-{name}-{place}" for name, place in picked.items())
