"""Tables of a graph: nodes of one type with ids, titles, classes and features, and edges between two types by their ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.data.hetero import Relation
from core.data.importers.cells import CellError, finite_numbers, is_missing, plain, texts
from core.data.importers.columns import listed
from core.data.importers.limits import MAX_NODES, Limits, checked_size
from core.data.importers.tables import Table, open_table
from core.errors import DataError

SUFFIXES = (".csv", ".tsv", ".parquet")
ID, TITLE, LABEL, FEATURE = "id", "title", "label", "f_"
SOURCE, DESTINATION = "source", "destination"
_HEAD = 1 << 16


@dataclass(frozen=True, eq=False)
class NodeTable:
    """The nodes of one type; row = dense id. ids: Arrow texts, all different. labels: texts, empty where there is none.

    features: [N, D] float32 from the columns f_*, if there are any. unread: other columns.
    """

    kind: str
    path: Path
    ids: Any
    titles: list[str] | None
    labels: list[str] | None
    features: NDArray[np.float32] | None
    unread: tuple[str, ...] = field(default=())


def open_graph_table(path: Path, limits: Limits) -> Table:
    """The table in `path`; unlike a table of interactions it may have one column alone. Raises DataError."""
    if path.suffix == ".parquet":
        return open_table(path, limits)
    if path.suffix == ".tsv":
        return open_table(path, limits, delimiter="\t")
    checked_size(path, limits)
    with path.open("rb") as raw:
        first = raw.read(_HEAD).partition(b"\n")[0]
    alone = not any(sign in first for sign in b",;|\t")
    return open_table(path, limits, delimiter="," if alone else None)


def read_nodes(path: Path, kind: str, limits: Limits) -> NodeTable:
    """The nodes of one table. Raises DataError with row and remedy."""
    table = open_graph_table(path, limits)
    columns = table.columns
    _refuse_missing(table, (ID,))
    numeric = [name for name in columns if name.startswith(FEATURE)]
    wanted = [ID, *(name for name in (TITLE, LABEL) if name in columns), *numeric]
    gathered: list[list[Any]] = [[] for _ in wanted]
    with _told_for(table):
        for first, cells in _batches(table, wanted, limits):
            limits.refuse_larger(path, 4 * len(numeric) * (first + len(cells[0])), path.stat().st_size)
            for pieces, name, column in zip(gathered, wanted, cells, strict=True):
                pieces.append(_read_cells(table, name, column, first))
    found = dict(zip(wanted, gathered, strict=True))
    ids = pa.concat_arrays(found[ID])
    if len(ids) > MAX_NODES:
        raise DataError(
            f"{path}: holds {len(ids):,} nodes, at most {MAX_NODES:,} can be read; leave some out"
        )
    _refuse_repeated(table, kind, ids)
    features = np.stack([np.concatenate(found[name]) for name in numeric], axis=1) if numeric else None
    return NodeTable(
        kind,
        path,
        ids,
        _texts_of(found.get(TITLE)),
        _texts_of(found.get(LABEL)),
        features,
        tuple(name for name in columns if name not in wanted),
    )


def read_edges(
    path: Path, relation: Relation, nodes: dict[str, NodeTable], limits: Limits
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The edges of one table as pairs of dense ids, [E, 2], and the columns that were not read.

    Raises DataError naming row, id and remedy for an end that is no node.
    """
    table = open_graph_table(path, limits)
    _refuse_missing(table, (SOURCE, DESTINATION))
    pieces = []
    with _told_for(table):
        for first, cells in _batches(table, [SOURCE, DESTINATION], limits):
            ends = [
                _dense(table, nodes[kind], name, column, first)
                for name, kind, column in zip(
                    (SOURCE, DESTINATION), (relation.source, relation.destination), cells, strict=True
                )
            ]
            pieces.append(np.stack(ends, axis=1))
    unread = tuple(name for name in table.columns if name not in (SOURCE, DESTINATION))
    return np.concatenate(pieces), unread


def read_members(path: Path, nodes: NodeTable, limits: Limits) -> tuple[Table, NDArray[np.int64]]:
    """The nodes that a table names in its column `id`, as dense ids. Raises DataError as `read_edges`."""
    table = open_graph_table(path, limits)
    _refuse_missing(table, (ID,))
    with _told_for(table):
        pieces = [
            _dense(table, nodes, ID, column, first) for first, (column,) in _batches(table, [ID], limits)
        ]
    return table, np.concatenate(pieces)


