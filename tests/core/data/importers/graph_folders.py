"""Small graphs to import: a folder as HeCo ships it, and the same kind of graph as tables."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from core.data.importers.registry import check_import, import_dataset
from core.errors import DataError

PAPERS, AUTHORS, SUBJECTS, WORDS = 13, 7, 3, 5
LABELS = np.arange(PAPERS) % 3
# every paper has the author of its number and one more, and the subject of its class
PA = [(paper, paper % AUTHORS) for paper in range(PAPERS)] + [(0, 5), (1, 6), (4, 0)]
PS = [(paper, int(LABELS[paper])) for paper in range(PAPERS)]
SETTING = {"train": [0, 1, 2, 3, 4, 5], "val": [6, 7, 8], "test": [9, 10, 11, 12]}


def lines(pairs) -> str:
    return "".join(f"{first}\t{second}\n" for first, second in pairs)


def words(rows: int = PAPERS, dims: int = WORDS) -> np.ndarray:
    """A matrix with a fifth of its entries not zero."""
    matrix = np.zeros((rows, dims), np.float32)
    matrix[np.arange(rows), np.arange(rows) % dims] = 0.5
    return matrix


def joined(pairs, rows: int = PAPERS) -> sparse.coo_matrix:
    """Which papers share a partner, as HeCo ships it: a matrix of yes and no."""
    step = np.zeros((rows, 1 + max(second for _, second in pairs)), bool)
    step[tuple(np.array(pairs).T)] = True
    return sparse.coo_matrix((step.astype(int) @ step.T.astype(int)) > 0)


def acm() -> dict[str, Any]:
    """The files of a good folder by name."""
    return {
        "pa.txt": lines(PA),
        "ps.txt": lines(PS),
        "p_feat.npz": sparse.csr_matrix(words()),
        "a_feat.npy": words(AUTHORS, 2),
        "labels.npy": LABELS.astype(np.float64),
        **{f"{part}_2.npy": np.array(nodes) for part, nodes in SETTING.items()},
    }


def dblp() -> dict[str, Any]:
    """The files of a folder whose target is not the first column of its relations."""
    return {
        "pa.txt": lines((paper, author) for author, paper in enumerate([0, 1, 2, 3, 4, 4, 3])),
        "pc.txt": lines((paper, paper % 2) for paper in range(5)),
        "pt.txt": lines((paper, term) for paper in range(5) for term in (paper, 10)),
        "labels.npy": np.array([0, 1, 0, 1, 0, 1, 1]),
    }


def tables() -> dict[str, Any]:
    """The files of a good folder of tables by name."""
    names = [f"p{number}" for number in range(PAPERS)]
    papers = {"id": names, "title": [f"About {name}, in short" for name in names]}
    labels = [["db", "ml", "se"][label] for label in LABELS]
    labels[12] = ""
    return {
        "nodes/paper.csv": pd.DataFrame({**papers, "label": labels, "year": 1999}),
        "nodes/author.tsv": pd.DataFrame(
            {"id": [f"a{n}" for n in range(AUTHORS)], "f_h": np.arange(AUTHORS) / 2}
        ),
        "nodes/venue.parquet": pd.DataFrame({"id": [10, 20, 30]}),
        "edges/paper-written_by-author.csv": pd.DataFrame(
            [(f"p{paper}", f"a{author}") for paper, author in PA], columns=["source", "destination"]
        ),
        "edges/venue-shows-paper.parquet": pd.DataFrame(
            {"source": [10 * (1 + subject) for _, subject in PS], "destination": names}
        ),
    }


def write_folder(folder: Path, files: dict[str, Any], changes: dict[str, Any] | None = None) -> Path:
    """`files` with some changed, added or (None) left out, at `folder`."""
    for name, content in {**files, **(changes or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(stored(name, content))
    return folder


def stored(name: str, content: Any) -> bytes:
    """A file's bytes by the kind of its content and the ending of its name."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, dict):
        return json.dumps(content).encode()
    file = io.BytesIO()
    if isinstance(content, pd.DataFrame):
        if name.endswith(".parquet"):
            content.to_parquet(file, index=False)
            return file.getvalue()
        return content.to_csv(index=False, sep="\t" if name.endswith(".tsv") else ",").encode()
    if sparse.issparse(content):
        sparse.save_npz(file, content)
    else:
        np.save(file, content)
    return file.getvalue()


def refused(home, layout: str, source: Path, message: str, **asked) -> None:
    """Check and import fail with this message, which names a remedy, and leave the home as it was."""
    for act in (check_import, import_dataset):
        with pytest.raises(DataError, match=message) as caught:
            act(home, layout, source, "tiny", **asked)
        assert ";" in str(caught.value)
    assert not home.root.exists()
