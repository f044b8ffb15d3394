"""A Parquet file as a table: read in batches, its rows bounded and its texts checked, since a file can claim anything."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.data.importers.limits import MEGABYTE, Limits, Unpacked, unpacked
from core.errors import DataError

SAMPLE_ROWS = 1_000
_BATCH_ROWS = 1 << 19


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
            first = next(file.iter_batches(batch_size=SAMPLE_ROWS), None)
            values = [_values(column) for column in _validated(first).columns] if first else []
        rows = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in zip(*values))
        return cls(path, limits, columns, rows)

    def batches(self, wanted: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], float]]:
        with _parquet(self.path, self.limits) as file:
            total, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(dict.fromkeys(wanted))):
                done += batch.num_rows
                yield tuple(_validated(batch).column(name) for name in wanted), min(1.0, done / total)

    def row(self, record: int) -> int:
        return record + 1


def _values(column: Any) -> list[Any]:
    """The cells as Python values; a column that Python cannot hold (dates of the year 20,000) says so in each."""
    try:
        found: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        return [f"({column.type})"] * len(column)
    return found


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
            yield pq.ParquetFile(
                temporary if plain.is_packed else path, pre_buffer=False, buffer_size=MEGABYTE
            )
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
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
