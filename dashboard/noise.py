"""What the noise study says, in words and as a table. Pure."""

from collections.abc import Sequence

import pandas as pd

from core.runs.standing import Step
from core.studies.noise import CONTESTANTS, WHOLE, Contestant
from core.studies.noise_results import Contrast, contrasts, summarised
from dashboard import words
from dashboard.compare_tables import MISSING, cell, interval
from dashboard.results import metric_title

TITLES = {one.key: one.title for one in CONTESTANTS}
_BY_KEY = {one.key: one for one in CONTESTANTS}


def answer(table: pd.DataFrame, metric: str) -> str:
    """What random pairs cost HGIB, and whether it loses less than without each of its defences: a sentence and a list.

    table: as from `noise_results.measured`. Empty where nothing was trained both with and without noise.
    """
    own, share = _own(summarised(table), metric)
    against = [_against(one, share) for one in contrasts(table)]
    return "\n".join([*([own, ""] if own else []), *(f"- {said}" for said in against)])


def _own(summary: pd.DataFrame, metric: str) -> tuple[str, float | None]:
    """The sentence about HGIB itself, and the share of noise that it is about: of those with most seeds the largest."""
    rows = summary[(summary["contestant"] == WHOLE.key) & (summary["share"] > 0) & (summary["pairs"] > 0)]
    if rows.empty:
        return "", None
    row = rows[rows["pairs"] == rows["pairs"].max()].iloc[-1]
    drop, share = float(row["drop"]), float(row["share"])
    does = "loses" if drop >= 0 else "gains"
    said = f"**With {words.noise(share)} random auxiliary pairs HGIB {does} {_percent(abs(drop))} of its "
    said += f"{metric_title(metric)}**"
    if row["drop_low"] == row["drop_low"]:
        ends = f"{_percent(row['drop_low'])} to {_percent(row['drop_high'])}"
        crosses = row["drop_low"] <= 0 <= row["drop_high"]
        said += f" (95 % of the loss: {ends}, {words.count(int(row['pairs']), 'seed')})"
        return said + (", and that includes no loss at all." if crosses else "."), share
    return said + " (one seed).", share


def _against(one: Contrast, share: float | None) -> str:
    about = _BY_KEY[one.contestant]
    where = "" if one.share == share else f" at {words.noise(one.share)} noise"
    points = f"{100 * abs(one.difference):.1f} percentage points"
    ends = f"95 %: {_signed(one.low)} to {_signed(one.high)}, {words.count(one.seeds, 'seed')}"
    if one.seeds < 2:
        more = "more" if one.difference >= 0 else "less"
        lacks = f"without {about.missing} {points} {more} are lost" if about.missing else ""
        said = lacks or f"{about.title} loses {points} {more} than HGIB"
        return f"{said[0].upper()}{said[1:]}{where}, by a single seed, which proves nothing."
    if not about.missing:
        return _rival(one, about, where, points, ends)
    part = about.missing
    if one.verdict == "more":
        return f"**{_capital(part)} helps against noise**{where}: without it {points} more are lost ({ends})."
    if one.verdict == "less":
        return f"**{_capital(part)} does not help against noise**{where}: without it {points} less are lost ({ends})."
    return (
        f"Whether {part} helps is **not shown**{where}: without it the loss differs by {_signed(one.difference)} percentage "
        f"points ({ends}), and that includes 0."
    )


def _rival(one: Contrast, about: Contestant, where: str, points: str, ends: str) -> str:
    if one.verdict == "open":
        return (
            f"{about.title} and HGIB are **not told apart**{where}: their losses differ by {_signed(one.difference)} "
            f"percentage points ({ends}), and that includes 0."
        )
    return f"{about.title} loses {points} {one.verdict} than HGIB{where} ({ends})."


def standing(steps: Sequence[Step]) -> str:
    """`12 of 48 runs are done; 2 train, 30 wait, 1 failed or was stopped, 3 were never started.`"""
    states = [step.state for step in steps]
    done, ended = states.count("done"), states.count("failed") + states.count("cancelled")
    verb = "is" if done == 1 else "are"
    parts = [
        (states.count("running"), "trains", "train"),
        (states.count("queued"), "waits", "wait"),
        (ended, "failed or was stopped", "failed or were stopped"),
        (states.count("missing"), "was never started", "were never started"),
    ]
    rest = ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)
    return f"{done} of {words.count(len(states), 'run')} {verb} done" + (f"; {rest}." if rest else ".")


def shown_table(summary: pd.DataFrame, metric: str) -> pd.DataFrame:
    """`noise_results.summarised` for reading: one row per system and share of noise."""
    rows = []
    for row in summary.to_dict("records"):
        lost = bool(row["share"]) and row["pairs"] > 0
        ends = MISSING
        if lost and row["drop_low"] == row["drop_low"]:
            ends = f"{_percent(row['drop_low'])} to {_percent(row['drop_high'])}"
        rows.append(
            {
                "system": TITLES[row["contestant"]],
                "noise": words.noise(row["share"]),
                "seeds": row["seeds"],
                metric_title(metric): cell(row["mean"], row["deviation"]),
                "95 % of the mean": interval(row["low"], row["high"]),
                "loss": _percent(row["drop"]) if lost else MISSING,
                "95 % of the loss": ends,
            }
        )
    return pd.DataFrame(rows)


def _percent(share: float) -> str:
    """A loss, which may be a gain: `16.2 %`, `−3.1 %`."""
    return words.percent(share).replace("-", "−")


def _signed(share: float) -> str:
    """A difference of losses in percentage points: `+1.4`, `−2.0`."""
    text = f"{100 * share:+.1f}"
    return text.replace("-", "−")


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
