"""The content hash: one SHA-256 over what a data set says, whatever the files' compression or metadata."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ContentHash:
    """Digests named parts, each in order and in pieces of any size; the order of the names does not matter."""

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}

    def add_array(self, part: str, values: NDArray[Any]) -> None:
        """Continue `part` with an array of one fixed dtype; its bytes count in little-endian, row-major order."""
        fixed = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self._of(f"{part}:{fixed.dtype.str}:{values.shape[1:]}").update(fixed.tobytes())

    def add_strings(self, part: str, values: Iterable[str]) -> None:
        """Continue `part` with texts, each preceded by its length so that borders cannot shift."""
        digest = self._of(part)
        for value in values:
            encoded = value.encode()
            digest.update(len(encoded).to_bytes(8, "little") + encoded)

    def hexdigest(self) -> str:
        whole = hashlib.sha256()
        for part in sorted(self._parts):
            whole.update(f"{part}={self._parts[part].hexdigest()}\n".encode())
        return whole.hexdigest()

    def _of(self, part: str) -> Any:
        return self._parts.setdefault(part, hashlib.sha256())
