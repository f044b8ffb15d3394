"""Text files with two whole numbers per line, separated by spaces or a tab: pairs of ids."""

import codecs
import itertools
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.importers.limits import DEFAULT_LIMITS, Limits, checked_size
from core.errors import DataError

_LARGEST_ID = np.iinfo(np.int64).max
_NO_BEHAVIOR = "leave the file out with --behaviors if it is no behavior file"


def read_pairs(
    path: Path,
    limits: Limits = DEFAULT_LIMITS,
    *,
    ends: tuple[str, str] = ("user", "item"),
    otherwise: str = _NO_BEHAVIOR,
) -> NDArray[np.int64]:
    """The pairs of one file, [P, 2]; blank lines are skipped. Raises DataError naming the row.

    ends: what the two columns hold; otherwise: what to do with a file that is none of these; both for messages.
    """
    checked_size(path, limits)
    values = array("q")
    try:
        with path.open("rb") as file:
            for row, line in enumerate(file, start=1):
                fields = (line.removeprefix(codecs.BOM_UTF8) if row == 1 else line).split()
                if fields:
                    values.extend(_pair(fields, path, row, ends, otherwise))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}); check the file's name and permissions"
        ) from error
    if not values:
        raise DataError(f"{path}: is empty; remove the file or fill it with `{' '.join(ends)}` lines")
    return np.frombuffer(values, dtype=np.int64).reshape(-1, 2)


def row_of(path: Path, pair: int) -> int:
    """The row (from 1) in which pair number `pair` (from 0) of a file stands; blank lines count as rows."""
    with path.open("rb") as file:
        stated = (row for row, line in enumerate(file, start=1) if line.removeprefix(codecs.BOM_UTF8).split())
        return next(itertools.islice(stated, pair, None), pair + 1)


def _pair(
    fields: list[bytes], path: Path, row: int, ends: tuple[str, str], otherwise: str
) -> tuple[int, int]:
    if len(fields) != 2:
        raise DataError(
            f"{path}: row {row}: expected 2 columns `{' '.join(ends)}` separated by a space, got {len(fields)}; "
            f"correct the row, or {otherwise}"
        )
    for column, field in zip(ends, fields, strict=True):
        # the length test keeps int() away from absurdly long digits, which Python refuses with a ValueError
        if not field.isdigit() or len(field) > 19 or int(field) > _LARGEST_ID:
            came = field[:40].decode("utf-8", "backslashreplace")
            raise DataError(
                f"{path}: row {row}: {column} id {came!r} is not a whole number within 0..{_LARGEST_ID}; "
                "remove a header line, or replace the ids by numbers"
            )
    return int(fields[0]), int(fields[1])
