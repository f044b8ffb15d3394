"""Layout `table`: one CSV, TSV or Parquet file with a row per interaction, its columns mapped or detected.

Text is UTF-8 with a header, separated by comma, tab, semicolon or pipe, plain, gzipped or alone in a zip archive.
Rows are read in batches and kept as small integers. Without a behaviour column every row is the target.
"""

from dataclasses import replace
from pathlib import Path

from core.data.importers.columns import ColumnMap, checked_map, detected_map, parse_map, unread_note
from core.data.importers.content import DEFAULT_TARGET, ImportOptions, interaction_content
from core.data.importers.labels import chosen_target
from core.data.importers.rows import RowGatherer
from core.data.importers.tables import Table, open_table
from core.data.writing import DatasetContent, Provenance

__all__ = ["ColumnMap", "detect", "mapped_columns", "parse_map", "read"]

VERSION = 1
ALONE = "interaction"
_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")
_PACKED = (".gz", ".zip")


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout."""
    suffixes = [suffix.lower() for suffix in source.suffixes]
    if suffixes and suffixes[-1] in _PACKED:
        return source.is_file() and (
            suffixes[-1] == ".zip" or suffixes[-2:-1] in ([".csv"], [".tsv"], [".txt"])
        )
    return source.is_file() and source.suffix.lower() in (*_SUFFIXES, ".txt")


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of one table. Raises DataError with file, row and remedy."""
    table = open_table(source, options.limits)
    mapping, note = mapped_columns(table, options.columns)
    alone = options.target or (options.behaviors[-1] if options.behaviors else ALONE)
    gatherer = RowGatherer(options, alone)
    gatherer.add(table, mapping, "train")
    rows, users, items, notes = gatherer.finish()
    target = chosen_target(
        str(source), gatherer.behaviors.labels, options.behaviors, options.target, DEFAULT_TARGET
    )
    notes = [told for told in (table.note, note, unread_note(table.columns, mapping), *notes) if told]
    provenance = Provenance(("multi_behavior",), str(source), "table", VERSION, "", tuple(notes))
    return interaction_content(rows, replace(options, target=target), provenance, users=users, items=items)


def mapped_columns(table: Table, told: ColumnMap | None) -> tuple[ColumnMap, str]:
    """The columns to read, as told or detected, and a note on what was detected. Raises DataError if it is not clear."""
    if told is not None:
        return checked_map(str(table.path), table.columns, told), ""
    return detected_map(str(table.path), table.columns, cells_by_column(table))


def cells_by_column(table: Table) -> list[list[str]]:
    """The sample's cells, column by column; short rows are filled."""
    return [
        [row[position] if position < len(row) else "" for row in table.sample]
        for position in range(len(table.columns))
    ]
