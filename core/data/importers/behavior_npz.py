"""Layout `behavior-npz`: one scipy sparse matrix [U, I] per behaviour, as numpy archives.

`train_mat_<behavior>.npz` holds training pairs; where every training value is at least 10^8 the values are unix
seconds. `test_mat.npz` and an optional `valid_mat.npz` belong to the target. The matrices' common shape is the
universe of users and items. Archives are read without unpickling anything.
"""

import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.data.importers.content import ImportOptions, behavior_files, interaction_content
from core.data.importers.limits import DEFAULT_LIMITS, MAX_NODES, Limits, checked_members, checked_size
from core.data.splits import NO_TIME
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_PREFIX = "train_mat_"
_SECONDS = (10**8, 10**11)
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


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout."""
    return any(source.glob(f"{_PREFIX}*.npz"))


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of a folder of sparse matrices. Raises DataError with file, entry and remedy."""
    target = options.target_name
    files = _files(source, options, target)
    matrices = [(behavior, split, read_sparse(path, options.limits)) for behavior, split, path in files]
    shape = matrices[0][2].shape
    for _, _, matrix in matrices:
        if matrix.shape != shape:
            raise DataError(
                f"{matrix.path}: shape {matrix.shape} differs from {shape} of {matrices[0][2].path.name}; "
                "export all behaviors with the same users and items"
            )
    timed = all(holds_seconds(matrix) for _, split, matrix in matrices if split == "train")
    pieces, notes = [], []
    for behavior, split, matrix in matrices:
        frame, dropped = interaction_rows(matrix, behavior, split, timed=timed and split == "train")
        pieces.append(frame)
        if dropped:
            notes.append(f"{matrix.path.name}: {dropped} stored zeros are no interactions and were removed")
    rows = pd.concat(pieces, ignore_index=True)
    if not timed:
        rows = rows.drop(columns="timestamp")
        notes.append(
            f"training values are below {_SECONDS[0]}: not unix seconds, so the data set has no times"
        )
    provenance = Provenance(("multi_behavior",), str(source), "behavior-npz", VERSION, "", tuple(notes))
    users, items = (pa.array(np.arange(size)).cast(pa.string()) for size in shape)
    return interaction_content(rows, options, provenance, users=users, items=items)


def read_sparse(path: Path, limits: Limits = DEFAULT_LIMITS) -> SparseFile:
    """The entries of a scipy sparse archive (csr, csc or coo), every index checked. Raises DataError."""
    parts = _arrays(path, limits)
    return sparse_of_parts(path, _scalar_text(parts.get("format")), parts)


def sparse_of_parts(path: Path, kind: str, parts: dict[str, NDArray[Any]]) -> SparseFile:
    """The entries of a matrix of format `kind` read from `path` as named arrays, every index checked.

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
            f"{path}: shape {shape.tolist()} is not (users, items), each from 1 to {MAX_NODES}; save it again"
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
    for name, indices, bound in (("user", row, num_rows), ("item", column, num_columns)):
        _check_range(path, name, indices, bound)
    _check_values(path, value, row, column)
    return SparseFile(path, (num_rows, num_columns), row, column, value)


def _files(source: Path, options: ImportOptions, target: str) -> list[tuple[str, str, Path]]:
    """(behaviour, split, path) of every archive to read."""
    if not source.is_dir():
        raise DataError(
            f"{source}: is not a folder; behavior-npz reads a folder with {_PREFIX}<behavior>.npz files"
        )
    found = {path.stem.removeprefix(_PREFIX): path for path in sorted(source.glob(f"{_PREFIX}*.npz"))}
    if target not in found:
        have = ", ".join(found) or "none"
        raise DataError(
            f"{source / f'{_PREFIX}{target}.npz'}: is missing; found behaviors: {have}; name the target with --target"
        )
    train = found.pop(target)
    auxiliary = [
        (behavior, "train", path) for behavior, path in behavior_files(found, options, source).items()
    ]
    held = [(target, split, source / f"{split}_mat.npz") for split in ("valid", "test")]
    return [*auxiliary, (target, "train", train), *(entry for entry in held if entry[2].is_file())]


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


def _check_values(path: Path, value: NDArray[Any], row: NDArray[np.int64], column: NDArray[np.int64]) -> None:
    if value.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: values are {value.dtype}, expected numbers; save it with scipy.sparse.save_npz"
        )
    if not value.size:
        raise DataError(f"{path}: has no entries; remove the file or leave the behavior out with --behaviors")
    wrong = ~np.isfinite(value) | (value < 0) | (value != np.floor(value)) | (value >= _SECONDS[1])
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise DataError(
            f"{path}: entry {entry}: user {row[entry]}, item {column[entry]} has the value {value[entry]}; "
            "expected 1, a count, or unix seconds (divide milliseconds by 1000, fill or drop missing values)"
        )


def holds_seconds(matrix: SparseFile) -> bool:
    """Whether the values are unix seconds rather than ones or counts."""
    return bool(matrix.value.min() >= _SECONDS[0])


def interaction_rows(
    matrix: SparseFile, behavior: str, split: str, *, timed: bool
) -> tuple[pd.DataFrame, int]:
    """The non-zero entries as rows, and the number of stored zeros left out."""
    kept = matrix.value != 0
    time = matrix.value[kept].astype(np.int64) if timed else np.full(int(kept.sum()), NO_TIME)
    columns = {"user": matrix.row[kept].astype(np.int32), "item": matrix.column[kept].astype(np.int32)}
    frame = pd.DataFrame({**columns, "behavior": behavior, "split": split, "timestamp": time})
    return frame, int((~kept).sum())
