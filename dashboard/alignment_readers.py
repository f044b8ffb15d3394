"""Cached readers for items and the users trained on them, and for how far item graphs agree.

What they return is shared between sessions: read it, never write into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.data.dataset import Dataset
from core.errors import DataError
from core.findings import Array
from core.protocol import FitOn
from core.runs.folder import RunFolder
from dashboard import readers
from dashboard.neighbors import ItemGraph, overlap
from dashboard.readers import Stamp, stamp


@dataclass(frozen=True, eq=False)
class TrainedUsers:
    """The users that have each item as a training pair of the target: `users[indptr[i]:indptr[i + 1]]`, rising."""

    indptr: Array
    users: Array

    def counts(self) -> Array:
        """Training pairs per item, [I]."""
        return np.diff(self.indptr)

    def of(self, item: int) -> Array:
        own: Array = self.users[self.indptr[item] : self.indptr[item + 1]]
        return own

    def shared(self, item: int, others: Sequence[int]) -> list[int]:
        """How many users `item` has in common with each of `others`."""
        own = self.of(item)
        return [len(np.intersect1d(own, self.of(other), assume_unique=True)) for other in others]


def trained_users(data: Dataset, fit_on: FitOn) -> TrainedUsers:
    """The users of every item that a run with `fit_on` was trained on. Raises DataError."""
    return _trained_users(data, fit_on, data.info.content_hash)


@st.cache_resource(max_entries=2, show_spinner="Reading who took which item")
def _trained_users(_data: Dataset, fit_on: FitOn, content: str) -> TrainedUsers:
    rows = _data.interactions()
    splits = ["train", "valid"] if fit_on == "train+valid" else ["train"]
    chosen = (rows["behavior"] == _data.info.behaviors[-1]) & rows["split"].isin(splits)
    users, items = (rows.loc[chosen, side].to_numpy(np.int64) for side in ("user", "item"))
    distinct = np.unique(items * _data.info.num_users + users)
    counts = np.bincount(distinct // _data.info.num_users, minlength=_data.info.num_items)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return TrainedUsers(indptr, (distinct % _data.info.num_users).astype(np.int32))


def item_names(data: Dataset) -> Sequence[str]:
    """A readable name per item: its title, otherwise `item` and its original id. Raises DataError."""
    ids = _original_ids(str(data.folder), stamp(data.folder / "items.parquet"))
    return ids if ids is not None else readers.titles(data)


@st.cache_resource(max_entries=4, show_spinner="Reading the items")
def _original_ids(folder: str, written: Stamp) -> list[str] | None:
    """None where items have titles, or no ids of their own."""
    path = Path(folder) / "items.parquet"
    try:
        items = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); import the data set again") from error
    if "title" in items or "original_id" not in items:
        return None
    return [f"item {name}" for name in items["original_id"]]


def overlaps(run: RunFolder, graphs: Sequence[ItemGraph]) -> list[Array]:
    """How far every item's neighbours in each graph but the first are those in the first (Jaccard), [I] per graph."""
    first = graphs[0]
    return [
        _overlap(
            first,
            other,
            str(run.findings),
            (first.finding.key, other.finding.key),
            tuple(stamp(run.findings / f"{graph.finding.key}.npz") for graph in (first, other)),
        )
        for other in graphs[1:]
    ]


@st.cache_resource(max_entries=8, show_spinner="Comparing the item graphs")
def _overlap(
    _one: ItemGraph, _other: ItemGraph, folder: str, keys: tuple[str, str], written: tuple[Stamp, ...]
) -> Array:
    return overlap(_one, _other).astype(np.float32)