def _batches(table: Table, wanted: list[str], limits: Limits) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(record of the first row, columns) batch by batch. Raises DataError for a table without rows, or with too many."""
    first = 0
    for columns, _ in table.batches(wanted):
        yield first, columns
        first += len(columns[0])
        limits.refuse_more_rows(table.path, first)
    if not first:
        raise DataError(
            f"{table.path}: has no rows below its header ({listed(table.columns)}); fill it, or leave it out"
        )


def _read_cells(table: Table, name: str, column: Any, first: int) -> Any:
    with _at_row(table, first):
        if name == ID:
            return texts(column, "node")[0].cast(pa.large_string())
        if name == TITLE:
            return pc.fill_null(_as_texts(column, name), "").to_pylist()
        if name == LABEL:
            labels = _as_texts(column, name)
            return pc.if_else(is_missing(labels), "", labels).to_pylist()
        return finite_numbers(column, name)


def _as_texts(column: Any, name: str) -> Any:
    """Cells as texts without spaces around; numbers as they would be written, whole ones without a fraction."""
    column = plain(column)
    kind = column.type
    if pa.types.is_floating(kind):
        values = [
            None
            if value is None or value != value
            else f"{value:.0f}"
            if value == round(value)
            else str(value)
            for value in (cell if cell is None or abs(cell) < 1e15 else None for cell in column.to_pylist())
        ]
        return pa.array(values, pa.string())
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise CellError(0, f"{name} column holds {kind} values, expected texts; save it as texts")
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _texts_of(pieces: list[list[str]] | None) -> list[str] | None:
    return [text for piece in pieces for text in piece] if pieces is not None else None


def _dense(table: Table, nodes: NodeTable, name: str, column: Any, first: int) -> NDArray[np.int64]:
    with _at_row(table, first):
        ids, _ = texts(column, name)
        place = pc.index_in(ids.cast(pa.large_string()), value_set=nodes.ids)
        if place.null_count:
            record = int(pc.index(pc.is_null(place), True).as_py())
            raise CellError(
                record,
                f"{nodes.kind} {ids[record].as_py()[:40]!r} is not among the nodes of {nodes.path.name}, as in "
                f"{place.null_count:,} rows; add it there, or remove the row",
            )
    dense: NDArray[np.int64] = place.to_numpy(zero_copy_only=False).astype(np.int64)
    return dense


def _refuse_missing(table: Table, needed: tuple[str, ...]) -> None:
    for name in needed:
        count = table.columns.count(name)
        if count != 1:
            came = f"has {count} columns called {name!r}" if count else f"has no column {name!r}"
            raise DataError(
                f"{table.path}: {came} (its columns are: {listed(table.columns)}); expected {' and '.join(needed)} once: "
                "rename the columns in the first row"
            )


def _refuse_repeated(table: Table, kind: str, ids: Any) -> None:
    encoded = ids.dictionary_encode()
    if len(encoded.dictionary) == len(ids):
        return
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    first_of = np.unique(codes, return_index=True)[1]
    again = int(np.flatnonzero(first_of[codes] < np.arange(len(codes)))[0])
    raise DataError(
        f"{table.path}: row {table.row(again)}: {kind} {ids[again].as_py()[:40]!r} stands in row "
        f"{table.row(int(first_of[codes[again]]))} already, as {len(ids) - len(first_of):,} rows repeat an id; keep one row each"
    )


@contextmanager
def _at_row(table: Table, first: int) -> Iterator[None]:
    """Tells of a cell that cannot be read with its file and row. first: the record at which the batch begins."""
    try:
        yield
    except CellError as error:
        raise DataError(f"{table.path}: row {table.row(first + error.record)}: {error.complaint}") from error


@contextmanager
def _told_for(table: Table) -> Iterator[None]:
    """Replaces the remedies for tables of interactions, whose columns can be mapped."""
    try:
        yield
    except DataError as error:
        said = str(error).replace("choose another column with --map", "save it as numbers or texts")
        raise DataError(said) from error
