"""NumPy's `.npy` files: what a header promises is checked against the file before anything is loaded, and nothing is ever
unpickled."""

import re
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.data.importers.limits import Limits, checked_size, megabytes
from core.errors import DataError

MAGIC = b"\x93NUMPY"
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
class NpyHeader:
    """What the header of one file says.

    by_columns: the array is stored with its first axis varying fastest; start: the byte at which its numbers begin.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool
    start: int
    size: int

    @property
    def shown(self) -> str:
        """The shape in words, cut: `7 x 3`."""
        return " x ".join(str(length) for length in self.shape)[:60] or "a single number"

    def refuse_other_size(self) -> None:
        """Raises DataError unless just what the header promises follows it."""
        promised = self.dtype.itemsize
        for length in self.shape:  # Python's integers: a product of the header's lengths may be any number
            promised *= length
        if promised != self.size - self.start:
            came = "is cut short" if promised > self.size - self.start else "goes on behind its matrix"
            raise DataError(
                f"{self.path}: {came}: its header promises {self.shown} values of type {self.dtype}, "
                f"{megabytes(promised)}, and {megabytes(max(0, self.size - self.start))} follow it; copy or save it again"
            )


def read_npy_header(path: Path, limits: Limits) -> NpyHeader:
    """The header of a file of numbers. Raises DataError for a file that is too large, damaged, or holds something else."""
    size = checked_size(path, limits)
    shape, by_columns, dtype, start = _header(path)
    if dtype.hasobject:
        raise DataError(
            f"{path}: holds Python objects, which are never unpickled; save numbers: "
            "numpy.save(path, matrix.astype('float32'))"
        )
    if dtype.kind not in "biuf":
        raise DataError(f"{path}: holds {str(dtype)[:60]} values, expected numbers; save it as float32")
    return NpyHeader(path, shape, dtype, by_columns, start, size)


def read_vector(path: Path, limits: Limits, what: str) -> NDArray[Any]:
    """A list of numbers, as stored. what: one entry in words, `label per paper`, for messages.

    Raises DataError as `read_npy_header`, and for an array of more or fewer dimensions.
    """
    header = read_npy_header(path, limits)
    if len(header.shape) != 1:
        remedy = "numpy.argmax(array, axis=1)" if len(header.shape) == 2 else "numpy.ravel(array)"
        raise DataError(f"{path}: has the shape {header.shown}, expected one {what}; save {remedy} instead")
    header.refuse_other_size()
    try:
        with path.open("rb") as raw:
            raw.seek(header.start)
            return np.frombuffer(raw.read(), header.dtype)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: cannot be read to its end ({error}); check the file, and import it again"
        ) from error


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
