"""The distinct pairs of each behaviour as sorted keys: what every part of a profile counts on.

Shapes: U users, I items, P pairs. A pair's key is user * I + item.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.dataset import Dataset
from core.data.splits import NO_TIME

Keys = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs of some rows: behaviour -> keys in rising order, and where known the earliest time of each.

    times: behaviour -> unix seconds per key, NO_TIME where unknown; None where the data set has no times.
    """

    num_users: int
    num_items: int
    keys: dict[str, Keys]
    times: dict[str, NDArray[np.int64]] | None

    @property
    def behaviors(self) -> tuple[str, ...]:
        return tuple(self.keys)

    def users(self, behavior: str) -> NDArray[np.int64]:
        """The user of each pair, [P]."""
        return self.keys[behavior] // max(1, self.num_items)

    def items(self, behavior: str) -> NDArray[np.int64]:
        """The item of each pair, [P]."""
        return self.keys[behavior] % max(1, self.num_items)

    def degrees(self, behavior: str, side: str) -> NDArray[np.int64]:
        """Pairs per user, [U], or per item, [I]; side: `user` or `item`."""
        if side == "user":
            return np.bincount(self.users(behavior), minlength=self.num_users)
        return np.bincount(self.items(behavior), minlength=self.num_items)

    def matrix(self, behavior: str) -> csr_array:
        """The pairs as [U, I] float32 ones."""
        indptr = np.append(0, np.cumsum(self.degrees(behavior, "user")))
        ones = np.ones(len(self.keys[behavior]), np.float32)
        return csr_array(
            (ones, self.items(behavior), indptr),
            shape=(self.num_users, self.num_items),
        )


def pairs_of(dataset: Dataset, rows: pd.DataFrame) -> Pairs:
    """The distinct pairs of `rows`, which are some rows of `dataset.interactions()`."""
    info = dataset.info
    keys: dict[str, Keys] = {}
    times: dict[str, NDArray[np.int64]] = {}
    codes = rows["behavior"].cat.codes.to_numpy()
    columns: dict[str, NDArray[Any]] = {
        name: rows[name].to_numpy() for name in ("user", "item", "timestamp") if name in rows
    }
    for code, behavior in enumerate(info.behaviors):
        chosen = codes == code
        every = columns["user"][chosen].astype(np.int64) * info.num_items + columns["item"][chosen]
        if "timestamp" not in columns:
            ordered = np.sort(every)
            keys[behavior] = ordered[starts(ordered)]
            continue
        keys[behavior], times[behavior] = _earliest(every, columns["timestamp"][chosen])
    return Pairs(info.num_users, info.num_items, keys, times if "timestamp" in columns else None)


def shared(first: Keys, second: Keys) -> NDArray[np.bool_]:
    """Whether each key of `first` is also in `second`; both in rising order."""
    if not len(second):
        return np.zeros(len(first), np.bool_)
    places = np.searchsorted(second, first)
    found: NDArray[np.bool_] = second[np.minimum(places, len(second) - 1)] == first
    return found


def starts(ordered: Keys) -> NDArray[np.intp]:
    """Where each distinct value of `ordered` (rising) begins. It is what np.unique does, whose hashing is far slower."""
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])


def _earliest(keys: Keys, times: NDArray[np.int64]) -> tuple[Keys, NDArray[np.int64]]:
    """Distinct keys in rising order, each with its earliest known time."""
    known = np.where(times == NO_TIME, np.iinfo(np.int64).max, times)
    order = np.lexsort([known, keys])
    first = order[starts(keys[order])]
    return keys[first], times[first]
