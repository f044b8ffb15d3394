"""The first look at a source: its columns and rows, and what an import would take them for."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.data.importers.archives import unpacked_folder
from core.data.importers.columns import ColumnMap, clear_columns
from core.data.importers.feature_files import feature_files
from core.data.importers.graph_look import COLUMNS, GraphLook, Rows, look_at_heco, look_at_tables
from core.data.importers.identities import IdKind
from core.data.importers.limits import DEFAULT_LIMITS, Limits, checked_size, megabytes
from core.data.importers.mmrec import columns_of, interactions_table
from core.data.importers.recbole import atomic_table, interaction_files, typed_map
from core.data.importers.registry import detect_layout
from core.data.importers.table import cells_by_column, mapped_columns
from core.data.importers.tables import Table, open_table
from core.errors import DataError

SHOWN_ROWS = 20
_HEAD = 1 << 16


@dataclass(frozen=True)
class Preview:
    """The head of a source. mapping: None where no mapping applies, or none is clear (a note then says why).

    ids: what the ids of the sample look like. behaviors: their values in the sample, as the source writes them.
    clear: role -> column for the roles that are clear by themselves, where the whole mapping is not. graph: of layouts that
    bring typed nodes.
    """

    layout: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mapping: ColumnMap | None
    ids: IdKind
    behaviors: tuple[str, ...]
    notes: tuple[str, ...]
    clear: Mapping[str, str] = field(default_factory=dict)
    graph: GraphLook | None = None


def preview(
    source: Path,
    layout: str = "auto",
    *,
    columns: ColumnMap | None = None,
    target_type: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Preview:
    """The first rows of `source` and what they look like; reads no more than the head of each file.

    columns: a mapping told already, to see ids and behaviours under it. target_type: of a graph, told already, to see the
    metapaths that end there. Raises DataError if the source is none of the layouts, too large, or no readable table.
    """
    if layout == "table":
        return _table_preview(open_table(source, limits), columns)
    with unpacked_folder(source, limits) as folder:
        return _preview(folder, layout, columns, target_type, limits)


def _preview(
    source: Path, layout: str, columns: ColumnMap | None, target_type: str | None, limits: Limits
) -> Preview:
    chosen = detect_layout(source) if layout == "auto" else layout
    if chosen == "table":
        return _table_preview(open_table(source, limits), columns)
    if chosen == "recbole":
        table = atomic_table(next(iter(interaction_files(source).values())), limits)
        return replace(_table_preview(table, typed_map(table, columns)), layout="recbole", ids="text")
    if chosen == "mmrec":
        return _features_preview(source, limits)
    if chosen == "behavior-text":
        return _pairs_preview(source, limits)
    if chosen == "heco":
        return _graph_preview(chosen, *look_at_heco(source, limits))
    if chosen == "hetero":
        return _graph_preview(chosen, *look_at_tables(source, limits, target_type))
    return _folder_preview(source, chosen, limits)


def _graph_preview(layout: str, rows: Rows, look: GraphLook, notes: tuple[str, ...]) -> Preview:
    return Preview(layout, COLUMNS, rows, None, "whole", (), notes, graph=look)


def _table_preview(table: Table, told: ColumnMap | None) -> Preview:
    notes = [table.note]
    mapping: ColumnMap | None = None
    clear: dict[str, str] = {}
    try:
        mapping, note = mapped_columns(table, told)
        notes += [note] if note else []
    except DataError as error:
        if told is not None:
            raise
        notes.append(str(error).removeprefix(f"{table.path}: "))
        clear = clear_columns(table.columns, cells_by_column(table))
    sample = [dict(zip(table.columns, row)) for row in table.sample]
    ids: IdKind = "whole"
    behaviors: tuple[str, ...] = ()
    if mapping is not None:
        if any(_are_texts([row.get(name, "") for row in sample]) for name in (mapping.user, mapping.item)):
            ids = "text"
        if mapping.behavior is not None:
            behaviors = tuple(dict.fromkeys(row.get(mapping.behavior, "").strip() for row in sample))
    rows = table.sample[:SHOWN_ROWS]
    return Preview("table", table.columns, rows, mapping, ids, behaviors, tuple(notes), clear)


def _features_preview(source: Path, limits: Limits) -> Preview:
    """The first interactions, and what the headers of the feature files say."""
    table = interactions_table(source, limits)
    _, note = columns_of(table)
    shapes = [
        f"{file.modality} features: {file.rows:,} x {file.dims:,}"
        for file in feature_files(table.path.parent, limits)
    ]
    rows = table.sample[:SHOWN_ROWS]
    return Preview("mmrec", table.columns, rows, None, "whole", (), (note, *shapes))


def _pairs_preview(source: Path, limits: Limits) -> Preview:
    """The first pairs of every file, the target's first."""
    files = sorted(source.glob("*.txt"), key=lambda path: (path.stem != "train", path.stem))
    each = max(1, SHOWN_ROWS // max(1, len(files)))
    rows: list[tuple[str, ...]] = []
    for path in files:
        checked_size(path, limits)
        with path.open("rb") as file:
            lines = file.read(_HEAD).decode("utf-8", "replace").splitlines()
        for line in itertools.islice(filter(str.strip, lines), each):
            user, _, item = line.strip().partition(" ")
            rows.append((path.name, user[:40], item.strip()[:40]))
    behaviors = tuple(path.stem for path in files if path.stem not in ("train", "valid", "test"))
    notes = ("train.txt holds the target behavior; --target names it (default: buy)",)
    return Preview("behavior-text", ("file", "user", "item"), tuple(rows), None, "whole", behaviors, notes)


def _folder_preview(source: Path, layout: str, limits: Limits) -> Preview:
    """The files of a source whose content only its importer can read."""
    files = sorted(path for path in source.iterdir() if path.is_file()) if source.is_dir() else [source]
    rows = tuple((path.name, megabytes(checked_size(path, limits))) for path in files[:SHOWN_ROWS])
    return Preview(
        layout, ("file", "size"), rows, None, "whole", (), ("the dry run shows what the files hold",)
    )


def _are_texts(values: Sequence[str]) -> bool:
    """Whether every stated value holds something else than a number."""
    stated = [value.strip() for value in values if value.strip()]
    return bool(stated) and not any(value.lstrip("-").replace(".", "", 1).isdecimal() for value in stated)
