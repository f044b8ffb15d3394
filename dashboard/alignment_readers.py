"""Cached readers for the users trained on each item, and for how far item graphs agree.

What they return is shared between sessions: read it, never write into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.data.dataset import Dataset
from core.findings import Array
from core.protocol import FitOn
from core.runs.folder import RunFolder
from dashboard.longtail_readers import trained_pairs
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
    users, items = trained_pairs(_data, fit_on)
    order = np.lexsort((users, items))
    counts = np.bincount(items, minlength=_data.info.num_items)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return TrainedUsers(indptr, users[order].astype(np.int32))


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
