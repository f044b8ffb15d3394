"""Labels of target nodes: numbers or texts made into the classes 0, 1, ..., with what was repaired told."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.hetero import UNLABELLED
from core.data.importers.limits import Limits
from core.data.importers.npy_files import read_vector
from core.errors import DataError

MOST_CLASSES, LONGEST_CLASS = 1_000, 100
_WHOLE = re.compile(r"-?[0-9]{1,18}(\.0*)?")
_EXACT = 1 << 53


def read_labels(path: Path, kind: str, count: int | None, limits: Limits) -> NDArray[np.int64]:
    """The labels of the nodes of type `kind` as whole numbers from 0 up, or UNLABELLED.

    count: how many nodes there are, where something else tells. Raises DataError naming the row (from 0).
    """
    stored = read_vector(path, limits, f"label per {kind}")
    if count is not None and len(stored) != count:
        raise DataError(
            f"{path}: holds {len(stored):,} labels for {count:,} nodes of type {kind}; save one label per node, "
            f"{UNLABELLED} where there is none"
        )
    _refuse_no_label(path, kind, stored)
    return stored.astype(np.int64)


def number_classes(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """Labels as classes without gaps, the names of the classes (none where they are called by their number), and notes.

    Raises DataError if there are no classes, or too many.
    """
    stated = labels != UNLABELLED
    values, dense = np.unique(labels[stated], return_inverse=True)
    _refuse_odd_count(len(values), int(stated.sum()))
    found = np.full(len(labels), UNLABELLED, np.int64)
    found[stated] = dense
    notes = _missing(found)
    if values[-1] == len(values) - 1:
        return found, (), notes
    names = tuple(map(str, values.tolist()))
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    told = f"the labels {listed} became the classes 0 to {len(names) - 1}, in that order"
    return found, names, [told, *notes]


def text_classes(labels: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """As `number_classes` for labels as texts, empty where there is none: whole numbers keep their order (-1: none), any
    other texts are sorted and name the classes.
    """
    stated = [label for label in dict.fromkeys(labels) if label]
    if stated and all(_WHOLE.fullmatch(label) for label in stated):
        number_of = {label: int(label.partition(".")[0]) for label in stated} | {"": UNLABELLED}
        lowest = min(number_of.values())
        if lowest >= UNLABELLED:
            return number_classes(np.array([number_of[label] for label in labels], np.int64))
    _refuse_odd_count(len(stated), sum(bool(label) for label in labels))
    names = tuple(sorted(stated))
    longest = max(names, key=len)
    if len(longest) > LONGEST_CLASS:
        raise DataError(
            f"the label {longest[:40]!r}... is {len(longest):,} letters long, at most {LONGEST_CLASS} are a class; check that "
            "the column holds classes"
        )
    class_of = {name: place for place, name in enumerate(names)} | {"": UNLABELLED}
    found = np.array([class_of[label] for label in labels], np.int64)
    return found, names, _missing(found)


def _missing(labels: NDArray[np.int64]) -> list[str]:
    count = int((labels == UNLABELLED).sum())
    return [f"{count:,} of {len(labels):,} target nodes have no label"] if count else []


def _refuse_no_label(path: Path, kind: str, stored: NDArray[Any]) -> None:
    """Raises DataError at the first entry that is no whole number, negative, or too large to be exact."""
    with np.errstate(invalid="ignore"):
        wrong = (stored < UNLABELLED) | (stored > _EXACT)
        if stored.dtype.kind == "f":
            wrong |= ~np.isfinite(stored) | (stored != np.floor(stored))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{path}: row {row} (from 0): the label of this {kind} is {stored[row]}, as in {int(wrong.sum()):,} rows; expected "
            f"whole numbers from 0 up, or {UNLABELLED} where there is no label: correct them, and save it again"
        )


def _refuse_odd_count(classes: int, nodes: int) -> None:
    if classes < 2:
        came = "one class only" if classes else "no label"
        raise DataError(
            f"the labels hold {came}, expected at least two classes to tell apart; check the labels"
        )
    if classes > MOST_CLASSES:
        raise DataError(
            f"the labels of {nodes:,} nodes hold {classes:,} different values, at most {MOST_CLASSES:,} classes can be told "
            "apart; check that they are classes and no ids"
        )
