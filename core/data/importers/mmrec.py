"""Layout `mmrec`: the MMRec toolkit's `NAME.inter` beside `<modality>_feat.npy`, with an optional `items.tsv`.

`NAME.inter` is tab-separated with the header `userID itemID rating x_label` and optionally `timestamp`; `x_label` is 0
for training, 1 for validation, 2 for test. Item ids are row numbers (from 0) of every feature file, so an item
without an interaction keeps its place.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.data.importers.columns import ColumnMap, listed, unread_note
from core.data.importers.content import ImportOptions, interaction_content
from core.data.importers.feature_checks import checked_features
from core.data.importers.feature_files import FeatureFile, feature_files, feature_paths, read_matrix
from core.data.importers.item_texts import described_items, undescribed
from core.data.importers.labels import chosen_target
from core.data.importers.limits import Limits
from core.data.importers.rows import READING, RowGatherer
from core.data.importers.table import ALONE, mapped_columns
from core.data.importers.tables import Table, header_fields, inter_files, open_table
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_PART = "x_label"
_DESCRIPTIONS = {"items.tsv": "\t", "items.csv": ","}
_READ, _CHECKED = 0.5, 0.72  # shares of the import after rows and after features


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout: `.inter` without types, with features or `x_label`."""
    headers = [header_fields(path) for path in inter_files(source)]
    if not headers or any(":" in field for fields in headers for field in fields):
        return False
    folder = source if source.is_dir() else source.parent
    return any(_PART in fields for fields in headers) or bool(feature_paths(folder))


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of one folder. Raises DataError with file, row and remedy."""
    table = interactions_table(source, options.limits)
    files = feature_files(table.path.parent, options.limits)
    alone = options.target or (options.behaviors[-1] if options.behaviors else ALONE)
    chosen_target(str(source), [alone], options.behaviors, alone, alone)
    rows, users, notes = _rows(table, files[0], dataclasses.replace(options, target=alone))
    features, told = _features(files, options)
    items = pa.array(np.arange(files[0].rows)).cast(pa.large_string())
    described, words = _described(table.path.parent, items, options.limits)
    provenance = Provenance(
        ("multimodal",), str(source), "mmrec", VERSION, "", (_read_note(table, files), *notes, *told, *words)
    )
    options = dataclasses.replace(options, target=alone)
    content = interaction_content(rows, options, provenance, users=users, items=items)
    full = (*content.provenance.notes, *_left_without(content))
    return dataclasses.replace(
        content,
        provenance=dataclasses.replace(content.provenance, notes=full),
        items=pd.concat([content.items, described], axis=1),
        features=features,
    )


def interactions_table(source: Path, limits: Limits) -> Table:
    """The one `.inter` file. Raises DataError unless there is one, separated by tabs, with users and items."""
    if not source.exists():
        raise DataError(f"{source}: does not exist; check the path of the data to import")
    found = inter_files(source)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise DataError(
            f"{source}: expected one NAME.inter beside its <modality>_feat.npy files, found: {names}; "
            "give the path of the one file to import, or bring it with its feature files"
        )
    return open_table(found[0], limits, delimiter="\t", quoted=False)


def columns_of(table: Table) -> tuple[ColumnMap, str]:
    """The columns of users, items and times, and a note that names them. Raises DataError if they are not clear."""
    try:
        mapping, note = mapped_columns(table, None)
    except DataError as error:
        raise DataError(
            f"{table.path}: its columns are: {listed(table.columns)}; expected userID, itemID, {_PART} and, where it "
            "is known, timestamp, separated by tabs; correct the first row"
        ) from error
    return dataclasses.replace(mapping, behavior=None), note


def _rows(table: Table, features: FeatureFile, options: ImportOptions) -> tuple[pd.DataFrame, Any, list[str]]:
    """The rows with item = row number in the feature files, the users' original ids, and notes."""
    mapping, note = columns_of(table)
    part = _part_column(table, options)
    split = f"split = {part}" if part else f"no {_PART}, so the rule of the split holds pairs out"
    if part and options.split in ("last", "random"):
        split = f"{_PART} was checked and put aside, since another split was asked for"
    notes = [f"{note}; {split}", unread_note([name for name in table.columns if name != _PART], mapping)]
    gatherer = RowGatherer(options, options.target_name)
    gatherer.add(table, mapping, "train", span=(0, _READ / READING), part=part)
    rows, users, items, told = gatherer.finish()
    numbers = items.cast(pa.int64()).to_numpy()
    _refuse_unknown_items(table, features, rows["item"].to_numpy(), numbers)
    rows["item"] = numbers.astype(np.int32)[rows["item"].to_numpy()]
    featured = features.rows - len(numbers)
    if featured:
        told.append(f"{featured:,} items have features and no interaction, and were kept")
    return rows, users, [text for text in (*notes, *told) if text]


def _part_column(table: Table, options: ImportOptions) -> str | None:
    """The column that splits the rows, if there is one. Raises DataError where it is needed, or not clear."""
    count = table.columns.count(_PART)
    if count > 1:
        raise DataError(
            f"{table.path}: has {count} columns called {_PART} ({listed(table.columns)}); keep one of them"
        )
    if not count and options.split == "as-given":
        raise DataError(
            f"{table.path}: has no column {_PART} (its columns are: {listed(table.columns)}), so there is no split to "
            "keep; choose another rule with --split"
        )
    return _PART if count else None


def _refuse_unknown_items(
    table: Table, features: FeatureFile, item: NDArray[np.int32], numbers: NDArray[np.int64]
) -> None:
    """item: each row's position in `numbers`, the ids that occur."""
    wrong = numbers[item] >= features.rows
    if wrong.any():
        record = int(np.argmax(wrong))
        raise DataError(
            f"{table.path}: row {table.row(record)}: item {numbers[item[record]]} has no feature row "
            f"({features.path.name} covers 0..{features.rows - 1}), as in {int(wrong.sum()):,} rows; item ids are row "
            "numbers of the feature files, from 0: export the features again, or remove the rows"
        )


def _features(
    files: list[FeatureFile], options: ImportOptions
) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
    """Each modality's matrix, and notes on all of them."""
    matrices, notes = {}, []
    for place, file in enumerate(files):
        share = _READ + (_CHECKED - _READ) * place / len(files)
        options.progress(share, f"reading {file.path.name}: {file.rows:,} x {file.dims:,}")
        matrix = read_matrix(file)
        notes += checked_features(file, matrix, options.features)
        matrices[file.modality] = matrix
    return matrices, notes


def _described(folder: Path, items: Any, limits: Limits) -> tuple[pd.DataFrame, list[str]]:
    for name, delimiter in _DESCRIPTIONS.items():
        if (folder / name).is_file():
            table = open_table(folder / name, limits, delimiter=delimiter)
            return described_items(table, items, "features")
    return undescribed(len(items)), []


def _read_note(table: Table, files: list[FeatureFile]) -> str:
    shapes = (f"{file.path.name} ({file.rows:,} x {file.dims:,})" for file in files)
    return f"read {', '.join((table.path.name, *shapes))}"


def _left_without(content: DatasetContent) -> list[str]:
    """Notes on users and items that no training pair is left for."""
    rows = content.interactions
    train = rows[rows["split"] == "train"]
    users = rows["user"].nunique() - train["user"].nunique()
    items = rows["item"].nunique() - train["item"].nunique()
    told = {"users": int(users), "items that interact": int(items)}
    return [f"{count:,} {what} have no training pair" for what, count in told.items() if count]
