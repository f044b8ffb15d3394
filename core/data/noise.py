"""Random auxiliary pairs: noise that is known, because it was added on purpose.

Shapes: U users, I items.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from core.errors import DataError

_STREAM = 0x6E6F6973  # keeps these draws apart from every other use of the seed


def check_auxiliary(name: str, behaviors: Sequence[str]) -> None:
    """Raises DataError where the data set `name` has no auxiliary behaviour that noise could be added to."""
    if len(behaviors) < 2:
        only = f"only {behaviors[0]!r}" if behaviors else "no behaviour"
        raise DataError(
            f"data set {name!r} has {only}: random auxiliary pairs need a behaviour beside the target; "
            "set auxiliary_noise to 0 or pick data with more behaviours"
        )


def added_pairs(
    name: str,
    train: Mapping[str, csr_array],
    taken: Mapping[str, csr_array],
    share: float,
    seed: int,
) -> dict[str, csr_array]:
    """Random pairs for every auxiliary behaviour: round(share x its training pairs), each [U, I] float32 ones.

    train: training pairs per behaviour in funnel order, target last. taken: per auxiliary behaviour the pairs that may not
    be drawn. All others are equally likely, none comes twice. Each behaviour has a stream of its own, made of `seed` and
    its place alone: as long as less than half of the free pairs are drawn, a larger share keeps the pairs of a smaller one,
    so that runs with one seed differ in what is added and in nothing else.
    Raises DataError if the share is not within 0 and 1, there is no auxiliary behaviour, or too few pairs are free.
    """
    if not 0 <= share <= 1:
        raise DataError(f"auxiliary_noise {share} is out of range: expected a share from 0 to 1")
    check_auxiliary(name, tuple(train))
    found = {}
    for place, behavior in enumerate(tuple(train)[:-1]):
        count = round(share * train[behavior].nnz)
        free = int(np.prod(taken[behavior].shape, dtype=np.int64)) - taken[behavior].nnz
        if count > free:
            raise DataError(
                f"data set {name!r}: {count:,} random pairs of {behavior!r} were asked for, but only {free:,} pairs are "
                "free of it; lower auxiliary_noise"
            )
        stream = np.random.SeedSequence([_STREAM, seed, place])
        found[behavior] = random_pairs(taken[behavior], count, np.random.Generator(np.random.PCG64(stream)))
    return found


def random_pairs(taken: csr_array, count: int, rng: np.random.Generator) -> csr_array:
    """`count` distinct pairs that `taken` does not hold, all equally likely, as float32 ones [U, I]."""
    users, items = taken.shape
    held = np.unique(flat_pairs(taken))
    place = _distinct(users * items - len(held), count, rng)
    # the r-th free place lies behind every held place that has at most r free ones before it
    flat = place + np.searchsorted(held - np.arange(len(held)), place, side="right")
    made = coo_array(
        (np.ones(count, np.float32), (flat // items, flat % items)), shape=(users, items)
    ).tocsr()
    made.sort_indices()
    return made


def flat_pairs(matrix: csr_array) -> NDArray[np.int64]:
    """Each stored pair as one number, user x I + item, in the order in which the matrix stores them."""
    user = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    return user * matrix.shape[1] + matrix.indices


def _distinct(total: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` distinct numbers below `total`: the first ones of a stream of draws, so more of them begin alike."""
    if 2 * count > total:
        return rng.permutation(total)[:count]
    drawn = np.empty(0, np.int64)
    while len(drawn) < count:
        missing = count - len(drawn)
        more = rng.integers(total, size=missing + missing // 8 + 16)
        drawn = np.concatenate([drawn, more])
        _, first = np.unique(drawn, return_index=True)
        drawn = drawn[np.sort(first)]
    return drawn[:count]
