"""Alignment over epochs and by groups of nodes: did agreement rise, whom does the alignment weigh most."""

import pandas as pd
import streamlit as st

from core.errors import RelScopeError, RunError
from core.evaluation.groups import UNDEFINED
from core.findings import Finding
from dashboard import alignment, words
from dashboard.compare_tables import GAP
from dashboard.drawing import show
from dashboard.figures.alignment import alignment_over_epochs
from dashboard.figures.node_groups import Panel, group_panels
from dashboard.figures.palette import side_look
from dashboard.glossary import meaning
from dashboard.information import SIDES, Stated
from dashboard.layout import row
from dashboard.node_groups import Ends, Measure, NodeGroups, ends, group_table, whom
from dashboard.panels.alignment_view import DEGREE, LAMBDA, WEIGHT, View, grouped_or_told
from dashboard.panels.run_view import absent
from dashboard.relations import GROUP_TITLES

AGREEMENT, COUNTS = "cosine", "weight"
_RANGES = {AGREEMENT: (-1.0, 1.0), COUNTS: (0.0, float("inf"))}
_PANELS = {AGREEMENT: Panel("mean cosine"), COUNTS: Panel("mean weight", ".3f", 1.0)}
_EQUATIONS = (
    "a = cos(behaviour, modalities); w ∝ exp((1 − a)/τ₁) with mean 1; λ(t) = λmin + (λmax − λmin) min(t/P, 1)"
)


def aligned(view: View) -> None:
    """The answer, how agreement, weights and lambda moved, and the same by groups of users and items."""
    degree = view.stated(DEGREE)
    if degree is None:
        absent(view, "degree of alignment")
        return
    weight = view.readable(WEIGHT)
    table = _grouped(view, degree.finding, weight)
    found = alignment.courses(degree, view.moment.epoch)
    said = alignment.answer(found, view.moment.epoch, view.moment.scored)
    st.markdown(f"#### {said}", help=meaning("degree of alignment"), anchors=False)
    st.markdown(_weighed(view, weight, table))
    _over_epochs(view, degree, weight)
    st.subheader("Who agrees, and who counts most?", anchor=False)
    if table is None:
        grouped_or_told(view)
        return
    _by_group(view, degree, table)


def _measures(degree: Finding, weight: Stated | None, groups: dict[str, NodeGroups]) -> list[Measure]:
    """One series per side. Raises RunError where finding and data have different nodes."""
    found = []
    for name, finding in ((AGREEMENT, degree), (COUNTS, weight.finding if weight else None)):
        for side, values in (alignment.sides_of(finding) if finding is not None else {}).items():
            checked_size(finding, len(values), groups[side])
            series = (GROUP_TITLES[side],)
            found.append(Measure(name, side, values[:, None], series, _RANGES[name]))
    return found


def _grouped(view: View, degree: Finding, weight: Stated | None) -> pd.DataFrame | None:
    """Cosine and weight by group, None without the data. Nodes never trained are in no batch: their weight counts nowhere."""
    groups = view.groups()
    if groups is None:
        return None
    table = group_table(_measures(degree, weight, groups), groups)
    return table[~((table["measure"] == COUNTS) & table["undefined"].astype(bool))].reset_index(drop=True)


def checked_size(finding: Finding | None, size: int, groups: NodeGroups) -> None:
    """Raises RunError where the finding's nodes are not those of the data."""
    if size != len(groups.grouping.group):
        key = finding.key if finding is not None else groups.side
        raise RunError(
            f"{key}: it holds {size:,} {groups.side}s, the data set {len(groups.grouping.group):,}; repeat the run to write "
            "it again"
        )


def _weighed(view: View, weight: Stated | None, table: pd.DataFrame | None) -> str:
    """Which nodes get most weight, in a sentence."""
    config = view.egra
    if config is not None and not config.lambda_max:
        return "This run has **no alignment loss** (λ is 0 throughout): agreement comes about by itself."
    if weight is None:
        return "The weights of users and items in the alignment are not stored."
    if alignment.weights_are_alike(weight.finding):
        return "By design **all users and items count alike** in the alignment."
    if table is None:
        return ""
    said = [_most(about, side) for side in SIDES if (about := ends(table, COUNTS, side)) is not None]
    whose = " of the scored model" if view.moment.epoch is not None else ""
    return f"In the alignment{whose} {', and '.join(said)}." if said else ""


def _most(about: Ends, side: str) -> str:
    """Who counts most on one side, and how much more than those who count least."""
    most, least = whom(about.most, side), whom(about.least, side)
    more = words.percent(about.highest / about.lowest - 1) if about.lowest else "far"
    if not about.apart:
        return f"**no group of {side}s stands out** ({most} count {more} more than {least}; their 95 % intervals overlap)"
    return f"**{most} count {more} more** than {least}"


