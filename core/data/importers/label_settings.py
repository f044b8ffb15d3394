"""Label settings as they come: which nodes train, validate and test with so many labels per class, every one checked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.hetero import UNLABELLED
from core.data.importers.limits import Limits
from core.data.importers.npy_files import read_vector
from core.data.label_splits import PARTS, Splits, drawn_splits
from core.data.splits import SplitRule
from core.errors import DataError

SETTING = re.compile(r"(train|val|test)_([1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Settings:
    """The parts of every setting, the rule in words, and notes."""

    splits: Splits
    rule: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One file of a setting. place: where an entry stands in it; shown: what a node is called; both for messages."""

    path: Path
    nodes: NDArray[np.int64]
    place: Callable[[int], str] = "entry {}".format
    shown: Callable[[int], str] = str


def setting_files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """`train_20`, `val_20`, ... -> file, by number of labels and part. Raises DataError naming the part that is missing."""
    found = {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.suffix in suffixes and SETTING.fullmatch(path.stem)
    }
    numbers = sorted({int(name.partition("_")[2]) for name in found})
    for number in numbers:
        for part in PARTS:
            if f"{part}_{number}" not in found:
                beside = (f"{other}_{number}" for other in PARTS)
                have = ", ".join(found[name].name for name in beside if name in found)
                raise DataError(
                    f"{folder / f'{part}_{number}{suffixes[0]}'}: is missing beside {have}; bring all three parts of the "
                    "setting, or none to have one drawn"
                )
    names = [f"{part}_{number}" for number in numbers for part in PARTS]
    return {name: found[name] for name in names}


def read_setting(path: Path, limits: Limits) -> NDArray[np.int64]:
    """The nodes of one `.npy` file as whole numbers. Raises DataError naming the entry."""
    stored = read_vector(path, limits, "node per entry")
    if stored.dtype.kind == "f":
        wrong = ~np.isfinite(stored) | (stored != np.floor(stored)) | (np.abs(stored) > 1 << 53)
        if wrong.any():
            entry = int(np.argmax(wrong))
            raise DataError(
                f"{path}: entry {entry} is {stored[entry]}, expected the number of a node; save them as int64"
            )
    if stored.dtype.kind == "b":
        raise DataError(
            f"{path}: holds a mask of yes and no, expected numbers of nodes; save numpy.flatnonzero(mask)"
        )
    return stored.astype(np.int64)


def checked_settings(parts: Mapping[str, Part], labels: NDArray[np.int64], kind: str) -> Settings:
    """The settings of a source, each node of `kind` in at most one part of a setting.

    Raises DataError naming file, place and remedy for a node that is out of range, repeated, unlabelled, or in two parts.
    """
    notes = []
    for part in parts.values():
        _refuse_bad_nodes(part, labels, kind)
    numbers = list(dict.fromkeys(name.partition("_")[2] for name in parts))
    for number in numbers:
        _refuse_overlap([parts[f"{part}_{number}"] for part in PARTS], kind)
        sizes = np.bincount(labels[parts[f"train_{number}"].nodes], minlength=int(labels.max()) + 1)
        if (sizes != int(number)).any():
            notes.append(
                f"train_{number} holds {sizes.min():,} to {sizes.max():,} nodes per class, not {number} of each"
            )
    splits = {name: np.sort(part.nodes) for name, part in parts.items()}
    return Settings(splits, f"source's label settings {', '.join(numbers)}", tuple(notes))


def drawn_settings(labels: NDArray[np.int64], seed: int, why: str) -> Settings:
    """Settings drawn by `seed`; why: the first words of the note that says so."""
    splits, told = drawn_splits(labels, seed)
    numbers = list(dict.fromkeys(name.partition("_")[2] for name in splits))
    note = f"{why}: drawn by seed {seed}, {', '.join(numbers)} labels per class, up to 1,000 nodes each to validate and test"
    return Settings(splits, f"random, seed {seed}: {', '.join(numbers)} labels per class", (note, *told))


def refuse_rule(source: Path, split: SplitRule | None, *, has_files: bool) -> None:
    """Raises DataError for a rule of the split that graphs do not know, or that needs files which are not there."""
    if split == "last":
        raise DataError(
            f"{source}: labelled nodes have no times, so there is no last one; choose --split as-given or random"
        )
    if split == "as-given" and not has_files:
        raise DataError(
            f"{source}: has no files like train_20, val_20, test_20, so there is no split to keep; use --split random"
        )


def _refuse_bad_nodes(part: Part, labels: NDArray[np.int64], kind: str) -> None:
    path, nodes = part.path, part.nodes
    if not len(nodes):
        raise DataError(f"{path}: holds no node; fill it, or leave out the files of all settings")
    wrong = (nodes < 0) | (nodes >= len(labels))
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise DataError(
            f"{path}: {part.place(entry)}: {kind} {nodes[entry]} is out of range 0..{len(labels) - 1}; correct the file"
        )
    wrong = labels[nodes] == UNLABELLED
    if wrong.any():
        entry = int(np.argmax(wrong))
        raise DataError(
            f"{path}: {part.place(entry)}: {kind} {part.shown(nodes[entry])} has no label, as {int(wrong.sum()):,} of its "
            "nodes; label them, or take them out of the file"
        )
    if len(np.unique(nodes)) < len(nodes):
        order = np.argsort(nodes, kind="stable")
        again = int(order[1:][np.diff(nodes[order]) == 0].min())
        raise DataError(
            f"{path}: {part.place(again)}: {kind} {part.shown(nodes[again])} stands there twice; keep it once"
        )


def _refuse_overlap(parts: list[Part], kind: str) -> None:
    for place, part in enumerate(parts):
        for other in parts[:place]:
            both = np.intersect1d(part.nodes, other.nodes)
            if len(both):
                raise DataError(
                    f"{part.path}: {kind} {part.shown(both[0])} is in {other.path.name} too, as {len(both):,} of its nodes; "
                    "each node belongs to one part of a setting: take it out of one of the two files"
                )
