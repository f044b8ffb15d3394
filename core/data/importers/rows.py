"""Rows gathered from one or more tables in compact columns: the shared middle of the importers of tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.data.importers.cells import CellError, positive_labels, split_codes
from core.data.importers.columns import ColumnMap
from core.data.importers.content import ImportOptions
from core.data.importers.identities import ids_of
from core.data.importers.labels import BehaviorCodes
from core.data.importers.tables import Table
from core.data.importers.text_table import no_rows
from core.data.importers.times import TimeReader
from core.data.info import SPLITS, Split
from core.errors import DataError

READING = 0.7


class RowGatherer:
    """Reads tables batch by batch and keeps 4 bytes per id, 1 per behaviour and split, 8 per time."""

    def __init__(self, options: ImportOptions, alone: str) -> None:
        """alone: the one behaviour of tables without a behaviour column."""
        self._options, self._alone = options, alone
        self._users, self._items = ids_of(options.ids, "user"), ids_of(options.ids, "item")
        self.behaviors = BehaviorCodes()
        self._behavior: list[NDArray[np.int8]] = []
        self._split: list[NDArray[np.int8]] = []
        self._time: list[NDArray[np.int64]] = []
        self._times = TimeReader()
        self._has_times = False
        self._left_out: dict[str, int] = {}
        self._negative = 0
        self._rows = 0

    def add(
        self,
        table: Table,
        mapping: ColumnMap,
        split: Split,
        *,
        span: tuple[float, float] = (0, 1),
        label: str | None = None,
        part: str | None = None,
    ) -> None:
        """Append a table's rows to `split`.

        span: the table's share of the reading, for the progress told. label: a column whose zeros mark rows that are
        no interactions. part: a column whose 0, 1 and 2 put a row into train, valid and test instead of `split`.
        Raises DataError naming file, row and remedy.
        """
        roles = mapping.roles | ({"label": label} if label else {}) | ({"part": part} if part else {})
        self._has_times |= mapping.time is not None
        start = 0
        for columns, fraction in table.batches(list(roles.values())):
            cells = dict(zip(roles, columns, strict=True))
            count = len(columns[0])
            self._rows += count
            self._options.limits.refuse_more_rows(table.path, self._rows)
            try:
                self._add_batch(cells, count, SPLITS.index(split))
            except CellError as error:
                raise DataError(
                    f"{table.path}: row {table.row(start + error.record)}: {error.complaint}"
                ) from error
            start += count
            done = span[0] + fraction * (span[1] - span[0])
            self._options.progress(READING * done, f"reading {table.path.name}: {self._rows:,} rows")
        if not start:
            raise no_rows(table.path)

    def finish(self) -> tuple[pd.DataFrame, Any, Any, list[str]]:
        """Rows with dense ids, the original ids of users and items as texts, and notes; the gatherer is then empty."""
        users, user = self._users.finish()
        items, item = self._items.finish()
        notes = [*self.behaviors.renamed(), *self._users.notes(), *self._items.notes()]
        notes += [
            f"{label}: {count:,} rows left out, as --behaviors asks"
            for label, count in sorted(self._left_out.items())
        ]
        if self._negative:
            notes.append(f"{self._negative:,} rows whose label is 0 are no interactions and were left out")
        labels = sorted(self.behaviors.labels)
        position = np.array([labels.index(label) for label in self.behaviors.labels], np.int8)
        columns: dict[str, Any] = {
            "user": user,
            "item": item,
            "behavior": _categorical(position[_drained(self._behavior)], labels),
            "split": _categorical(_drained(self._split), list(SPLITS)),
        }
        if self._has_times:
            columns["timestamp"], told = self._times.seconds(_drained(self._time))
            notes += told
        pa.default_memory_pool().release_unused()
        return pd.DataFrame(columns, copy=False), users, items, notes

    def _add_batch(self, cells: dict[str, Any], count: int, split: int) -> None:
        if "behavior" in cells:
            codes = self.behaviors.codes(cells["behavior"])
        else:
            codes = np.full(count, self.behaviors.add(self._alone), np.int8)
        kept = self._kept(codes)
        if "label" in cells:
            positive = positive_labels(cells["label"])
            self._negative += int((~positive).sum())
            kept = positive if kept is None else kept & positive
        self._users.add(cells["user"], kept)
        self._items.add(cells["item"], kept)
        if self._has_times:
            time = self._times.read(cells["time"])
            self._time.append(time if kept is None else time[kept])
        parts = split_codes(cells["part"]) if "part" in cells else np.full(count, split, np.int8)
        self._behavior.append(codes if kept is None else codes[kept])
        self._split.append(parts if kept is None else parts[kept])

    def _kept(self, codes: NDArray[np.int8]) -> NDArray[np.bool_] | None:
        """The rows whose behaviour is wanted; None if all are."""
        wanted: Sequence[str] | None = self._options.behaviors
        if wanted is None:
            return None
        counts = np.bincount(codes, minlength=len(self.behaviors.labels))
        for label, count in zip(self.behaviors.labels, counts, strict=True):
            if count and label not in wanted:
                self._left_out[label] = self._left_out.get(label, 0) + int(count)
        return np.isin(codes, [code for code, label in enumerate(self.behaviors.labels) if label in wanted])


def _categorical(codes: NDArray[np.int8], names: list[str]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def _drained(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    """The pieces as one array; the list is then empty."""
    whole = np.concatenate(pieces)
    pieces.clear()
    return whole
