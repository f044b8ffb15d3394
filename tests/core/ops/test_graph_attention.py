"""Attention over a pattern: against a loop, against gather-multiply-scatter, and its gradients in double precision."""

import numpy as np
import pytest
import torch

from core.ops.graph_attention import gathered_attention, graph_attention
from core.ops.sparse import pattern_of
from tests.core.models import tiny

ROWS, COLUMNS, HEADS, WIDTH = 5, 7, 2, 3


def inputs(scale: float = 1.0) -> list[list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [
        [
            (scale * torch.randn(size, WIDTH, generator=generator, dtype=torch.float64)).requires_grad_()
            for _ in range(HEADS)
        ]
        for size in (ROWS, COLUMNS, COLUMNS)
    ]


def pattern():
    dense = np.random.default_rng(1).random((ROWS, COLUMNS)) < 0.5
    dense[3] = False
    return pattern_of(tiny.matrix(dense)), dense


@pytest.mark.parametrize("bound", [10.0, 0.7])
def test_attention_is_that_of_the_loop(bound: float):
    graph, dense = pattern()
    query, key, value = inputs()
    found, shares = graph_attention(graph, query, key, value, bound)
    assert found.shape == (ROWS, HEADS * WIDTH)
    for row in range(ROWS):
        neighbours = np.flatnonzero(dense[row])
        for head in range(HEADS):
            part = found[row, head * WIDTH : (head + 1) * WIDTH].detach().numpy()
            if not len(neighbours):
                assert not part.any()
                continue
            logits = [(query[head][row] @ key[head][n]).item() for n in neighbours]
            mass = np.exp(np.clip(logits, -bound, bound))
            share = mass / mass.sum()
            expected = sum(s * value[head][n].detach().numpy() for s, n in zip(share, neighbours))
            np.testing.assert_allclose(part, expected, rtol=1e-9)
            own = slice(int(graph.indptr[row]), int(graph.indptr[row + 1]))
            np.testing.assert_allclose(shares[head, own].detach().numpy(), share, rtol=1e-9)


def test_gather_multiply_scatter_gives_the_same_with_the_same_gradients():
    graph, _ = pattern()
    tables = inputs()
    flat = [t for group in tables for t in group]
    results = []
    for attention in (graph_attention, gathered_attention):
        output, shares = attention(graph, *tables, 10.0)
        loss = (output * torch.arange(output.numel()).view_as(output)).sum() + shares.square().sum()
        results.append((output, shares, *torch.autograd.grad(loss, flat)))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_gradients_are_true():
    graph, _ = pattern()
    flat = [t for group in inputs() for t in group]

    def attended(*tables: torch.Tensor):
        groups = [tables[k * HEADS : (k + 1) * HEADS] for k in range(3)]
        return graph_attention(graph, *groups, 10.0)

    assert torch.autograd.gradcheck(attended, flat)


def test_logits_beyond_the_bound_count_as_the_bound_and_get_no_gradient():
    graph, _ = pattern()
    query, key, value = inputs(scale=100.0)
    output, shares = graph_attention(graph, query, key, value, 10.0)
    assert output.isfinite().all()
    assert shares.isfinite().all()
    gradient = torch.autograd.grad(output.sum(), query[0])[0]
    assert gradient.isfinite().all()
