"""How far two ways to sort the same things agree: normalised mutual information, beside what chance reaches. Pure numpy."""

from dataclasses import dataclass

import numpy as np

from core.findings import Array

PERMUTATIONS, _FEWEST, _MOST_DRAWS = 200, 20, 4_000_000
# Of the way from chance to the most there could be: from here on two sortings agree, or agree in part.
AGREES, AGREES_IN_PART = 0.5, 0.1
AGREE, IN_PART, NOT = "agree", "agree in part", "do not agree"


@dataclass(frozen=True)
class Agreement:
    """value: normalised mutual information of two sortings of `size` things. random: its mean where one of them is dealt out at
    random, with the same sizes. highest: the largest of these. most: what it could be at best with groups of such entropies; below 1
    where one sorting is finer than the other. p: the chance of a random value as large, at least 1 / (permutations + 1).
    """

    value: float
    random: float
    highest: float
    most: float
    p: float
    size: int
    permutations: int

    @property
    def adjusted(self) -> float:
        """How far the value lies on the way from chance (0) to the most there could be (1)."""
        return (self.value - self.random) / (self.most - self.random) if self.random < self.most else 0.0

    @property
    def verdict(self) -> str:
        """AGREE from half of the way on, IN_PART from a tenth on, NOT below that and wherever chance reaches as far."""
        if self.value <= self.highest or self.adjusted < AGREES_IN_PART:
            return NOT
        return AGREE if self.adjusted >= AGREES else IN_PART


def normalised_information(one_N: Array, other_N: Array) -> float:
    """I(X; Y) / ((H(X) + H(Y)) / 2) of two sortings into numbered groups, within [0, 1]; 0 where either has one group alone.

    Source: Strehl and Ghosh 2002, with the arithmetic mean.
    """
    return _information(one_N, other_N, _entropy(one_N), _entropy(other_N))


def agreement(one_N: Array, other_N: Array, seed: int = 0) -> Agreement | None:
    """The two sortings held against random ones of the same sizes; None where either has fewer than two groups."""
    entropies = _entropy(one_N), _entropy(other_N)
    if not len(one_N) or min(entropies) <= 0:
        return None
    rng = np.random.default_rng(seed)
    count = int(np.clip(_MOST_DRAWS // len(one_N), _FEWEST, PERMUTATIONS))
    value = _information(one_N, other_N, *entropies)
    dealt = np.array([_information(rng.permutation(one_N), other_N, *entropies) for _ in range(count)])
    p = (1 + int((dealt >= value).sum())) / (1 + count)
    most = 2 * min(entropies) / sum(entropies)
    return Agreement(value, float(dealt.mean()), float(dealt.max()), most, p, len(one_N), count)


def _information(one_N: Array, other_N: Array, one: float, other: float) -> float:
    """With the entropies of both at hand: H(X) + H(Y) - H(X, Y) over their mean."""
    if min(one, other) <= 0:
        return 0.0
    width = int(other_N.max()) + 1
    joint = _entropy(one_N.astype(np.int64) * width + other_N)
    return float(np.clip(2 * (one + other - joint) / (one + other), 0.0, 1.0))


def _entropy(group_N: Array) -> float:
    if not len(group_N):
        return 0.0
    counts = np.bincount(group_N.astype(np.int64))
    share = counts[counts > 0] / len(group_N)
    return float(-(share * np.log(share)).sum()) + 0.0
