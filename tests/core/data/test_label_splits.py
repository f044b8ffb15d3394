"""Drawn label settings: sizes, disjoint parts, determinism, and what small classes do."""

import numpy as np
import pytest

from core.data.hetero import UNLABELLED
from core.data.label_splits import drawn_splits
from core.errors import DataError


def labels_of(*sizes: int, unlabelled: int = 0) -> np.ndarray:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    both = np.concatenate([labels, np.full(unlabelled, UNLABELLED)])
    return np.random.default_rng(5).permutation(both)


def test_settings_hold_as_many_as_they_say_and_share_no_node():
    labels = labels_of(1_700, 900, 130, unlabelled=37)
    splits, notes = drawn_splits(labels, seed=3)
    assert notes == []
    assert list(splits) == [f"{part}_{k}" for k in (20, 40, 60) for part in ("train", "val", "test")]
    for k in (20, 40, 60):
        train, val, test = (splits[f"{part}_{k}"] for part in ("train", "val", "test"))
        assert np.bincount(labels[train]).tolist() == [k] * 3
        assert (len(val), len(test)) == (1_000, 1_000)
        together = np.concatenate([train, val, test])
        assert len(np.unique(together)) == len(together)
        assert (labels[together] != UNLABELLED).all()
    assert set(splits["train_20"]) < set(splits["train_40"]) < set(splits["train_60"])


def test_the_seed_decides():
    labels = labels_of(200, 300)
    same, other = drawn_splits(labels, seed=3)[0], drawn_splits(labels, seed=4)[0]
    for name, nodes in drawn_splits(labels, seed=3)[0].items():
        np.testing.assert_array_equal(nodes, same[name])
    assert any((nodes != other[name]).any() for name, nodes in same.items())


def test_half_of_a_small_class_trains_and_half_of_the_rest_is_tested():
    splits, notes = drawn_splits(labels_of(90, 11), seed=0)
    assert {name: len(nodes) for name, nodes in splits.items()} == {
        "train_20": 25,
        "val_20": 38,
        "test_20": 38,
        "train_40": 45,
        "val_40": 28,
        "test_40": 28,
        "train_60": 50,
        "val_60": 25,
        "test_60": 26,
    }
    assert notes == [
        "classes of fewer than 120 labelled nodes train on half of theirs, not on as many as the setting says"
    ]


@pytest.mark.parametrize(
    ("sizes", "numbers", "note"),
    [
        ((40, 30), ["20"], "no setting of 40 or 60 labels per class"),
        ((42, 30), ["20", "40"], "no setting of 60 labels per class"),
        ((7, 6), ["20"], "it would equal that of 20"),
    ],
)
def test_a_setting_that_would_equal_the_one_before_is_left_out(sizes, numbers, note):
    splits, notes = drawn_splits(labels_of(*sizes), seed=0)
    assert [name.partition("_")[2] for name in splits if name.startswith("train")] == numbers
    assert any(note in said for said in notes)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (labels_of(50), "the labels hold 1 class, expected at least two"),
        (labels_of(0, unlabelled=5), "the labels hold 0 class"),
        (labels_of(1, 1), "the classes hold 1, 1 labelled nodes: too few to draw train_20"),
    ],
)
def test_too_few_labels_are_refused(labels, message):
    with pytest.raises(DataError, match=message):
        drawn_splits(labels, seed=0)
