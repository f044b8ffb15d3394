"""Nearest neighbours against a loop over all pairs."""

import numpy as np
import pytest

from core.ops import neighbors
from core.ops.neighbors import nearest

ROWS, DIMS = 23, 5


def table() -> np.ndarray:
    values = np.random.default_rng(4).standard_normal((ROWS, DIMS)).astype(np.float32)
    values[7] = 0
    return values


def by_loop(values: np.ndarray, row: int, count: int, with_self: bool) -> dict[int, float]:
    lengths = np.linalg.norm(values, axis=1)
    found = [
        (values[row] @ values[other] / lengths[row] / lengths[other], other)
        for other in range(len(values))
        if lengths[other] > 0 and (with_self or other != row)
    ]
    return {other: cosine for cosine, other in sorted(found, key=lambda f: (-f[0], f[1]))[:count]}


@pytest.mark.parametrize("with_self", [True, False])
@pytest.mark.parametrize("at_once", [3, 50, 1 << 22])
@pytest.mark.parametrize("count", [1, 4])
def test_neighbours_are_those_of_the_loop(monkeypatch, with_self: bool, at_once: int, count: int):
    monkeypatch.setattr(neighbors, "_COSINES_AT_ONCE", at_once)
    found = nearest(table(), count, with_self=with_self)
    assert found.has_sorted_indices
    for row in range(ROWS):
        own = found[[row]]
        expected = {} if row == 7 else by_loop(table(), row, count, with_self)
        assert set(own.indices.tolist()) == set(expected)
        for other, cosine in zip(own.indices.tolist(), own.data.tolist()):
            assert cosine == pytest.approx(expected[other], abs=1e-5)


def test_a_row_is_its_own_neighbour_only_if_asked():
    same = np.ones((4, 2), np.float32)
    assert nearest(same, 2, with_self=True).toarray().diagonal().tolist() == pytest.approx([1] * 4)
    assert not nearest(same, 2, with_self=False).toarray().diagonal().any()


def test_of_equal_cosines_the_first_rows_win_whatever_the_chunks(monkeypatch):
    same = np.tile(np.random.default_rng(0).standard_normal(7).astype(np.float32), (11, 1))
    expected = {row: [other for other in range(11) if other != row][:3] for row in range(11)}
    for at_once in (11, 40, 1 << 20):
        monkeypatch.setattr(neighbors, "_COSINES_AT_ONCE", at_once)
        found = nearest(same, 3, with_self=False)
        assert {row: found[[row]].indices.tolist() for row in range(11)} == expected


def test_there_are_no_more_neighbours_than_rows():
    found = nearest(np.eye(3, dtype=np.float32), 10, with_self=False)
    assert np.diff(found.indptr).tolist() == [2, 2, 2]
    assert nearest(np.zeros((3, 2), np.float32), 10, with_self=True).nnz == 0
    assert nearest(np.ones((1, 2), np.float32), 10, with_self=False).nnz == 0
