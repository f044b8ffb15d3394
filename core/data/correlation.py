"""How alike a user's behaviours are: Pearson correlations of their rows over all items, from counts alone.

Shapes: U users, I items.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def pair_correlation(first_UI: csr_array, second_UI: csr_array) -> NDArray[np.float64]:
    """Pearson correlation of each user's two rows over all I items, [U]; NaN where a row is empty or full.

    For binary rows with a and b ones, c of them shared, the sums of Eq. 25 are counts:
    r = (c - a b / I) / sqrt((a - a² / I) (b - b² / I)). No [U, I] array is made.

    first_UI, second_UI: stored entries are ones, without duplicates. Source: CIGF, Eq. 25.
    """
    num_items = first_UI.shape[1]
    first_U, second_U = (np.diff(rows.indptr).astype(np.float64) for rows in (first_UI, second_UI))
    shared_U = np.diff(first_UI.multiply(second_UI).tocsr().indptr).astype(np.float64)
    spread_U = first_U * (num_items - first_U) * second_U * (num_items - second_U)
    correlation_U: NDArray[np.float64] = np.full(len(first_U), np.nan)
    moved_U = num_items * shared_U - first_U * second_U
    np.divide(moved_U, np.sqrt(spread_U), out=correlation_U, where=spread_U > 0)
    return np.clip(correlation_U, -1.0, 1.0)


def pair_correlations(train: Mapping[str, csr_array]) -> dict[tuple[str, str], NDArray[np.float64]]:
    """`pair_correlation` of any two behaviours, [U] each. train: behaviour -> [U, I] matrix of ones, all of one shape."""
    return {
        (first, second): pair_correlation(train[first], train[second])
        for first, second in combinations(train, 2)
    }


def mean_of_pairs(
    by_pair: Mapping[tuple[str, str], NDArray[np.float64]], num_users: int
) -> NDArray[np.float64]:
    """Mean Pearson correlation over all pairs of a user's behaviours, [U], within -1..1.

    NaN where one of the pairs is undefined, since Eq. 26 divides by the number of all pairs: a user who lacks a
    behaviour, and everybody where there is a single behaviour. Source: CIGF, Eq. 26.
    """
    if not by_pair:
        return np.full(num_users, np.nan)
    total_U = sum(by_pair.values(), start=np.zeros(num_users))
    return np.asarray(total_U / len(by_pair), dtype=np.float64)
