"""How unevenly pairs are spread over users and items."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.profile_pairs import Pairs

MOST_POINTS = 120
TOP = 0.1


def tail(degrees: NDArray[np.int64]) -> dict[str, list[int]]:
    """Complementary distribution: how many nodes have at least `degree` pairs, `degree` rising from 1.

    Only degrees that occur; of more than 120 of them about 120 evenly spaced on a log axis, both ends included. A
    point that is left out lies on the staircase between its neighbours.
    """
    values, counts = np.unique(degrees[degrees > 0], return_counts=True)
    at_least = np.cumsum(counts[::-1])[::-1]
    if len(values) > MOST_POINTS:
        wanted = np.geomspace(values[0], values[-1], MOST_POINTS)
        kept = np.unique(np.searchsorted(values, wanted.clip(values[0], values[-1])))
        values, at_least = values[kept], at_least[kept]
    return {"degree": values.tolist(), "at_least": at_least.tolist()}


def top_share(degrees: NDArray[np.int64], top: float = TOP) -> float | None:
    """Share of all pairs that fall on the `top` share of nodes with the most pairs; None without pairs."""
    total = int(degrees.sum())
    if not total:
        return None
    first = max(1, round(top * len(degrees)))
    return float(np.sort(degrees)[::-1][:first].sum() / total)


def tails(pairs: Pairs) -> dict[str, Any]:
    """Per behaviour and side (`user`, `item`): the tail, how many nodes have no pair, and the share of the top tenth."""
    told: dict[str, Any] = {}
    for behavior in pairs.behaviors:
        told[behavior] = {}
        for side in ("user", "item"):
            degrees = pairs.degrees(behavior, side)
            told[behavior][side] = {
                **tail(degrees),
                "nodes": len(degrees),
                "without": int((degrees == 0).sum()),
                "top_share": top_share(degrees),
            }
    return told