def _over_epochs(view: View, degree: Stated, weight: Stated | None) -> None:
    over = alignment.over_epochs(degree)
    weights = alignment.over_epochs(weight) if weight is not None else over[:0]
    alike = weight is None or alignment.weights_are_alike(weight.finding)
    schedule = alignment.schedule(view.readable(LAMBDA))
    st.markdown(
        "**Agreement, weights and λ over epochs**: lines are the mean cosine and the median weight, bands the middle half "
        "and, paler, the middle 90 % of the nodes",
        help=f"{meaning('alignment weight')} {meaning('lambda')}",
    )
    if over.empty:
        st.caption("This run took no snapshots: set snapshot_every above 0 when training.")
        return
    epoch, mark = view.moment.mark()
    lambdas = schedule.rename(columns={"value": "lambda"})
    data = pd.concat(
        [over.assign(measure=AGREEMENT), weights.assign(measure=COUNTS)], ignore_index=True
    ).merge(lambdas, on="epoch", how="left")
    show(
        alignment_over_epochs(over, weights[:0] if alike else weights, schedule, epoch=epoch, mark=mark),
        data,
        name=f"alignment-epochs-{view.run.run_id}",
        source=f"{degree.finding.source}: {_EQUATIONS}; dotted: weight 1, the mean{_untrained(view)}",
        alt="Lines over epochs: mean cosine of behaviour and modalities, median weight, and lambda, for users and items",
    )


def _untrained(view: View) -> str:
    """Who is counted in though no batch ever holds them: groups show them apart."""
    try:
        groups = view.groups() or {}
    except RelScopeError:  # told where the groups are drawn
        return ""
    counts = {side: int((own.grouping.group == UNDEFINED).sum()) for side, own in groups.items()}
    told = [words.count(number, side) for side, number in counts.items() if number]
    return f"; over all nodes, {' and '.join(told)} never trained among them" if told else ""


def _by_group(view: View, degree: Stated, table: pd.DataFrame) -> None:
    view.stays("Values of single nodes are stored for the scored model alone")
    alike = table[table["measure"] == COUNTS]["mean"].nunique() < 2
    side_by_side(
        view,
        table[table["measure"] == AGREEMENT] if alike else table,
        key="alignment-groups",
        panels=_PANELS,
        looks={title: side_look(side) for side, title in GROUP_TITLES.items()},
        source=degree.finding.source,
        what="mean cosine and mean weight",
    )
    _table(view, table)


def side_by_side(
    view: View,
    table: pd.DataFrame,
    *,
    key: str,
    panels: dict[str, Panel],
    looks: dict[str, tuple[str, str, str]],
    source: str,
    what: str,
) -> None:
    """A table by groups as two figures: users left, items right. what: all that is measured."""
    moment = view.moment.of_scored()
    for cell, side in zip(row("pair", key, (1, 1)), SIDES):
        own = table[table["side"] == side]
        untrained = "; those never trained are in no batch" if own["undefined"].any() else ""
        with cell:
            st.markdown(
                f"**{GROUP_TITLES[side].capitalize()}** by their training pairs", help=meaning("node group")
            )
            show(
                group_panels(table, side, panels=panels, looks=looks),
                moment.dated(own.drop(columns="undefined")),
                name=moment.name(f"{key}-{side}"),
                source=f"{source}; mean and 95 % interval over a group; its number of {GROUP_TITLES[side]} stands beneath{untrained}",
                alt=f"{what.capitalize()} of {GROUP_TITLES[side]} by their training pairs",
            )


def _table(view: View, table: pd.DataFrame) -> None:
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for cell in table.to_dict("records"):
        own = rows.setdefault(
            (cell["side"], cell["title"]),
            {"nodes": GROUP_TITLES[cell["side"]], "training pairs": cell["title"], "number": cell["size"]},
        )
        own[cell["measure"]] = with_interval(cell["mean"], cell["low"], cell["high"])
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(
            pd.DataFrame(list(rows.values())),
            hide_index=True,
            height="content",
            column_config={
                "number": st.column_config.NumberColumn("number", format="localized"),
                "training pairs": st.column_config.TextColumn(help=meaning("node group")),
                AGREEMENT: st.column_config.TextColumn(
                    "mean cosine", alignment="right", help=meaning("degree of alignment")
                ),
                COUNTS: st.column_config.TextColumn(
                    "mean weight", alignment="right", help=meaning("alignment weight")
                ),
            },
            alt="Table of mean cosine and mean weight by group of users and items",
        )


def with_interval(mean: float, low: float, high: float) -> str:
    """`.5962 ± .0021`, half the width of a 95 % interval; the mean alone where there is none, `1.0342` above 1."""
    shown = f"{mean:.4f}" if abs(mean) >= 1 else words.score(mean)
    if mean != mean or low != low:
        return shown
    return f"{shown}{GAP}±{GAP}{words.score((high - low) / 2)}"
