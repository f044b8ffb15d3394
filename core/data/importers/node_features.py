"""Feature matrices of nodes, dense or sparse: what a file holds is told by its first bytes, whatever its name says.

N nodes of one type, D dimensions. Row i describes node i.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from core.data.hetero import Features
from core.data.importers.feature_files import read_header, read_matrix
from core.data.importers.limits import Limits, checked_size
from core.data.importers.npy_files import MAGIC
from core.data.importers.sparse_files import read_sparse
from core.errors import DataError

SPARSE_BELOW = 0.25


def read_node_features(path: Path, kind: str, limits: Limits) -> tuple[Features, list[str]]:
    """The float32 matrix [N, D] of node type `kind`, and notes on it; sparse where less than SPARSE_BELOW of it is stored.

    Raises DataError for a file that is neither an `.npy` matrix nor a sparse archive, or holds anything but finite numbers.
    """
    checked_size(path, limits)
    try:
        with path.open("rb") as raw:
            magic = raw.read(len(MAGIC))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file and its permissions"
        ) from error
    if magic == MAGIC:
        return _dense(path, kind, limits)
    if magic.startswith(b"PK"):
        return _sparse(path, kind, limits)
    raise DataError(
        f"{path}: is neither a NumPy matrix nor a sparse archive; save it with numpy.save or scipy.sparse.save_npz"
    )


def described(kind: str, matrix: Features) -> list[str]:
    """Notes on a matrix: its shape, and rows that say nothing."""
    share = matrix.nnz / max(1, matrix.shape[0] * matrix.shape[1]) if isinstance(matrix, csr_array) else None
    stored = f", sparse: {100 * share:.2g} % of it not zero" if share is not None else ""
    zero = int(_is_zero(matrix).sum())
    notes = [f"{kind} features: {matrix.shape[0]:,} x {matrix.shape[1]:,}{stored}"]
    return notes + ([f"{kind} features: {zero:,} rows hold nothing but zeros"] if zero else [])


def _dense(path: Path, kind: str, limits: Limits) -> tuple[Features, list[str]]:
    file = read_header(path, limits, modality=kind, row="node")
    matrix_ND = read_matrix(file)
    _refuse_not_finite(path, matrix_ND)
    notes = described(kind, matrix_ND)
    if path.suffix != ".npy":
        notes.append(f"{path.name} is a dense NumPy matrix, whatever its name says, and was read as one")
    return matrix_ND, notes


def _sparse(path: Path, kind: str, limits: Limits) -> tuple[Features, list[str]]:
    file = read_sparse(path, limits, axes=("node", "feature"))
    if file.value.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: values are {file.value.dtype}, expected numbers; save it with scipy.sparse.save_npz"
        )
    with np.errstate(all="ignore"):  # beyond float32: refused below
        value = file.value.astype(np.float32)
    wrong = ~np.isfinite(value)
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise DataError(
            f"{path}: node {file.row[entry]}, feature {file.column[entry]}: the value is {file.value[entry]}, as in "
            f"{int(wrong.sum()):,} entries; expected finite numbers that float32 can hold: correct them, and save it again"
        )
    # positions below MAX_NODES: half the memory, and the type that scipy's own products have
    place = (file.row.astype(np.int32), file.column.astype(np.int32))
    matrix = csr_array((value, place), shape=file.shape)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if matrix.nnz >= SPARSE_BELOW * file.shape[0] * file.shape[1]:
        limits.refuse_larger(path, 4 * file.shape[0] * file.shape[1], path.stat().st_size)
        dense_ND: NDArray[np.float32] = matrix.toarray()
        return dense_ND, described(kind, dense_ND)
    return matrix, described(kind, matrix)


def _is_zero(matrix: Features) -> NDArray[np.bool_]:
    """Which rows hold nothing but zeros; a sparse matrix stores none."""
    stored_N = np.diff(matrix.indptr) if isinstance(matrix, csr_array) else np.count_nonzero(matrix, axis=1)
    zero_N: NDArray[np.bool_] = np.asarray(stored_N == 0)
    return zero_N


def _refuse_not_finite(path: Path, matrix_ND: NDArray[np.float32]) -> None:
    wrong_N = ~np.isfinite(matrix_ND.sum(axis=1, dtype=np.float64))
    if not wrong_N.any():
        return
    row = int(np.argmax(wrong_N))
    column = int(np.argmax(~np.isfinite(matrix_ND[row])))
    raise DataError(
        f"{path}: row {row}, column {column} (both from 0): the value is {matrix_ND[row, column]}, as in "
        f"{int(wrong_N.sum()):,} of {len(matrix_ND):,} rows; expected finite numbers that float32 can hold: fill what is "
        "missing, e.g. with the mean of the column, and save it again"
    )
