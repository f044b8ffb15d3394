"""Split rules: which target pairs train, validate and test, and how repeated pairs are repaired.

Frames have the columns user, item, behavior, split and, where the source has times, timestamp (unix seconds,
`NO_TIME` where unknown). Only the target behaviour is ever held out; the others always train.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.info import SPLITS, Split
from core.errors import DataError

SplitRule = Literal["as-given", "last", "random"]
NO_TIME = -1


@dataclass(frozen=True, eq=False)
class SplitResult:
    """The rows with their final split, what was done in words, and what was removed or moved."""

    rows: pd.DataFrame
    rule: str
    notes: tuple[str, ...]


def split_rows(rows: pd.DataFrame, target: str, rule: SplitRule | None = None, seed: int = 0) -> SplitResult:
    """Apply a split rule; by default the source's split is kept where it has test pairs.

    as-given: the source's rows untouched, repeated pairs included, for comparison with published code.
    last: of each user with at least two target pairs the last by time tests; then of each with at least two left
        the last validates. Ties at the last second: the largest item id wins.
    random: the same with pairs drawn uniformly by `seed`.
    default: source's test (and validation) pairs are kept; missing validation pairs are held out like `last` where
        the training pairs have times, else like `random`. Without test pairs the rule is `last` or `random` likewise.
    Every rule but as-given first repairs repeats: see `repaired`.
    Raises DataError if `last` lacks times or if no pair would be left to train or test.
    """
    if rule == "as-given":
        return SplitResult(rows, "as-given", ())
    pooled = rows.assign(split="train") if rule is not None else rows
    kept, notes = repaired(pooled, target)
    is_target = (kept["behavior"] == target).to_numpy()
    split = kept["split"].to_numpy(dtype=object, copy=True)
    chosen = rule or ("last" if _has_times(kept[is_target & (split == "train")]) else "random")
    if rule == "last" and not _has_times(kept[is_target]):
        raise DataError(
            f"split 'last' needs a time for every {target!r} pair and the source has none; use --split random"
        )
    wanted: list[Split] = ["test", "valid"] if rule is not None else []
    wanted = wanted or [part for part in ("test", "valid") if not (is_target & (split == part)).any()]
    generator = np.random.Generator(np.random.PCG64(seed))
    for part in wanted:
        candidates = np.flatnonzero(is_target & (split == "train"))
        held = candidates[held_out_rows(kept.iloc[candidates], chosen, generator)]
        split[held] = part
        notes.append(f"{target}: {len(held)} pairs held out for {part} ({_described(chosen, seed)})")
    _check(target, is_target, split)
    told = _described(chosen, seed) if rule or "test" in wanted else "source's test pairs"
    if rule is None and wanted == ["valid"]:
        told += f", validation {_described(chosen, seed)}"
    return SplitResult(kept.assign(split=split), told, tuple(notes))


def repaired(rows: pd.DataFrame, target: str) -> tuple[pd.DataFrame, list[str]]:
    """Each pair of a behaviour once, in its latest split (test over valid over train) at its earliest time there.

    Returns the kept rows sorted by user, behaviour, item, and one note per kind of row removed.
    """
    part = _codes(rows["split"])
    time = rows["timestamp"].to_numpy() if "timestamp" in rows else np.zeros(len(rows), np.int64)
    time = np.where(time == NO_TIME, np.iinfo(np.int64).max, time)
    behavior, names = pd.factorize(rows["behavior"], sort=True)
    user, item = rows["user"].to_numpy(), rows["item"].to_numpy()
    order = np.lexsort([time, -part, item, behavior, user])
    first = np.ones(len(order), dtype=np.bool_)
    for column in (user, behavior, item):
        ordered = column[order]
        first[1:] &= ordered[1:] == ordered[:-1]
    first[1:] = ~first[1:]
    notes = _removals(names, behavior[order], part[order], first, target)
    return rows.iloc[order[first]].reset_index(drop=True), notes


def held_out_rows(
    rows: pd.DataFrame, rule: Literal["last", "random"], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Positions of the one row per user with at least two that `rule` holds out, in user order."""
    user, item = rows["user"].to_numpy(), rows["item"].to_numpy()
    if rule == "last":
        order = np.lexsort([item, rows["timestamp"].to_numpy(), user])
    else:
        by_pair = np.lexsort([item, user])
        drawn = np.empty(len(rows))
        drawn[by_pair] = generator.random(len(rows))
        order = np.lexsort([drawn, user])
    ordered = user[order]
    is_last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    has_two = np.append(False, ordered[1:] == ordered[:-1])[: len(ordered)]
    held: NDArray[np.intp] = order[is_last & has_two]
    return held


def _removals(
    names: pd.Index, behavior: NDArray[np.intp], part: NDArray[np.int8], first: NDArray[np.bool_], target: str
) -> list[str]:
    """Notes on the rows that `first` drops; inputs sorted so that a pair's kept row precedes its dropped ones."""
    kept_part = part[np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))]
    notes = []
    for code, name in enumerate(names):
        dropped = ~first & (behavior == code)
        for lost in range(len(SPLITS)):
            for kept in range(lost, len(SPLITS)):
                count = int((dropped & (part == lost) & (kept_part == kept)).sum())
                if not count:
                    continue
                if lost == kept:
                    where = f" in {SPLITS[lost]}" if name == target else ""
                    notes.append(f"{name}: {count} repeated pairs{where} removed")
                else:
                    notes.append(
                        f"{name}: {count} {SPLITS[lost]} pairs that are also {SPLITS[kept]} pairs kept in {SPLITS[kept]} only"
                    )
    return notes


def _codes(split: "pd.Series[str]") -> NDArray[np.int8]:
    codes = pd.Index(list(SPLITS)).get_indexer(pd.Index(split.astype(str)))
    return codes.astype(np.int8)


def _has_times(rows: pd.DataFrame) -> bool:
    return "timestamp" in rows and len(rows) > 0 and bool((rows["timestamp"] != NO_TIME).all())


def _described(rule: str, seed: int) -> str:
    return "last by time" if rule == "last" else f"random, seed {seed}"


def _check(target: str, is_target: NDArray[np.bool_], split: NDArray[np.object_]) -> None:
    if not (is_target & (split == "train")).any():
        raise DataError(
            f"no training pair of the target {target!r} is left: every pair is also a valid or test pair; "
            "check the source, or use --split as-given to keep its rows untouched"
        )
    if not (is_target & (split == "test")).any():
        raise DataError(
            f"no user has two {target!r} pairs, so none can be held out for testing; add data or give test pairs"
        )
