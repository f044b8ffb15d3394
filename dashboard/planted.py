"""Does attention follow what was planted? Each segment against all other users, with an interval. Pure."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.findings import Array, Finding
from dashboard.relations import node_attention

ALL_STARTS = "mean of all"
MORE, LESS, SAME = "more", "less", "no difference"
# Smaller than this share of the largest weight is rounding, not a difference.
_ROUNDING = 1e-6
# The generator's decisive relation -> the behaviour of the model that carries it.
_CARRIED_BY = {"co_purchase": "buy"}
_BUY_WHAT = {
    "favorite": "they favourited",
    "cart": "they put in the cart",
    "view": "they viewed",
    "co_purchase": "similar users bought: their decisive relation is co-purchase, which the model sees as *buy*",
}


def segment_table(finding: Finding, segments: Mapping[str, Array], start: str, order: str) -> pd.DataFrame:
    """Mean attention of each segment's users, and how far it lies from the mean of all users.

    Columns segment, relation, attention, difference, users. segments: name -> indices of its users.
    """
    k, place = finding.axis("start").labels.index(start), finding.axis("order").labels.index(order)
    nodes = node_attention(finding, "user")[k, place].astype(np.float64)
    of_all = nodes.mean(axis=0)
    rows = [
        (segment, relation, float(mean[b]), float(mean[b] - of_all[b]), len(users))
        for segment, users in segments.items()
        if len(users)
        for mean in [nodes[users].mean(axis=0)]
        for b, relation in enumerate(finding.axis("relation").labels)
    ]
    return pd.DataFrame(rows, columns=["segment", "relation", "attention", "difference", "users"])


def comparisons(
    finding: Finding, segments: Mapping[str, Array], decisive: Mapping[str, str], order: str
) -> pd.DataFrame:
    """Each segment's attention to its decisive relation against that of all other users, per start behaviour.

    The first row of a segment averages over the start behaviours. decisive: segment -> relation its purchases follow.
    Columns segment, decisive, relation, start, attention, others, difference, low, high (95 % interval, Welch's t over
    users), verdict. Segments whose relation the model lacks, or with fewer than two users in or outside, are left out.
    """
    place = finding.axis("order").labels.index(order)
    starts, relations = finding.axis("start").labels, finding.axis("relation").labels
    nodes = node_attention(finding, "user")[:, place].astype(np.float64)
    rows = []
    for segment, users in sorted(segments.items()):
        wanted = decisive.get(segment, "")
        relation = _CARRIED_BY.get(wanted, wanted)
        inside = np.zeros(nodes.shape[1], dtype=bool)
        inside[users] = True
        if relation not in relations or inside.sum() < 2 or (~inside).sum() < 2:
            continue
        weights = nodes[:, :, relations.index(relation)]
        for start, values in zip((ALL_STARTS, *starts), (weights.mean(axis=0), *weights)):
            own, others = values[inside], values[~inside]
            low, high = welch_interval(own, others)
            difference = float(own.mean() - others.mean())
            noise = _ROUNDING * float(np.abs(values).max())
            verdict = MORE if low > noise else LESS if high < -noise else SAME
            means = (float(own.mean()), float(others.mean()))
            rows.append((segment, wanted, relation, start, *means, difference, low, high, verdict))
    columns = ["segment", "decisive", "relation", "start", "attention", "others", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "verdict"])


def welch_interval(own: Array, others: Array, level: float = 0.95) -> tuple[float, float]:
    """Interval of mean(own) - mean(others) for unequal variances (Welch 1947). Both need two values or more."""
    parts = [values.var(ddof=1) / len(values) for values in (own, others)]
    difference, variance = float(own.mean() - others.mean()), float(sum(parts))
    if variance == 0:
        return difference, difference
    freedom = variance**2 / sum(p**2 / (len(v) - 1) for p, v in zip(parts, (own, others)))
    from scipy.special import stdtrit  # 14 MB: only where segments are compared

    half = float(stdtrit(freedom, (1 + level) / 2)) * variance**0.5
    return difference - half, difference + half


def overall(table: pd.DataFrame) -> str:
    """The verdict over all segments in one line. table: as from `comparisons`."""
    rows = table[table["start"] == ALL_STARTS]
    found = int((rows["verdict"] == MORE).sum())
    how = "Not found" if found == 0 else "Found" if found == len(rows) else "Found in part"
    split = table[table["start"] != ALL_STARTS].groupby("segment")["verdict"].agg(set)
    mixed = (
        " By single start the answers differ." if any({MORE, LESS} <= verdicts for verdicts in split) else ""
    )
    return (
        f"**{how}: {found} of {len(rows)} segments weigh their decisive relation more than all other users do**, "
        f"averaged over start behaviours.{mixed}"
    )


def sentences(table: pd.DataFrame) -> list[str]:
    """What each segment's purchases follow and whether its attention does. table: as from `comparisons`."""
    said = {
        MORE: "**more** than everybody else",
        LESS: "**less** than everybody else, the opposite of the plant",
        SAME: "**no differently** from everybody else",
    }
    told = []
    for segment, part in table.groupby("segment", sort=False):
        row = part.iloc[0]
        told.append(
            f"**{segment}s** buy what {_BUY_WHAT.get(row['decisive'], row['decisive'])}. They weigh *{row['relation']}* "
            f"{said[row['verdict']]}: {row['difference']:+.4f}, 95 % interval {row['low']:+.4f} to {row['high']:+.4f}; "
            f"{_by_start(part.iloc[1:])}."
        )
    return told


def _by_start(rows: pd.DataFrame) -> str:
    """`more from cart; less from favorite, buy`, or that it is the same from every start behaviour."""
    if np.ptp(rows["difference"].to_numpy()) <= _ROUNDING:
        return "the same from every start behaviour"
    words = {MORE: "more from", LESS: "less from", SAME: "no difference from"}
    parts = {verdict: rows.loc[rows["verdict"] == verdict, "start"] for verdict in words}
    return "; ".join(f"{words[v]} start {', '.join(starts)}" for v, starts in parts.items() if len(starts))
