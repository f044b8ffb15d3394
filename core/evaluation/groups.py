"""Groups of users along one value, such as the correlation of their behaviours, and what each group scores (no torch).

V users, G groups.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rule = Literal["equal_count", "equal_width"]

UNDEFINED = -1
UNIT = (0.0, 1.0)
# Values that differ by less are one value: users must not be told apart by rounding.
_DECIMALS = 12


@dataclass(frozen=True, eq=False)
class Grouping:
    """Users cut into groups of rising value.

    edges: [G + 1]; group g holds edges[g] <= value < edges[g + 1], the last group its upper edge too. group: [V], the
    group of each user, UNDEFINED where the value is NaN.
    """

    edges: Floats
    group: Ints

    @property
    def count(self) -> int:
        return max(0, len(self.edges) - 1)

    def sizes(self) -> Ints:
        """Users per group, [G]."""
        return np.bincount(self.group[self.group != UNDEFINED], minlength=self.count).astype(np.int64)

    @property
    def undefined(self) -> int:
        """How many users have no value."""
        return int((self.group == UNDEFINED).sum())


def grouped(value_V: Floats, count: int = 6, rule: Rule = "equal_count") -> Grouping:
    """Cut users into at most `count` groups of rising `value_V`; NaN belongs to none of them.

    equal_count: edges are quantiles; users of one value stay together, so that many ties leave fewer, larger groups. A
    greatest value so frequent that it is a quantile too has a group of its own, whose edges are equal.
    equal_width: edges are evenly spaced from the least to the greatest value, so that groups may be tiny or empty. One
    value for all makes one group.

    Source: CIGF, Section 5.4.2 and Figure 8 with count = 6, which does not say how its groups are cut.
    """
    rounded_V = np.round(value_V.astype(np.float64), _DECIMALS)
    known = rounded_V[~np.isnan(rounded_V)]
    if not len(known):
        return Grouping(np.empty(0), np.full(len(value_V), UNDEFINED, dtype=np.int64))
    at = np.linspace(0, 1, count + 1)
    low, high = float(known.min()), float(known.max())
    cuts: Floats = np.asarray(np.quantile(known, at) if rule == "equal_count" else low + at * (high - low))
    edges: Floats = np.unique(np.round(cuts, _DECIMALS)).astype(np.float64)
    if len(edges) == 1 or cuts[-2] == cuts[-1]:
        edges = np.append(edges, edges[-1])
    group = np.searchsorted(edges[1:-1], rounded_V, side="right")
    return Grouping(edges, np.where(np.isnan(rounded_V), UNDEFINED, group).astype(np.int64))


def similar_activity(pairs_V: NDArray[Any]) -> NDArray[np.bool_]:
    """The users between the quartiles of `pairs_V`, a user's number of training pairs under all behaviours, [V].

    Departs: CIGF (Section 5.4.2) draws a subset of each group with a fixed number of interactions per user, which it
    does not state; keeping the middle half serves the same end, that activity does not pass for correlation.
    """
    if not len(pairs_V):
        return np.zeros(0, dtype=bool)
    low, high = np.quantile(pairs_V, (0.25, 0.75))
    return np.asarray((pairs_V >= low) & (pairs_V <= high))


def mean_interval(
    value_V: Floats, level: float = 0.95, within: tuple[float, float] = UNIT
) -> tuple[float, float, float]:
    """Mean of values `within` a range and its interval at `level`; the whole range for a single user (NaN where it is
    endless), NaN for none.

    Student's t interval of the mean, cut to the range. Where all values are 0 or 1 of [0, 1] (a hit rate), Wilson's score
    interval: it does not shrink to a point when nobody in a small group was hit. Graded values that are all equal say
    nothing about how values vary: they have a mean and no interval (NaN).
    """
    from scipy.special import (
        ndtri,
        stdtrit,
    )  # loaded only by who asks for intervals: the pages start without scipy

    size = len(value_V)
    if not size:
        return np.nan, np.nan, np.nan
    mean, (least, most) = float(value_V.mean()), within
    if size == 1:
        return (mean, least, most) if np.isfinite(within).all() else (mean, np.nan, np.nan)
    if within == UNIT and np.isin(value_V, (0.0, 1.0)).all():
        z = float(ndtri((1 + level) / 2))
        centre = (mean + z * z / (2 * size)) / (1 + z * z / size)
        half = z / (1 + z * z / size) * (mean * (1 - mean) / size + z * z / (4 * size * size)) ** 0.5
        return mean, max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))
    if np.ptp(value_V) == 0:
        return mean, np.nan, np.nan
    half = float(stdtrit(size - 1, (1 + level) / 2)) * float(value_V.std(ddof=1)) / size**0.5
    return mean, max(least, mean - half), min(most, mean + half)


@dataclass(frozen=True)
class GroupMean:
    """Mean of one group of users with its 95 % interval, NaN as in `mean_interval`. group: its place, UNDEFINED for users without a value."""

    group: int
    mean: float
    low: float
    high: float
    size: int


def group_means(
    value_V: NDArray[Any], grouping: Grouping, within: tuple[float, float] = UNIT
) -> list[GroupMean]:
    """The mean of `value_V`, which lie `within` a range, per group in rising order, users without a group last; empty groups
    too.

    Source: CIGF, Figure 8.
    """
    value_V = value_V.astype(np.float64)
    places = [*range(grouping.count), *([UNDEFINED] if grouping.undefined else [])]
    members = {place: value_V[grouping.group == place] for place in places}
    return [
        GroupMean(place, *mean_interval(values, within=within), len(values))
        for place, values in members.items()
    ]
