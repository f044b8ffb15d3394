"""Fixed graphs between nodes: normalisation, blocks and layer means against dense arithmetic."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from core.ops.square import in_sides, layer_mean, square, symmetric_normalized, user_item_matrix
from tests.core.models import tiny

USERS, ITEMS, DIMS = 5, 7, 3


def directed(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    dense = rng.random((ITEMS, ITEMS)) * (rng.random((ITEMS, ITEMS)) < 0.4)
    dense[2] = 0
    return dense


def test_weights_are_divided_by_the_roots_of_both_row_sums():
    dense = directed()
    found = symmetric_normalized(csr_array(dense)).toarray()
    for i in range(ITEMS):
        for j in range(ITEMS):
            sums = dense[i].sum(), dense[j].sum()
            expected = dense[i, j] / np.sqrt(sums[0] * sums[1]) if min(sums) > 0 else 0
            assert found[i, j] == pytest.approx(expected, rel=1e-5), (i, j)
    assert np.isfinite(found).all()


def test_users_lie_above_items_and_links_fill_the_corner():
    pairs = np.random.default_rng(1).random((USERS, ITEMS)) < 0.4
    links = directed()
    found = user_item_matrix(tiny.matrix(pairs), csr_array(links)).toarray()
    np.testing.assert_allclose(found[:USERS, USERS:], pairs)
    np.testing.assert_allclose(found[USERS:, :USERS], pairs.T)
    np.testing.assert_allclose(found[USERS:, USERS:], links)
    assert not found[:USERS, :USERS].any()
    assert not user_item_matrix(tiny.matrix(pairs)).toarray()[USERS:, USERS:].any()


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_the_layer_mean_is_that_of_dense_powers(layers: int):
    matrix = directed()
    start = np.random.default_rng(2).standard_normal((ITEMS, DIMS))
    found = layer_mean(square(csr_array(matrix)), torch.from_numpy(start).float(), layers)
    powers = [np.linalg.matrix_power(matrix, layer) @ start for layer in range(layers + 1)]
    np.testing.assert_allclose(found, np.mean(powers, axis=0), rtol=1e-5, atol=1e-6)


def test_gradients_flow_through_the_product():
    graph = square(csr_array(directed()))
    rows = torch.randn(ITEMS, DIMS, requires_grad=True)
    graph.times(rows).square().sum().backward()
    dense = torch.from_numpy(directed()).float()
    expected = 2 * dense.t() @ (dense @ rows.detach())
    torch.testing.assert_close(rows.grad, expected, rtol=1e-4, atol=1e-5)


def test_sides_are_the_first_rows_and_the_rest():
    table = torch.arange(24.0).view(12, 2)
    sides = in_sides(table, USERS)
    assert sides.user.tolist() == table[:5].tolist()
    assert sides.item.tolist() == table[5:].tolist()
