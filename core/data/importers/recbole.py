"""Layout `recbole`: RecBole's atomic files, `NAME.inter` with an optional `NAME.item`, or a benchmark split.

Atomic files are tab-separated texts without quotes whose header says each field's type (`user_id:token`). A benchmark
split is `NAME.train.inter`, `NAME.valid.inter` and `NAME.test.inter`. Ids are tokens, hence texts. Rows whose `label`
is 0 are no interactions. Of `NAME.item` the title and the category are kept; `NAME.user` is not read.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from core.data.importers.columns import ColumnMap, listed, unread_note
from core.data.importers.content import DEFAULT_TARGET, ImportOptions, interaction_content
from core.data.importers.item_texts import described_items, undescribed
from core.data.importers.labels import chosen_target
from core.data.importers.limits import Limits
from core.data.importers.rows import RowGatherer
from core.data.importers.table import ALONE, mapped_columns
from core.data.importers.tables import Table, header_fields, inter_files, open_table
from core.data.info import SPLITS, Split
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_TYPES = ("token", "token_seq", "float", "float_seq")


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout: an `.inter` file whose header names types."""
    return any(_is_typed(path) for path in inter_files(source))


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of atomic files. Raises DataError with file, row and remedy."""
    options = dataclasses.replace(options, ids="text")
    files = interaction_files(source)
    tables = [atomic_table(path, options.limits) for path in files.values()]
    for table in tables[1:]:
        if table.columns != tables[0].columns:
            raise DataError(
                f"{table.path}: its fields ({listed(table.columns)}) differ from those of {tables[0].path.name} "
                f"({listed(tables[0].columns)}); write all parts with one header"
            )
    mapping, note = mapped_columns(tables[0], typed_map(tables[0], options.columns))
    label = next((name for name in tables[0].columns if name.split(":")[0] == "label"), None)
    alone = options.target or (options.behaviors[-1] if options.behaviors else ALONE)
    gatherer = RowGatherer(options, alone)
    for position, (split, table) in enumerate(zip(files, tables, strict=True)):
        span = (position / len(tables), (position + 1) / len(tables))
        gatherer.add(table, mapping, split, span=span, label=label)
    rows, users, items, notes = gatherer.finish()
    labels = gatherer.behaviors.labels
    target = chosen_target(str(source), labels, options.behaviors, options.target, DEFAULT_TARGET)
    described, told = _described_items(next(iter(files.values())), items, options.limits)
    unread = unread_note([name for name in tables[0].columns if name != label], mapping)
    notes = [f"read {', '.join(path.name for path in files.values())}", note, unread, *notes, *told]
    provenance = Provenance(
        ("multi_behavior",), str(source), "recbole", VERSION, "", tuple(text for text in notes if text)
    )
    options = dataclasses.replace(options, target=target)
    content = interaction_content(rows, options, provenance, users=users, items=items)
    return dataclasses.replace(content, items=pd.concat([content.items, described], axis=1))


def interaction_files(source: Path) -> dict[Split, Path]:
    """The files that hold interactions by the split they belong to; one file alone is `train`, to be split.

    Raises DataError unless there is one `.inter` file or one benchmark split.
    """
    if not source.is_dir():
        return {"train": source}
    found = sorted(source.glob("*.inter"))
    parts: dict[Split, list[Path]] = {
        split: [path for path in found if path.name.endswith(f".{split}.inter")] for split in SPLITS
    }
    whole = [path for path in found if not path.name.endswith(tuple(f".{split}.inter" for split in SPLITS))]
    names = ", ".join(path.name for path in found) or "none"
    if len(whole) == 1 and len(found) == 1:
        return {"train": whole[0]}
    if whole or any(len(paths) > 1 for paths in parts.values()) or not (parts["train"] and parts["test"]):
        raise DataError(
            f"{source}: expected one NAME.inter, or NAME.train.inter and NAME.test.inter (and NAME.valid.inter), "
            f"found: {names}; name the one file to import, or move the others away"
        )
    if len({path.name.removesuffix(f".{split}.inter") for split, (path, *_) in _stated(parts)}) > 1:
        raise DataError(
            f"{source}: the parts of a benchmark split have different names ({names}); rename them"
        )
    return {split: path for split, (path, *_) in _stated(parts)}


def atomic_table(path: Path, limits: Limits) -> Table:
    """An atomic file as a table. Raises DataError unless every field has a type."""
    table = open_table(path, limits, delimiter="\t", quoted=False)
    untyped = [name for name in table.columns if name.partition(":")[2] not in _TYPES]
    if untyped:
        raise DataError(
            f"{path}: the field {untyped[0][:40]!r} has no type of {', '.join(_TYPES)}; RecBole's first row names "
            "fields like user_id:token, separated by tabs; other tables are read by the layout table"
        )
    return table


def typed_map(table: Table, told: ColumnMap | None) -> ColumnMap | None:
    """`told` with the types added to the fields' names where they were left out."""
    if told is None:
        return None
    full = {name.split(":")[0]: name for name in table.columns}
    return ColumnMap(**{role: full.get(name, name) for role, name in told.roles.items()})


def _described_items(interactions: Path, items: Any, limits: Limits) -> tuple[pd.DataFrame, list[str]]:
    """Title and category of each item, as far as the item file tells, and notes."""
    name = interactions.name.removesuffix(".inter")
    for split in SPLITS:
        name = name.removesuffix(f".{split}")
    path = interactions.parent / f"{name}.item"
    if not path.is_file():
        return undescribed(len(items)), []
    return described_items(atomic_table(path, limits), items, "an interaction")


def _stated(parts: dict[Split, list[Path]]) -> Sequence[tuple[Split, list[Path]]]:
    return [(split, paths) for split, paths in parts.items() if paths]


def _is_typed(path: Path) -> bool:
    return any(field.rpartition(":")[2] in _TYPES for field in header_fields(path))
