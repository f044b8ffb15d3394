"""Time columns as unix seconds: numbers in seconds, milli-, micro- or nanoseconds, and ISO 8601 dates."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.data.importers.cells import LARGEST_ID, CellError, is_missing, out_of_range, plain
from core.data.splits import NO_TIME

_UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
# 10^11 seconds are the year 5138; 10^11 milliseconds are March 1973
_BORDERS = np.array([10**11, 10**14, 10**17], dtype=np.int64)
_LATEST = int(_BORDERS[0])
_DAYS = (19_000_101, 21_001_231)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NUMBER = r"^[0-9]+(\.[0-9]*)?([eE][+]?[0-9]{1,2})?$"
_MINUS = r"^-[0-9.]+$"
_HELP = "expected unix seconds or milliseconds, or dates like 2014-09-30 or 2014-09-30T12:00:00"


class TimeReader:
    """Reads a time column batch by batch; every batch must have the form of the first."""

    def __init__(self) -> None:
        self._form = ""
        self._unit: int | None = None
        self._missing = self._cut = 0

    def read(self, column: Any) -> NDArray[np.int64]:
        """The cells in the unit of the file, NO_TIME where empty. Raises CellError at the first that is no time."""
        column = plain(column)
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return self._known(_date_seconds(column), column.is_valid(), "date")
        if pa.types.is_string(column.type):
            trimmed = pc.utf8_trim_whitespace(column)
            known = pc.invert(is_missing(trimmed))
            return self._from_texts(pc.if_else(known, trimmed, None), known)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            valid = pc.and_kleene(column.is_valid(), pc.fill_null(pc.is_finite(column), False))
            return self._numbers(pc.if_else(valid, column, None), valid, column)
        raise CellError(0, f"time column holds {column.type} values; {_HELP}")

    def seconds(self, raw: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str]]:
        """The cells of all batches in unix seconds, changed in place, and notes on what was done."""
        notes = []
        known = raw != NO_TIME
        if self._unit:
            np.floor_divide(raw, 1_000**self._unit, out=raw, where=known)
            notes.append(f"times are {_UNITS[self._unit]} and were turned into seconds")
        elif self._form == "number" and _are_days(raw, known):
            days = pa.array(raw[known]).cast(pa.string())
            raw[known] = _whole_seconds(pc.strptime(days, format="%Y%m%d", unit="us"))
            notes.append("times are dates written like 20140930 and were turned into seconds")
        if self._form == "date":
            notes.append("times are dates and were turned into unix seconds")
        if self._cut:
            notes.append(f"{self._cut:,} times lost their fractions of a second")
        if self._missing:
            notes.append(f"{self._missing:,} rows have no time")
        return raw, notes

    def _from_texts(self, texts: Any, known: Any) -> NDArray[np.int64]:
        if texts.null_count == len(texts):
            return self._known(np.zeros(len(texts), np.int64), known, self._form)
        is_number = pc.match_substring_regex(texts, _NUMBER)
        first = is_number.drop_null()[0].as_py()
        form = self._form or ("number" if first else "date")
        negative = pc.match_substring_regex(texts, _MINUS)
        if pc.any(negative).as_py():
            raise _refused(texts, negative, "is negative")
        if form == "number":
            return self._from_digits(texts, is_number, known)
        if pc.any(is_number).as_py():
            raise _refused(texts, is_number, "differs in form from those before")
        moments = _moments(texts)
        if moments is None:
            raise _refused_at(texts, _first_bad(texts), "cannot be read")
        return self._known(_whole_seconds(moments), known, "date")

    def _from_digits(self, texts: Any, is_number: Any, known: Any) -> NDArray[np.int64]:
        if not pc.all(is_number).as_py():
            raise _refused(texts, pc.invert(is_number), "differs in form from those before")
        try:
            return self._numbers(texts.cast(pa.int64()), known, texts)
        except pa.ArrowInvalid:
            return self._numbers(texts.cast(pa.float64()), known, texts)

    def _numbers(self, numbers: Any, known: Any, shown: Any) -> NDArray[np.int64]:
        whole = pc.fill_null(numbers, 0)
        if pa.types.is_floating(whole.type):
            values = whole.cast(pa.float64()).to_numpy(zero_copy_only=False)
            self._cut += int((values != np.floor(values)).sum())
            if (values < 0).any() or (values >= LARGEST_ID).any():
                raise _refused(shown, pa.array((values < 0) | (values >= LARGEST_ID)), "is out of range")
            return self._in_unit(np.floor(values).astype(np.int64), known)
        wrong = out_of_range(whole)
        if pc.any(wrong).as_py():
            raise _refused(shown, wrong, "is out of range")
        return self._in_unit(whole.cast(pa.int64()).to_numpy(zero_copy_only=False), known)

    def _in_unit(self, values: NDArray[np.int64], known: Any) -> NDArray[np.int64]:
        units = np.searchsorted(_BORDERS, values, side="right")
        is_known = known.to_numpy(zero_copy_only=False)
        if is_known.any():
            self._unit = int(units[is_known][0]) if self._unit is None else self._unit
            other = is_known & (units != self._unit)
            if other.any():
                record = int(np.argmax(other))
                raise CellError(
                    record,
                    f"time {values[record]} is of the size of {_UNITS[units[record]]}, those before are "
                    f"{_UNITS[self._unit]}; write all times in one unit",
                )
        return self._known(values, known, "number")

    def _known(self, values: NDArray[np.int64], known: Any, form: str) -> NDArray[np.int64]:
        is_known = known.to_numpy(zero_copy_only=False)
        if is_known.any():
            if self._form and form != self._form:
                raise CellError(
                    int(np.argmax(is_known)), f"time differs in form from the rows before; {_HELP}"
                )
            early = is_known & (values < 0)
            if early.any():
                raise CellError(int(np.argmax(early)), "time lies before 1970; correct it or leave it empty")
            late = is_known & (values >= _LATEST) if form == "date" else early
            if late.any():
                raise CellError(
                    int(np.argmax(late)), "time lies after the year 5138; correct it or leave it empty"
                )
            self._form = form
        self._missing += int((~is_known).sum())
        return np.where(is_known, values, NO_TIME)


def _moments(texts: Any) -> Any | None:
    """ISO dates as microseconds since 1970, with or without a zone; None if some are neither."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _whole_seconds(moments: Any) -> NDArray[np.int64]:
    seconds: NDArray[np.int64] = np.floor_divide(_integers(moments), 1_000_000)
    return seconds


