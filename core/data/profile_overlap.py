"""Which behaviours occur together on a pair or at a user, and in which order in time."""

from collections import Counter
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.data.profile_pairs import Pairs, shared, starts
from core.data.splits import NO_TIME

MOST_BEHAVIORS = 62
Unit = Literal["pairs", "users"]
Masks = NDArray[np.unsignedinteger[Any]]  # bit k: behaviour k takes part


def overlap(pairs: Pairs) -> dict[Unit, list[list[Any]]] | None:
    """Exclusive intersections of behaviours, the largest first: [[behaviours, count], ...] for pairs and for users.

    A pair counts once, under exactly the behaviours it occurs under; a user likewise under all behaviours that they
    have any pair of. Users without any pair do not count. None above 62 behaviours, which no figure could show.
    """
    if len(pairs.behaviors) > MOST_BEHAVIORS:
        return None
    every = np.concatenate(list(pairs.keys.values()))
    kind = np.min_scalar_type(1 << len(pairs.behaviors))
    bits = np.concatenate(
        [np.full(len(keys), 1 << place, kind) for place, keys in enumerate(pairs.keys.values())]
    )
    order = np.argsort(every, kind="stable")
    keys, masks = _joined(every[order], bits[order])
    del every, bits, order
    _, user_masks = _joined(keys // max(1, pairs.num_items), masks)
    return {"pairs": _counted(masks, pairs.behaviors), "users": _counted(user_masks, pairs.behaviors)}


def order_in_time(pairs: Pairs) -> list[dict[str, Any]] | None:
    """For any two behaviours, which came first on the pairs that have both; None without times.

    Entries: earlier, later (by place in the funnel), both, and of these `before` (as the funnel has it), `same`
    second, `after`, and `unknown` where a time is missing.
    """
    if pairs.times is None:
        return None
    told = []
    for earlier, later in combinations(pairs.behaviors, 2):
        first, second = pairs.keys[earlier], pairs.keys[later]
        inside = shared(second, first)
        later_time = pairs.times[later][inside]
        earlier_time = pairs.times[earlier][np.searchsorted(first, second[inside])]
        known = (earlier_time != NO_TIME) & (later_time != NO_TIME)
        told.append(
            {
                "earlier": earlier,
                "later": later,
                "both": int(inside.sum()),
                "before": int((known & (earlier_time < later_time)).sum()),
                "same": int((known & (earlier_time == later_time)).sum()),
                "after": int((known & (earlier_time > later_time)).sum()),
                "unknown": int((~known).sum()),
            }
        )
    return told


def _joined(keys: NDArray[np.int64], masks: Masks) -> tuple[NDArray[np.int64], Masks]:
    """Distinct `keys` (given in rising order) and the union of the masks of each."""
    if not len(keys):
        return keys, masks
    first = starts(keys)
    union: Masks = np.bitwise_or.reduceat(masks, first)
    return keys[first], union


def _counted(masks: Masks, behaviors: tuple[str, ...]) -> list[list[Any]]:
    values, counts = np.unique(masks, return_counts=True)
    found = Counter(dict(zip(values.tolist(), counts.tolist())))
    return [
        [[name for place, name in enumerate(behaviors) if mask >> place & 1], count]
        for mask, count in found.most_common()
    ]
