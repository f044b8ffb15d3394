"""A Parquet file as a table: read in batches, its rows bounded and its texts checked, since a file can claim anything.

Texts stay dictionary-encoded until their lengths are known: one long value under many rows unpacks to any size.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.importers.limits import MEGABYTE, Limits, Unpacked, unpacked
from core.errors import DataError

SAMPLE_ROWS = 1_000
LONGEST_VALUE = 1 << 12
_SHOWN = 200
_BATCH_ROWS = 1 << 19
_DECODED_BYTES = 64 * MEGABYTE


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file."""

    path: Path
    limits: Limits
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]

    note = "Parquet"

    @classmethod
    def open(cls, path: Path, limits: Limits) -> "ParquetTable":
        with _parquet(path, limits) as file:
            metadata = file.metadata
            limits.refuse_more_rows(path, metadata.num_rows)
            groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
            limits.refuse_larger(path, sum(group.total_byte_size for group in groups), path.stat().st_size)
            columns = tuple(str(name) for name in file.schema_arrow.names)
            rows = tuple(_sample(file, columns))
        return cls(path, limits, columns, rows)

    def batches(self, wanted: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], float]]:
        with _parquet(self.path, self.limits) as file:
            self._refuse_parts(file.schema_arrow, wanted)
            total, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(dict.fromkeys(wanted))):
                columns = [_validated(batch).column(name) for name in wanted]
                step = self._rows_at_once(wanted, columns)
                for start in range(0, batch.num_rows, step):
                    done += min(step, batch.num_rows - start)
                    yield tuple(column.slice(start, step) for column in columns), min(1.0, done / total)

    def row(self, record: int) -> int:
        return record + 1

    def _refuse_parts(self, schema: Any, wanted: Sequence[str]) -> None:
        for name in wanted:
            kind = schema.field(name).type
            if not _is_plain(kind):
                raise DataError(
                    f"{self.path}: column {name!r} holds {_word(kind)} values, expected numbers, texts or times; "
                    "choose another column with --map"
                )

    def _rows_at_once(self, names: Sequence[str], columns: Sequence[Any]) -> int:
        """How many rows may be unpacked together. Raises DataError for a value that is too long."""
        rows = _BATCH_ROWS
        for name, column in zip(names, columns, strict=True):
            if not pa.types.is_dictionary(column.type) or not len(column.dictionary):
                continue
            longest = int(pc.max(pc.binary_length(column.dictionary)).as_py() or 0)
            if longest > LONGEST_VALUE:
                raise DataError(
                    f"{self.path}: column {name!r} holds a value of {longest:,} bytes, at most {LONGEST_VALUE:,} are "
                    "read; choose another column with --map"
                )
            rows = min(rows, _DECODED_BYTES // max(1, longest))
        return rows


def _sample(file: Any, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The first rows as texts, cut; a column whose cells have parts, or any width, is told by its type and not read."""
    types = dict(zip(columns, file.schema_arrow.types))
    unread = {
        name for name, kind in zip(columns, file.schema_arrow.types) if not _is_plain(kind)
    }  # of equal names both
    read = [name for name in types if name not in unread]
    left = SAMPLE_ROWS if read else 0
    for batch in file.iter_batches(batch_size=SAMPLE_ROWS, columns=read):
        stated = iter([_cells(column) for column in _validated(batch[:left]).columns])
        rows = min(left, batch.num_rows)
        shown = [[f"({_word(types[name])})"] * rows if name in unread else next(stated) for name in columns]
        yield from zip(*shown)
        left -= rows
        if not left:
            return


def _word(kind: Any) -> str:
    return str(kind).partition("<")[0]


def _is_plain(kind: Any) -> bool:
    """Whether the cells of an Arrow type are numbers, times or texts."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (
        pa.types.is_primitive,
        pa.types.is_null,
        pa.types.is_decimal,
        pa.types.is_string,
        pa.types.is_binary,
    )
    large = (pa.types.is_large_string, pa.types.is_large_binary)
    return any(test(kind) for test in (*tests, *large))


def _cells(column: Any) -> list[str]:
    if not pa.types.is_dictionary(column.type):
        return [_cell(value) for value in column]
    codes = column.indices.to_pylist()
    shown = {code: _cell(column.dictionary[code]) for code in set(codes) - {None}}
    return [shown.get(code, "") for code in codes]


def _cell(scalar: Any) -> str:
    """A value as text, cut; one that Python cannot hold (dates of the year 20,000) is told by its type."""
    try:
        value = scalar.as_py()
    except (OverflowError, ValueError):
        return f"({scalar.type})"
    return "" if value is None else str(value[:_SHOWN] if isinstance(value, str | bytes) else value)[:_SHOWN]


def _validated(batch: Any) -> Any:
    """`batch` unchanged if its texts are UTF-8 and its nested parts are consistent; Arrow's error otherwise."""
    batch.validate(full=True)
    return batch


@contextmanager
def _parquet(path: Path, limits: Limits) -> Iterator[Any]:
    """The open file; one that lies in an archive is unpacked to a nameless temporary file."""
    try:
        with unpacked(path, limits) as plain, tempfile.TemporaryFile() as temporary:
            if plain.is_packed:
                _unpack(path, plain, temporary)
            source = temporary if plain.is_packed else path
            options: dict[str, Any] = {"pre_buffer": False, "buffer_size": MEGABYTE}
            with pq.ParquetFile(source, **options) as file:
                leaves = [file.schema.column(place) for place in range(len(file.schema))]
                texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
            with pq.ParquetFile(source, read_dictionary=texts, **options) as file:
                yield file
    except MemoryError as error:
        raise DataError(
            f"{path}: does not fit into the memory of this machine; import a part of it"
        ) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0][:200]
        raise DataError(f"{path}: is truncated or damaged Parquet ({reason}); export it again") from error


def _unpack(path: Path, plain: Unpacked, temporary: IO[bytes]) -> None:
    while piece := plain.read(MEGABYTE):
        try:
            temporary.write(piece)
        except OSError as error:
            raise DataError(
                f"{path}: cannot be unpacked to {tempfile.gettempdir()} ({error.strerror}); free space there, "
                "or unpack it yourself and import the Parquet file"
            ) from error
    temporary.seek(0)
