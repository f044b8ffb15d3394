"""Normalised bipartite graphs against D^-1 A and its relatives, built densely entry by entry."""

import numpy as np
import pytest
import torch

from core.ops.graphs import bipartite
from tests.core.models import tiny

USERS, ITEMS, DIMS = 5, 7, 3
NORMALIZATIONS = ("left", "right", "symmetric", "none")


def pairs() -> np.ndarray:
    dense = np.random.default_rng(2).random((USERS, ITEMS)) < 0.5
    dense[3], dense[:, 4] = False, False
    return dense


def joined(dense: np.ndarray, normalization: str) -> np.ndarray:
    """[[0, Y], [Y^T, 0]] with every entry scaled by the degrees of its row and column node."""
    size = USERS + ITEMS
    plain = np.zeros((size, size))
    plain[:USERS, USERS:], plain[USERS:, :USERS] = dense, dense.T
    degree = plain.sum(1)
    scaled = np.zeros_like(plain)
    for row, column in zip(*plain.nonzero()):
        scaled[row, column] = {
            "left": 1 / degree[row],
            "right": 1 / degree[column],
            "symmetric": 1 / np.sqrt(degree[row] * degree[column]),
            "none": 1.0,
        }[normalization]
    return scaled


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_both_halves_equal_the_dense_normalised_adjacency(normalization):
    dense = pairs()
    graph = tiny.double_graph(bipartite(tiny.matrix(dense), normalization))
    values = torch.randn(USERS + ITEMS, DIMS, dtype=torch.float64)
    expected = torch.from_numpy(joined(dense, normalization)) @ values
    users, items = values[:USERS], values[USERS:]
    torch.testing.assert_close(graph.users_from(items), expected[:USERS], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(graph.items_from(users), expected[USERS:], rtol=1e-6, atol=1e-7)
    some_users, some_items = torch.tensor([4, 3, 0]), torch.tensor([6, 4, 4, 1])
    torch.testing.assert_close(
        graph.some_users_from(items, some_users), expected[some_users], rtol=1e-6, atol=1e-7
    )
    torch.testing.assert_close(
        graph.some_items_from(users, some_items), expected[USERS + some_items], rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_nodes_without_edges_get_zeros_in_single_precision_too(normalization):
    graph = bipartite(tiny.matrix(pairs()), normalization)
    assert not graph.users_from(torch.ones(ITEMS, DIMS))[3].any()
    assert not graph.items_from(torch.ones(USERS, DIMS))[4].any()
    assert graph.to(tiny.CPU).users_from(torch.ones(ITEMS, DIMS)).dtype == torch.float32


def test_left_normalised_rows_average():
    graph = bipartite(tiny.matrix(pairs()), "left")
    averaged = graph.users_from(torch.ones(ITEMS, 1)).flatten().tolist()
    assert averaged == pytest.approx([1, 1, 1, 0, 1])


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_gradients_flow_through_every_product(normalization):
    graph = tiny.double_graph(bipartite(tiny.matrix(pairs()), normalization))
    items = torch.randn(ITEMS, DIMS, dtype=torch.float64, requires_grad=True)
    users = torch.randn(USERS, DIMS, dtype=torch.float64, requires_grad=True)
    rows = torch.tensor([2, 0, 2])
    torch.autograd.gradcheck(lambda x: graph.some_users_from(x, rows), (items,), rtol=1e-6, atol=1e-7)
    torch.autograd.gradcheck(lambda x: graph.some_items_from(x, rows), (users,), rtol=1e-6, atol=1e-7)
    torch.autograd.gradcheck(lambda x: graph.users_from(x), (items,), rtol=1e-6, atol=1e-7)
