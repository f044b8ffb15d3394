"""Layout `mbgmn`: one pickled scipy sparse matrix [U, I] per behaviour, as MB-GMN and the code that followed it ship.

Read are, with or without the ending `.pkl` or `.pickle`:
`trn_<behavior>`, training pairs, and `tst_int`, for every user the target's test item or None (MB-GMN); or
`train_mat_<behavior>`, `test_mat` and an optional `valid_mat`, all three sparse matrices (HMG-CR, CML and others).
Where every training value is at least 10^8 the values are unix seconds. Nothing else in the folder is opened, such as
`meta_multi_*`. No pickle is run: see `core.data.importers.unpickling`.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.importers.behavior_npz import holds_seconds, interaction_rows, sparse_of_parts
from core.data.importers.content import ImportOptions, behavior_files, interaction_content
from core.data.importers.limits import DEFAULT_LIMITS, Limits
from core.data.importers.sparse_files import SparseFile
from core.data.importers.unpickling import SparseParts, read_pickle
from core.data.splits import NO_TIME
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_TRAINING = ("trn_", "train_mat_")
_SUFFIXES = ("", ".pkl", ".pickle")
_MOST_PAIRS = 50_000_000


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout."""
    return source.is_dir() and any(_behavior_of(path) is not None for path in source.iterdir())


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of a folder of pickled matrices. Raises DataError with file, entry and remedy."""
    if not source.is_dir():
        raise DataError(f"{source}: is not a folder; mbgmn reads a folder with trn_<behavior> and tst_int")
    target = options.target_name
    files = _behavior_files(source, options, target)
    matrices = {behavior: _matrix(path, options.limits) for behavior, path in files.items()}
    shape = matrices[target].shape
    held = _held_out(source, shape, options.limits)
    _refuse_other_shapes([*matrices.values(), *(m for m in held.values() if isinstance(m, SparseFile))])
    timed = all(holds_seconds(matrix) for matrix in matrices.values())
    notes = [f"read {', '.join(path.name for path in files.values())}"]
    pieces = []
    for behavior, matrix in matrices.items():
        pieces.append(_told(matrix, behavior, "train", timed, notes))
    for split, part in held.items():
        pieces.append(
            _told(part, target, split, False, notes)
            if isinstance(part, SparseFile)
            else part.assign(behavior=target, split=split)
        )
    rows = pd.concat(pieces, ignore_index=True)
    if not timed:
        rows = rows.drop(columns="timestamp")
        notes.append("training values are below 100000000: not unix seconds, so the data set has no times")
    provenance = Provenance(("multi_behavior",), str(source), "mbgmn", VERSION, "", tuple(notes))
    users, items = ([str(position) for position in range(size)] for size in shape)
    return interaction_content(rows, options, provenance, users=users, items=items)


def read_test_items(path: Path, shape: tuple[int, int], limits: Limits = DEFAULT_LIMITS) -> pd.DataFrame:
    """`tst_int` as rows (user, item, timestamp): position u holds the test item of user u, or None.

    shape: (users, items) of the matrices. Raises DataError naming the user.
    """
    stored = read_pickle(path, limits)
    if isinstance(stored, SparseParts):
        raise DataError(
            f"{path}: holds a matrix, expected one test item or None per user; rename it to test_mat.pkl"
        )
    items = stored.tolist() if isinstance(stored, np.ndarray) else stored
    if len(items) != shape[0]:
        raise DataError(
            f"{path}: holds {len(items)} entries for {shape[0]} users; export one test item or None per user"
        )
    users = [user for user, item in enumerate(items) if item is not None]
    if not users:
        raise DataError(f"{path}: no user has a test item; remove the file to hold items out by --split")
    chosen = _checked_items(path, users, (items[user] for user in users), shape[1])
    columns = {"user": np.array(users, dtype=np.int32), "item": chosen}
    return pd.DataFrame({**columns, "timestamp": NO_TIME})


def _checked_items(path: Path, users: list[int], items: Iterable[object], bound: int) -> NDArray[np.int32]:
    checked = []
    for user, item in zip(users, items, strict=True):
        whole = int(item) if type(item) is float and item.is_integer() else item
        if type(whole) is not int or not 0 <= whole < bound:
            is_short = type(item) is float or (type(item) is int and abs(item) < 10**18)
            came = repr(item) if is_short else f"of type {type(item).__name__}"
            raise DataError(
                f"{path}: entry {user}: the test item of user {user} is {came}, expected a whole number "
                f"within 0..{bound - 1} or None; export the list again"
            )
        checked.append(whole)
    return np.array(checked, dtype=np.int32)


def _matrix(path: Path, limits: Limits) -> SparseFile:
    """One pickled matrix, every index and value checked."""
    stored = read_pickle(path, limits)
    if not isinstance(stored, SparseParts):
        raise DataError(f"{path}: holds a list, expected a scipy sparse matrix of users x items")
    if stored.parts["data"].size > _MOST_PAIRS:
        raise DataError(f"{path}: holds more than {_MOST_PAIRS} pairs; import a part of them")
    return sparse_of_parts(path, stored.kind, stored.parts)


def _held_out(source: Path, shape: tuple[int, int], limits: Limits) -> dict[str, SparseFile | pd.DataFrame]:
    """Validation and test pairs by split, as the folder has them; none where the split is to hold some out."""
    held: dict[str, SparseFile | pd.DataFrame] = {}
    for split in ("valid", "test"):
        for path in _named(source, f"{split}_mat")[:1]:
            held[split] = _matrix(path, limits)
    listed = _named(source, "tst_int")
    if listed and "test" in held:
        raise DataError(
            f"{source}: has both {listed[0].name} and test_mat; remove the one that is not to test"
        )
    if listed:
        held["test"] = read_test_items(listed[0], shape, limits)
    return held


def _told(matrix: SparseFile, behavior: str, split: str, timed: bool, notes: list[str]) -> pd.DataFrame:
    frame, dropped = interaction_rows(matrix, behavior, split, timed=timed)
    if dropped:
        notes.append(f"{matrix.path.name}: {dropped} stored zeros are no interactions and were removed")
    return frame


def _behavior_files(source: Path, options: ImportOptions, target: str) -> dict[str, Path]:
    """The training file of every behaviour to read, the target last."""
    found = _training_files(source)
    if target not in found:
        have = ", ".join(found) or "none"
        raise DataError(
            f"{source / f'trn_{target}'}: is missing; found behaviors: {have}; name the target with --target"
        )
    training = found.pop(target)
    return {**behavior_files(found, options, source), target: training}


def _training_files(source: Path) -> dict[str, Path]:
    """Training files by behaviour. Raises DataError if two hold the same one."""
    found: dict[str, Path] = {}
    for path in sorted(source.iterdir()):
        behavior = _behavior_of(path)
        if behavior is None or not path.is_file():
            continue
        if behavior in found:
            raise DataError(
                f"{path}: a second file of the behavior {behavior!r} beside {found[behavior].name}; remove one"
            )
        found[behavior] = path
    return found


def _behavior_of(path: Path) -> str | None:
    """The behaviour that a file's name says it holds, or None."""
    prefix = next((p for p in _TRAINING if path.name.startswith(p)), None)
    if prefix is None or path.suffix not in _SUFFIXES:
        return None
    return path.name.removesuffix(path.suffix).removeprefix(prefix)


def _named(source: Path, stem: str) -> list[Path]:
    return [path for path in (source / f"{stem}{suffix}" for suffix in _SUFFIXES) if path.is_file()]


def _refuse_other_shapes(matrices: list[SparseFile]) -> None:
    for matrix in matrices:
        if matrix.shape != matrices[0].shape:
            raise DataError(
                f"{matrix.path}: shape {matrix.shape} differs from {matrices[0].shape} of {matrices[0].path.name}; "
                "export all behaviors with the same users and items"
            )
