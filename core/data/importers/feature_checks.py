"""What is odd about a feature matrix, in words, and how its numbers can be brought to one scale.

I items, D dimensions.
"""

import hashlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.data.importers.feature_files import FeatureFile
from core.errors import DataError

FeatureScale = Literal["as-given", "unit", "standard"]

_ROWS = 1 << 12


def checked_features(file: FeatureFile, matrix_ID: NDArray[np.float32], scale: FeatureScale) -> list[str]:
    """Notes on the matrix, which is changed in place where `scale` asks for it.

    as-given: untouched. unit: rows of Euclidean length one. standard: columns of mean 0 and variance 1; constant columns
    become 0.
    Raises DataError at the first number that is not finite.
    """
    length_I = np.sqrt(np.einsum("id,id->i", matrix_ID, matrix_ID, dtype=np.float64))
    _refuse_not_finite(file, matrix_ID, length_I)
    low_D, high_D = matrix_ID.min(axis=0), matrix_ID.max(axis=0)
    notes = [_converted(file), *_repetitions(matrix_ID, length_I, low_D == high_D)]
    if scale == "as-given":
        notes.append(_spread(matrix_ID, length_I))
    elif scale == "unit":
        scale_rows(matrix_ID, length_I)
        notes.append("rows scaled to length one")
    else:
        standardise_columns(matrix_ID, low_D == high_D)
        notes.append("columns shifted and scaled to mean 0 and variance 1")
    return [f"{file.modality}: {note}" for note in notes if note]


def scale_rows(matrix_ID: NDArray[np.float32], length_I: NDArray[np.float64]) -> None:
    """x_i / |x_i| in place; rows of zeros stay zeros."""
    divisor_I = np.where(length_I > 0, length_I, 1.0)
    for rows in _pieces(len(matrix_ID)):
        matrix_ID[rows] = matrix_ID[rows] / divisor_I[rows, None]


def standardise_columns(matrix_ID: NDArray[np.float32], constant_D: NDArray[np.bool_]) -> None:
    """(x_d - mean_d) / std_d in place, with the standard deviation over all items; constant columns become 0."""
    mean_D = matrix_ID.mean(axis=0, dtype=np.float64)
    squares_D = np.zeros(len(mean_D))
    for rows in _pieces(len(matrix_ID)):
        squares_D += np.square(matrix_ID[rows] - mean_D).sum(axis=0)
    deviation_D = np.where(constant_D, 1.0, np.sqrt(squares_D / len(matrix_ID)))
    for rows in _pieces(len(matrix_ID)):
        matrix_ID[rows] = np.where(constant_D, 0.0, (matrix_ID[rows] - mean_D) / deviation_D)


def _refuse_not_finite(
    file: FeatureFile, matrix_ID: NDArray[np.float32], length_I: NDArray[np.float64]
) -> None:
    wrong_I = ~np.isfinite(length_I)
    if not wrong_I.any():
        return
    row = int(np.argmax(wrong_I))
    column = int(np.argmax(~np.isfinite(matrix_ID[row])))
    value = matrix_ID[row, column]
    came = "nan" if np.isnan(value) else f"{value} (or beyond what float32 can hold)"
    raise DataError(
        f"{file.path}: row {row}, column {column} (both from 0): the value is {came}, as in {wrong_I.sum():,} of "
        f"{file.rows:,} rows; expected finite numbers: fill what is missing, e.g. with the mean of the column, and save it again"
    )


def _converted(file: FeatureFile) -> str:
    if file.dtype == np.float32:
        return ""
    kind = file.dtype if file.dtype.isnative else f"big-endian {file.dtype.newbyteorder()}"
    return f"{kind} numbers converted to float32"


def _repetitions(
    matrix_ID: NDArray[np.float32], length_I: NDArray[np.float64], constant_D: NDArray[np.bool_]
) -> list[str]:
    """Rows without information, rows that occur before, columns of one value."""
    zero_I = length_I == 0
    flat_I = (matrix_ID.min(axis=1) == matrix_ID.max(axis=1)) & ~zero_I
    kept = np.flatnonzero(~zero_I)
    distinct = {hashlib.blake2b(matrix_ID[row], digest_size=16).digest() for row in kept}
    told = {
        "rows hold nothing but zeros: those items have no such features": int(zero_I.sum()),
        "rows hold one value in all columns": int(flat_I.sum()) if matrix_ID.shape[1] > 1 else 0,
        "rows repeat another row": len(kept) - len(distinct),
        "columns hold one value in all rows": int(constant_D.sum()) if len(matrix_ID) > 1 else 0,
    }
    return [f"{count:,} {text}" for text, count in told.items() if count]


def _spread(matrix_ID: NDArray[np.float32], length_I: NDArray[np.float64]) -> str:
    """Says of features that are not of length one how long they are, and where their numbers lie."""
    stated_I = length_I[length_I > 0]
    if not len(stated_I) or (stated_I.min() > 0.99 and stated_I.max() < 1.01):
        return ""
    mean = float(matrix_ID.mean(dtype=np.float64))
    deviation = float(np.sqrt(max(0.0, np.square(length_I).sum() / matrix_ID.size - mean**2)))
    off = "not centred, " if abs(mean) > deviation else ""
    return (
        f"{off}not normalised: rows of length {stated_I.min():,.4g} to {stated_I.max():,.4g}, mean {mean:.4g}, "
        f"standard deviation {deviation:.4g}; --features unit or standard would change that"
    )


def _pieces(count: int) -> list[slice]:
    return [slice(first, first + _ROWS) for first in range(0, count, _ROWS)]
