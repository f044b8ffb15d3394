"""Labelled nodes parted into training, validation and test: settings of 20, 40 and 60 training nodes per class.

The split of the HeCo protocol, for data that come without one.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.data.hetero import UNLABELLED
from core.errors import DataError

PARTS = ("train", "val", "test")
LABELS_PER_CLASS = (20, 40, 60)
MOST_HELD_OUT = 1_000

Splits = dict[str, NDArray[np.int64]]


def drawn_splits(labels: NDArray[np.int64], seed: int) -> tuple[Splits, list[str]]:
    """Splits of the labelled nodes drawn by `seed`, and notes. A setting whose classes are too small to differ from the one
    before is left out. labels: 0, 1, ... or UNLABELLED.

    Raises DataError if there are fewer than two classes, or too few labelled nodes for three parts.
    """
    sizes = np.bincount(labels[labels != UNLABELLED])
    if np.count_nonzero(sizes) < 2:
        raise DataError(
            f"the labels hold {np.count_nonzero(sizes)} class, expected at least two to tell apart; check the labels"
        )
    wanted = [LABELS_PER_CLASS[0]]
    wanted += [k for before, k in itertools.pairwise(LABELS_PER_CLASS) if sizes.max() // 2 > before]
    splits = class_splits(
        np.random.default_rng(seed), labels, len(sizes), wanted=wanted, most_held_out=MOST_HELD_OUT
    )
    empty = next((name for name, nodes in splits.items() if not len(nodes)), None)
    if empty is not None:
        raise DataError(
            f"the classes hold {', '.join(map(str, sizes))} labelled nodes: too few to draw {empty}; label more nodes"
        )
    notes = []
    if len(wanted) < len(LABELS_PER_CLASS):
        left = LABELS_PER_CLASS[len(wanted) :]
        notes.append(
            f"no setting of {' or '.join(map(str, left))} labels per class: at most half of a class trains, so it would "
            f"equal that of {wanted[-1]}"
        )
    if sizes.min() // 2 < wanted[-1]:
        notes.append(
            f"classes of fewer than {2 * wanted[-1]} labelled nodes train on half of theirs, not on as many as the "
            "setting says"
        )
    return splits, notes


def class_splits(
    rng: np.random.Generator,
    labels: NDArray[np.int64],
    num_classes: int,
    *,
    wanted: Sequence[int] = LABELS_PER_CLASS,
    most_held_out: int | None = None,
) -> Splits:
    """`train_k` holds k nodes per class for every k in `wanted` (nested; at most half of the class); `val_k` and `test_k` are
    half each of the other labelled nodes, at most `most_held_out`.
    """
    by_class = [rng.permutation(np.flatnonzero(labels == label)) for label in range(num_classes)]
    splits: Splits = {}
    for k in wanted:
        train = [members[: min(k, len(members) // 2)] for members in by_class]
        rest = rng.permutation(np.concatenate([m[len(t) :] for m, t in zip(by_class, train, strict=True)]))
        half = len(rest) // 2
        parts = (np.concatenate(train), rest[:half][:most_held_out], rest[half:][:most_held_out])
        splits |= {
            f"{part}_{k}": np.sort(nodes).astype(np.int64) for part, nodes in zip(PARTS, parts, strict=True)
        }
    return splits
