"""Writing in pieces: whole users, rising, and the same data set whatever the order and size."""

import dataclasses
import itertools
import random

import numpy as np
import pytest

from core.data.writing import by_users, write_dataset


def rows_of(seed: int, count: int) -> list[tuple[int, int, str, str]]:
    rng = random.Random(seed)
    return [(rng.randrange(5), rng.randrange(7), rng.choice(["view", "buy"]), "train") for _ in range(count)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("ascending", [True, False])
def test_pieces_hold_every_row_once_and_rise_by_whole_users(content, seed, size, ascending):
    rows = rows_of(seed, 23)
    frame = content(sorted(rows) if ascending else rows).interactions
    pieces = list(by_users(frame, size))
    users = [set(piece["user"]) for piece in pieces]
    assert sorted(row for piece in pieces for row in piece.itertuples(index=False, name=None)) == sorted(rows)
    assert all(max(before) < min(after) for before, after in itertools.pairwise(users))
    assert all(len(piece) < size + max(np.bincount(frame["user"])) for piece in pieces)
    assert size < 100 or len(pieces) == 1


def test_no_rows_give_no_pieces(content):
    assert list(by_users(content([]).interactions)) == []


def test_the_content_hash_knows_no_pieces(home, content, monkeypatch):
    made = content(rows_of(1, 40))
    whole = write_dataset(home, "whole", made)
    monkeypatch.setattr("core.data.writing.by_users", lambda rows: by_users(rows, 2))
    pieces = write_dataset(home, "pieces", dataclasses.replace(made, interactions=made.interactions[::-1]))
    assert pieces.content_hash == whole.content_hash
