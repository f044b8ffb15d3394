"""scipy's sparse archives (csr, csc or coo): every index is checked, and nothing is ever unpickled."""

import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.importers.limits import MAX_NODES, Limits, checked_members, checked_size
from core.errors import DataError

# what zipfile, zlib and NumPy raise on damaged archives and headers
_BROKEN = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    OverflowError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class SparseFile:
    """The stored entries of one archive."""

    path: Path
    shape: tuple[int, int]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[Any]


def read_sparse(path: Path, limits: Limits, axes: tuple[str, str] = ("user", "item")) -> SparseFile:
    """The entries of a scipy sparse archive. axes: what a row and a column stand for, for messages. Raises DataError."""
    parts = _arrays(path, limits)
    return sparse_of_parts(path, _scalar_text(parts.get("format")), parts, axes)


def sparse_of_parts(
    path: Path, kind: str, parts: dict[str, NDArray[Any]], axes: tuple[str, str] = ("user", "item")
) -> SparseFile:
    """The entries of a matrix of format `kind` read from `path` as named arrays.

    Raises DataError with array, entry and remedy.
    """
    needed = {"csr": ("indices", "indptr"), "csc": ("indices", "indptr"), "coo": ("row", "col")}.get(kind)
    if needed is None:
        raise DataError(f"{path}: format {kind!r} is not csr, csc or coo; save it with scipy.sparse.save_npz")
    missing = [name for name in ("data", "shape", *needed) if name not in parts]
    if missing:
        raise DataError(f"{path}: lacks the array {missing[0]!r}; save it with scipy.sparse.save_npz")
    shape = _integers(parts["shape"], path, "shape")
    if shape.shape != (2,) or shape.min() < 1 or shape.max() > MAX_NODES:
        raise DataError(
            f"{path}: shape {shape.tolist()} is not ({axes[0]}s, {axes[1]}s), each from 1 to {MAX_NODES}; save it again"
        )
    num_rows, num_columns = int(shape[0]), int(shape[1])
    if kind == "coo":
        row, column = (_integers(parts[name], path, name) for name in needed)
    else:
        pointers = _pointers(parts, path, num_rows if kind == "csr" else num_columns)
        major = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
        minor = _integers(parts["indices"], path, "indices")
        row, column = (major, minor) if kind == "csr" else (minor, major)
    value = parts["data"]
    if not row.shape == column.shape == value.shape or value.ndim != 1:
        raise DataError(
            f"{path}: {len(row)} rows, {len(column)} columns and {value.size} values do not match; save it again"
        )
    for name, indices, bound in zip(axes, (row, column), (num_rows, num_columns), strict=True):
        _check_range(path, name, indices, bound)
    return SparseFile(path, (num_rows, num_columns), row, column, value)


def _arrays(path: Path, limits: Limits) -> dict[str, NDArray[Any]]:
    try:
        checked_size(path, limits)
        with path.open("rb") as raw:
            checked_members(path, raw, limits, "numpy archive")
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except _BROKEN as error:
        if "pickle" in str(error).lower() or "Object arrays" in str(error):
            raise DataError(
                f"{path}: holds Python objects, which are never unpickled; save it with scipy.sparse.save_npz"
            ) from error
        raise DataError(f"{path}: is no readable numpy archive ({error}); copy or export it again") from error


def _scalar_text(value: NDArray[Any] | None) -> str:
    if value is None or value.size != 1 or value.dtype.kind not in "SU":
        return "missing"
    text = value.reshape(-1)[0]
    return text.decode("ascii", "backslashreplace") if isinstance(text, bytes) else str(text)


def _integers(values: NDArray[Any], path: Path, name: str) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise DataError(
            f"{path}: array {name!r} is {values.dtype} {values.shape}, expected a list of integers; save it again"
        )
    return values.astype(np.int64)


def _pointers(parts: dict[str, NDArray[Any]], path: Path, length: int) -> NDArray[np.int64]:
    pointers = _integers(parts["indptr"], path, "indptr")
    good = len(pointers) == length + 1 and pointers[0] == 0 and pointers[-1] == parts["indices"].size
    if not good or (np.diff(pointers) < 0).any():
        raise DataError(
            f"{path}: array 'indptr' does not rise from 0 to {parts['indices'].size} in {length} steps; save it again"
        )
    return pointers


def _check_range(path: Path, name: str, indices: NDArray[np.int64], bound: int) -> None:
    wrong = (indices < 0) | (indices >= bound)
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise DataError(
            f"{path}: entry {entry}: {name} {indices[entry]} is out of range 0..{bound - 1}; save the matrix again"
        )
