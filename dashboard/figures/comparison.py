"""Groups of runs side by side: one metric with its spread over seeds, and differences between them with intervals."""

from collections.abc import Mapping, Sequence
from math import floor, log10
from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.palette import BLUE, GREY, ORANGE
from dashboard.figures.template import empty_figure, styled

_ROW, _FRAME, _AXIS = 34, 96, 20
# verdict -> colour and marker: the sign does not rest on colour alone
_LOOKS = {
    "ahead": (BLUE, "triangle-right"),
    "behind": (ORANGE, "triangle-left"),
    "not shown": (GREY, "circle-open"),
}


def metric_bars(
    table: pd.DataFrame,
    seeds: Mapping[tuple[str, str], Sequence[float]],
    *,
    metric: str,
    titles: Mapping[str, str],
    parts: Mapping[str, str],
    colors: Mapping[str, str],
    signs: Mapping[int, str],
    title: str = "",
) -> go.Figure:
    """One metric of every group, a panel per part of the test pairs: bar to the mean, dots for seeds, 95 % interval.

    table: columns group, metric, part, seeds, mean, deviation, low, high, place. seeds: (group, part) -> values.
    parts: part -> panel title. signs: place -> sign of the best and second best. title: the metric in words, for the axis.
    """
    rows = table[table["metric"] == metric]
    shown = [part for part in parts if (rows["part"] == part).any()]
    if not shown:
        return empty_figure("No result to compare yet")
    groups = list(dict.fromkeys(rows["group"]))
    figure = make_subplots(
        cols=len(shown),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=[parts[part] for part in shown],
    )
    for panel, part in enumerate(shown, start=1):
        _add_bars(figure, rows[rows["part"] == part], panel, titles, colors, signs)
        _add_seeds(figure, part, groups, seeds, panel)
    styled(figure, height=_FRAME + _ROW * max(len(groups), 2) + (_AXIS if title else 0))
    figure.update_xaxes(title_text=title, col=(len(shown) + 1) // 2)
    top = float(rows[["mean", "high"]].max().max())
    room = 1.5 if len(shown) > 1 else 1.15  # for the numbers at the ends of the bars
    figure.update_xaxes(range=[0, room * top] if top > 0 else [0, 1], tickvals=_scale(top))
    figure.update_yaxes(
        tickvals=list(range(len(groups))),
        ticktext=[_wrapped(titles[group]) for group in groups],
        range=[len(groups) - 0.5, -0.5],
    )
    figure.update_layout(showlegend=False, bargap=0.35)
    return figure


def _scale(top: float) -> list[float]:
    """At most five round numbers from 0 to `top`: what lies beyond is room, and a share above 1 would be nonsense there."""
    if not top > 0:
        return [0.0, 0.5, 1.0]
    power = 10.0 ** floor(log10(top))
    step = next(power * part for part in (0.2, 0.5, 1, 2, 5) if top <= 4 * power * part)
    return [round(step * tick, 10) for tick in range(int(top / step + 1e-9) + 1)]


def _add_bars(
    figure: go.Figure,
    rows: pd.DataFrame,
    panel: int,
    titles: Mapping[str, str],
    colors: Mapping[str, str],
    signs: Mapping[int, str],
) -> None:
    groups = list(colors)
    spread = rows["high"].notna()
    figure.add_trace(
        go.Bar(
            x=rows["mean"],
            y=[groups.index(group) for group in rows["group"]],
            orientation="h",
            marker={"color": [colors[group] for group in rows["group"]], "opacity": 0.85},
            error_x={
                "type": "data",
                "array": (rows["high"] - rows["mean"]).where(spread, None),
                "color": GREY,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[
                (titles[row["group"]], row["seeds"], _interval(row), signs.get(row["place"], ""))
                for _, row in rows.iterrows()
            ],
            hovertemplate="%{customdata[0]}<br>%{x:.4f} %{customdata[3]}<br>seeds: %{customdata[1]}%{customdata[2]}<extra></extra>",
        ),
        row=1,
        col=panel,
    )
    for _, row in rows.iterrows():
        end = row["high"] if row["high"] == row["high"] else row["mean"]
        figure.add_annotation(
            x=end,
            y=groups.index(row["group"]),
            text=f"{row['mean']:.4f}".removeprefix("0") + f" {signs.get(row['place'], '')}",
            showarrow=False,
            xanchor="left",
            xshift=4,
            row=1,
            col=panel,
        )


def _add_seeds(
    figure: go.Figure,
    part: str,
    groups: Sequence[str],
    seeds: Mapping[tuple[str, str], Sequence[float]],
    panel: int,
) -> None:
    """The single runs, where a bar stands for several."""
    points = [
        (value, place)
        for place, group in enumerate(groups)
        for value in seeds.get((group, part), ())
        if len(seeds[group, part]) > 1
    ]
    if points:
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                mode="markers",
                marker={"size": 6, "color": "#FFFFFF", "line": {"width": 1.2, "color": "#1D2530"}},
                hovertemplate="one seed: %{x:.4f}<extra></extra>",
            ),
            row=1,
            col=panel,
        )


def _interval(row: "pd.Series[float]") -> str:
    return "" if row["low"] != row["low"] else f"<br>95 % of the mean: {row['low']:.4f} to {row['high']:.4f}"


def difference_rows(table: pd.DataFrame, *, one: str, metric: str, titles: Mapping[str, str]) -> go.Figure:
    """`one` minus each other group on the users they share, with 95 % intervals; zero marked.

    table: columns group, difference, low, high, verdict, t_p, wilcoxon_p, effect.
    """
    if table.empty:
        return empty_figure("Nothing to test against yet")
    looks = [_LOOKS[verdict] for verdict in table["verdict"]]
    figure = go.Figure(
        go.Scatter(
            x=table["difference"],
            y=list(range(len(table))),
            mode="markers",
            marker={"size": 11, "color": [c for c, _ in looks], "symbol": [s for _, s in looks]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": table["high"] - table["difference"],
                "arrayminus": table["difference"] - table["low"],
                "color": GREY,
                "thickness": 1.5,
            },
            customdata=[
                (titles[row["group"]], row["low"], row["high"], row["verdict"], row["effect"])
                for _, row in table.iterrows()
            ],
            hovertemplate=f"{titles[one]} is %{{customdata[3]}} against %{{customdata[0]}}<br>"
            "%{x:+.4f} (95 % %{customdata[1]:+.4f} to %{customdata[2]:+.4f})<br>"
            "effect size %{customdata[4]:.2f}<extra></extra>",
        )
    )
    styled(figure, height=76 + _ROW * max(len(table), 2), x=f"difference in {metric}")
    ends = table[["low", "high"]].to_numpy(dtype=float)
    low, high = min(float(ends.min()), 0.0), max(float(ends.max()), 0.0)
    slack = 0.08 * ((high - low) or 1.0)
    figure.update_xaxes(range=[low - slack, high + slack], zeroline=True, zerolinewidth=1.5, nticks=7)
    figure.update_yaxes(
        tickvals=list(range(len(table))),
        ticktext=[_wrapped(f"against {titles[group]}") for group in table["group"]],
        range=[len(table) - 0.5, -0.5],
    )
    figure.update_layout(showlegend=False, margin={"t": 12})
    return figure


def _wrapped(title: str) -> str:
    return "<br>".join(wrap(title, 30)[:2])