def _date_seconds(column: Any) -> NDArray[np.int64]:
    """Seconds since 1970 of dates and timestamps of any unit, 0 where missing."""
    if pa.types.is_date32(column.type):
        return _integers(column.cast(pa.int32())) * 86_400
    unit = "ms" if pa.types.is_date64(column.type) else column.type.unit
    seconds: NDArray[np.int64] = np.floor_divide(_integers(column), _PER_SECOND[unit])
    return seconds


def _integers(column: Any) -> NDArray[np.int64]:
    integers: NDArray[np.int64] = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return integers


def _first_bad(texts: Any) -> int:
    """Place of the first text whose beginning no longer reads as dates, by halving."""
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _moments(texts[:middle]) is not None else (low, middle)
    return low


def _are_days(raw: NDArray[np.int64], known: NDArray[np.bool_]) -> bool:
    """Whether all known numbers are calendar days written without separators."""
    values = raw[known]
    if not len(values) or values.min() < _DAYS[0] or values.max() > _DAYS[1]:
        return False
    days = np.unique(values)
    read = pc.strptime(pa.array(days).cast(pa.string()), format="%Y%m%d", unit="us", error_is_null=True)
    return bool(read.null_count == 0 and _whole_seconds(read).min() >= 0)


def _refused(column: Any, wrong: Any, why: str) -> CellError:
    return _refused_at(column, int(pc.index(pc.fill_null(wrong, False), True).as_py()), why)


def _refused_at(column: Any, record: int, why: str) -> CellError:
    return CellError(record, f"time {str(column[record].as_py())[:40]!r} {why}; {_HELP}")
