"""Stand-ins for what pickles of arrays and matrices name: they keep what they are given and do nothing else.

They replace numpy's and scipy's own constructors, so that no code of theirs ever sees a stranger's arguments, and hold
no attributes that a pickle could set.
"""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
_OBJECT = re.compile(r"\|?O[48]?")


class Refused(Exception):
    """What a pickle asks for is not admitted; the message says what and what to do."""


class Inert:
    """A stand-in for something that a pickle names; keeps no attributes, so that BUILD cannot set any."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise Refused("sets attributes of a function or class, which no matrix needs; export the data again")


class DType(Inert):
    """numpy.dtype, called: the type code with its byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: object) -> None:
        self.code, self.order = code if isinstance(code, str) else "", ""

    def __setstate__(self, state: object) -> None:
        """(version, byte order, subdtype, names, fields, ...): only plain types have None for the last three."""
        if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
            raise Refused("holds an array of records; store one array per column")
        self.order = state[1] if state[1] in ("<", ">") else ""

    @property
    def is_object(self) -> bool:
        return _OBJECT.fullmatch(self.code) is not None

    def number(self) -> np.dtype[Any]:
        """The numeric type. Raises Refused for any other."""
        if not _NUMBER.fullmatch(self.code):
            raise Refused(f"holds values of type {self.code[:20]!r}, expected numbers; convert them first")
        return np.dtype(self.order + self.code.lstrip("<>|="))


class Array(Inert):
    """numpy.ndarray, reconstructed: `values` are numbers [n], or the list of an object array."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: NDArray[Any] | list[Any] = []

    def __setstate__(self, state: object) -> None:
        """(version, shape, dtype, is_fortran, data); the version is missing in very old files."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise ValueError("an array's state is no tuple of 5")
        self.fill(state[-4], state[-3], state[-1])

    def fill(self, shape: object, dtype: object, data: object) -> "Array":
        """Check that `data` is exactly what `shape` and `dtype` promise; allocates nothing on a promise."""
        if not isinstance(shape, tuple) or len(shape) != 1 or type(shape[0]) is not int or shape[0] < 0:
            raise Refused(
                "holds an array that is no simple list of numbers; store a csr_matrix or 1-d arrays"
            )
        if not isinstance(dtype, DType):
            raise ValueError("an array lacks its dtype")
        if dtype.is_object:
            if not isinstance(data, list) or len(data) != shape[0]:
                raise ValueError(f"an object array of {shape[0]} does not hold as many")
            self.values = data
            return self
        number = dtype.number()
        if not isinstance(data, bytes | bytearray) or len(data) != shape[0] * number.itemsize:
            raise ValueError(f"an array of {shape[0]} does not hold as many numbers")
        self.values = np.frombuffer(data, dtype=number)
        return self


class Sparse(Inert):
    """A scipy.sparse class: keeps the state, of which only the arrays and the shape are ever read."""

    __slots__ = ("state",)
    kind = ""
    state: dict[Any, Any]

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise ValueError("a matrix has no dictionary of arrays")
        self.state = state


class _CSR(Sparse):
    __slots__ = ()
    kind = "csr"


class _CSC(Sparse):
    __slots__ = ()
    kind = "csc"


class _COO(Sparse):
    __slots__ = ()
    kind = "coo"


class _LIL(Sparse):
    __slots__ = ()
    kind = "lil"


class _NDArrayName(Inert):
    __slots__ = ()


class _DTypeName(Inert):
    __slots__ = ()

    def __call__(self, code: object, *flags: object) -> DType:
        return DType(code)


class _Reconstruct(Inert):
    __slots__ = ()

    def __call__(self, kind: object, shape: object, code: object) -> Array:
        if not isinstance(kind, _NDArrayName):
            raise Refused("reconstructs something other than numpy.ndarray; export plain arrays")
        return Array()


class _FromBuffer(Inert):
    __slots__ = ()

    def __call__(self, data: object, dtype: object, shape: object, order: object) -> Array:
        return Array().fill(shape, dtype, data)


class _Scalar(Inert):
    __slots__ = ()

    def __call__(self, dtype: object, data: object) -> int | float | bool:
        (value,) = np.asarray(Array().fill((1,), dtype, data).values).tolist()
        if not isinstance(value, int | float):
            raise Refused("holds a scalar that is no number; convert it first")
        return value


class _Encode(Inert):
    """_codecs.encode as numpy's pickles of protocol 2 use it; `left` bounds the bytes that repeated calls can make."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, text: object, encoding: object) -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise Refused("encodes text as no array does; export the data again")
        self.left -= len(text)
        if self.left < 0:
            raise Refused("repeats its bytes to unpack to more than it holds; check where it came from")
        return text.encode("latin1")


def stand_ins(size: int) -> dict[tuple[str, str], Any]:
    """Every (module, name) that a pickle of `size` bytes may ask for, with its stand-in, made anew for each file."""
    names: dict[tuple[str, str], Any] = {
        ("numpy", "ndarray"): _NDArrayName(),
        ("numpy", "dtype"): _DTypeName(),
        ("_codecs", "encode"): _Encode(size),
    }
    for core in ("numpy.core", "numpy._core"):
        names[f"{core}.multiarray", "_reconstruct"] = _Reconstruct()
        names[f"{core}.multiarray", "scalar"] = _Scalar()
        names[f"{core}.numeric", "_frombuffer"] = _FromBuffer()  # what protocol 5 writes
    for matrix in (_CSR, _CSC, _COO, _LIL):
        for module in (f"scipy.sparse.{matrix.kind}", f"scipy.sparse._{matrix.kind}"):
            names[module, f"{matrix.kind}_matrix"] = names[module, f"{matrix.kind}_array"] = matrix
    return names
