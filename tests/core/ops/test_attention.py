"""Attention over a few sources against one softmax and one sum per node, and its gradients."""

import math

import pytest
import torch
from torch import Tensor

from core.ops.attention import attended
from tests.core.ops.test_sparse import STRICT

NODES, DIM = 5, 4


def drawn(sources: int) -> list[Tensor]:
    torch.manual_seed(3)
    return [torch.randn(NODES, DIM, dtype=torch.float64) for _ in range(1 + sources)]


def looped(query: Tensor, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Node by node, as the equation reads."""
    sums, shares = [], []
    for node in range(NODES):
        logits = torch.stack([query[node] @ source[node] / math.sqrt(DIM) for source in sources])
        share = logits.exp() / logits.exp().sum()
        shares.append(share)
        sums.append(sum((s * source[node] for s, source in zip(share, sources)), torch.zeros(DIM)))
    return torch.stack(sums), torch.stack(shares)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_sums_shares_and_both_gradients_equal_the_loop(count):
    query, *sources = drawn(count)
    expected, found = looped(query, sources), attended(query, sources)
    for ours, slow in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, slow)
    assert torch.autograd.gradcheck(
        lambda q, *s: attended(q, s), [t.clone().requires_grad_() for t in (query, *sources)], **STRICT
    )


@pytest.mark.parametrize("part", [0, 1])
def test_a_loss_on_the_sum_or_on_the_shares_alone_has_its_gradient(part):
    leaves = [table.requires_grad_() for table in drawn(3)]
    twins = [table.detach().clone().requires_grad_() for table in leaves]
    attended(leaves[0], leaves[1:])[part].square().sum().backward()
    looped(twins[0], twins[1:])[part].square().sum().backward()
    for ours, slow in zip(leaves, twins, strict=True):
        torch.testing.assert_close(ours.grad, slow.grad)


@pytest.mark.parametrize("size", [1e3, 1e30])
def test_nothing_overflows(size):
    query, *sources = (table.float() for table in drawn(3))
    sums, shares = attended(query * size, [source.requires_grad_() for source in sources])
    sums.sum().backward()
    assert all(bool(t.isfinite().all()) for t in (sums, shares, *[s.grad for s in sources]))
    torch.testing.assert_close(shares.sum(1), torch.ones(NODES))
