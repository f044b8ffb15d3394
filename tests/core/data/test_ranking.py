"""The training and test matrices against the rows they come from."""

import dataclasses

import numpy as np
import pytest

from core.data.dataset import open_dataset, write_dataset
from core.data.ranking import ranking_data
from core.errors import DataError

ROWS = [
    (0, 1, "view", "train"),
    (0, 6, "view", "train"),
    (2, 3, "view", "train"),
    (0, 6, "buy", "train"),
    (0, 2, "buy", "train"),
    (2, 6, "buy", "train"),
    (0, 3, "buy", "valid"),
    (0, 4, "buy", "test"),
    (2, 4, "buy", "test"),
]


def dense(pairs: set[tuple[int, int]]) -> np.ndarray:
    matrix = np.zeros((5, 7), np.float32)
    for user, item in pairs:
        matrix[user, item] = 1
    return matrix


def chosen(behavior: str, *splits: str) -> np.ndarray:
    return dense({(user, item) for user, item, b, s in ROWS if b == behavior and s in splits})


@pytest.fixture
def dataset(home, content):
    write_dataset(home, "tiny", content(ROWS))
    return open_dataset(home, "tiny")


def test_matrices_hold_their_splits(dataset):
    data = ranking_data(dataset)
    assert (data.num_users, data.num_items, data.target, data.behaviors) == (5, 7, "buy", ("view", "buy"))
    np.testing.assert_array_equal(data.train["view"].toarray(), chosen("view", "train"))
    np.testing.assert_array_equal(data.train["buy"].toarray(), chosen("buy", "train"))
    np.testing.assert_array_equal(data.valid.toarray(), chosen("buy", "valid"))
    np.testing.assert_array_equal(data.test.toarray(), chosen("buy", "test"))
    np.testing.assert_array_equal(data.popularity(), [0, 0, 1, 0, 0, 0, 2])
    assert data.held_out() is data.valid


def test_fitting_on_validation_moves_its_pairs(dataset):
    data = ranking_data(dataset, "train+valid")
    np.testing.assert_array_equal(data.train["buy"].toarray(), chosen("buy", "train", "valid"))
    assert data.valid.nnz == 0
    assert data.held_out() is data.test


@pytest.mark.parametrize("fit_on", ["train", "train+valid"])
def test_validation_pairs_are_masked_either_way(dataset, fit_on):
    masked = ranking_data(dataset, fit_on).valid_pairs_masked()
    np.testing.assert_array_equal(masked.toarray(), chosen("buy", "train", "valid"))


def test_matrices_are_float32_ones_sorted(dataset):
    data = ranking_data(dataset)
    for matrix in (*data.train.values(), data.valid, data.test, data.valid_pairs_masked()):
        assert matrix.dtype == np.float32
        assert matrix.has_sorted_indices
        assert matrix.has_canonical_format
        assert (matrix.data == 1).all()


def test_repeated_rows_count_once(home, content):
    write_dataset(home, "twice", content([*ROWS, *ROWS]))
    data = ranking_data(open_dataset(home, "twice"))
    np.testing.assert_array_equal(data.train["view"].toarray(), chosen("view", "train"))
    np.testing.assert_array_equal(data.popularity(), [0, 0, 1, 0, 0, 0, 2])


@pytest.mark.parametrize(("missing", "message"), [("test", "no test pair"), ("train", "no training pair")])
def test_a_target_without_pairs_is_refused(home, content, missing, message):
    rows = [row for row in ROWS if row[2:] != ("buy", missing)]
    write_dataset(home, "poor", content(rows))
    with pytest.raises(DataError, match=f"{message} of the target 'buy'; .*--split"):
        ranking_data(open_dataset(home, "poor"))


def test_a_data_set_without_interactions_says_so(home, content, dataset):
    bare = dataclasses.replace(content(ROWS), behaviors=())
    bare = dataclasses.replace(bare, provenance=dataclasses.replace(bare.provenance, kind=("hetero",)))
    write_dataset(home, "bare", bare)
    with pytest.raises(DataError, match="no interactions"):
        ranking_data(open_dataset(home, "bare"))


def test_features_come_from_disk_by_modality(home, content):
    text = np.arange(21, dtype=np.float32).reshape(7, 3)
    write_dataset(home, "modal", dataclasses.replace(content(ROWS), features={"text": text}))
    data = ranking_data(open_dataset(home, "modal"))
    assert list(data.features) == ["text"]
    assert isinstance(data.features["text"], np.memmap)
    np.testing.assert_array_equal(data.features["text"], text)


@pytest.mark.parametrize(
    "rows", [np.zeros((6, 3), np.float32), np.zeros((7, 3), np.float64), np.zeros(7, np.float32)]
)
def test_features_that_are_not_its_items_are_refused(home, content, rows):
    text = np.ones((7, 3), np.float32)
    write_dataset(home, "modal", dataclasses.replace(content(ROWS), features={"text": text}))
    np.save(home.dataset("modal") / "features" / "text.npy", rows)
    with pytest.raises(DataError, match="expected 7 rows of float32"):
        ranking_data(open_dataset(home, "modal"))


def test_negatives_come_from_all_items_or_those_trained_on(dataset):
    assert ranking_data(dataset).negative_pool() is None
    assert ranking_data(dataset, trained_negatives=True).negative_pool().tolist() == [2, 6]
