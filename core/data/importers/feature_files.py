"""Feature matrices `<modality>_feat.npy`: headers are checked before anything is loaded, and nothing is ever unpickled.

I items, D dimensions. Row i of every file describes item i.
"""

import re
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.data.importers.limits import MAX_NODES, Limits, checked_size, megabytes
from core.data.info import checked_label
from core.errors import DataError

ENDING = "_feat.npy"
_PIECE = 1 << 24
_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# what NumPy and the parser of its headers raise on damaged ones
_BROKEN = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
    SyntaxError,
    tokenize.TokenError,
)


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


def read_header(path: Path, limits: Limits) -> FeatureFile:
    """What the file's header promises. Raises DataError unless the file holds just that, as a matrix of numbers."""
    modality = checked_label(path.name.removesuffix(ENDING), f"{path}: modality")
    size = checked_size(path, limits)
    shape, by_columns, dtype, start = _header(path)
    shown = " x ".join(str(length) for length in shape)[:60] or "a single number"
    if dtype.hasobject:
        raise DataError(
            f"{path}: holds Python objects, which are never unpickled; save numbers: "
            "numpy.save(path, matrix.astype('float32'))"
        )
    if dtype.kind not in "biuf":
        raise DataError(f"{path}: holds {str(dtype)[:60]} values, expected numbers; save it as float32")
    if len(shape) != 2:
        raise DataError(
            f"{path}: has the shape {shown}, expected items x dimensions; reshape it to one row per item"
        )
    rows, dims = shape
    if min(shape) < 1 or rows > MAX_NODES or dims > limits.unpacked_bytes:
        raise DataError(
            f"{path}: has the shape {shown}, expected 1 to {MAX_NODES} items and at least one dimension; "
            "check where it came from"
        )
    promised = rows * dims * dtype.itemsize
    if promised != size - start:
        came = "is cut short" if promised > size - start else "goes on behind its matrix"
        raise DataError(
            f"{path}: {came}: its header promises {shown} values of type {dtype}, {megabytes(promised)}, and "
            f"{megabytes(max(0, size - start))} follow it; copy or save it again"
        )
    return FeatureFile(path, modality, rows, dims, dtype, by_columns, start)


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


def _header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """(shape, whether columns come first, type, where the numbers begin)."""
    try:
        with path.open("rb") as raw, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers of Python 2 warn
            version = npy.read_magic(raw)
            if version not in _READERS:
                raise ValueError(f"version {version[0]}.{version[1]} of the format")
            shape, by_columns, dtype = _READERS[version](raw)
            return shape, by_columns, dtype, raw.tell()
    except _BROKEN as error:
        told = re.sub(r" at 0x[0-9a-f]+", "", " ".join(str(error).split()))[:160]
        raise DataError(
            f"{path}: is no readable NumPy matrix ({told}); save it again with numpy.save"
        ) from error
