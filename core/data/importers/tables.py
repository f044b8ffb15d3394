"""Opening a table, whatever its form: column names, first rows, and the wanted columns in batches of bounded size."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from core.data.importers.limits import Limits, checked_size, unpacked
from core.data.importers.parquet_table import ParquetTable
from core.data.importers.text_table import HEAD_BYTES, TextTable

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
        head = io.BufferedReader(plain).read(HEAD_BYTES)
    if head[:4] == b"PAR1" and delimiter is None:
        return ParquetTable.open(path, limits)
    return TextTable.open(path, limits, head, delimiter, quoted=quoted)


def inter_files(source: Path) -> list[Path]:
    """The `.inter` files of a folder, or `source` itself if it is one."""
    if source.is_dir():
        return sorted(source.glob("*.inter"))
    return [source] if source.suffix == ".inter" else []


def header_fields(path: Path) -> list[str]:
    """The tab-separated fields of the first line with content; empty if the file cannot be read."""
    try:
        with path.open("rb") as file:
            first = next((line for line in file.read(1 << 16).splitlines() if line), b"")
    except OSError:
        return []
    return [field.strip().decode("ascii", "replace") for field in first.split(b"\t")]
