"""Arrays that are made once: kept, read back, made again where damaged, and made without a place to keep them."""

import logging
from pathlib import Path

import numpy as np
import pytest

from core.data.kept import kept


class Maker:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"values": np.arange(5), "other": np.eye(2)}


def test_what_was_kept_is_not_made_again(tmp_path: Path):
    make, path = Maker(), tmp_path / "deep" / "kept.npz"
    first, second = kept(path, "arrays", make), kept(path, "arrays", make)
    assert make.calls == 1
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\\x03\\x04 cut off"])
def test_a_damaged_file_is_made_again_and_mended(tmp_path: Path, content: bytes, caplog):
    path, make = tmp_path / "kept.npz", Maker()
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "relscope"):
        assert np.array_equal(kept(path, "arrays", make)["values"], np.arange(5))
    assert "built again" in caplog.text
    kept(path, "arrays", make)
    assert make.calls == 1


def test_nowhere_to_keep_it_is_no_failure(tmp_path: Path, caplog):
    make = Maker()
    kept(None, "arrays", make)
    (tmp_path / "file").write_text("in the way of a folder")
    with caplog.at_level(logging.WARNING, "relscope"):
        kept(tmp_path / "file" / "kept.npz", "arrays", make)
    assert make.calls == 2
    assert "arrays are not kept" in caplog.text
