"""Feature files from strangers: nothing is unpickled, nothing is loaded that the limits forbid, nothing is left behind."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from core.data.importers.limits import MEGABYTE
from tests.core.data.importers.mmrec_folders import (
    ITEMS,
    TEXT,
    numbers,
    refused,
    stored,
    write_folder,
)


def header_of(shape: str, descr: str = "'<f4'", body: bytes = b"") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.fixture
def folder(tmp_path):
    return lambda changes=None: write_folder(tmp_path / "source", changes)


class Planted:
    """Unpickled, it would leave a mark."""

    def __reduce__(self):
        return (Path.touch, (Path("/tmp/relscope-was-unpickled"),))


def with_one(value: float, row: int, column: int, dtype="f4") -> np.ndarray:
    matrix = numbers().astype(dtype)
    matrix[row, column] = value
    return matrix


OBJECTS = np.full((ITEMS, 2), None)
OBJECTS[0, 0] = Planted()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (stored(OBJECTS, allow_pickle=True), "holds Python objects, which are never unpickled"),
        (pickle.dumps(numbers()), "is no readable NumPy matrix .*magic"),
        (header_of("(7, 5)", "'|O'", pickle.dumps(Planted())), "never unpickled"),
        (b"", "is no readable NumPy matrix"),
        (b"\x93NUMPY", "is no readable NumPy matrix"),
        (b"\x93NUMPY\x03\x00" + stored(numbers())[8:], "version 3.0 of the format"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is no readable NumPy matrix"),
        (numbers(rows=ITEMS - 1), "text_feat.npy: has 6 rows where image_feat.npy has 7"),
        (numbers(rows=TEXT, dims=ITEMS), "text_feat.npy: has 5 rows"),
        (np.zeros((ITEMS, 2, 3), np.float32), "has the shape 7 x 2 x 3, expected items x dimensions"),
        (np.zeros(ITEMS, np.float32), "has the shape 7, expected items x dimensions"),
        (np.array(1.0), "has the shape a single number"),
        (np.zeros((0, 5), np.float32), "has the shape 0 x 5, expected 1 to 10000000 items"),
        (np.zeros((ITEMS, 0), np.float32), "has the shape 7 x 0"),
        (np.full((ITEMS, 2), "a"), "holds <U1 values, expected numbers"),
        (np.zeros((ITEMS, 2), np.complex64), "holds complex64 values"),
        (np.zeros((ITEMS, 2), "f4,f4"), "values, expected numbers"),
        (np.zeros((ITEMS, 2), "M8[s]"), "values, expected numbers"),
        (
            with_one(np.nan, 4, 2),
            r"text_feat.npy: row 4, column 2 \(both from 0\): the value is nan, as in 1 of 7",
        ),
        (with_one(-np.inf, 0, 4), "row 0, column 4 .*the value is -inf"),
        (with_one(1e300, 3, 1, "f8"), "row 3, column 1 .*beyond what float32 can hold"),
        (
            stored(numbers())[:-1],
            "is cut short: its header promises 7 x 5 values of type float32, 140 bytes, and 139",
        ),
        (stored(numbers()) + b"\n", "goes on behind its matrix"),
        (header_of("(7, 10000000000)"), "has the shape 7 x 10000000000"),
        (header_of("(10000001, 1)"), "has the shape 10000001 x 1, expected 1 to 10000000 items"),
        (header_of("(9000000, 9000)"), "is cut short"),
        (header_of("(-7, -5)", body=b"\0" * 140), "has the shape -7 x -5"),
        (header_of(f"(7, {'9' * 4000})"), "has the shape 7 x 9999"),
        (header_of(f"(7, {'9' * 6000})"), "is no readable NumPy matrix"),
        (header_of("(7.0, 5)"), "is no readable NumPy matrix"),
        (header_of("(" * 300 + "7" + ")" * 300), "is no readable NumPy matrix"),
        (header_of("(7, 5)", "'(100000000,)f4'"), "values, expected numbers"),
        (header_of("(7, 5)", "'nonsense'"), "is no readable NumPy matrix"),
    ],
)
def test_bad_features_are_refused_unread_and_leave_nothing(home, folder, content, message):
    refused(home, folder({"text_feat.npy": content}), message)
    assert not Path("/tmp/relscope-was-unpickled").exists()


def test_a_feature_file_cut_anywhere_is_refused(home, folder):
    whole = stored(numbers())
    for length in range(0, len(whole), 13):
        refused(home, folder({"text_feat.npy": whole[:length]}), "text_feat.npy")


@pytest.mark.parametrize("name", ["Text_feat.npy", "te-xt_feat.npy", "_feat.npy", f"{'x' * 61}_feat.npy"])
def test_a_modality_needs_a_plain_name(home, folder, name):
    refused(
        home, folder({name: numbers()}), f"{name}: modality .* is not allowed: expected 1 to 60 lower-case"
    )


def test_features_over_the_limit_are_refused_before_they_are_loaded(home, folder):
    wide = stored(numbers(dims=MEGABYTE // 4 // ITEMS + 9))
    refused(home, folder({"text_feat.npy": wide}), "text_feat.npy: holds 1 MB.*--max-size 2", max_mb=1)
    many = {f"byte{number}_feat.npy": np.zeros((ITEMS, 140_000), np.int8) for number in range(3)}
    refused(home, folder({**many, "text_feat.npy": numbers()}), "allowed; .*--max-size", max_mb=1)
