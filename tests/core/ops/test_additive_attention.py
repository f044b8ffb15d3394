"""Additive attention, sparse and dense, against loops and against the gathered form."""

import math

import pytest
import torch

from core.ops.additive_attention import (
    DenseGraph,
    Graph,
    additive_attention,
    attention_shares,
    gathered_attention,
)
from core.ops.dropout import Dropout
from core.ops.sparse import Pattern

ROWS, HEADS, WIDTH, SLOPE = 11, 3, 5, 0.2


def joined(density: float = 0.4, empty: int | None = None) -> torch.Tensor:
    made = (torch.rand(ROWS, ROWS, generator=torch.Generator().manual_seed(2)) < density).double()
    made.fill_diagonal_(1)
    if empty is not None:
        made[empty] = 0
    return made


def both(made: torch.Tensor) -> dict[str, Graph]:
    entries = made.nonzero()
    counts = made.sum(1).long()
    indptr = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)])
    return {"sparse": Pattern.of(indptr, entries[:, 1], ROWS), "dense": DenseGraph(made)}


def inputs(scale: float = 1.0) -> tuple[torch.Tensor, ...]:
    noise = torch.Generator().manual_seed(1)
    shapes = [(ROWS, HEADS), (ROWS, HEADS), (HEADS, ROWS, WIDTH)]
    return tuple(
        (scale * torch.randn(shape, generator=noise, dtype=torch.double)).requires_grad_() for shape in shapes
    )


@torch.no_grad()
def looped(made, query, key, value) -> torch.Tensor:
    """Softmax of every row's own logits, one number after the other."""
    output = torch.zeros(ROWS, HEADS * WIDTH, dtype=torch.double)
    for row in range(ROWS):
        columns = [c for c in range(ROWS) if made[row, c]]
        for head in range(HEADS):
            logits = [float(query[row, head] + key[c, head]) for c in columns]
            logits = [x if x > 0 else SLOPE * x for x in logits]
            total = sum(math.exp(x) for x in logits)
            for c, x in zip(columns, logits, strict=True):
                place = slice(head * WIDTH, (head + 1) * WIDTH)
                output[row, place] += math.exp(x) / total * value[head, c]
    return output


@pytest.mark.parametrize("form", ["sparse", "dense"])
@pytest.mark.parametrize("empty", [None, 4])
def test_attention_is_that_of_the_loop(form, empty):
    made, tensors = joined(empty=empty), inputs()
    found = additive_attention(both(made)[form], *tensors, SLOPE)
    torch.testing.assert_close(found, looped(made, *tensors))
    if empty is not None:
        assert not found[empty].any()


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_gradients_are_those_of_the_gathered_form_and_of_differences(form):
    graphs, tensors = both(joined(empty=4)), inputs()
    weight = torch.randn(ROWS, HEADS * WIDTH, dtype=torch.double)
    found = torch.autograd.grad((additive_attention(graphs[form], *tensors, SLOPE) * weight).sum(), tensors)
    slow = gathered_attention(graphs["sparse"], *tensors, SLOPE)
    expected = torch.autograd.grad((slow * weight).sum(), tensors)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    noisy = lambda *t: additive_attention(graphs[form], *t, SLOPE, Dropout(0.3, 5))  # noqa: E731
    assert torch.autograd.gradcheck(noisy, tensors)


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_extreme_logits_neither_overflow_nor_vanish(form):
    query, key, value = inputs(scale=400.0)
    made = joined()
    found = additive_attention(both(made)[form], query, key, value, SLOPE)
    logit = torch.nn.functional.leaky_relu(query.t()[:, :, None] + key.t()[:, None, :], SLOPE)
    share = logit.masked_fill(made == 0, -torch.inf).softmax(-1)
    expected = torch.einsum("hrc,hcd->rhd", share, value).flatten(1)
    torch.testing.assert_close(found, expected)


def test_a_row_far_below_the_bound_is_still_exact_in_single_precision():
    """The fast form bounds a row by the largest key of all columns; this row's own lie e^-120 below."""
    made = torch.ones(ROWS, ROWS)
    made[0, 1:] = 0
    key = torch.full((ROWS, HEADS), 600.0)
    key[0] = -600.0
    query, value = torch.zeros(ROWS, HEADS), torch.randn(HEADS, ROWS, WIDTH)
    found = additive_attention(DenseGraph(made), query, key, value, SLOPE)
    torch.testing.assert_close(found[0], value[:, 0].flatten())


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_dropout_follows_from_its_seed_and_keeps_means(form):
    graph, tensors = both(joined())[form], inputs()
    once, again, other = (
        additive_attention(graph, *tensors, SLOPE, Dropout(0.3, seed)) for seed in (1, 1, 2)
    )
    torch.testing.assert_close(once, again, rtol=0, atol=0)
    assert not torch.equal(once, other)
    plain = additive_attention(graph, *tensors, SLOPE)
    many = torch.stack(
        [additive_attention(graph, *tensors, SLOPE, Dropout(0.3, seed)) for seed in range(400)]
    ).detach()
    error = many.std(0) / 20
    assert ((many.mean(0) - plain).abs() < 5 * error + 1e-9).all()


def test_shares_sum_to_one_over_each_row():
    made, (query, key, _) = joined(), inputs()
    graphs = both(made)
    dense = attention_shares(graphs["dense"], query, key, SLOPE)
    torch.testing.assert_close(dense.sum(-1), torch.ones(HEADS, ROWS, dtype=torch.double))
    row, column = made.nonzero().unbind(1)
    torch.testing.assert_close(attention_shares(graphs["sparse"], query, key, SLOPE), dense[:, row, column])
