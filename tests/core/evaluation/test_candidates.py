"""The drawn candidates of sampled99."""

import numpy as np
import pytest
from scipy import stats

from core.errors import DataError
from core.evaluation.candidates import drawn_candidates
from tests.core.models import tiny

USERS, ITEMS, COUNT = 11, 29, 7


@pytest.fixture(scope="module")
def touched() -> np.ndarray:
    return np.random.default_rng(4).random((USERS, ITEMS)) < 0.5


def draw(touched: np.ndarray, users: list[int], count: int = COUNT, seed: int = 1) -> np.ndarray:
    return drawn_candidates(np.array(users, dtype=np.int64), tiny.matrix(touched), count, seed)


def test_candidates_are_distinct_and_never_touched(touched):
    users = [0, 0, 3, 10, 5] * 20
    drawn = draw(touched, users)
    assert drawn.shape == (100, COUNT)
    for user, row in zip(users, drawn.tolist()):
        assert len(set(row)) == COUNT
        assert not touched[user, row].any()
    assert len({tuple(row) for row in drawn.tolist()}) > 90, "each pair has candidates of its own"


def test_candidates_are_uniform_over_items_and_over_subsets(touched):
    touched = touched.copy()
    touched[2] = True
    touched[2, [3, 8, 9, 20, 28]] = False
    drawn = draw(touched, [2] * 6000, count=2)
    items, counts = np.unique(drawn, return_counts=True)
    assert items.tolist() == [3, 8, 9, 20, 28]
    assert stats.chisquare(counts).pvalue > 1e-3
    _, subsets = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)
    assert len(subsets) == 10
    assert stats.chisquare(subsets).pvalue > 1e-3


def test_all_items_left_are_drawn_when_just_enough_are_left(touched):
    touched = touched.copy()
    touched[4] = True
    touched[4, [0, 13, 28]] = False
    assert sorted(draw(touched, [4], count=3)[0].tolist()) == [0, 13, 28]


def test_the_seed_fixes_the_candidates(touched):
    users = list(range(USERS))
    assert np.array_equal(draw(touched, users), draw(touched, users))
    assert not np.array_equal(draw(touched, users), draw(touched, users, seed=2))


def test_a_user_with_too_few_candidates_is_named_with_the_remedy(touched):
    touched = touched.copy()
    touched[6] = True
    touched[6, 0] = False
    with pytest.raises(DataError, match=r"user 6 leaves only 1 of 29 .* protocol full"):
        draw(touched, [0, 6], count=2)


def test_no_pairs_give_no_candidates(touched):
    assert draw(touched, []).shape == (0, COUNT)
