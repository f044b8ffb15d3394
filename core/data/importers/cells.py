"""The cells of one batch of a table as numbers or texts; what is not clear is refused with the cell's place."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LARGEST_ID = int(np.iinfo(np.int64).max)
_EXACT = 1 << 53
# what programs write for a missing value, in lower case
MISSING = ("", "nan", "null", "none", "na", "n/a", "<na>", "nat")
_WHOLE = r"^[0-9]+(\.0*)?$"


class CellError(ValueError):
    """A cell that cannot be read: its place in the batch, and what came and helps, in words."""

    def __init__(self, record: int, complaint: str) -> None:
        super().__init__(complaint)
        self.record, self.complaint = record, complaint


def plain(column: Any) -> Any:
    """`column` without dictionary encoding and with texts of one Arrow type."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def whole_numbers(column: Any, name: str) -> tuple[NDArray[np.int64], int]:
    """Ids of column `name` as whole numbers from 0 up, and how many of them came in another form (`12.0`, ` 12`, `012`).

    Raises CellError at the first that is missing, negative, a fraction, a text or too large.
    """
    column = plain(column)
    kind = column.type
    if column.null_count:
        raise _refused(column, name, pc.is_null(column))
    if pa.types.is_integer(kind):
        wrong = out_of_range(column)
        if pc.any(wrong).as_py():
            raise _refused(column, name, wrong)
        return column.cast(pa.int64()).to_numpy(zero_copy_only=False), 0
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        bad = ~np.isfinite(values) | (values < 0) | (values != np.floor(values)) | (values > _EXACT)
        if bad.any():
            raise _refused(column, name, pa.array(bad))
        return values.astype(np.int64), len(values)
    if pa.types.is_string(kind):
        return _whole_texts(column, name)
    raise CellError(0, f"{name} column holds {kind} values, expected ids; choose another column with --map")


