"""Behaviour values as they come in files (`Add To Cart`, `PV`, 1) turned into labels (`add_to_cart`, `pv`, `behavior_1`)."""

import re
import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.data.importers.cells import CellError, plain
from core.data.info import LONGEST_LABEL, MAX_BEHAVIORS
from core.errors import DataError


def label_of(value: str) -> str:
    """The label that stands for a behaviour value; empty if nothing of it can be kept."""
    text = unicodedata.normalize("NFKD", value.strip())
    text = re.sub(r"\.0+$", "", text) if re.fullmatch(r"[0-9]+\.0+", text) else text
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", "".join(c for c in text if not unicodedata.combining(c)))
    label = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return f"behavior_{label}" if label.isdigit() else label


class BehaviorCodes:
    """The behaviours met so far; code = position in `labels`."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self._code_of: dict[str, int] = {}
        self._value_of: dict[str, str] = {}

    def codes(self, column: Any) -> NDArray[np.int8]:
        """The code of each cell. Raises CellError for a missing value or one that gives no label of its own."""
        column = plain(column)
        kind = column.type
        if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise CellError(
                0,
                f"behavior column holds {kind} values, expected texts or codes; choose another column with --map",
            )
        encoded = column.cast(pa.string()).dictionary_encode()
        if encoded.null_count:
            raise CellError(_first_null(encoded), "behavior is missing; fill it or remove the row")
        code_of_entry = np.empty(len(encoded.dictionary), dtype=np.int8)
        indices = encoded.indices.to_numpy(zero_copy_only=False)
        for entry, value in enumerate(encoded.dictionary.to_pylist()):
            try:
                code_of_entry[entry] = self._code(value)
            except ValueError as error:
                raise CellError(int(np.argmax(indices == entry)), str(error)) from None
        found: NDArray[np.int8] = code_of_entry[indices]
        return found

    def add(self, label: str) -> int:
        """The code of a behaviour that is known by its label."""
        if label not in self._code_of:
            self._code_of[label] = self._new(label)
        return self._code_of[label]

    def renamed(self) -> list[str]:
        """Notes on the values that had to be written differently."""
        return [
            f"behavior {value!r} is called {label}"
            for label, value in self._value_of.items()
            if value != label
        ]

    def _code(self, value: str) -> int:
        if value in self._code_of:
            return self._code_of[value]
        label = label_of(value)
        if not label:
            came = (
                f"behavior {value[:40]!r} holds no letter from a to z and no digit"
                if value.strip()
                else "behavior is missing"
            )
            raise ValueError(f"{came}; name it in lower-case letters, digits and '_', or remove the row")
        if len(label) > LONGEST_LABEL or len(self.labels) >= MAX_BEHAVIORS:
            raise ValueError(
                f"behavior {value[:40]!r} is long or one of more than {MAX_BEHAVIORS} different ones, so this is hardly "
                "a behavior column; choose another with --map"
            )
        if self._value_of.get(label, value) != value:
            raise ValueError(
                f"behaviors {self._value_of[label]!r} and {value[:40]!r} would both be called {label}; rename one of them"
            )
        self._value_of[label] = value
        self._code_of[value] = self._new(label)
        return self._code_of[value]

    def _new(self, label: str) -> int:
        self.labels.append(label)
        return len(self.labels) - 1


def chosen_target(
    name: str, labels: list[str], behaviors: tuple[str, ...] | None, target: str | None, default: str
) -> str:
    """The behaviour to recommend among those found in `name`: as told, the only one, or `default`.

    Raises DataError naming the behaviours found if it is not among them, or a behaviour asked for is missing.
    """
    told = target or (behaviors[-1] if behaviors else None)
    wanted = [*(behaviors or ()), *([told] if told else [])]
    missing = [label for label in wanted if label not in labels]
    found = ", ".join(sorted(labels)) or "none"
    if missing and missing[0] == told:
        raise DataError(
            f"{name}: no rows of the target behavior {told!r}; found: {found}; name another with --target"
        )
    if missing:
        raise DataError(
            f"{name}: no rows of the behavior {missing[0]!r}; found: {found}; correct --behaviors"
        )
    if told:
        return told
    if len(labels) == 1:
        return labels[0]
    if default not in labels:
        raise DataError(
            f"{name}: several behaviors ({found}) and none is called {default!r}; "
            "name the one to recommend with --target"
        )
    return default


def _first_null(column: Any) -> int:
    return int(pc.index(pc.is_null(column), True).as_py())
