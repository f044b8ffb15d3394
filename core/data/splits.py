"""Split rules: which target pairs train, validate and test, and how repeated pairs are repaired.

Frames have the columns user, item, behavior, split and, where the source has times, timestamp (unix seconds,
`NO_TIME` where unknown). Only the target behaviour is ever held out; the others always train.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.info import SPLITS, Split
from core.errors import DataError

SplitRule = Literal["as-given", "last", "random"]
NO_TIME = -1
_TRAIN = SPLITS.index("train")


@dataclass(frozen=True, eq=False)
class SplitResult:
    """The rows with their final split, what was done in words, and what was removed or moved."""

    rows: pd.DataFrame
    rule: str
    notes: tuple[str, ...]


def split_rows(rows: pd.DataFrame, target: str, rule: SplitRule | None = None, seed: int = 0) -> SplitResult:
    """Apply a split rule; by default the source's split is kept where it has test pairs.

    as-given: the source's rows untouched, for comparison with published code; repeated pairs are only told.
    last: of each user with at least two target pairs the last by time tests; then of each with at least two left
        the last validates. Ties at the last second: the largest item id wins.
    random: the same with pairs drawn uniformly by `seed`.
    default: source's test (and validation) pairs are kept; missing validation pairs are held out like `last` where
        the training pairs have times, else like `random`. Without test pairs the rule is `last` or `random` likewise.
    Every rule but as-given first repairs repeats: see `repaired`.
    Raises DataError if `last` lacks times or if no pair would be left to train or test.
    """
    if rule == "as-given":
        return SplitResult(rows, "as-given", tuple(_repeats(_columns(rows, pooled=False), target)))
    table, notes = _repaired(_columns(rows, pooled=rule is not None), target)
    is_target = table.behavior == table.code(target)
    chosen = rule or ("last" if table.has_times(is_target & (table.part == _TRAIN)) else "random")
    if rule == "last" and not table.has_times(is_target):
        raise DataError(
            f"split 'last' needs a time for every {target!r} pair and the source has none; use --split random"
        )
    wanted: list[Split] = ["test", "valid"] if rule is not None else []
    wanted = wanted or [
        part for part in ("test", "valid") if not (is_target & (table.part == SPLITS.index(part))).any()
    ]
    generator = np.random.Generator(np.random.PCG64(seed))
    for part in wanted:
        candidates = np.flatnonzero(is_target & (table.part == _TRAIN))
        value = _time(table)[candidates] if chosen == "last" else generator.random(len(candidates))
        held = candidates[greatest_per_user(table.user[candidates], value)]
        table.part[held] = SPLITS.index(part)
        notes.append(f"{target}: {len(held):,} pairs held out for {part} ({_described(chosen, seed)})")
    _check(target, is_target, table.part)
    told = _described(chosen, seed) if rule or "test" in wanted else "source's test pairs"
    if rule is None and wanted == ["valid"]:
        told += f", validation {_described(chosen, seed)}"
    return SplitResult(table.frame(), told, tuple(notes))


def repaired(rows: pd.DataFrame, target: str) -> tuple[pd.DataFrame, list[str]]:
    """Each pair of a behaviour once, in its latest split (test over valid over train) at its earliest time there.

    Returns the kept rows sorted by user, behaviour, item, and one note per kind of row removed.
    """
    kept, notes = _repaired(_columns(rows, pooled=False), target)
    return kept.frame(), notes


def greatest_per_user(user: NDArray[np.int32], value: NDArray[Any]) -> NDArray[np.intp]:
    """Position of the greatest value of each user with at least two, the last of equals; `user` ascending."""
    if not len(user):
        return np.empty(0, np.intp)
    start = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    count = np.diff(np.append(start, len(user)))
    best = np.flatnonzero(value == np.repeat(np.maximum.reduceat(value, start), count))
    is_last = np.append(user[best[1:]] != user[best[:-1]], True)
    held: NDArray[np.intp] = best[is_last][count >= 2]
    return held


@dataclass(frozen=True, eq=False)
class _Columns:
    """The rows as small integers; behavior and part are positions in `names` and SPLITS."""

    names: tuple[str, ...]
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    behavior: NDArray[np.int8]
    part: NDArray[np.int8]
    time: NDArray[np.int64] | None

    def code(self, behavior: str) -> int:
        return self.names.index(behavior) if behavior in self.names else -1

    def has_times(self, among: NDArray[np.bool_]) -> bool:
        """Whether there are such rows and each has a time."""
        return self.time is not None and bool(among.any()) and not (self.time[among] == NO_TIME).any()

    def taken(self, position: NDArray[np.intp]) -> "_Columns":
        time = None if self.time is None else self.time[position]
        user, item = self.user[position], self.item[position]
        return _Columns(self.names, user, item, self.behavior[position], self.part[position], time)

    def frame(self) -> pd.DataFrame:
        columns: dict[str, Any] = {
            "user": self.user,
            "item": self.item,
            "behavior": _categorical(self.behavior, self.names),
            "split": _categorical(self.part, SPLITS),
        }
        if self.time is not None:
            columns["timestamp"] = self.time
        return pd.DataFrame(columns, copy=False)


def _columns(rows: pd.DataFrame, *, pooled: bool) -> _Columns:
    """The columns of a frame; `pooled` forgets its splits."""
    behavior = pd.Categorical(rows["behavior"])
    names = tuple(sorted(str(name) for name in behavior.categories))
    position = np.array([names.index(str(name)) for name in behavior.categories], dtype=np.int8)
    split = pd.Categorical(rows["split"], categories=pd.Index(SPLITS))
    return _Columns(
        names,
        rows["user"].to_numpy(),
        rows["item"].to_numpy(),
        position[behavior.codes],
        np.zeros(len(rows), np.int8) if pooled else split.codes.astype(np.int8),
        rows["timestamp"].to_numpy() if "timestamp" in rows else None,
    )


def _repaired(table: _Columns, target: str) -> tuple[_Columns, list[str]]:
    keys: list[NDArray[Any]] = [-table.part, table.item, table.behavior, table.user]
    if table.time is not None:
        keys.insert(0, table.time.view(np.uint64))  # NO_TIME comes last
    order = np.lexsort(tuple(keys))
    same = np.ones(max(0, len(order) - 1), dtype=np.bool_)
    for column in (table.user, table.behavior, table.item):
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    is_first = np.append(True, ~same)[: len(order)]
    notes = _removals(table, order, is_first, target)
    order = order[is_first]  # lets the longer one go before the rows are copied
    return table.taken(order), notes


def _removals(
    table: _Columns, order: NDArray[np.intp], is_first: NDArray[np.bool_], target: str
) -> list[str]:
    """Notes on the rows dropped; in `order` a pair's kept row comes right before its dropped ones."""
    first, dropped = np.flatnonzero(is_first), np.flatnonzero(~is_first)
    kept_by = order[first[np.searchsorted(first, dropped) - 1]]
    lost = order[dropped]
    shape = (len(table.names), len(SPLITS), len(SPLITS))
    kinds = np.ravel_multi_index((table.behavior[lost], table.part[lost], table.part[kept_by]), shape)
    counts = np.bincount(kinds, minlength=int(np.prod(shape))).reshape(shape)
    notes = []
    for code, was, now in zip(*(axis.tolist() for axis in counts.nonzero()), strict=True):
        name, count = table.names[code], counts[code, was, now]
        if was == now:
            where = f" in {SPLITS[was]}" if name == target else ""
            notes.append(f"{name}: {count:,} repeated pairs{where} removed")
        else:
            notes.append(
                f"{name}: {count:,} {SPLITS[was]} pairs that are also {SPLITS[now]} pairs kept in {SPLITS[now]} only"
            )
    return notes


