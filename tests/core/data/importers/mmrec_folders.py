"""Small MMRec folders to import, and the bytes of feature files."""

import io
from pathlib import Path

import numpy as np
import pytest

from core.data.importers.registry import import_dataset
from core.errors import DataError

ITEMS, TEXT, IMAGE = 7, 5, 3
HEADER = "userID\titemID\trating\tx_label\n"
# user 2's only training pair is also its test pair; items 3 and 4 have features alone
ROWS = [
    (0, 0, 0),
    (0, 1, 0),
    (0, 1, 0),
    (0, 2, 1),
    (0, 5, 2),
    (1, 6, 0),
    (1, 6, 1),
    (1, 0, 2),
    (2, 2, 0),
    (2, 2, 2),
    (2, 0, 1),
]


def text_of(rows=ROWS, header: str = HEADER) -> str:
    return header + "".join(f"{user}\t{item}\t1.0\t{part}\n" for user, item, part in rows)


def numbers(rows: int = ITEMS, dims: int = TEXT, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, dims)).astype(np.float32)


def stored(matrix: np.ndarray, **how) -> bytes:
    file = io.BytesIO()
    np.save(file, matrix, **how)
    return file.getvalue()


GOOD = {
    "tiny.inter": text_of(),
    "text_feat.npy": numbers(),
    "image_feat.npy": numbers(dims=IMAGE, seed=1),
}


def write_folder(source: Path, changes: dict | None = None) -> Path:
    """The good folder with some files changed, added or (None) left out, at `source`."""
    source.mkdir(exist_ok=True)
    for name, content in {**GOOD, **(changes or {})}.items():
        if isinstance(content, np.ndarray):
            content = stored(content)
        if content is None:
            (source / name).unlink(missing_ok=True)
        else:
            (source / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return source


def told(notes, start: str) -> list[str]:
    return [note for note in notes if note.startswith(start)]


def refused(home, source: Path, message: str, **asked) -> None:
    """The import fails with this message, which names a remedy, and leaves the home as it was."""
    with pytest.raises(DataError, match=message) as caught:
        import_dataset(home, "mmrec", source, "tiny", **asked)
    assert ";" in str(caught.value)
    assert not home.root.exists()
