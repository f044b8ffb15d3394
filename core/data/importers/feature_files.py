"""Feature matrices `<modality>_feat.npy`: headers are checked before anything is loaded, and nothing is ever unpickled.

I items, D dimensions. Row i of every file describes item i.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.importers.limits import MAX_NODES, Limits
from core.data.importers.npy_files import read_npy_header
from core.data.info import checked_label
from core.errors import DataError

ENDING = "_feat.npy"
_PIECE = 1 << 24


@dataclass(frozen=True)
class FeatureFile:
    """What the header of one file says, checked against the file's size.

    by_columns: the matrix is stored column after column; start: the byte at which its numbers begin.
    """

    path: Path
    modality: str
    rows: int
    dims: int
    dtype: np.dtype[Any]
    by_columns: bool
    start: int


def feature_paths(folder: Path) -> list[Path]:
    """The files of a folder that are called like features, by name."""
    return sorted(folder.glob(f"*{ENDING}"))


def feature_files(folder: Path, limits: Limits) -> list[FeatureFile]:
    """The feature files of a folder by name, all of one number of rows; only their headers are read.

    Raises DataError with file and remedy if there is none, or one cannot hold the features of the others' items.
    """
    paths = feature_paths(folder)
    if not paths:
        raise DataError(
            f"{folder}: has no feature file; expected text{ENDING}, image{ENDING} or others beside the interactions; "
            "bring them all together, or import interactions alone as one table"
        )
    files = [read_header(path, limits) for path in paths]
    for file in files[1:]:
        if file.rows != files[0].rows:
            raise DataError(
                f"{file.path}: has {file.rows} rows where {files[0].path.name} has {files[0].rows}; row i of each "
                "feature file describes item i: export all of them for the same items"
            )
    stored = sum(file.path.stat().st_size for file in files)
    limits.refuse_larger(folder, sum(4 * file.rows * file.dims for file in files), stored)
    return files


def read_header(path: Path, limits: Limits, *, modality: str | None = None, row: str = "item") -> FeatureFile:
    """What the file's header promises. Raises DataError unless the file holds just that, as a matrix of numbers.

    modality: told where the file's name does not say it. row: what a row describes, for messages.
    """
    if modality is None:
        modality = checked_label(path.name.removesuffix(ENDING), f"{path}: modality")
    header = read_npy_header(path, limits)
    if len(header.shape) != 2:
        raise DataError(
            f"{path}: has the shape {header.shown}, expected {row}s x dimensions; reshape it to one row per {row}"
        )
    rows, dims = header.shape
    if min(header.shape) < 1 or rows > MAX_NODES or dims > limits.unpacked_bytes:
        raise DataError(
            f"{path}: has the shape {header.shown}, expected 1 to {MAX_NODES} {row}s and at least one dimension; "
            "check where it came from"
        )
    header.refuse_other_size()
    return FeatureFile(path, modality, rows, dims, header.dtype, header.by_columns, header.start)


def read_matrix(file: FeatureFile) -> NDArray[np.float32]:
    """The matrix [I, D] as float32, read in pieces; numbers beyond float32 become infinite.

    Raises DataError if the file can no longer be read.
    """
    matrix_ID = np.empty((file.rows, file.dims), np.float32)
    stored = matrix_ID.T if file.by_columns else matrix_ID
    step = max(1, _PIECE // (stored.shape[1] * file.dtype.itemsize))
    try:
        with file.path.open("rb") as raw, np.errstate(all="ignore"):
            raw.seek(file.start)
            for first in range(0, len(stored), step):
                piece = stored[first : first + step]
                values = np.frombuffer(raw.read(piece.size * file.dtype.itemsize), file.dtype)
                piece[...] = values.reshape(piece.shape)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file.path}: cannot be read to its end ({error}); check the file, and import it again"
        ) from error
    return matrix_ID
