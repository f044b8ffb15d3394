"""Features of items: kinds of numbers, odd rows and columns, scales."""

import numpy as np
import pytest

from core.data.dataset import open_dataset
from core.data.importers.registry import import_dataset
from core.errors import DataError
from tests.core.data.importers.mmrec_folders import (
    GOOD,
    ITEMS,
    TEXT,
    numbers,
    told,
    write_folder,
)


@pytest.fixture
def folder(tmp_path):
    return lambda changes=None: write_folder(tmp_path / "source", changes)


def test_numbers_of_other_kinds_become_float32_and_it_is_told(home, folder):
    exact = np.arange(ITEMS * TEXT).reshape(ITEMS, TEXT) % 50
    kinds = {"double": "f8", "half": "f2", "byte": "u1", "whole": "i8", "big": ">f4"}
    files = {f"{name}_feat.npy": exact.astype(kind) for name, kind in kinds.items()}
    info = import_dataset(home, "mmrec", folder(files), "tiny")
    for name in kinds:
        matrix = open_dataset(home, "tiny").features(name)
        assert matrix.dtype == np.float32
        np.testing.assert_array_equal(matrix, exact)
    assert "half: float16 numbers converted to float32" in info.notes
    assert "big: big-endian float32 numbers converted to float32" in info.notes
    assert not told(info.notes, "text: float32")


def test_matrices_stored_by_columns_and_in_many_pieces_come_out_right(home, folder, monkeypatch):
    monkeypatch.setattr("core.data.importers.feature_files._PIECE", 29)
    monkeypatch.setattr("core.data.importers.feature_checks._ROWS", 2)
    import_dataset(home, "mmrec", folder({"turned_feat.npy": np.asfortranarray(numbers(seed=4))}), "tiny")
    dataset = open_dataset(home, "tiny")
    np.testing.assert_array_equal(dataset.features("turned"), numbers(seed=4))
    np.testing.assert_array_equal(dataset.features("text"), GOOD["text_feat.npy"])


def test_odd_rows_and_columns_are_counted_not_refused(home, folder):
    odd = numbers()
    odd[1] = 0
    odd[2] = 4
    odd[5] = odd[6]
    odd[:, 3] = 0
    odd[2, 3] = odd[0, 3]
    same = np.full((ITEMS, TEXT), 2.0, np.float32)
    same[:, 0] = np.arange(ITEMS)
    notes = import_dataset(home, "mmrec", folder({"text_feat.npy": odd, "same_feat.npy": same}), "tiny").notes
    assert "text: 1 rows hold nothing but zeros: those items have no such features" in notes
    assert "text: 1 rows repeat another row" in notes
    assert "text: 1 columns hold one value in all rows" in notes
    assert "same: 4 columns hold one value in all rows" in notes
    assert "same: 1 rows hold one value in all columns" in notes
    assert not told(notes, "image: 1 ")


def test_features_off_centre_or_of_any_length_are_told_of(home, folder):
    one = numbers(seed=2)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    loud = {"audio_feat.npy": numbers() + 128, "text_feat.npy": one}
    notes = import_dataset(home, "mmrec", folder(loud), "tiny").notes
    (said,) = told(notes, "audio: not centred, not normalised: rows of length 28")
    assert "mean 127.9," in said
    assert not told(notes, "text")
    assert told(notes, "image: not normalised")


def test_rows_of_length_one(home, folder):
    matrix = numbers() * 1e30
    matrix[3] = 0
    info = import_dataset(home, "mmrec", folder({"text_feat.npy": matrix}), "tiny", features="unit")
    expected = numbers() / np.linalg.norm(numbers(), axis=1, keepdims=True)
    expected[3] = 0
    np.testing.assert_allclose(open_dataset(home, "tiny").features("text"), expected, atol=1e-6)
    assert "text: rows scaled to length one" in info.notes
    assert "image: rows scaled to length one" in info.notes
    assert not any("--features" in note for note in info.notes)


def test_columns_of_mean_zero_and_variance_one(home, folder, monkeypatch):
    monkeypatch.setattr("core.data.importers.feature_checks._ROWS", 2)
    matrix = numbers() * np.arange(1, TEXT + 1, dtype=np.float32) + 128
    matrix[:, 2] = 128.5
    source = folder({"text_feat.npy": matrix})
    plain = import_dataset(home, "mmrec", source, "plain")
    info = import_dataset(home, "mmrec", source, "tiny", features="standard")
    found = open_dataset(home, "tiny").features("text").astype(np.float64)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), [1, 1, 0, 1, 1], atol=1e-5)
    assert np.corrcoef(found[:, 4], matrix[:, 4])[0, 1] > 0.999
    assert "text: columns shifted and scaled to mean 0 and variance 1" in info.notes
    assert info.content_hash != plain.content_hash


def test_other_layouts_have_no_features_to_scale(home, tmp_path):
    (tmp_path / "a.csv").write_text("user,item\n1,2\n1,3\n1,4\n")
    with pytest.raises(DataError, match="layout table has no features to scale; leave out --features"):
        import_dataset(home, "table", tmp_path / "a.csv", "tiny", features="unit")
