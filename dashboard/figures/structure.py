"""Structure that a model learned: sizes of hyperedges, attention over one history, what each branch adds."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures.evolution import Look
from dashboard.figures.palette import BLUE, DASHES, GREEN, GREY, MARKERS, ORANGE, PURPLE, SERIES, SKY
from dashboard.figures.template import MAIN_HEIGHT, empty_figure, styled
from dashboard.learned import MOST_LABELS
from dashboard.relations import GROUP_TITLES

MOST_BARS = 30
# Of more hyperedges the marks beside each other would overlap.
_FEW = 12
# colour, dash and marker of each side and each branch; items are hatched where there are bars
SIDE_LOOKS: dict[str, Look] = {
    "user": (BLUE, DASHES[0], MARKERS[0]),
    "item": (ORANGE, DASHES[1], MARKERS[1]),
}
_HATCHED = {
    "shape": "/",
    "fillmode": "overlay",
    "fgcolor": "rgba(255,255,255,0.6)",
    "size": 7,
    "solidity": 0.25,
}
_PATTERNS: dict[str, dict[str, object]] = {"user": {"shape": ""}, "item": _HATCHED}
BRANCH_LOOKS: dict[str, Look] = {
    name: (color, DASHES[place], MARKERS[place])
    for place, (name, color) in enumerate(
        {"collaborative": SKY, "modal": GREEN, "transformer": PURPLE, "hypergraph": ORANGE}.items()
    )
}


def branch_look(branch: str) -> Look:
    """Unknown branches get a look that depends on the name alone."""
    number = sum(branch.encode())
    unknown = (GREY, DASHES[number % len(DASHES)], MARKERS[number % len(MARKERS)])
    return BRANCH_LOOKS.get(branch, unknown)


def series_looks(names: list[str]) -> dict[str, Look]:
    """Colour, dash and marker per name, in the order given."""
    return {
        name: (SERIES[p % len(SERIES)], DASHES[p % len(DASHES)], MARKERS[p % len(MARKERS)])
        for p, name in enumerate(names)
    }


def largest_hyperedges(sizes: pd.DataFrame, most: int = MOST_LABELS) -> pd.DataFrame:
    """Of each modality the `most` hyperedges with the largest share of users and items, in their old order."""
    if sizes.empty:
        return sizes
    total = sizes.groupby(["modality", "hyperedge"], sort=False)["share"].transform("sum")
    first = sizes["side"] == sizes["side"].iloc[0]
    place = total[first].groupby(sizes["modality"][first]).rank(method="first", ascending=False)
    kept = sizes.loc[place[place <= most].index, ["modality", "hyperedge"]]
    chosen = pd.MultiIndex.from_frame(sizes[["modality", "hyperedge"]]).isin(pd.MultiIndex.from_frame(kept))
    return sizes[chosen].reset_index(drop=True)


def hyperedge_bars(sizes: pd.DataFrame, *, even: float) -> go.Figure:
    """Share of users and of items per hyperedge, one panel per modality; a diamond where they belong mostly; dotted: an even share.

    sizes: columns modality, hyperedge, side, share, nodes, belong, mostly (NaN: not known).
    """
    if sizes.empty:
        return empty_figure("No hyperedge to show")
    modalities = list(dict.fromkeys(sizes["modality"]))
    columns = min(2, len(modalities))
    rows = -(-len(modalities) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=modalities,
        shared_yaxes=True,
        horizontal_spacing=0.04,
        vertical_spacing=0.32 / rows,
    )
    for place, modality in enumerate(modalities):
        for side in SIDE_LOOKS:
            part = sizes[(sizes["modality"] == modality) & (sizes["side"] == side)]
            at = {"row": place // columns + 1, "col": place % columns + 1}
            figure.add_trace(_size_bars(part, side, is_first=place == 0), **at)
            if part["mostly"].notna().any():
                figure.add_trace(_mostly(part, side, is_first=place == 0 and side == "user"), **at)
    styled(figure, height=60 + 270 * rows)
    figure.update_layout(barmode="group", bargap=0.3, scattermode="group", scattergap=0.3, margin={"t": 58})
    figure.update_layout(legend={"y": 1 + 0.14 / rows, "itemsizing": "constant"})
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=6)
    figure.update_yaxes(title_text="mean membership", col=1)
    figure.update_xaxes(type="category", ticks="", showgrid=False)
    figure.update_xaxes(title_text="hyperedge", row=rows)
    figure.add_hline(y=even, line={"color": GREY, "dash": "dot", "width": 1.3})
    return figure


def _size_bars(part: pd.DataFrame, side: str, *, is_first: bool) -> go.Bar:
    who = GROUP_TITLES[side]
    return go.Bar(
        x=part["hyperedge"],
        y=part["share"],
        name=who,
        legendgroup=who,
        offsetgroup=side,
        showlegend=is_first,
        marker={"color": SIDE_LOOKS[side][0], "pattern": _PATTERNS[side]},
        customdata=part[["belong", "nodes", "modality"]],
        hovertemplate=f"<b>%{{customdata[2]}} %{{x}}</b><br>%{{y:.1%}} of the {who}: memberships add up to "
        "%{customdata[0]:,.0f} of %{customdata[1]:,}<extra></extra>",
    )


def _mostly(part: pd.DataFrame, side: str, *, is_first: bool) -> go.Scatter:
    who = GROUP_TITLES[side]
    return go.Scatter(
        x=part["hyperedge"],
        y=part["mostly"] / part["nodes"],
        name="belong mostly",
        legendgroup="mostly",
        legendrank=2000,
        offsetgroup=side,
        showlegend=is_first,
        mode="markers",
        cliponaxis=False,
        marker={
            "symbol": "diamond",
            "size": 8 if len(part) <= _FEW else 4,
            "color": "#FFFFFF",
            "line": {"width": 1.5, "color": "#1D2530"},
        },
        customdata=part[["mostly", "nodes", "modality"]],
        hovertemplate=f"<b>%{{customdata[2]}} %{{x}}</b><br>the largest share of %{{customdata[0]:,.0f}} of %{{customdata[1]:,}} {who}"
        "<extra></extra>",
    )


def history_bars(table: pd.DataFrame, *, even: float, heads: list[str]) -> go.Figure:
    """Share of attention per interaction, the most attended on top; a mark per head; dotted: an even share.

    table: columns name, mean, relative, perhaps trained, and one per head. Titles of more than 46 letters are cut.
    """
    if table.empty:
        return empty_figure("No interaction to show")
    shown = table.head(MOST_BARS)
    trained = shown["trained"] if "trained" in shown else pd.Series(pd.NA, index=shown.index)
    about = [
        f"{relative:.2f} times an even share"
        + (f"<br>{int(pairs):,} training pairs" if pairs is not pd.NA else "")
        for relative, pairs in zip(shown["relative"], trained)
    ]
    figure = go.Figure(
        go.Bar(
            x=shown["mean"],
            y=shown.index,
            orientation="h",
            name="mean of heads",
            marker={"color": PURPLE},
            customdata=list(zip(shown["name"], about)),
            hovertemplate="<b>%{customdata[0]}</b><br>%{x:.1%}, %{customdata[1]}<extra></extra>",
        )
    )
    for head, (color, _, marker) in series_looks(heads).items():
        figure.add_trace(
            go.Scatter(
                x=shown[head],
                y=shown.index,
                name=head,
                mode="markers",
                marker={
                    "symbol": marker,
                    "size": 8,
                    "color": color,
                    "line": {"width": 1, "color": "#FFFFFF"},
                },
                customdata=shown[["name"]],
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>{head}: %{{x:.1%}}<extra></extra>",
            )
        )
    styled(figure, height=110 + 26 * len(shown), x="share of attention")
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", nticks=7)
    figure.update_yaxes(
        tickmode="array",
        tickvals=shown.index,
        ticktext=[short_title(str(name)) for name in shown["name"]],
        range=[len(shown) - 0.4, -0.6],
        showgrid=False,
    )
    figure.update_layout(showlegend=bool(heads), bargap=0.35)
    figure.add_vline(x=even, line={"color": GREY, "dash": "dot", "width": 1.5})
    return figure


def short_title(title: str, most: int = 46) -> str:
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"


def branch_bars(table: pd.DataFrame, *, titles: Mapping[str, str]) -> go.Figure:
    """Part of each branch in the final embedding, of users and of items; the parts of a side add up to 100 %.

    table: columns branch, side, contribution, norm (NaN: not known), nodes. titles: of the branches.
    """
    if table.empty:
        return empty_figure("No branch to show")
    figure = go.Figure()
    for side in SIDE_LOOKS:
        part = table[table["side"] == side]
        who = GROUP_TITLES[side]
        figure.add_trace(
            go.Bar(
                x=part["contribution"],
                y=[titles[branch] for branch in part["branch"]],
                name=who,
                orientation="h",
                marker={"color": SIDE_LOOKS[side][0], "pattern": _PATTERNS[side]},
                text=[f"{value:.1%}".replace("-", "−") for value in part["contribution"]],
                textposition="outside",
                cliponaxis=False,
                customdata=part[["norm"]],
                hovertemplate=f"<b>%{{y}}</b><br>%{{x:.1%}} of the final embedding of {who}<br>mean length "
                "%{customdata[0]:.3f}<extra></extra>",
            )
        )
    styled(
        figure, height=min(MAIN_HEIGHT, 100 + 66 * table["branch"].nunique()), x="part of the final embedding"
    )
    low, high = min(0.0, float(table["contribution"].min())), float(table["contribution"].max())
    slack = 0.16 * (high - low)
    figure.update_xaxes(
        range=[low - (slack if low < 0 else 0), high + slack], tickformat=".0%", nticks=6, zeroline=True
    )
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    figure.update_layout(barmode="group", bargap=0.3)
    return figure
