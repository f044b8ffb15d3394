"""A data set's profile as tables for figures: funnel, conversions, overlaps, tails, correlations and splits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

Told = Mapping[str, Any]
UNITS = ("pairs", "users")
SCOPES = {"train": "training pairs", "all": "pairs of all splits"}
MOST_COLUMNS = 14
# where the correlation histogram of core.data.profile_correlation begins and ends
LOWEST, HIGHEST = -1.0, 1.0


def behaviors(told: Told) -> list[str]:
    """The behaviours in funnel order, target last; empty for a data set without interactions."""
    return list(told.get("behaviors", {}))


def exclusive(scope: Told, unit: str) -> list[tuple[frozenset[str], int]]:
    """How many pairs or users occur under exactly each set of behaviours, the largest first."""
    return [(frozenset(names), count) for names, count in (scope["overlap"] or {}).get(unit, [])]


def funnel_table(scope: Told, names: Sequence[str]) -> pd.DataFrame:
    """For each behaviour and unit: how many came through every, some or none of the behaviours before it.

    Columns unit, behavior, count, every, some, none, before (share of `count` under any earlier behaviour), converted
    (share of the preceding behaviour's pairs or users that also have this one); the last two NaN for the first.
    """
    rows = []
    for unit in UNITS:
        sets = exclusive(scope, unit)
        for place, name in enumerate(names):
            earlier = frozenset(names[:place])
            here = [(found, count) for found, count in sets if name in found]
            total = sum(count for _, count in here)
            every = sum(count for found, count in here if earlier <= found)
            none = sum(count for found, count in here if not earlier & found)
            none = none if place else 0
            previous = [(found, count) for found, count in sets if place and names[place - 1] in found]
            rows.append(
                {
                    "unit": unit,
                    "behavior": name,
                    "count": total,
                    "every": every,
                    "some": total - every - none,
                    "none": none,
                    "before": share_of(total - none, total) if place else np.nan,
                    "converted": share_of(
                        sum(c for found, c in previous if name in found), sum(c for _, c in previous)
                    ),
                }
            )
    return pd.DataFrame(rows)


def conversion_table(scope: Told, names: Sequence[str]) -> pd.DataFrame:
    """For any two behaviours: pairs under both, as a share of either, and which came first where times tell.

    Columns from, to, both, converted (share of `from`), came_from (share of `to`), and first, same, later: shares of
    the pairs with both times where `from` was first, in the same second, or later; NaN without times.
    """
    sets = exclusive(scope, "pairs")
    timed = {(entry["earlier"], entry["later"]): entry for entry in scope["order"] or ()}
    rows = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            both = sum(count for found, count in sets if {first, second} <= found)
            row: dict[str, Any] = {
                "from": first,
                "to": second,
                "both": both,
                "converted": share_of(both, sum(count for found, count in sets if first in found)),
                "came_from": share_of(both, sum(count for found, count in sets if second in found)),
            }
            entry = timed.get((first, second), {"before": 0, "same": 0, "after": 0})
            known = entry["before"] + entry["same"] + entry["after"]
            row |= {
                "first": share_of(entry["before"], known),
                "same": share_of(entry["same"], known),
                "later": share_of(entry["after"], known),
            }
            rows.append(row)
    columns = ["from", "to", "both", "converted", "came_from", "first", "same", "later"]
    return pd.DataFrame(rows, columns=columns)


def overlap_table(scope: Told, names: Sequence[str], unit: str) -> pd.DataFrame:
    """Exclusive intersections, the largest first: behaviors (in funnel order, joined by ` + `), count, share of all,
    and one Boolean column per behaviour.
    """
    sets = exclusive(scope, unit)
    total = sum(count for _, count in sets)
    rows = [
        {
            "behaviors": " + ".join(name for name in names if name in found),
            "count": count,
            "share": share_of(count, total),
            **{name: name in found for name in names},
        }
        for found, count in sets
    ]
    return pd.DataFrame(rows, columns=["behaviors", "count", "share", *names])


def tail_table(scope: Told, names: Sequence[str]) -> pd.DataFrame:
    """The complementary distribution of degrees: side, behavior, degree, at_least, share of all nodes of that side."""
    rows = [
        {"side": side, "behavior": name, "degree": degree, "at_least": count, "share": count / tail["nodes"]}
        for side in ("user", "item")
        for name in names
        for tail in [scope["tails"][name][side]]
        for degree, count in zip(tail["degree"], tail["at_least"])
    ]
    return pd.DataFrame(rows, columns=["side", "behavior", "degree", "at_least", "share"])


def degree_table(told: Told, scope: Told, names: Sequence[str]) -> pd.DataFrame:
    """Per behaviour and side: nodes with and without a pair, quantiles of the degree in training, share of the top tenth."""
    rows = []
    for name in names:
        for side in ("user", "item"):
            tail, spread = scope["tails"][name][side], told["degrees"][name][side]
            rows.append(
                {
                    "behavior": name,
                    "per": side,
                    "without": tail["without"],
                    "median": spread["median"],
                    "mean": spread["mean"],
                    "p99": spread["p99"],
                    "max": spread["max"],
                    "top_share": tail["top_share"],
                }
            )
    return pd.DataFrame(rows)


def correlation_table(told: Told) -> pd.DataFrame:
    """Histogram of the users' mean correlation: low, high (edges of a bin), users. Empty where nobody's is defined."""
    counts = told["correlation"]["mean_of_pairs"].get("histogram", [])
    edges = np.linspace(LOWEST, HIGHEST, len(counts) + 1)
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "users": counts}).round(6)
    filled = np.flatnonzero(table["users"])
    return table.iloc[filled[0] : filled[-1] + 1] if len(filled) else table.iloc[:0]


def pair_correlation_table(told: Told) -> pd.DataFrame:
    """Per pair of behaviours, and for the mean over all: users with a correlation, without one, mean, median,
    and the quartiles in words.
    """
    found = told["correlation"]
    named = [(f"{entry['first']} and {entry['second']}", entry) for entry in found["by_pair"].values()]
    if len(named) > 1:
        named.append(("mean over all pairs", found["mean_of_pairs"]))
    rows = [
        {
            "behaviors": name,
            "users": entry["users"],
            "undefined": entry["undefined"],
            "mean": entry.get("mean", np.nan),
            "median": entry.get("median", np.nan),
            "middle half": f"{entry['q25']:.2f} to {entry['q75']:.2f}" if entry["users"] else "",
        }
        for name, entry in named
    ]
    return pd.DataFrame(rows, columns=["behaviors", "users", "undefined", "mean", "median", "middle half"])


def count_table(told: Told, names: Sequence[str]) -> pd.DataFrame:
    """Rows per behaviour and split, and the density of the training pairs."""
    rows = [
        {
            "behavior": name,
            **{split: told["behaviors"][name].get(split, 0) for split in ("train", "valid", "test")},
            "density": told["density"][name],
            "users": told["scopes"]["train"]["users"][name],
            "items": told["scopes"]["train"]["items"][name],
        }
        for name in names
    ]
    return pd.DataFrame(rows)


def split_table(told: Told) -> pd.DataFrame:
    """Per split of the target: pairs, users, items, first and last time (UTC) where known."""
    rows = [
        {
            "split": split,
            "pairs": entry["pairs"],
            "users": entry["users"],
            "items": entry["items"],
            "first": when(entry["first"]),
            "last": when(entry["last"]),
        }
        for split, entry in told["splits"].items()
    ]
    return pd.DataFrame(rows, columns=["split", "pairs", "users", "items", "first", "last"])


def percents(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """`table` with the shares in `columns` as percent."""
    return table.assign(
        **{column: 100 * table[column].astype(float) for column in columns if column in table}
    )


def when(seconds: int | None) -> str:
    """A unix time as a date and time (UTC); `unknown` for None, the year alone where a calendar date has no name."""
    if seconds is None:
        return "unknown"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        years = np.datetime64(max(seconds, 1 - 2**63), "s").astype("datetime64[Y]").astype(np.int64)
        return f"year {1970 + int(years)}"


def share_of(part: int, whole: int) -> float:
    return part / whole if whole else np.nan
