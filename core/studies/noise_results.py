"""What the runs of a noise study measured: one metric per run, its spread over seeds, and what differs for sure.

A drop is the share of a system's own value without noise that it loses, paired by seed: 1 - value / value at 0 %.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from core.evaluation.statistics import Spread, spread
from core.recipe import Recipe
from core.runs.standing import Cell, cell_of
from core.runs.summary import RunSummary
from core.studies.noise import CONTESTANTS, WHOLE, contestant, percent

MEASURED = ["contestant", "share", "seed", "value", "run"]
SUMMARISED = [
    *("contestant", "share", "seeds", "mean", "deviation", "low", "high"),
    *("pairs", "drop", "drop_deviation", "drop_low", "drop_high"),
]
Verdict = Literal["more", "less", "open"]
_NOTHING = Spread(0, *[float("nan")] * 4)


@dataclass(frozen=True)
class Contrast:
    """A contestant's drop minus HGIB's at one share, paired by seed: mean and 95 % interval over `seeds` seeds.

    verdict: whether it loses more than HGIB, less, or the interval includes 0 and leaves it open.
    """

    contestant: str
    share: float
    seeds: int
    difference: float
    low: float
    high: float
    verdict: Verdict


def measured(
    recipes: Sequence[Recipe], cells: Mapping[Cell, RunSummary], *, everywhere: bool = False
) -> pd.DataFrame:
    """The main metric of every finished run: columns MEASURED.

    everywhere: at any share and seed that has runs, not only those of `recipes`.
    """
    planned = {cell_of(recipe) for recipe in recipes}
    footprints = {contestant(recipe).key: cell_of(recipe).footprint for recipe in recipes}
    metric = recipes[0].protocol.main_metric
    rows = []
    for key, footprint in footprints.items():
        for cell, run in cells.items():
            value = run.metrics.get(metric) if run.state == "done" else None
            if cell.footprint == footprint and value is not None and (everywhere or cell in planned):
                rows.append((key, cell.share, cell.seed, value, run.run_id))
    table = pd.DataFrame(rows, columns=MEASURED)
    return table.sort_values(["share", "seed"], kind="stable", ignore_index=True)


def drops(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` with a value at 0 % of the same contestant and seed, and the `drop` against it."""
    clean = table.loc[(table["share"] == 0) & (table["value"] > 0), ["contestant", "seed", "value"]]
    paired = table.merge(clean.rename(columns={"value": "clean"}), on=["contestant", "seed"])
    return paired.assign(drop=1 - paired["value"] / paired["clean"])


def summarised(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and drop over seeds with 95 % intervals (Student), per contestant and share: columns SUMMARISED.

    seeds: how many values stand behind the mean; pairs: behind the drop, which is 0 at 0 % by its meaning.
    """
    lost = drops(table)
    rows = []
    for one in CONTESTANTS:
        own, own_lost = (part[part["contestant"] == one.key] for part in (table, lost))
        for share in sorted(set(own["share"])):
            value = spread(own.loc[own["share"] == share, "value"].tolist())
            paired = own_lost.loc[own_lost["share"] == share, "drop"].tolist()
            drop = spread(paired) if paired else _NOTHING
            about = (one.key, share, value.size, value.mean, value.deviation, value.low, value.high)
            rows.append((*about, drop.size, drop.mean, drop.deviation, drop.low, drop.high))
    return pd.DataFrame(rows, columns=SUMMARISED)


def contrasts(table: pd.DataFrame) -> list[Contrast]:
    """Every other contestant against HGIB, where at least one seed has both; each at the share with the most seeds in
    common, the largest of these: there noise weighs most."""
    lost = drops(table)
    lost = lost[lost["share"] > 0]
    own = lost.loc[lost["contestant"] == WHOLE.key, ["share", "seed", "drop"]]
    found = []
    for one in CONTESTANTS:
        if one is WHOLE:
            continue
        other = lost.loc[lost["contestant"] == one.key, ["share", "seed", "drop"]]
        both = other.merge(own, on=["share", "seed"], suffixes=("", "_own"))
        if both.empty:
            continue
        counts = both.groupby("share").size()
        share = float(max(counts.index[counts == counts.max()]))
        chosen = both[both["share"] == share]
        about = spread((chosen["drop"] - chosen["drop_own"]).tolist())
        verdict: Verdict = "more" if about.low > 0 else "less" if about.high < 0 else "open"
        found.append(Contrast(one.key, share, about.size, about.mean, about.low, about.high, verdict))
    return found


def lines(table: pd.DataFrame, metric: str) -> list[str]:
    """`summarised(table)` for a terminal, `metric` being what was measured."""
    titles = {one.key: one.title for one in CONTESTANTS}
    head = f"{'system':30} {'noise':>6} {'seeds':>5}  {metric:>8} {'sd':>7}  {'95 % of the mean':>17}"
    said = [f"{head}  {'loss against 0 %':>16}  {'95 % of the loss':>18}"]
    for row in summarised(table).to_dict("records"):
        ends, drop = _ends(row["low"], row["high"], ".4f"), 100 * row["drop"]
        sd = "" if row["deviation"] != row["deviation"] else f"{row['deviation']:.4f}"
        about = f"{titles[row['contestant']]:30} {percent(row['share']):>6} {row['seeds']:>5}"
        about += f"  {row['mean']:>8.4f} {sd:>7}  {ends:>17}"
        if row["share"] and row["pairs"]:
            lost = _ends(100 * row["drop_low"], 100 * row["drop_high"], ".1f", " %")
            about += f"  {drop:>14.1f} %  {lost:>18}"
        said.append(about.rstrip())
    for one in contrasts(table):
        ends = _ends(100 * one.low, 100 * one.high, "+.1f")
        told = {"more": "loses more", "less": "loses less", "open": "not told apart"}[one.verdict]
        said.append(
            f"{titles[one.contestant]} at {percent(one.share)}: {100 * one.difference:+.1f} points of loss against HGIB"
            + (f" (95 %: {ends}, {one.seeds} seeds): {told}" if ends else " (one seed)")
        )
    return said


def told(table: pd.DataFrame) -> dict[str, Any]:
    """The same for scripts; what is not known is null."""
    rows = json.loads(summarised(table).to_json(orient="records"))
    return {"rows": rows, "contrasts": [_known(asdict(one)) for one in contrasts(table)]}


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}


def _ends(low: float, high: float, form: str, unit: str = "") -> str:
    return "" if low != low else f"{low:{form}} to {high:{form}}{unit}"
