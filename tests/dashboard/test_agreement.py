"""Agreement of two sortings, against a slow loop and against chance."""

from math import log

import numpy as np
import pytest

from dashboard import agreement
from dashboard.agreement import AGREE, IN_PART, NOT
from dashboard.panels.structure_agreement import sorted_alike

SIZE, FIRST, SECOND = 211, 5, 7


def slow_information(one: list[int], other: list[int]) -> float:
    """Mutual information over the mean entropy, pair by pair."""
    size = len(one)

    def entropy(labels: list) -> float:
        return -sum(labels.count(v) / size * log(labels.count(v) / size) for v in set(labels))

    shared = 0.0
    for a in set(one):
        for b in set(other):
            both = sum(x == a and y == b for x, y in zip(one, other)) / size
            if both:
                shared += both * log(both / (one.count(a) / size * other.count(b) / size))
    return shared / ((entropy(one) + entropy(other)) / 2)


def test_information_equals_the_slow_sum() -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, FIRST, SIZE)
    other = np.where(rng.random(SIZE) < 0.5, one, rng.integers(0, SECOND, SIZE))
    expected = slow_information(one.tolist(), other.tolist())
    assert agreement.normalised_information(one, other) == pytest.approx(expected)
    assert agreement.normalised_information(other, one) == pytest.approx(expected)
    assert 0.1 < expected < 0.9


def test_one_sorting_under_other_numbers_agrees_wholly() -> None:
    one = np.arange(SIZE) % FIRST
    renamed = np.array([3, 0, 4, 1, 2])[one]
    assert agreement.normalised_information(one, renamed) == pytest.approx(1)
    found = agreement.agreement(one, renamed)
    assert (found.verdict, found.adjusted, found.most) == (AGREE, pytest.approx(1), pytest.approx(1))
    assert found.p == pytest.approx(1 / (agreement.PERMUTATIONS + 1))


def test_a_coarser_sorting_that_follows_wholly_agrees_though_its_value_is_below_one() -> None:
    fine = np.arange(SIZE) % 12
    found = agreement.agreement(fine % 4, fine)
    assert found.value == pytest.approx(found.most)
    assert found.most < 0.8
    assert found.verdict == AGREE
    assert found.adjusted == pytest.approx(1)


def test_chance_does_not_agree() -> None:
    rng = np.random.default_rng(4)
    found = agreement.agreement(rng.integers(0, FIRST, SIZE), rng.integers(0, SECOND, SIZE))
    assert found.verdict == NOT
    assert found.random == pytest.approx(found.value, abs=0.04)
    assert found.random > 0, "small groups look alike by chance"
    assert found.p > 0.02


def test_a_weak_relation_agrees_in_part() -> None:
    rng = np.random.default_rng(5)
    one = rng.integers(0, FIRST, SIZE)
    other = np.where(rng.random(SIZE) < 0.6, one, rng.integers(0, FIRST, SIZE))
    found = agreement.agreement(one, other)
    assert found.verdict == IN_PART
    assert 0.1 < found.adjusted < agreement.AGREES


def test_a_single_group_cannot_be_compared() -> None:
    one = np.arange(SIZE) % FIRST
    assert agreement.agreement(np.zeros(SIZE, int), one) is None
    assert agreement.agreement(one, np.zeros(SIZE, int)) is None
    assert agreement.agreement(np.empty(0, int), np.empty(0, int)) is None
    assert agreement.normalised_information(np.zeros(SIZE, int), one) == 0


def test_very_many_things_take_fewer_permutations(monkeypatch) -> None:
    monkeypatch.setattr(agreement, "_MOST_DRAWS", 25 * SIZE)
    one = np.arange(SIZE) % FIRST
    assert agreement.agreement(one, one).permutations == 25
    monkeypatch.setattr(agreement, "_MOST_DRAWS", SIZE)
    assert agreement.agreement(one, one).permutations == 20


def test_nodes_that_neither_sorts_do_not_make_two_sortings_agree() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.integers(0, 4, 600), rng.integers(0, 4, 600)
    one[:300] = other[:300] = -1
    found = sorted_alike(one, other)
    assert found is not None
    assert found.verdict == NOT
    assert found.size == 300
    left_in = agreement.agreement(np.maximum(one, 0), np.maximum(other, 0))
    assert left_in is not None
    assert left_in.verdict != NOT
    assert sorted_alike(np.full(5, -1), np.arange(5)) is None
