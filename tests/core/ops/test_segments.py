"""Softmax over rows and columns of a pattern against loops, in float64."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.ops.segments import column_softmax, looped_softmax, row_softmax
from core.ops.sparse import Pattern, pattern_of

ROWS, COLUMNS = 7, 5
STRICT = {"rtol": 1e-6, "atol": 1e-7}  # gradcheck alone lets an error of 0.1 % pass


def some_pattern(density: float = 0.5) -> Pattern:
    """A random pattern whose second row and third column are empty."""
    mask = np.random.default_rng(3).random((ROWS, COLUMNS)) < density
    mask[1], mask[:, 2] = False, False
    return pattern_of(csr_array(mask.astype(np.float32)))


def some_logits(pattern: Pattern, scale: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return scale * torch.randn(pattern.num_entries, dtype=torch.float64, generator=generator)


def looped_columns(pattern: Pattern, logit_E: Tensor) -> Tensor:
    found = torch.empty_like(logit_E)
    for column in range(pattern.num_columns):
        entries = [e for e in range(pattern.num_entries) if int(pattern.index[e]) == column]
        total = sum(float(logit_E[e].exp()) for e in entries)
        for e in entries:
            found[e] = float(logit_E[e].exp()) / total
    return found


def test_softmax_equals_the_loops():
    pattern = some_pattern()
    logit = some_logits(pattern)
    by_row, by_column = row_softmax(pattern, logit), column_softmax(pattern, logit)
    torch.testing.assert_close(by_row, looped_softmax(pattern, logit), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(by_column, looped_columns(pattern, logit), rtol=1e-12, atol=1e-14)
    sums = torch.zeros(ROWS, dtype=torch.float64).index_add(0, pattern.row, by_row)
    assert set(sums.round(decimals=9).tolist()) == {0.0, 1.0}  # the second row has no entry
    assert not torch.allclose(by_row, by_column)


@pytest.mark.parametrize("softmax", [row_softmax, column_softmax])
def test_gradients_equal_finite_differences_and_autograd(softmax):
    pattern = some_pattern()
    logit = some_logits(pattern).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: softmax(pattern, values), (logit,), **STRICT)
    if softmax is row_softmax:
        weight = torch.arange(1.0, pattern.num_entries + 1, dtype=torch.float64)
        (ours,) = torch.autograd.grad((weight * softmax(pattern, logit)).sum(), logit)
        (theirs,) = torch.autograd.grad((weight * looped_softmax(pattern, logit)).sum(), logit)
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("softmax", [row_softmax, column_softmax])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_of_a_thousand_neither_overflow_nor_vanish(softmax, dtype):
    pattern = some_pattern(1.0)
    logit = torch.where(some_logits(pattern) > 0, 1000.0, -1000.0).to(dtype).requires_grad_()
    for offset in (0.0, -1000.0, 1000.0):
        share = softmax(pattern, logit + offset)
        assert share.isfinite().all()
        axis, size = (pattern.row, ROWS) if softmax is row_softmax else (pattern.index, COLUMNS)
        sums = torch.zeros(size, dtype=dtype).index_add(0, axis, share.detach())
        touched = torch.bincount(axis, minlength=size) > 0
        torch.testing.assert_close(sums, touched.to(dtype))
        (gradient,) = torch.autograd.grad(share.square().sum(), logit)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("softmax", [row_softmax, column_softmax])
def test_an_empty_pattern_has_an_empty_softmax(softmax):
    pattern = pattern_of(csr_array((ROWS, COLUMNS), dtype=np.float32))
    logit = torch.zeros(0, dtype=torch.float64, requires_grad=True)
    share = softmax(pattern, logit)
    share.sum().backward()
    assert share.shape == (0,)
    assert logit.grad is not None


def test_logits_of_the_wrong_number_are_refused():
    pattern = some_pattern()
    with pytest.raises(ValueError, match="one logit per entry"):
        row_softmax(pattern, torch.zeros(pattern.num_entries + 1))
