"""Singular values and information abundance."""

import numpy as np
import pytest
import torch

from core.ops.spectrum import information_abundance, singular_values


@pytest.mark.parametrize(("rows", "columns"), [(101, 7), (5, 11)])
def test_singular_values_are_those_of_the_decomposition(rows: int, columns: int):
    table = torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))
    expected = np.linalg.svd(table.double().numpy(), compute_uv=False)
    np.testing.assert_allclose(singular_values(table), expected, rtol=1e-9)


def test_abundance_counts_the_directions_that_carry_something():
    assert information_abundance(np.array([3.0, 3.0, 3.0])) == 3
    assert information_abundance(np.array([4.0, 2.0, 0.0])) == 1.5
    assert information_abundance(np.zeros(3)) == 0
    line = torch.outer(torch.arange(1.0, 9.0), torch.tensor([1.0, 2.0, 3.0]))
    assert information_abundance(singular_values(line)) == pytest.approx(1, abs=1e-6)