def _repeats(table: _Columns, target: str) -> list[str]:
    """Notes on what `_repaired` would change: rows that repeat a pair, and target pairs in two splits."""
    width = int(table.item.max(initial=0)) + 1
    keys = table.user.astype(np.int64) * width + table.item
    notes = []
    for code, name in enumerate(table.names):
        mine = keys[table.behavior == code]
        if repeated := len(mine) - len(np.unique(mine)):
            notes.append(f"{name}: {repeated:,} rows repeat a pair and were kept as given")
    is_target = table.behavior == table.code(target)
    held = [np.unique(keys[is_target & (table.part == part)]) for part in range(len(SPLITS))]
    for late, early in ((2, 0), (2, 1), (1, 0)):
        if count := len(np.intersect1d(held[late], held[early], assume_unique=True)):
            notes.append(f"{target}: {count:,} {SPLITS[late]} pairs are also {SPLITS[early]} pairs")
    return notes


def _categorical(codes: NDArray[np.int8], names: Sequence[str]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names)))


def _time(table: _Columns) -> NDArray[np.int64]:
    assert table.time is not None, "a split by time is chosen only where there are times"
    return table.time


def _described(rule: str, seed: int) -> str:
    return "last by time" if rule == "last" else f"random, seed {seed}"


def _check(target: str, is_target: NDArray[np.bool_], part: NDArray[np.int8]) -> None:
    if not (is_target & (part == _TRAIN)).any():
        raise DataError(
            f"no training pair of the target {target!r} is left: every pair is also a valid or test pair; "
            "check the source, or use --split as-given to keep its rows untouched"
        )
    if not (is_target & (part == SPLITS.index("test"))).any():
        raise DataError(
            f"no user has two {target!r} pairs, so none can be held out for testing; add data or give test pairs"
        )
