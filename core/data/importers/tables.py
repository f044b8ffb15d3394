"""Opening a table, whatever its form: column names, first rows, and the wanted columns in batches of bounded size."""

import csv
import io
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from core.data.importers.columns import listed
from core.data.importers.limits import MEGABYTE, Limits, checked_size, unpacked
from core.errors import DataError

SAMPLE_ROWS = 1_000
_HEAD = MEGABYTE
# Arrow reads up to 32 blocks ahead; no row may be longer than one
_BLOCK = MEGABYTE
_BATCH_ROWS = 1 << 19
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MARK = "\ufeff"

Batches = Iterator[tuple[tuple[Any, ...], float]]


class Table(Protocol):
    """A table on disk. sample: the first rows as texts; note: how it was read, in words."""

    @property
    def path(self) -> Path: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def sample(self) -> tuple[tuple[str, ...], ...]: ...
    @property
    def note(self) -> str: ...

    def batches(self, wanted: Sequence[str]) -> Batches:
        """Arrow arrays of the wanted columns and the share of the file read so far, batch after batch."""

    def row(self, record: int) -> int:
        """The row number that an editor shows for data row `record` (0 = the first below the header)."""


def open_table(path: Path, limits: Limits, *, delimiter: str | None = None, quoted: bool = True) -> Table:
    """The table in `path`: Parquet, or UTF-8 text with one of four delimiters, plain, gzipped or alone in a zip archive.

    delimiter: known beforehand, else detected. Raises DataError if the file is none of these.
    """
    checked_size(path, limits)
    with unpacked(path, limits) as plain:
        head = _read_exactly(plain, _HEAD)
    if head[:4] == b"PAR1" and delimiter is None:
        return ParquetTable.open(path, limits)
    return TextTable.open(path, limits, head, delimiter, quoted=quoted)


@dataclass(frozen=True)
class TextTable:
    """A delimited text file."""

    path: Path
    limits: Limits
    delimiter: str
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    quoted: bool

    @classmethod
    def open(
        cls, path: Path, limits: Limits, head: bytes, delimiter: str | None, *, quoted: bool
    ) -> "TextTable":
        text = _decoded(path, head)
        is_cut = len(head) >= _HEAD
        chosen = delimiter or _delimiter(path, text, is_cut=is_cut)
        records = _records(path, text, chosen, quoted=quoted, is_cut=is_cut)
        if not records:
            raise _empty(path)
        columns = tuple(name.strip() for name in records[0])
        return cls(path, limits, chosen, columns, tuple(tuple(row) for row in records[1:]), quoted)

    @property
    def note(self) -> str:
        return f"text separated by {_DELIMITERS.get(self.delimiter, repr(self.delimiter))}"

    def batches(self, wanted: Sequence[str]) -> Batches:
        names = [str(position) for position in range(len(self.columns))]
        include = [names[self.columns.index(column)] for column in wanted]
        with unpacked(self.path, self.limits) as plain:
            try:
                reader = arrow_csv.open_csv(
                    io.BufferedReader(plain, 1 << 16),
                    read_options=arrow_csv.ReadOptions(
                        use_threads=False, block_size=_BLOCK, column_names=names, skip_rows_after_names=1
                    ),
                    parse_options=arrow_csv.ParseOptions(
                        delimiter=self.delimiter,
                        quote_char='"' if self.quoted else False,
                        newlines_in_values=self.quoted,
                    ),
                    convert_options=arrow_csv.ConvertOptions(
                        include_columns=include, column_types=dict.fromkeys(include, pa.string())
                    ),
                )
                for batch in _larger(reader):
                    yield tuple(batch.columns), plain.fraction
            except (pa.ArrowException, UnicodeDecodeError) as error:
                raise self._complaint(error) from error

    def row(self, record: int) -> int:
        for number, (row, _) in enumerate(self._numbered()):
            if number == record + 1:
                return row
        return record + 2

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        """(row at which it begins, fields) of every record that is not blank, the header included."""
        with unpacked(self.path, self.limits) as plain:
            text = io.TextIOWrapper(io.BufferedReader(plain), "utf-8-sig", errors="replace", newline="")
            reader = _csv_reader(text, self.delimiter, quoted=self.quoted)
            before = 0
            for fields in reader:
                if fields:
                    yield before + 1, fields
                before = reader.line_num

    def _complaint(self, error: Exception) -> DataError:
        """What is wrong with the file: the first row that does not fit the header, or Arrow's own words."""
        if "UTF8" in str(error) or isinstance(error, UnicodeDecodeError):
            return _no_utf8(self.path)
        width, count = len(self.columns), 0
        try:
            for row, fields in self._numbered():
                count += 1
                if len(fields) != width:
                    return DataError(
                        f"{self.path}: row {row}: has {len(fields)} columns where the header has {width} "
                        f"({listed(self.columns)}); correct the row (quote values that hold the separator)"
                    )
        except csv.Error as cause:
            return DataError(f"{self.path}: cannot be read as text ({cause}); export it again as CSV")
        if count == 1:
            return no_rows(self.path)
        reason = str(error).splitlines()[0][:200]
        return DataError(f"{self.path}: cannot be read as a table ({reason}); export it again as CSV")


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
            values = [column.to_pylist() for column in _validated(first).columns] if first else []
        rows = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in zip(*values))
        return cls(path, limits, columns, rows)

    def batches(self, wanted: Sequence[str]) -> Batches:
        with _parquet(self.path, self.limits) as file:
            total, done = max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(dict.fromkeys(wanted))):
                done += batch.num_rows
                yield tuple(_validated(batch).column(name) for name in wanted), min(1.0, done / total)

    def row(self, record: int) -> int:
        return record + 1


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
                while piece := plain.read(MEGABYTE):
                    temporary.write(piece)
                temporary.seek(0)
            yield pq.ParquetFile(
                temporary if plain.is_packed else path, pre_buffer=False, buffer_size=MEGABYTE
            )
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0][:200]
        raise DataError(f"{path}: is truncated or damaged Parquet ({reason}); export it again") from error


