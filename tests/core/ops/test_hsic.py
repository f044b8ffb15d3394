"""HSIC and its kernels against loops, the closed-form gradients against the chain rule."""

import math

import pytest
import torch
from torch import Tensor

from core.ops.hsic import Kernel, hsic, hsic_of_pairs, kernel_matrix
from tests.core.ops.test_sparse import STRICT

ROWS, DIMS = 7, 3
KERNELS: tuple[Kernel, ...] = ("rbf", "linear", "polynomial")
PAIRS = ((1, 0), (2, 1), (3, 1), (4, 3))


def sets(count: int = 5, rows: int = ROWS, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(rows, DIMS, generator=generator, dtype=torch.float64) for _ in range(count)]


def looped_kernel(rows: Tensor, kernel: Kernel, bandwidth: float) -> Tensor:
    found = torch.zeros(len(rows), len(rows), dtype=torch.float64)
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            cosine = float(a @ b / a.norm() / b.norm())
            by_kernel = {
                "rbf": math.exp((cosine - 1) / bandwidth),
                "linear": cosine,
                "polynomial": ((1 + cosine) / 2) ** 2,
            }
            found[i, j] = by_kernel[kernel]
    return found


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_and_hsic_equal_the_formulas(kernel: Kernel):
    first, second = sets(2)
    kernels = [looped_kernel(rows, kernel, 0.7) for rows in (first, second)]
    torch.testing.assert_close(kernel_matrix(first, kernel, 0.7), kernels[0])
    centre = torch.eye(ROWS, dtype=torch.float64) - 1 / ROWS
    expected = torch.trace(kernels[0] @ centre @ kernels[1] @ centre) / (ROWS - 1) ** 2
    torch.testing.assert_close(hsic(*kernels), expected)
    torch.testing.assert_close(hsic_of_pairs([first, second], [(1, 0)], kernel, 0.7), expected[None])


@pytest.mark.parametrize("kernel", KERNELS)
def test_many_pairs_equal_one_pair_at_a_time_with_the_same_gradients(kernel: Kernel):
    first, second = sets(), sets()
    for rows in (*first, *second):
        rows.requires_grad_()
    weigh = torch.tensor([1.0, -2.0, 3.0, 0.5], dtype=torch.float64)
    fast = hsic_of_pairs(first, PAIRS, kernel, 0.7)
    slow = torch.stack(
        [hsic(kernel_matrix(second[a], kernel, 0.7), kernel_matrix(second[b], kernel, 0.7)) for a, b in PAIRS]
    )
    torch.testing.assert_close(fast, slow)
    (fast @ weigh).backward()
    (slow @ weigh).backward()
    for ours, theirs in zip(first, second):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("kernel", KERNELS)
def test_gradients(kernel: Kernel):
    inputs = [rows.requires_grad_() for rows in sets(3)]
    assert torch.autograd.gradcheck(
        lambda *rows: hsic_of_pairs(rows, [(1, 0), (2, 1)], kernel, 0.7), inputs, **STRICT
    )


def test_copies_depend_and_shuffled_rows_do_not():
    rows = torch.randn(400, 2, generator=torch.Generator().manual_seed(1))
    other = torch.randn(400, 2, generator=torch.Generator().manual_seed(2))
    same, apart = hsic_of_pairs([rows, rows.clone(), other], [(1, 0), (2, 0)])
    assert float(same) > 20 * float(apart) > 0


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_depend_on_nothing(rows: int):
    pair = [part.requires_grad_() for part in sets(2, rows)]
    value = hsic_of_pairs(pair, [(1, 0)])
    value.sum().backward()
    assert value.tolist() == [0.0]
    assert all(part.grad is not None and not part.grad.any() for part in pair)


@pytest.mark.parametrize("kernel", KERNELS)
def test_rows_of_zeros_and_of_thousands_stay_finite(kernel: Kernel):
    rows = torch.tensor([[0.0, 0.0], [1000.0, -1000.0], [-1000.0, 1000.0]], requires_grad=True)
    other = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1e3, 1e3]], requires_grad=True)
    value = hsic_of_pairs([rows, other], [(1, 0)], kernel)
    value.sum().backward()
    assert value.isfinite().all()
    assert rows.grad is not None
    assert rows.grad.isfinite().all()
