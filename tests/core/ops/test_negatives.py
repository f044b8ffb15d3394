"""InfoNCE against tables of negatives, in blocks and made on demand, against all logits at once."""

import math

import pytest
import torch

from core.ops import negatives
from core.ops.dropout import Dropout
from core.ops.negatives import Negatives, contrast, formed_contrast

QUERIES, ROWS, DIMS, TEMPERATURE = 11, 7, 5, 0.3


def drawn(*shape: int, seed: int) -> torch.Tensor:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=noise, dtype=torch.double).requires_grad_()


def tables(own: torch.Tensor | None = None) -> list[Negatives]:
    nodes = torch.tensor([8, 0, 3, 10, 4, 1, 7])

    def noisy(source: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        rows = source[nodes]
        return rows * Dropout(0.4, 3).mask(rows)

    return [
        Negatives(noisy, nodes if own is None else own),
        Negatives(lambda source, other: 2 * other[:ROWS] + source[:ROWS]),
    ]


@torch.no_grad()
def test_the_loss_is_that_of_the_definition():
    query, positive, other = (drawn(QUERIES, DIMS, seed=s) for s in (1, 2, 3))
    cosine = lambda a, b: float(a @ b / (a.norm() * b.norm()))  # noqa: E731
    total = 0.0
    for n in range(QUERIES):
        own = math.exp(cosine(query[n], positive[n]) / TEMPERATURE)
        mass = 0.0
        for make, owner in tables():
            for m, row in enumerate(make(query, other)):
                if owner is None or int(owner[m]) != n:
                    mass += math.exp(cosine(query[n], row) / TEMPERATURE)
        total -= math.log(own / (own + mass))
    found = contrast(query, positive, tables(), TEMPERATURE, (query, other))
    assert float(found) == pytest.approx(total / QUERIES)
    assert float(formed_contrast(query, positive, tables(), TEMPERATURE, (query, other))) == pytest.approx(
        total / QUERIES
    )


@pytest.mark.parametrize("at_once", [1 << 24, 8])
def test_gradients_reach_queries_positives_and_sources(monkeypatch, at_once):
    monkeypatch.setitem(negatives._LOGITS_AT_ONCE, "cpu", at_once)
    monkeypatch.setattr(negatives, "_LEAST_ROWS", 1)
    tensors = [drawn(QUERIES, DIMS, seed=s) for s in (1, 2, 3)]

    def ours(query, positive, other):
        return contrast(query, positive, tables(), TEMPERATURE, (query, other))

    query, positive, other = tensors
    expected = torch.autograd.grad(
        formed_contrast(query, positive, tables(), TEMPERATURE, (query, other)), tensors
    )
    for found, slow in zip(torch.autograd.grad(ours(*tensors), tensors), expected, strict=True):
        torch.testing.assert_close(found, slow)
    assert torch.autograd.gradcheck(ours, tensors)


def test_without_any_negative_there_is_nothing_to_lose():
    query, positive = drawn(QUERIES, DIMS, seed=1), drawn(QUERIES, DIMS, seed=2)
    loss = contrast(query, positive, [], TEMPERATURE)
    assert float(loss.detach()) == 0.0
    loss.backward()
    assert not query.grad.any()


def test_a_single_negative_that_is_the_query_itself_does_not_count():
    query, positive = drawn(1, DIMS, seed=1), drawn(1, DIMS, seed=2)
    alone = Negatives(lambda source: source, torch.tensor([0]))
    assert float(contrast(query, positive, [alone], TEMPERATURE, (query,)).detach()) == 0.0
