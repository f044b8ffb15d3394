"""How the per-user correlations of behaviours are distributed, as JSON: a histogram and a few numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.correlation import mean_of_pairs, pair_correlations
from core.data.profile_pairs import Pairs

BINS = 100


def correlations(train: Pairs) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """Every user's mean correlation, [U], and its distribution together with that of each pair of behaviours.

    Source: CIGF, Eqs. 25 and 26. A user's mean is NaN where one pair is undefined (see `core.data.correlation`).
    """
    matrices = {behavior: train.matrix(behavior) for behavior in train.behaviors}
    by_pair = pair_correlations(matrices)
    mean_U = mean_of_pairs(by_pair, train.num_users)
    told = {
        f"{first}-{second}": {"first": first, "second": second, **distribution(found_U)}
        for (first, second), found_U in by_pair.items()
    }
    return mean_U, {"mean_of_pairs": distribution(mean_U), "by_pair": told}


def distribution(values: NDArray[np.float64]) -> dict[str, Any]:
    """Counts of `values` within -1..1 in bins of .02, their mean and quartiles, and how many are undefined (NaN)."""
    known = values[~np.isnan(values)]
    counts, _ = np.histogram(known, bins=BINS, range=(-1, 1))
    told: dict[str, Any] = {"users": len(known), "undefined": len(values) - len(known)}
    if len(known):
        q25, median, q75 = (float(value) for value in np.quantile(known, [0.25, 0.5, 0.75]))
        told |= {"mean": float(known.mean()), "q25": q25, "median": median, "q75": q75}
        told["histogram"] = counts.tolist()
    return told