def _larger(batches: Iterable[Any]) -> Iterator[Any]:
    """Consecutive batches joined to about _BATCH_ROWS rows each."""
    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(piece.num_rows for piece in held) >= _BATCH_ROWS:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)


def _read_exactly(stream: io.RawIOBase, size: int) -> bytes:
    return io.BufferedReader(stream, size).read(size)


def _decoded(path: Path, head: bytes) -> str:
    """The head as text; a character cut at its end is left out. Raises DataError unless it is UTF-8."""
    if head.startswith(_WIDE_MARKS) or b"\x00" in head:
        raise _no_utf8(path)
    for cut in range(4 if len(head) >= _HEAD else 1):
        try:
            return head[: len(head) - cut].decode().removeprefix(_MARK)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:
                break
    raise _no_utf8(path)


def _empty(path: Path) -> DataError:
    return DataError(f"{path}: is empty; it needs a first row with column names and one row per interaction")


def no_rows(path: Path) -> DataError:
    """The complaint about a table that ends with its header."""
    return DataError(f"{path}: has no rows below its header; export it again, or leave it out")


def _no_utf8(path: Path) -> DataError:
    return DataError(
        f"{path}: is no UTF-8 text; save it as CSV in UTF-8 (`iconv -f LATIN1 -t UTF-8 OLD > NEW`), or as Parquet"
    )


def _delimiter(path: Path, text: str, *, is_cut: bool) -> str:
    """The separator under which the first rows have equally many columns, and most of them."""
    best: tuple[bool, int, bool, str] | None = None
    if not text.strip():
        raise _empty(path)
    for candidate in _DELIMITERS:
        records = _records(path, text, candidate, quoted=True, is_cut=is_cut, limit=50)
        widths = [len(record) for record in records]
        if not widths or widths[0] < 2:
            continue
        usual = candidate == "\t" and ".tsv" in path.suffixes
        found = (all(width == widths[0] for width in widths), widths[0], usual, candidate)
        best = max(best, found) if best else found
    if best is None:
        raise DataError(
            f"{path}: the first row has one column only; expected a table with a user and an item column, "
            "separated by comma, tab, semicolon or pipe"
        )
    return best[3]


def _records(
    path: Path, text: str, delimiter: str, *, quoted: bool, is_cut: bool, limit: int = SAMPLE_ROWS + 1
) -> list[list[str]]:
    """The first records that are not blank; the last of a text that `is_cut` is left out."""
    reader = _csv_reader(io.StringIO(text, newline=""), delimiter, quoted=quoted)
    try:
        records = list(itertools.islice((record for record in reader if record), limit))
        return records[:-1] if is_cut and len(records) < limit else records
    except csv.Error as error:
        raise DataError(
            f"{path}: row {reader.line_num}: cannot be read as text ({error}); export it again as CSV"
        ) from error


def _csv_reader(lines: io.TextIOBase, delimiter: str, *, quoted: bool) -> Any:
    if quoted:
        return csv.reader(lines, delimiter=delimiter)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
