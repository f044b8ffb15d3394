"""Training curves: any set of named series over epochs, thinned where they are long."""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import (
    BEHAVIORS,
    BLUE,
    DASHES,
    GREY,
    VERMILLION,
    YELLOW,
    behavior_color,
    behavior_position,
)
from dashboard.figures.template import MAIN_HEIGHT, SMALL_HEIGHT, empty_figure, styled

LIMIT = 800
Along = Literal["epoch", "seconds"]
_OTHERS = (BLUE, VERMILLION, "#7A6A00", YELLOW)


def thinned(series: pd.DataFrame, limit: int = LIMIT) -> pd.DataFrame:
    """At most about `limit` rows of (epoch, value): each stretch keeps its first, lowest, highest and last row.

    Of values that are not numbers each stretch keeps one, so that the gap stays.
    """
    if len(series) <= limit:
        return series
    ordered = series.sort_values("epoch", kind="stable").reset_index(drop=True)
    values = ordered["value"].to_numpy(dtype=float)
    kept: set[int] = set()
    for part in np.array_split(np.arange(len(ordered)), limit // 5):
        kept |= {int(part[0]), int(part[-1])}
        finite = part[np.isfinite(values[part])]
        if len(finite):
            kept |= {int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])}
        if len(finite) < len(part):
            kept.add(int(part[~np.isfinite(values[part])][0]))
    return ordered.loc[sorted(kept)]


def curves(
    table: pd.DataFrame,
    *,
    y: str,
    names: Sequence[str] | None = None,
    from_zero: bool = False,
    log: bool = False,
    best_epoch: int | None = None,
    value_format: str = ".4f",
    title: Callable[[str], str] = str,
) -> go.Figure:
    """Lines of `value` over `epoch`, one per `name`, labelled at their right end where there are few.

    table: columns name, epoch, value. title: of a name without what comes before its slash. best_epoch draws a vertical mark. log: logarithmic where all values allow it.
    """
    if table.empty:
        return empty_figure("Nothing recorded yet")
    figure = go.Figure()
    wanted = list(names) if names is not None else list(dict.fromkeys(table["name"]))
    looks = series_looks(wanted)
    for name in wanted:
        series = thinned(table[table["name"] == name])
        short = title(name.split("/", 1)[-1])
        colour, dash = looks[name]
        figure.add_trace(
            go.Scatter(
                x=series["epoch"],
                y=series["value"],
                name=short,
                mode="lines+markers" if len(series) <= 40 else "lines",
                line={"color": colour, "dash": dash, "width": 2},
                marker={"size": 5},
                hovertemplate=f"{short}<br>epoch %{{x}}<br>%{{y:{value_format}}}<extra></extra>",
            )
        )
    styled(figure, height=SMALL_HEIGHT + 40, x="epoch", y=y)
    figure.update_layout(showlegend=len(wanted) > 1)
    if table["epoch"].max() <= 10:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(rangemode="tozero" if from_zero else "normal")
    if log and table["value"].min() > 0:
        figure.update_yaxes(type="log", tickvals=log_ticks(table["value"].min(), table["value"].max()))
    if best_epoch:
        figure.add_vline(
            x=best_epoch,
            line={"color": GREY, "dash": "dot", "width": 1},
            annotation_text="scored",
            annotation_position="bottom left",
        )
    return figure


def overlay(
    runs: Mapping[str, pd.DataFrame],
    looks: Mapping[str, tuple[str, str]],
    *,
    x: Along,
    y: str,
    titles: Mapping[str, str],
    log: bool = False,
    value_format: str = ".4f",
    from_zero: bool = True,
) -> go.Figure:
    """One line per run over epochs or over seconds trained; a value that is no number leaves a gap.

    runs: run id -> columns epoch, seconds, value. looks: run id -> colour and dash. log: where all values allow it.
    """
    figure, drawn = go.Figure(), {run_id: table for run_id, table in runs.items() if len(table)}
    if not drawn:
        return empty_figure("None of these runs has recorded it yet")
    for run_id, table in drawn.items():
        series, (colour, dash) = thinned(table), looks[run_id]
        figure.add_trace(
            go.Scatter(
                x=series[x],
                y=series["value"],
                name=titles[run_id],
                mode="lines+markers" if len(series) <= 40 else "lines",
                line={"color": colour, "dash": dash, "width": 2},
                marker={"size": 5},
                connectgaps=False,
                customdata=series[["epoch", "seconds"]],
                hovertemplate=f"{titles[run_id]}<br>epoch %{{customdata[0]}}, %{{customdata[1]:.1f}} s of training"
                f"<br>%{{y:{value_format}}}<extra></extra>",
            )
        )
    styled(figure, height=MAIN_HEIGHT, x="epoch" if x == "epoch" else "seconds of training", y=y)
    figure.update_layout(showlegend=True)
    everything = pd.concat(drawn.values())
    figure.update_yaxes(rangemode="tozero" if from_zero and not log else "normal")
    if log and everything["value"].min() > 0:
        ends = everything["value"].min(), everything["value"].max()
        figure.update_yaxes(type="log", tickvals=log_ticks(*ends))
    if x == "epoch" and everything["epoch"].max() <= 10:
        figure.update_xaxes(dtick=1)
    return figure


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from below `low` to above `high`; powers alone over four decades and more."""
    first, last = floor(log10(low)), ceil(log10(high))
    steps = (1, 2, 5) if last - first < 4 else (1,)
    return [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]


def series_looks(names: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Colour and dash per series: a behaviour's own where the name ends in one, otherwise by position."""
    looks: dict[str, tuple[str, str]] = {}
    for place, name in enumerate(names):
        behavior = next((b for b in BEHAVIORS if name.endswith(b)), None)
        if behavior:
            looks[name] = (behavior_color(behavior), DASHES[behavior_position(behavior)])
        elif name.endswith("/total"):
            looks[name] = (GREY, "solid")
        else:
            looks[name] = (_OTHERS[place % len(_OTHERS)], DASHES[place % len(DASHES)])
    return looks
