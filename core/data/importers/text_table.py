"""Delimited text as a table: the separator found, UTF-8 demanded, rows read by Arrow and counted as an editor does."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.data.importers.columns import listed
from core.data.importers.limits import MEGABYTE, Limits, unpacked
from core.errors import DataError

HEAD_BYTES = MEGABYTE
SAMPLE_ROWS = 1_000
# Arrow reads up to 32 blocks ahead; no row may be longer than one
_BLOCK = MEGABYTE
_BATCH_ROWS = 1 << 19
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MARK = "\ufeff"


@dataclass(frozen=True)
class TextTable:
    """A delimited text file. header_lines: lines up to the end of the header, blank ones before it included."""

    path: Path
    limits: Limits
    delimiter: str
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    quoted: bool
    header_lines: int

    @classmethod
    def open(
        cls, path: Path, limits: Limits, head: bytes, delimiter: str | None, *, quoted: bool
    ) -> "TextTable":
        text = _decoded(path, head)
        is_cut = len(head) >= HEAD_BYTES
        chosen = delimiter or _delimiter(path, text, is_cut=is_cut)
        records = _records(path, text, chosen, quoted=quoted, is_cut=is_cut)
        if not records:
            raise _empty(path)
        columns = tuple(name.strip() for name in records[0])
        lines = _header_lines(text, chosen, quoted=quoted)
        return cls(path, limits, chosen, columns, tuple(tuple(row) for row in records[1:]), quoted, lines)

    @property
    def note(self) -> str:
        return f"text separated by {_DELIMITERS.get(self.delimiter, repr(self.delimiter))}"

    def batches(self, wanted: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], float]]:
        names = [str(position) for position in range(len(self.columns))]
        include = [names[self.columns.index(column)] for column in wanted]
        with unpacked(self.path, self.limits) as plain:
            try:
                reader = arrow_csv.open_csv(
                    io.BufferedReader(plain, 1 << 16),
                    read_options=arrow_csv.ReadOptions(
                        use_threads=False, block_size=_BLOCK, column_names=names, skip_rows=self.header_lines
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


def _decoded(path: Path, head: bytes) -> str:
    """The head as text; a character cut at its end is left out. Raises DataError unless it is UTF-8."""
    if head.startswith(_WIDE_MARKS) or b"\x00" in head:
        raise _no_utf8(path)
    for cut in range(4 if len(head) >= HEAD_BYTES else 1):
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


def _header_lines(text: str, delimiter: str, *, quoted: bool) -> int:
    """How many lines of the file end with the first record that is not blank."""
    reader = _csv_reader(io.StringIO(text, newline=""), delimiter, quoted=quoted)
    next(record for record in reader if record)
    lines: int = reader.line_num
    return lines


def _csv_reader(lines: io.TextIOBase, delimiter: str, *, quoted: bool) -> Any:
    if quoted:
        return csv.reader(lines, delimiter=delimiter)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
