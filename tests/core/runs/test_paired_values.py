"""Paired tests of values that are handed over to a process and back."""

import numpy as np

from core.evaluation.statistics import PairedTest, paired_test
from core.runs.paired_values import answer, question


def values(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, size)


def test_every_pair_is_tested_in_its_order_and_too_short_ones_are_not() -> None:
    pairs = [
        (values(1, 53), values(2, 53)),
        (values(3, 1), values(4, 1)),
        (values(5, 7), values(6, 7)),
        ((e := np.empty(0)), e),
    ]
    said = answer(question(pairs))["tests"]
    assert PairedTest(**said[0]) == paired_test(*pairs[0])
    assert said[1] is said[3] is None
    assert PairedTest(**said[2]) == paired_test(*pairs[2])


def test_what_cannot_be_tested_is_refused_in_words() -> None:
    said = answer(question([(np.array([0.1, np.nan]), np.zeros(2))]))
    assert "a number for every user" in said["refused"]
