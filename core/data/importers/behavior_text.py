"""Layout `behavior-text`: a folder with one `user item` pair per line and one file per behaviour.

`train.txt` is the target behaviour (`buy` unless told otherwise), with optional `valid.txt` and `test.txt`; every
other `<behavior>.txt` is an auxiliary behaviour. Ids are any non-negative integers; those that occur in a file that
is read make up the users and items. In the Taobao files the valid pairs are inside `train.txt`: they are held out.
"""

from pathlib import Path

import pandas as pd

from core.data.importers.content import ImportOptions, behavior_files, dense_ids, interaction_content
from core.data.importers.pair_lines import read_pairs
from core.data.writing import DatasetContent, Provenance
from core.errors import DataError

VERSION = 1
_TARGET_FILES = ("train", "valid", "test")


def detect(source: Path) -> bool:
    """Whether `source` looks like this layout."""
    return (source / "train.txt").is_file()


def read(source: Path, options: ImportOptions) -> DatasetContent:
    """The content of a folder of behaviour files. Raises DataError with file, row and remedy."""
    target = options.target_name
    files = _files(source, options, target)
    pairs = [read_pairs(path, options.limits) for _, _, path in files]
    users, user_columns = dense_ids([column[:, 0] for column in pairs])
    items, item_columns = dense_ids([column[:, 1] for column in pairs])
    pieces = [
        pd.DataFrame({"user": user, "item": item, "behavior": behavior, "split": split})
        for (behavior, split, _), user, item in zip(files, user_columns, item_columns, strict=True)
    ]
    rows = pd.concat(pieces, ignore_index=True)
    provenance = Provenance(("multi_behavior",), str(source), "behavior-text", VERSION, "")
    return interaction_content(rows, options, provenance, users=users, items=items)


def _files(source: Path, options: ImportOptions, target: str) -> list[tuple[str, str, Path]]:
    """(behaviour, split, path) of every file to read."""
    if not source.is_dir():
        raise DataError(
            f"{source}: is not a folder; behavior-text reads a folder with train.txt and one file per behavior"
        )
    found = {path.stem: path for path in sorted(source.glob("*.txt")) if path.stem not in _TARGET_FILES}
    if target in found and (options.behaviors is None or target in options.behaviors):
        raise DataError(
            f"{found[target]}: the target {target!r} is read from train.txt, so this file would be a second one; "
            "rename it, or name the target of train.txt with --target"
        )
    if not (source / "train.txt").is_file():
        raise DataError(
            f"{source / 'train.txt'}: is missing; it holds the training pairs of the target {target!r}"
        )
    chosen = [(target, split, source / f"{split}.txt") for split in _TARGET_FILES]
    held = [entry for entry in chosen if entry[2].is_file()]
    return [
        (behavior, "train", path) for behavior, path in behavior_files(found, options, source).items()
    ] + held
