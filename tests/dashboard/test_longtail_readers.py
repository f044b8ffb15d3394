"""What the readers of the page Long tail make of files, where pages cannot show it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.runs.folder import RunFolder
from dashboard import longtail_readers

ROWS = [
    ("view", "train", 0, 0),
    ("buy", "train", 0, 1),
    ("buy", "train", 0, 1),  # repeated
    ("buy", "train", 2, 1),
    ("buy", "valid", 2, 3),
    ("buy", "test", 1, 4),
]


@pytest.mark.parametrize(
    ("fit_on", "items", "users"),
    [("train", [0, 2, 0, 0, 0, 0, 0], [1, 0, 1]), ("train+valid", [0, 2, 0, 1, 0, 0, 0], [1, 0, 2])],
)
def test_distinct_pairs_of_the_target_are_counted_that_were_trained_on(fit_on, items, users) -> None:
    rows = pd.DataFrame(ROWS, columns=["behavior", "split", "user", "item"])
    info = SimpleNamespace(behaviors=("view", "buy"), num_users=3, num_items=7, content_hash="counted")
    counts = longtail_readers.trained_counts(SimpleNamespace(info=info, interactions=lambda: rows), fit_on)
    assert (counts.items.tolist(), counts.users.tolist()) == (items, users)


def test_directions_have_length_one_and_are_those_of_the_items(tmp_path) -> None:
    run = RunFolder(tmp_path)
    assert longtail_readers.item_directions(run, 3) is None
    run.embeddings.mkdir()
    values = np.array([[9, 9], [8, 8], [3, 4], [0, 0], [0, -2]])
    np.savez(run.embeddings / "final.npz", values=values, num_users=np.array(2))
    directions = longtail_readers.item_directions(run, 3)
    assert directions is not None
    np.testing.assert_allclose(directions, [[0.6, 0.8], [0, 0], [0, -1]], rtol=1e-6)
