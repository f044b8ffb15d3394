"""Ids met batch after batch, held as small integers; at the end the dense id of each row and the ids in rising order."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.data.importers.cells import texts, whole_numbers

IdKind = Literal["whole", "text"]
_MERGE_FROM = 1 << 20


class WholeIds:
    """Ids that are whole numbers; dense ids follow their size."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[NDArray[Any]] = []
        self._known = np.empty(0, np.int64)
        self._fresh: list[NDArray[np.int64]] = []
        self._repaired = 0

    def add(self, column: Any, kept: NDArray[np.bool_] | None) -> None:
        """Read one batch, of which only the `kept` rows count. Raises CellError at the first that is no id."""
        values, repaired = whole_numbers(column, self._name)
        self._repaired += repaired
        values = values if kept is None else values[kept]
        if not len(values):
            return
        is_small = values.max() <= np.iinfo(np.int32).max
        self._pieces.append(values.astype(np.int32) if is_small else values.astype(np.int64))
        self._fresh.append(np.unique(values))
        if sum(map(len, self._fresh)) > max(_MERGE_FROM, len(self._known)):
            self._merge()

    def finish(self) -> tuple[Any, NDArray[np.int32]]:
        """The ids as texts in rising order, and each row's position there."""
        self._merge()
        codes = _joined(self._pieces, self._position())
        return pa.array(self._known).cast(pa.large_string()), codes

    def notes(self) -> list[str]:
        if not self._repaired:
            return []
        return [
            f"{self._name}: {self._repaired:,} ids written like 12.0, ' 12' or 012 were read as whole numbers"
        ]

    def _position(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """The function from ids to their positions: a list over all numbers where that is short, else a search."""
        known, rows = self._known, sum(map(len, self._pieces))
        if not len(known) or known[-1] > max(_MERGE_FROM, 4 * rows):
            return lambda piece: np.searchsorted(known, piece)
        position = np.empty(int(known[-1]) + 1, np.int32)
        position[known] = np.arange(len(known), dtype=np.int32)
        return lambda piece: position[piece]

    def _merge(self) -> None:
        self._known = np.unique(np.concatenate([self._known, *self._fresh]))
        self._fresh = []


class TextIds:
    """Ids that are texts; dense ids follow their order as bytes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[NDArray[np.int32]] = []
        self._known = pa.array([], pa.large_string())
        self._repaired = 0

    def add(self, column: Any, kept: NDArray[np.bool_] | None) -> None:
        """Read one batch, of which only the `kept` rows count. Raises CellError at the first that is missing."""
        values, repaired = texts(column, self._name)
        self._repaired += repaired
        values = values if kept is None else values.filter(pa.array(kept))
        encoded = values.cast(pa.large_string()).dictionary_encode()
        position = pc.index_in(encoded.dictionary, value_set=self._known)
        fresh = encoded.dictionary.filter(pc.is_null(position))
        places = position.to_numpy(zero_copy_only=False) if not position.null_count else None
        if places is None:
            absent = pc.is_null(position).to_numpy(zero_copy_only=False)
            places = pc.fill_null(position, 0).to_numpy(zero_copy_only=False).copy()
            places[absent] = len(self._known) + np.arange(len(fresh))
            self._known = pa.concat_arrays([self._known, fresh])
        self._pieces.append(places.astype(np.int32)[encoded.indices.to_numpy(zero_copy_only=False)])

    def finish(self) -> tuple[Any, NDArray[np.int32]]:
        """The ids in rising order, and each row's position there."""
        order = pc.sort_indices(self._known).to_numpy(zero_copy_only=False)
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return self._known.take(pa.array(order)), _joined(self._pieces, lambda piece: rank[piece])

    def notes(self) -> list[str]:
        told = [f"{self._name}: {self._repaired:,} ids lost spaces around them or a trailing '.0'"]
        return told if self._repaired else []


def ids_of(kind: IdKind, name: str) -> WholeIds | TextIds:
    """An empty collection of ids of the column `name`."""
    return WholeIds(name) if kind == "whole" else TextIds(name)


def _joined(pieces: list[NDArray[Any]], coded: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[np.int32]:
    """All pieces after `coded`, one after the other; each is let go as soon as it is copied."""
    whole = np.empty(sum(map(len, pieces)), np.int32)
    start = 0
    pieces.reverse()
    while pieces:
        piece = pieces.pop()
        whole[start : start + len(piece)] = coded(piece)
        start += len(piece)
    return whole
