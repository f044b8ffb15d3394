"""Cached readers for groups of test pairs: ranks by pair, how often items and users were trained, item embeddings.

What they return is shared between sessions: read it, never write into it.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import streamlit as st

from core.data.dataset import Dataset
from core.errors import RunError
from core.findings import Array
from core.protocol import FitOn
from core.runs.folder import RunFolder
from core.runs.ranked_pairs import RankedPairs, ranked_pairs
from dashboard.readers import Stamp, stamp

EMBEDDINGS = "final.npz"


def pairs(run: RunFolder, protocol: str) -> RankedPairs | None:
    """The run's test pairs with their ranks, None where it stored none. Raises RunError if damaged."""
    return _pairs(str(run.path), protocol, stamp(run.path / "per_user.parquet"))


@st.cache_resource(max_entries=12, show_spinner="Reading the ranks of test pairs")
def _pairs(path: str, protocol: str, written: Stamp) -> RankedPairs | None:
    return ranked_pairs(RunFolder(Path(path)), protocol)


@dataclass(frozen=True, eq=False)
class TrainedCounts:
    """Training pairs of the target per item [I] and per user [U], validation pairs among them where they were trained on."""

    items: Array
    users: Array


def trained_counts(data: Dataset, fit_on: FitOn) -> TrainedCounts:
    """How often a run with `fit_on` has trained each item and user. Raises DataError."""
    return _trained_counts(data, fit_on, data.info.content_hash)


@st.cache_resource(max_entries=8, show_spinner="Counting the training pairs")
def _trained_counts(_data: Dataset, fit_on: FitOn, content: str) -> TrainedCounts:
    users, items = trained_pairs(_data, fit_on)
    return TrainedCounts(
        np.bincount(items, minlength=_data.info.num_items), np.bincount(users, minlength=_data.info.num_users)
    )


def trained_pairs(data: Dataset, fit_on: FitOn) -> tuple[Array, Array]:
    """Users and items [P] of the distinct pairs of the target that a run with `fit_on` was trained on, by rising user and
    item. Raises DataError."""
    rows = data.interactions()
    splits = ["train", "valid"] if fit_on == "train+valid" else ["train"]
    chosen = (rows["behavior"] == data.info.behaviors[-1]) & rows["split"].isin(splits)
    users, items = (rows.loc[chosen, side].to_numpy(np.int64) for side in ("user", "item"))
    distinct = np.unique(users * data.info.num_items + items)
    return distinct // data.info.num_items, distinct % data.info.num_items


def item_directions(run: RunFolder, num_items: int) -> Array | None:
    """The final embeddings of the items at length 1 [I, D], None where the run stored none. Raises RunError if damaged."""
    path = run.embeddings / EMBEDDINGS
    return _item_directions(str(path), num_items, stamp(path)) if path.exists() else None


@st.cache_resource(max_entries=4, show_spinner="Reading the embeddings")
def _item_directions(path: str, num_items: int, written: Stamp) -> Array:
    remedy = "resume or repeat the run to write it again"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = np.asarray(arrays["values"], dtype=np.float32)
            items = values[int(arrays["num_users"]) :]
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        raise RunError(f"{path}: cannot be read ({error}); {remedy}") from error
    if items.ndim != 2 or len(items) != num_items:
        raise RunError(f"{path}: expected {num_items} rows of items, got {list(items.shape)}; {remedy}")
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    directions: Array = np.divide(items, lengths, out=np.zeros_like(items), where=lengths > 0)
    return directions
