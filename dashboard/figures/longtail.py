"""Groups of items or users: one run minus another with intervals around zero, and who takes the recommended places."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.figures.palette import BLUE, GREY, ORANGE
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled

# verdict -> colour and marker: the sign does not rest on colour alone
_LOOKS = {
    "ahead": (BLUE, "triangle-up"),
    "behind": (ORANGE, "triangle-down"),
    "not shown": (GREY, "circle-open"),
}
# single seeds stand beside the mean, not on its interval
_ASIDE = 0.14
_MARKS = ("diamond", "line-ew")


def difference_by_group(
    table: pd.DataFrame, seeds: pd.DataFrame, *, ticks: Sequence[str], x: str, y: str
) -> go.Figure:
    """One run minus another per group with its 95 % interval; zero is marked.

    table: columns group, title, difference, low, high, verdict, users. seeds: columns group, difference, of single seeds where the table
    averages several. ticks: of all groups, also those without a test; a colon
    begins a new line.
    Source: EGRA, Figure 2, which shows both systems beside each other and no interval.
    """
    if table.empty:
        return empty_figure("No group has two users to compare")
    figure = go.Figure([_means(table), _seeds(seeds)])
    styled(figure, height=MAIN_HEIGHT, x=x, y=y)
    ends = np.append(table[["low", "high"]].to_numpy(dtype=float), seeds["difference"].to_numpy(dtype=float))
    low, high = min(float(ends.min()), 0.0), max(float(ends.max()), 0.0)
    slack = 0.08 * ((high - low) or 1e-3)
    figure.update_yaxes(
        range=[low - slack, high + slack], zeroline=True, zerolinewidth=1.5, tickformat="+.3~f", nticks=7
    )
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(ticks))),
        ticktext=[tick.replace(": ", "<br>") for tick in ticks],
        range=[-0.6, len(ticks) - 0.4],
        showgrid=False,
    )
    figure.update_layout(showlegend=False)
    return figure


def _means(table: pd.DataFrame) -> go.Scatter:
    looks = [_LOOKS[verdict] for verdict in table["verdict"]]
    return go.Scatter(
        x=table["group"],
        y=table["difference"],
        mode="markers",
        marker={"size": 12, "color": [c for c, _ in looks], "symbol": [s for _, s in looks]},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": table["high"] - table["difference"],
            "arrayminus": table["difference"] - table["low"],
            "color": GREY,
            "thickness": 1.5,
            "width": 4,
        },
        customdata=table[["title", "low", "high", "verdict", "users"]],
        hovertemplate="<b>%{customdata[0]}</b>: %{customdata[3]}<br>difference %{y:+.4f} "
        "(95 %: %{customdata[1]:+.4f} to %{customdata[2]:+.4f})<br>%{customdata[4]:,} users<extra></extra>",
    )


def _seeds(seeds: pd.DataFrame) -> go.Scatter:
    return go.Scatter(
        x=seeds["group"] + _ASIDE,
        y=seeds["difference"],
        mode="markers",
        marker={"size": 5, "color": "#FFFFFF", "line": {"width": 1.2, "color": "#1D2530"}},
        hovertemplate="one seed: %{y:+.4f}<extra></extra>",
    )


def place_bars(
    table: pd.DataFrame, *, colors: Mapping[str, str], marked: Sequence[str], x: str, y: str
) -> go.Figure:
    """Bars for each run's share of recommended places per group, and a mark where each of `marked` (such as test pairs) lies.

    table: columns name, group, title, share, count. colors: name -> colour of a run's bars.
    """
    names = [name for name in dict.fromkeys(table["name"]) if name not in marked]
    if not names:
        return empty_figure("No run has stored recommendations")
    by_name = {str(name): part for name, part in table.groupby("name", sort=False)}
    bars = [_bars(by_name[name], name, colors[name], place > 0) for place, name in enumerate(names)]
    marks = [_marks(by_name[name], name, symbol) for name, symbol in zip(marked, _MARKS)]
    figure = go.Figure([*bars, *marks])
    groups = table.drop_duplicates("group")
    styled(figure, height=MAIN_HEIGHT, x=x, y=y)
    figure.update_layout(bargap=0.35, legend={"itemsizing": "trace"})
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    figure.update_xaxes(
        tickmode="array",
        tickvals=groups["group"],
        ticktext=[title.replace(": ", "<br>") for title in groups["title"]],
        showgrid=False,
    )
    return figure


def _bars(part: pd.DataFrame, name: str, color: str, hatched: bool) -> go.Bar:
    return go.Bar(
        x=part["group"],
        y=part["share"],
        name=name,
        marker={"color": color, "pattern": {"shape": "/" if hatched else ""}},
        customdata=part[["title", "count"]],
        hovertemplate=f"<b>{name}</b>, %{{customdata[0]}}<br>%{{y:.1%}} of all places: %{{customdata[1]:,.0f}}<extra></extra>",
    )


def _marks(part: pd.DataFrame, name: str, symbol: str) -> go.Scatter:
    is_line = symbol.startswith("line")
    line = {"width": 3, "color": GREY} if is_line else {"width": 1.5, "color": "#FFFFFF"}
    return go.Scatter(
        x=part["group"],
        y=part["share"],
        name=name,
        mode="markers",
        marker={"symbol": symbol, "size": 34 if is_line else 12, "color": GREY, "line": line},
        customdata=part[["title", "count"]],
        hovertemplate=f"%{{customdata[0]}}<br>%{{y:.1%}} of all {name}: %{{customdata[1]:,.0f}}<extra></extra>",
    )
