"""The sparse product against dense matrices."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.ops import sparse
from core.ops.sparse import Pattern, entry_dots, gather_scatter_product, gathered_dots, pattern_of, product

ROWS, COLUMNS, DIMS = 7, 5, 3
STRICT = {"rtol": 1e-6, "atol": 1e-7}  # gradcheck alone lets an error of 0.1 % pass


def pattern_and_mask(
    rows: int = ROWS, columns: int = COLUMNS, density: float = 0.4, seed: int = 0
) -> tuple[Pattern, Tensor]:
    mask = np.random.default_rng(seed).random((rows, columns)) < density
    if rows > 2:
        mask[1] = False
    return pattern_of(csr_array(mask.astype(np.float32))), torch.from_numpy(mask)


def dense_of(mask: Tensor, weight_E: Tensor) -> Tensor:
    """Weights laid out entry by entry, row after row."""
    dense, entry = torch.zeros(mask.shape, dtype=weight_E.dtype), 0
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if mask[row, column]:
                dense[row, column] = weight_E[entry]
                entry += 1
    return dense


@pytest.mark.parametrize(("rows", "columns"), [(7, 5), (5, 7), (1, 11), (11, 1), (2, 3), (13, 13)])
@pytest.mark.parametrize("dims", [1, 3])
def test_product_equals_the_dense_product(rows: int, columns: int, dims: int):
    pattern, mask = pattern_and_mask(rows, columns, seed=rows)
    dense = torch.randn(columns, dims, dtype=torch.float64)
    weight = torch.randn(pattern.num_entries, dtype=torch.float64)
    torch.testing.assert_close(product(pattern, dense), mask.double() @ dense)
    torch.testing.assert_close(product(pattern, dense, weight), dense_of(mask, weight) @ dense)
    torch.testing.assert_close(
        gather_scatter_product(pattern, dense, weight), product(pattern, dense, weight)
    )


def test_a_pattern_without_entries_gives_zeros_and_zero_gradients():
    pattern = pattern_of(csr_array((ROWS, COLUMNS), dtype=np.float32))
    dense = torch.ones(COLUMNS, DIMS, requires_grad=True)
    weight = torch.ones(0, requires_grad=True)
    result = product(pattern, dense, weight)
    result.sum().backward()
    assert result.shape == (ROWS, DIMS)
    assert not result.any()
    assert dense.grad is not None
    assert not dense.grad.any()
    assert weight.grad is not None
    assert weight.grad.shape == (0,)


def test_columns_need_not_be_sorted_and_may_repeat():
    pattern = Pattern.of(torch.tensor([0, 3, 3, 5]), torch.tensor([4, 0, 2, 1, 1]), COLUMNS)
    weight = torch.tensor([2.0, 3.0, 5.0, 7.0, 11.0], dtype=torch.float64, requires_grad=True)
    dense = torch.randn(COLUMNS, DIMS, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        expected = torch.stack(
            [2 * dense[4] + 3 * dense[0] + 5 * dense[2], 0 * dense[0], 7 * dense[1] + 11 * dense[1]]
        )
        torch.testing.assert_close(product(pattern, dense, weight), expected)
    torch.autograd.gradcheck(lambda x, w: product(pattern, x, w), (dense, weight), **STRICT)


@pytest.mark.parametrize("weighted", [True, False])
def test_gradients_to_values_and_weights(weighted: bool):
    pattern, _ = pattern_and_mask()
    dense = torch.randn(COLUMNS, DIMS, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(pattern.num_entries, dtype=torch.float64, requires_grad=True)
    if weighted:
        torch.autograd.gradcheck(lambda x, w: product(pattern, x, w), (dense, weight), **STRICT)
    else:
        torch.autograd.gradcheck(lambda x: product(pattern, x), (dense,), **STRICT)


def test_weights_get_a_gradient_when_the_values_need_none():
    pattern, mask = pattern_and_mask()
    dense = torch.randn(COLUMNS, DIMS, dtype=torch.float64)
    weight = torch.randn(pattern.num_entries, dtype=torch.float64, requires_grad=True)
    outer = torch.randn(ROWS, DIMS, dtype=torch.float64)
    (product(pattern, dense, weight) * outer).sum().backward()
    torch.testing.assert_close(weight.grad, (outer @ dense.t())[mask])


def test_a_transposed_gradient_from_a_view_that_is_not_contiguous():
    pattern, mask = pattern_and_mask()
    dense = torch.randn(DIMS, COLUMNS, dtype=torch.float64).t().requires_grad_()
    outer = torch.randn(DIMS, ROWS, dtype=torch.float64)
    (product(pattern, dense).t() * outer).sum().backward()
    torch.testing.assert_close(dense.grad, mask.double().t() @ outer.t())


@pytest.mark.parametrize("dots", [entry_dots, gathered_dots])
def test_entry_dots_are_dot_products_of_rows_and_columns(dots):
    pattern, mask = pattern_and_mask()
    left = torch.randn(ROWS, DIMS, dtype=torch.float64)
    right = torch.randn(COLUMNS, DIMS, dtype=torch.float64)
    expected = [
        sum(float(left[r, d] * right[c, d]) for d in range(DIMS))
        for r in range(ROWS)
        for c in range(COLUMNS)
        if mask[r, c]
    ]
    torch.testing.assert_close(dots(pattern, left, right), torch.tensor(expected, dtype=torch.float64))


def test_without_the_sampled_product_the_gather_takes_over_in_chunks(monkeypatch: pytest.MonkeyPatch):
    pattern, mask = pattern_and_mask()
    left, right = torch.randn(ROWS, DIMS), torch.randn(COLUMNS, DIMS)
    expected = (left @ right.t())[mask]
    monkeypatch.setattr(sparse, "has_sampled_product", lambda: False)
    monkeypatch.setattr(torch.sparse, "sampled_addmm", None)
    monkeypatch.setattr(sparse, "_GATHER_FLOATS", 2 * DIMS)
    torch.testing.assert_close(entry_dots(pattern, left, right), expected)


def test_transposed_carries_the_entries_along():
    pattern, mask = pattern_and_mask()
    weight = torch.arange(1.0, pattern.num_entries + 1)
    transposed, permutation = pattern.transposed
    assert (transposed.num_rows, transposed.num_columns) == (COLUMNS, ROWS)
    assert torch.equal(dense_of(mask.t(), weight[permutation]), dense_of(mask, weight).t())
    for row in range(COLUMNS):
        part = transposed.index[transposed.indptr[row] : transposed.indptr[row + 1]].tolist()
        assert part == torch.nonzero(mask[:, row]).flatten().tolist()


def test_rows_are_taken_in_the_order_asked_for_and_may_repeat():
    pattern, mask = pattern_and_mask()
    weight = torch.randn(pattern.num_entries)
    chosen = torch.tensor([6, 1, 0, 6])
    part, entries = pattern.rows(chosen)
    dense = torch.randn(COLUMNS, DIMS)
    expected = (dense_of(mask, weight) @ dense)[chosen]
    torch.testing.assert_close(product(part, dense, weight[entries]), expected)
    none, entries = pattern.rows(torch.empty(0, dtype=torch.long))
    assert product(none, dense).shape == (0, DIMS)
    assert entries.numel() == 0


def test_row_of_every_entry():
    pattern, mask = pattern_and_mask()
    assert pattern.row.tolist() == torch.nonzero(mask)[:, 0].tolist()


@pytest.mark.parametrize(
    ("shape", "weights", "message"),
    [
        ((COLUMNS + 1, DIMS), None, rf"\[{COLUMNS}, D\], got \[{COLUMNS + 1}, {DIMS}\]"),
        ((COLUMNS,), None, r"got \[5\]"),
        ((COLUMNS, DIMS), 1, "one weight per entry"),
    ],
)
def test_wrong_shapes_are_refused_with_both_shapes(shape: tuple[int, ...], weights: int | None, message: str):
    pattern, _ = pattern_and_mask()
    with pytest.raises(ValueError, match=message):
        product(pattern, torch.zeros(shape), None if weights is None else torch.zeros(weights))


@pytest.mark.parametrize(
    ("indptr", "index"), [([1, 2], [0, 0]), ([0, 3], [0, 1]), ([0, 2, 1, 2], [0, 1]), ([], []), ([0, 1], [9])]
)
def test_arrays_that_are_no_csr_matrix_are_refused(indptr: list[int], index: list[int]):
    with pytest.raises(ValueError, match=r"indptr must rise|column indices must lie in 0..4"):
        Pattern.of(torch.tensor(indptr, dtype=torch.long), torch.tensor(index, dtype=torch.long), COLUMNS)
