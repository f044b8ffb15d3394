"""Reading pickled arrays and sparse matrices from strangers: nothing that a pickle names is ever looked up or called.

Two steps. A scan refuses every instruction that such pickles do not need and bounds what the others could allocate.
Then `pickle.Unpickler` runs with a `find_class` that knows an exact list of names and answers with stand-ins, which only
keep what they are given. Arrays are rebuilt from the bytes kept, after checking length and type.
"""

import io
import math
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.importers.limits import DEFAULT_LIMITS, Limits, checked_size
from core.data.importers.pickle_scan import scan
from core.data.importers.stand_ins import Array, Refused, Sparse, stand_ins
from core.errors import DataError

# what pickle, pickletools and NumPy raise on damaged streams, and stand-ins on arguments of the wrong number
_BROKEN = (
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    EOFError,
    BufferError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)


@dataclass(frozen=True, eq=False)
class SparseParts:
    """The stored arrays of a sparse matrix, none of them checked against the others.

    kind: csr, csc or coo. parts: `shape`, `data` and the index arrays that scipy's archives name for that kind.
    """

    kind: str
    parts: dict[str, NDArray[Any]]


def read_pickle(path: Path, limits: Limits = DEFAULT_LIMITS) -> SparseParts | NDArray[Any] | list[Any]:
    """The sparse matrix, one-dimensional array or list that the file holds; object arrays come as lists.

    A list's members are whatever plain values the pickle held; numpy's scalars come as Python's. Memory stays within a
    small multiple of the file's size. Raises DataError with the remedy.
    """
    size = checked_size(path, limits)
    try:
        with path.open("rb") as file:
            content = file.read(size)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file's name and permissions"
        ) from error
    return loaded(content, path)


def loaded(content: bytes, path: Path) -> SparseParts | NDArray[Any] | list[Any]:
    """What the pickle `content` holds; `path` names it in errors. See `read_pickle`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged text literals warn before they fail
            scan(content)
            return _plain(_Unpickler(content).load(), len(content))
    except Refused as refusal:
        raise DataError(f"{path}: {refusal}") from refusal
    except _BROKEN as error:
        told = f"{type(error).__name__}: {error}"[:160]
        raise DataError(
            f"{path}: is no readable pickle of a matrix or list ({told}); copy or export it again"
        ) from error


class _Unpickler(pickle.Unpickler):
    """`find_class` never imports: a name is on the list, to the letter, or the file is refused."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self._known = stand_ins(len(content))

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise Refused(
                f"asks for {f'{module}.{name}'[:80]!r}, which no matrix needs: the file may be hostile; do not open it "
                "with other tools either, and get the data as text or as .npz files"
            )
        return self._known[module, name]

    def persistent_load(self, pid: object) -> Any:
        raise Refused("refers to objects outside of the file; export the data again")


def _plain(value: object, size: int) -> SparseParts | NDArray[Any] | list[Any]:
    if isinstance(value, Array):
        return value.values
    if isinstance(value, list):
        return value
    if not isinstance(value, Sparse):
        raise Refused(f"holds a {type(value).__name__.strip('_')}, expected a scipy sparse matrix or a list")
    state = getattr(value, "state", {})
    shape = state.get("_shape", state.get("shape"))
    if not isinstance(shape, tuple) or not all(_is_size(length) for length in shape):
        raise ValueError("a matrix lacks its shape")
    parts = {"shape": np.array(shape, dtype=np.int64)}
    if value.kind == "lil":
        return SparseParts("coo", parts | _of_lists(state, size))
    if "coords" in state:
        state = state | dict(zip(("row", "col"), state["coords"], strict=True))
    for name in ("data", "row", "col") if value.kind == "coo" else ("data", "indices", "indptr"):
        array = state.get(name)
        if not isinstance(array, Array) or not isinstance(array.values, np.ndarray):
            raise ValueError(f"a matrix lacks the array {name!r}")
        parts[name] = array.values
    return SparseParts(value.kind, parts)


def _of_lists(state: dict[Any, Any], size: int) -> dict[str, NDArray[Any]]:
    """The entries of a lil matrix, whose object arrays `rows` and `data` hold one list per row."""
    lists = [_row_lists(state.get(name), name) for name in ("rows", "data")]
    counts = [len(row) for row in lists[0]]
    if counts != [len(row) for row in lists[1]]:
        raise ValueError("a lil_matrix has rows whose columns and values differ in number")
    if sum(counts) > size:  # one list can stand in every row at no cost to the file
        raise Refused("repeats its rows to unpack to more than it holds; check where it came from")
    columns, values = ([member for row in rows for member in row] for rows in lists)
    if not all(_is_size(column) for column in columns):
        raise ValueError("a lil_matrix has columns that are no whole numbers")
    if not all(type(value) in (int, float, bool) and math.isfinite(value) for value in values):
        raise Refused("holds values that are no finite numbers; fill or drop them")
    row = np.repeat(np.arange(len(counts)), counts)
    return {
        "row": row,
        "col": np.array(columns, dtype=np.int64),
        "data": np.array(values, dtype=np.float64),
    }


def _row_lists(array: object, name: str) -> list[list[Any]]:
    if not isinstance(array, Array) or not isinstance(array.values, list):
        raise ValueError(f"a lil_matrix lacks the lists {name!r}")
    if not all(isinstance(row, list) for row in array.values):
        raise ValueError(f"a lil_matrix has something other than lists in {name!r}")
    return array.values


def _is_size(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 62
