"""Layout `behavior-npz`: one scipy sparse matrix [U, I] per behaviour, as numpy archives.

`train_mat_<behavior>.npz` holds training pairs; where every training value is at least 10^8 the values are unix
seconds. `test_mat.npz` and an optional `valid_mat.npz` belong to the target. The matrices' common shape is the
universe of users and items. Archives are read without unpickling anything.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core.data.importers import sparse_files
from core.data.importers.content import ImportOptions, behavior_files, interaction_content
from core.data.importers.limits import DEFAULT_LIMITS, Limits
from core.data.importers.sparse_files import SparseFile
from core.data.splits import NO_TIME
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_PREFIX = "train_mat_"
_SECONDS = (10**8, 10**11)


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
    """The pairs of a scipy sparse archive (csr, csc or coo), every index and value checked. Raises DataError."""
    return _checked(sparse_files.read_sparse(path, limits))


def sparse_of_parts(path: Path, kind: str, parts: dict[str, NDArray[Any]]) -> SparseFile:
    """The pairs of a matrix of format `kind` read from `path` as named arrays, every index and value checked.

    Raises DataError with array, entry and remedy.
    """
    return _checked(sparse_files.sparse_of_parts(path, kind, parts))


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


def _checked(matrix: SparseFile) -> SparseFile:
    """`matrix` unchanged if its values are ones, counts or unix seconds. Raises DataError otherwise."""
    path, value = matrix.path, matrix.value
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
            f"{path}: entry {entry}: user {matrix.row[entry]}, item {matrix.column[entry]} has the value {value[entry]}; "
            "expected 1, a count, or unix seconds (divide milliseconds by 1000, fill or drop missing values)"
        )
    return matrix


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
