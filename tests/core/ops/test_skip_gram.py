"""Skip-gram against loops over walks and pairs."""

import numpy as np
import pytest
import torch

from core.ops.skip_gram import SkipGram, skip_gram_loss, window_pairs


def test_the_loss_is_that_of_its_equation() -> None:
    generator = torch.Generator().manual_seed(1)
    source, context = (torch.randn(5, 3, generator=generator) for _ in range(2))
    negative = torch.randn(5, 7, 3, generator=generator)
    expected = 0.0
    for p in range(5):
        expected -= np.log(1 / (1 + np.exp(-float(source[p] @ context[p])))) / 5
        for k in range(7):
            expected -= np.log(1 / (1 + np.exp(float(source[p] @ negative[p, k])))) / 35
    assert float(skip_gram_loss(source, context, negative)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("window", [2, 3, 9])
def test_pairs_lie_within_the_window_and_before_the_end(window: int) -> None:
    nodes = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, -1, -1]])
    expected = []
    for walk in nodes.tolist():
        for i in range(5):
            later = [walk[j] for j in range(i + 1, min(i + window, 5))]
            expected += [(walk[i], node) for node in later if -1 not in (walk[i], node)]
    assert sorted(map(tuple, window_pairs(nodes, window).tolist())) == sorted(expected)


def test_pairs_are_learned_and_negatives_come_from_the_pair_s_range() -> None:
    pairs = torch.tensor([[0, 3], [1, 4], [2, 5]]).repeat(50, 1)
    bounds = torch.tensor([[3, 6]]).expand(150, 2)
    model = SkipGram(8, 4, 0.05, torch.Generator().manual_seed(0))
    losses = [model.learn(pairs, bounds, 2, 17) for _ in range(15)]
    assert losses[-1] < losses[0] - 0.3
    near = model.source.detach()[:3] @ model.context.detach()[3:6].t()
    assert near.argmax(1).tolist() == [0, 1, 2]
    assert model.context.detach()[[0, 1, 2, 6, 7]].abs().max() == 0, "never drawn as a negative"
    assert model.source.grad is not None


def test_no_pairs_teach_nothing() -> None:
    nothing = torch.empty(0, 2, dtype=torch.long)
    model = SkipGram(3, 2, 0.1, torch.Generator())
    assert model.learn(nothing, nothing, 2, 5) == 0
    assert model.source.isfinite().all()
