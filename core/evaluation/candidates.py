"""The candidates of the protocol `sampled99`: each test item's own items, drawn once and fixed by a seed (numpy only).

P test pairs, C drawn candidates, I items.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.errors import DataError


def drawn_candidates(
    users_P: NDArray[np.int64], touched: csr_array, count: int, seed: int
) -> NDArray[np.int64]:
    """`count` distinct items per pair, uniform over the items that the pair's user never touched: [P, C].

    touched: binary [U, I], the target behaviour's train, valid and test pairs. Raises DataError if a user leaves fewer
    than `count` items.
    """
    check_candidates(users_P, touched, count)
    left_P = touched.shape[1] - np.diff(touched.indptr)[users_P]
    ranks_PC = _distinct_below(left_P, count, np.random.Generator(np.random.PCG64(seed)))
    return _untouched_items(users_P, ranks_PC, touched)


def check_candidates(users_P: NDArray[np.int64], touched: csr_array, count: int) -> None:
    """Raise DataError if one of the users leaves fewer than `count` items untouched."""
    num_items = touched.shape[1]
    left_P = num_items - np.diff(touched.indptr)[users_P]
    if len(users_P) and left_P.min() < count:
        worst = int(users_P[left_P.argmin()])
        raise DataError(
            f"user {worst} leaves only {left_P.min()} of {num_items} items as candidates, {count} are needed; "
            "evaluate under the protocol full, or with num_negatives lowered"
        )


def _distinct_below(limit_P: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` distinct integers in 0..limit-1 per row, every subset equally likely (Floyd's algorithm, all rows at once)."""
    chosen_PC = np.full((len(limit_P), count), -1, dtype=np.int64)
    for draw in range(count):
        top_P = limit_P - count + draw
        pick_P = np.minimum((rng.random(len(limit_P)) * (top_P + 1)).astype(np.int64), top_P)
        taken_P = (chosen_PC[:, :draw] == pick_P[:, None]).any(1)
        chosen_PC[:, draw] = np.where(taken_P, top_P, pick_P)
    return chosen_PC


def _untouched_items(
    users_P: NDArray[np.int64], ranks_PC: NDArray[np.int64], touched: csr_array
) -> NDArray[np.int64]:
    """The ranks-th untouched item of each user. Keys rise over the whole matrix, so one binary search serves all rows."""
    width = touched.shape[1] + 1
    owner = np.repeat(np.arange(touched.shape[0], dtype=np.int64), np.diff(touched.indptr))
    position = np.arange(touched.nnz) - touched.indptr[owner]
    gap_keys = owner * width + (touched.indices - position)
    before_PC = (
        np.searchsorted(gap_keys, users_P[:, None] * width + ranks_PC, side="right")
        - touched.indptr[users_P][:, None]
    )
    items: NDArray[np.int64] = ranks_PC + before_PC
    return items
