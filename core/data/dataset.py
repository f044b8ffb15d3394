"""The one door to stored data sets: open, list, and (re-exported) write."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import ValidationError

from core.data.info import SPLITS, DatasetInfo, checked_label
from core.data.writing import DatasetContent, restore_interrupted, write_dataset
from core.errors import ConfigError, DataError
from core.home import Home

__all__ = [
    "Dataset",
    "DatasetContent",
    "DatasetInfo",
    "damaged_datasets",
    "list_datasets",
    "open_dataset",
    "write_dataset",
]


@dataclass(frozen=True)
class Dataset:
    """A stored data set; its tables are read from disk at each call."""

    info: DatasetInfo
    folder: Path

    def interactions(self) -> pd.DataFrame:
        """One row per interaction, sorted by user: `user` int32, `item` int32, `behavior` and `split` categorical
        (categories in funnel order and in train, valid, test order), and `timestamp` int64 (unix seconds) where the
        source has times. Raises DataError if the file is missing or damaged.
        """
        if not self.info.behaviors:
            raise DataError(
                f"data set {self.info.name!r} has no interactions (kind: {', '.join(self.info.kind)})"
            )
        table = _read_table(self.folder / "interactions.parquet")
        columns: dict[str, Any] = {name: table[name].to_numpy() for name in ("user", "item")}
        for name, categories in (("behavior", self.info.behaviors), ("split", SPLITS)):
            columns[name] = table[name].to_pandas().cat.set_categories(list(categories))
        if "timestamp" in table.column_names:
            columns["timestamp"] = table["timestamp"].to_numpy()
        return pd.DataFrame(columns)

    def users(self) -> pd.DataFrame:
        """Row u describes user u: `original_id`."""
        return _read_frame(self.folder / "users.parquet")

    def items(self) -> pd.DataFrame:
        """Row i describes item i: `original_id` and, where known, `title` and `category`."""
        return _read_frame(self.folder / "items.parquet")

    def features(self, modality: str, *, mapped: bool = False) -> NDArray[np.float32]:
        """Feature matrix [I, D] of one modality; `mapped`: read-only, from disk as it is used.

        Raises DataError for a modality that the data set lacks, or one whose rows are not its items.
        """
        if modality not in self.info.modalities:
            have = ", ".join(self.info.modalities) or "none"
            raise DataError(f"data set {self.info.name!r} has no modality {modality!r}; it has: {have}")
        path = self.folder / "features" / f"{modality}.npy"
        try:
            matrix: NDArray[np.float32] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        except (OSError, EOFError, ValueError) as error:
            raise DataError(
                f"{path}: cannot be read as a NumPy matrix ({error}); import the data set again"
            ) from error
        if matrix.ndim != 2 or len(matrix) != self.info.num_items or matrix.dtype != np.float32:
            raise DataError(
                f"{path}: expected {self.info.num_items} rows of float32, one per item, got {matrix.dtype} "
                f"{list(matrix.shape)}; import the data set again"
            )
        return matrix

    def truth(self, name: str) -> pd.DataFrame:
        """A table of the planted truth (`edges`, `users`, `items`, `tail_cases`, `relations`); no model reads it."""
        folder = self.folder / "truth"
        path = folder / f"{checked_label(name, 'truth table')}.parquet"
        if not path.is_file():
            have = ", ".join(sorted(entry.stem for entry in folder.glob("*.parquet"))) or "none"
            raise DataError(f"data set {self.info.name!r} keeps no truth about {name!r}; it has: {have}")
        return _read_frame(path)


def open_dataset(home: Home, name: str) -> Dataset:
    """The stored data set `name`. Raises DataError if it is missing or its description is damaged."""
    try:
        folder = home.dataset(name)
    except ConfigError as error:
        raise DataError(f"{error}. {_available(home)}") from error
    if not folder.exists():
        restore_interrupted(home)
    if not (folder / "dataset.json").is_file():
        raise DataError(f"data set {name!r} does not exist in {home.datasets}. {_available(home)}")
    return Dataset(_read_info(folder), folder)


def list_datasets(home: Home) -> list[DatasetInfo]:
    """Descriptions of all readable data sets by name; `damaged_datasets` tells of the others."""
    found = []
    for folder in _folders(home):
        try:
            found.append(_read_info(folder))
        except DataError:
            continue
    return found


def damaged_datasets(home: Home) -> dict[str, str]:
    """Name and complaint of every data set whose description cannot be read."""
    complaints = {}
    for folder in _folders(home):
        try:
            _read_info(folder)
        except DataError as error:
            complaints[folder.name] = str(error)
    return complaints


def _folders(home: Home) -> list[Path]:
    if not home.datasets.is_dir():
        return []
    restore_interrupted(home)
    entries = home.datasets.iterdir()
    return sorted(
        entry for entry in entries if not entry.name.startswith(".") and (entry / "dataset.json").is_file()
    )


def _available(home: Home) -> str:
    names = [folder.name for folder in _folders(home)]
    if not names:
        return "There are no data sets yet: run `python -m core demo-data` or `python -m core import`"
    return f"Available: {', '.join(names)}"


def _read_info(folder: Path) -> DatasetInfo:
    path = folder / "dataset.json"
    try:
        return DatasetInfo.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(
            f"{path}: damaged at {where}: {first['msg']}; import the data set again with --replace"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}); check the folder's permissions") from error


def _read_table(path: Path) -> Any:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: missing or damaged ({error}); import the data set again with --replace"
        ) from error


def _read_frame(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = _read_table(path).to_pandas()
    return frame
