"""The test pairs of a run with the rank of each, read from per_user.parquet without what pages do not look at.

P test pairs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import RunError
from core.runs.folder import RunFolder

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RankedPairs:
    """Every test pair once, by rising user and item. users, items, ranks (from 1): [P]."""

    users: Ints
    items: Ints
    ranks: Ints


def ranked_pairs(run: RunFolder, protocol: str) -> RankedPairs | None:
    """The pairs that `run` was tested on under `protocol`, None where it stored none. Raises RunError if damaged."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = run.path / "per_user.parquet"
    columns = ["protocol", "user", "items", "ranks"]
    try:
        table = pq.read_table(path, columns=columns)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(run, str(error)) from error
    if table.column_names != columns:
        raise _damaged(run, "it has no ranks of test items")
    table = table.filter(pc.field("protocol") == protocol)
    if not table.num_rows:
        return None
    lengths = pc.list_value_length(table["items"]).to_numpy(zero_copy_only=False)
    items, ranks = (pc.list_flatten(table[name]).to_numpy().astype(np.int64) for name in ("items", "ranks"))
    if np.isnan(lengths.astype(float)).any() or len(items) != len(ranks) or len(items) != lengths.sum():
        raise _damaged(run, "items and ranks do not match")
    users = np.repeat(table["user"].to_numpy().astype(np.int64), lengths.astype(np.int64))
    order = np.lexsort((items, users))
    return RankedPairs(users[order], items[order], ranks[order])


def _damaged(run: RunFolder, why: str) -> RunError:
    path = run.path / "per_user.parquet"
    return RunError(f"{path}: cannot be read ({why}); resume or repeat the run to write it again")


def shared_pairs(runs: list[RankedPairs]) -> tuple[Ints, Ints, list[Ints], int]:
    """Users, items [P] and every run's ranks [P] of the pairs that all `runs` were tested on, and how many others there are."""
    width = 1 + max(int(run.items.max(initial=0)) for run in runs)
    keys = [run.users * width + run.items for run in runs]
    common, union = keys[0], keys[0]
    for other in keys[1:]:
        if not np.array_equal(common, other):
            common = np.intersect1d(common, other)
        if not np.array_equal(union, other):
            union = np.union1d(union, other)
    ranks = [run.ranks[np.searchsorted(key, common)] for run, key in zip(runs, keys)]
    return common // width, common % width, ranks, len(union) - len(common)
