"""What any finding says in one sentence, and how its axes and values are called. Pure."""

import pandas as pd

from core.findings import Axis, Finding, Kind
from dashboard import learned, states, words
from dashboard.learned import Extremes
from dashboard.relations import GROUP_TITLES

# Axes whose name in a finding is not the word that pages use.
_AXES = {"behavior": "behaviour", "neighbor": "neighbour"}
_MOST = {
    Kind.SHARE: "weighs most",
    Kind.RATE: "is highest",
    Kind.AMOUNT: "is largest",
    Kind.SIGNED: "is highest",
}


def axis_title(axis: Axis) -> str:
    return _AXES.get(axis.name, axis.name.replace("_", " "))


def group_title(group: str) -> str:
    """What the nodes of a group are called: users, items."""
    return GROUP_TITLES.get(group, "nodes" if group == "all" else group)


def value_title(finding: Finding) -> str:
    """The title of the axis of values."""
    named = {Kind.SHARE: "share", Kind.RATE: "rate"}.get(finding.kind, "value")
    return f"mean {named}" if learned.form(finding) is learned.Form.NODES else named


def number(value: float, kind: Kind) -> str:
    """A value in a sentence: `41.2 %`, `+0.1234`, `0.5000`, `1,234`."""
    if kind in (Kind.SHARE, Kind.RATE):
        return words.percent(value)
    text = f"{abs(value):,.0f}" if abs(value) >= 100 else f"{abs(value):.4f}"
    return (("−" if value < 0 else "+") if kind is Kind.SIGNED else "") + text


def answer(finding: Finding, table: pd.DataFrame) -> str:
    """What stands out in `table`, as from `learned.table_of`, in Markdown."""
    if table.empty:
        return "This finding is empty."
    said = []
    for group, part in table.groupby("group", sort=False):
        about = learned.extremes(part)
        over = f"over {int(part['nodes'].iloc[0]):,} {group_title(str(group))}, " if group else ""
        said.append(over + _stands_out(about, finding))
    sentence = "; ".join(said)
    bold = "**" if sentence.startswith("**") else ""
    first, rest = sentence[len(bold)], sentence[len(bold) + 1 :]
    return f"{bold}{first.upper()}{rest}."


def _stands_out(about: Extremes, finding: Finding) -> str:
    kind, (_, _, largest), (_, _, smallest) = finding.kind, about.most, about.least
    if about.count == 1:
        return f"the value is **{number(largest, kind)}**"
    if about.alike:
        ends = [number(value, kind) for value in (smallest, largest)]
        return (
            f"**all are alike**, {f'at {ends[0]}' if ends[0] == ends[1] else f'from {ends[0]} to {ends[1]}'}"
        )
    axes = learned.drawn_axes(finding)
    best, worst = (_place(axes, end) for end in (about.most, about.least))
    if len(axes) > 1:
        text = f"**the largest is {best}: {number(largest, kind)}**, the smallest {worst}: {number(smallest, kind)}"
    else:
        text = f"**{best} {_MOST[kind]}: {number(largest, kind)}**, {worst} least: {number(smallest, kind)}"
    if kind is Kind.SIGNED and about.below:
        text += f" ({about.below:,} of {about.count:,} values lie below zero)"
    return text


def _place(axes: tuple[Axis, ...], end: tuple[str, str, float]) -> str:
    row, label, _ = end
    if len(axes) < 2:
        return states.plain(label)
    return states.plain(f"{axis_title(axes[0])} {row}, {axis_title(axes[1])} {label}")


def named_columns(finding: Finding, table: pd.DataFrame) -> pd.DataFrame:
    """`table` for a file: columns called after the axes, those without any value left out."""
    axes = learned.drawn_axes(finding)
    names = {"label": axes[-1].name} if axes else {}
    if len(axes) > 1:
        names["row"] = axes[0].name
    told = table.dropna(axis="columns", how="all")
    told = told.drop(columns=[name for name in ("group", "row") if (told[name] == "").all()])
    return told.rename(columns=names | {"low": learned.LOW, "high": learned.HIGH})