def texts(column: Any, name: str) -> tuple[Any, int]:
    """Ids of column `name` as texts without spaces around, and how many had some or came as numbers like `12.0`.

    Raises CellError at the first that is missing, or a text that means so (`NULL`, `nan`, ...).
    """
    column = plain(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values, repaired = whole_numbers(column, name)
        return pa.array(values).cast(pa.string()), repaired
    if not pa.types.is_string(column.type):
        raise CellError(
            0, f"{name} column holds {column.type} values, expected ids; choose another column with --map"
        )
    trimmed = pc.utf8_trim_whitespace(column)
    missing = is_missing(trimmed)
    if pc.any(missing).as_py():
        raise _refused(column, name, missing)
    return trimmed, int(pc.sum(pc.not_equal(trimmed, column)).as_py() or 0)


def is_missing(trimmed: Any) -> Any:
    """Which texts (without spaces around) are missing or mean a missing value."""
    return pc.is_in(pc.utf8_lower(trimmed), pa.array([*MISSING, None]))


def out_of_range(integers: Any) -> Any:
    """Which integers are negative or above LARGEST_ID."""
    if pa.types.is_unsigned_integer(integers.type):
        return pc.greater(integers.cast(pa.uint64()), pa.scalar(LARGEST_ID, pa.uint64()))
    return pc.less(integers, 0)


def positive_labels(column: Any) -> NDArray[np.bool_]:
    """Which texts are numbers above 0. Raises CellError at the first that is no number."""
    trimmed = pc.utf8_trim_whitespace(plain(column))
    wrong = pc.invert(pc.match_substring_regex(trimmed, r"^-?[0-9]+(\.[0-9]*)?$"))
    if pc.any(wrong).as_py():
        record = _first(wrong)
        raise CellError(record, f"label {trimmed[record].as_py()[:40]!r} is no number; expected 1 or 0")
    positive: NDArray[np.bool_] = trimmed.cast(pa.float64()).to_numpy(zero_copy_only=False) > 0
    return positive


def split_codes(column: Any) -> NDArray[np.int8]:
    """Texts that say 0, 1 or 2 (train, valid, test) as numbers. Raises CellError at the first that does not."""
    trimmed = pc.utf8_trim_whitespace(plain(column))
    wrong = pc.invert(pc.match_substring_regex(trimmed, r"^[012](\.0*)?$"))
    if pc.any(wrong).as_py():
        record = _first(wrong)
        raise CellError(
            record,
            f"x_label {trimmed[record].as_py()[:40]!r} is not 0 (train), 1 (valid) or 2 (test); correct it or remove the row",
        )
    digits = pc.utf8_slice_codeunits(trimmed, 0, 1)
    codes: NDArray[np.int8] = digits.cast(pa.int8()).to_numpy(zero_copy_only=False)
    return codes


def finite_numbers(column: Any, name: str) -> NDArray[np.float32]:
    """Numbers of column `name` as float32. Raises CellError at the first that is missing, no number or not finite."""
    column = plain(column)
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        if not (pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
            raise CellError(0, f"{name} column holds {kind} values, expected numbers; save it as numbers")
        column = column.cast(pa.uint8() if pa.types.is_boolean(kind) else pa.float64())
    if pa.types.is_string(kind):
        column = _parsed(column, name)
    with np.errstate(over="ignore"):
        values: NDArray[np.float32] = (
            column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float32)
        )
    wrong = ~np.isfinite(values)
    if wrong.any():
        record = int(np.argmax(wrong))
        came = column[record].as_py()
        said = "is missing" if came is None else f"is {came}, which float32 cannot hold"
        raise CellError(record, f"{name} {said}; fill it with a finite number, or remove the column")
    return values


def _parsed(column: Any, name: str) -> Any:
    """Texts as float64. Raises CellError at the first that is no number."""
    trimmed = pc.utf8_trim_whitespace(column)
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid:
        for record, text in enumerate(trimmed.to_pylist()):
            try:
                float(text or "")
            except ValueError:
                raise CellError(
                    record,
                    f"{name} {(text or '')[:40]!r} is no number; fill it with one, or remove the column",
                ) from None
        raise CellError(0, f"{name} holds texts that are no plain numbers; write them like 0.5") from None


def _whole_texts(column: Any, name: str) -> tuple[NDArray[np.int64], int]:
    if not len(column):
        return np.empty(0, np.int64), 0
    padded = int(
        pc.sum(pc.and_(pc.starts_with(column, "0"), pc.greater(pc.binary_length(column), 1))).as_py()
    )
    if pc.all(pc.utf8_is_decimal(column)).as_py():
        try:
            return column.cast(pa.int64()).to_numpy(zero_copy_only=False), padded
        except pa.ArrowInvalid:
            pass
    trimmed = pc.utf8_trim_whitespace(column)
    wrong = pc.invert(pc.match_substring_regex(trimmed, _WHOLE))
    if pc.any(wrong).as_py():
        raise _refused(column, name, wrong)
    digits = pc.replace_substring_regex(trimmed, r"\..*$", "")
    try:
        values = digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        large = [int(text) > LARGEST_ID if len(text) < 4_000 else True for text in digits.to_pylist()]
        raise _refused(column, name, pa.array(large)) from None
    return values, padded + int(pc.sum(pc.not_equal(digits, column)).as_py())


def _refused(column: Any, name: str, wrong: Any) -> CellError:
    """Why the first `wrong` cell is no whole number, with the remedy for its case."""
    record = _first(wrong)
    value = column[record].as_py()
    text = "" if value is None else str(value).strip()
    came = f"{name} id {text[:40]!r}"
    if text.lower() in MISSING:
        return CellError(record, f"{name} id is missing ({text or 'empty'}); fill it or remove the row")
    try:
        number = float(text)
    except ValueError:
        return CellError(
            record, f"{came} is no whole number; read ids as text with --ids text, or choose another column"
        )
    if number < 0:
        return CellError(record, f"{came} is negative; ids are whole numbers from 0 up, or use --ids text")
    if number > LARGEST_ID or (isinstance(value, float) and number > _EXACT):
        return CellError(record, f"{came} is too large to be exact; store it as text and use --ids text")
    return CellError(
        record, f"{came} is no whole number; choose the column that holds ids, or use --ids text"
    )


def _first(flags: Any) -> int:
    return int(pc.index(flags, True).as_py())
