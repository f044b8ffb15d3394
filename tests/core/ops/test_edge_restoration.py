"""Edges left out, and the error of restoring them, against the forms with all pairs."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from core.ops.additive_attention import DenseGraph
from core.ops.edge_restoration import EdgeTarget, edge_errors, formed_edge_errors, without_edges
from core.ops.metapaths import attention_graphs
from core.ops.sparse import Pattern
from tests.core.models import tiny_nodes

CPU = torch.device("cpu")
DATA = tiny_nodes.planted()


def joined(graph: Pattern | DenseGraph) -> np.ndarray:
    if isinstance(graph, DenseGraph):
        return graph.presence.numpy()
    table = np.zeros((graph.num_rows, graph.num_columns))
    table[graph.row, graph.index] = 1
    return table


@pytest.mark.parametrize("name", ["PAP", "PSP"])  # sparse and dense
def test_a_share_of_the_edges_is_left_out_and_own_edges_stay(name: str) -> None:
    graph = attention_graphs(DATA.graphs, CPU)[name]
    whole = joined(graph)
    before = whole.copy()
    own = np.eye(len(whole), dtype=bool)
    times = np.zeros_like(whole)
    for seed in range(60):
        left = joined(without_edges(graph, 0.7, torch.Generator().manual_seed(seed)))
        assert set(np.unique(left)) <= {0, 1}
        assert (left <= whole).all()
        assert (left[own] == whole[own]).all()
        times += left
    others = (whole > 0) & ~own
    assert times[others].mean() / 60 == pytest.approx(0.3, abs=0.02)
    assert (times[others] > 0).all()
    np.testing.assert_array_equal(joined(graph), before)
    assert without_edges(graph, 0.0, torch.Generator()) is graph
    first, again = (without_edges(graph, 0.5, torch.Generator().manual_seed(4)) for _ in range(2))
    np.testing.assert_array_equal(joined(first), joined(again))


def lonely() -> csr_array:
    """A graph in which nothing joins node 2."""
    table = np.array(
        [[1, 1, 0, 0, 0], [1, 1, 0, 1, 0], [0] * 5, [0, 1, 0, 1, 1], [0, 0, 0, 1, 1]], np.float32
    )
    return csr_array(table)


@pytest.mark.parametrize("dense_from", [0.0, 2.0])
@pytest.mark.parametrize("power", [1.0, 3.0])
def test_errors_and_gradients_are_those_of_all_pairs_at_once(power: float, dense_from: float) -> None:
    matrices = {"some": lonely(), "all": csr_array(np.ones((5, 5), np.float32))}
    graphs = tiny_nodes.double_graphs(attention_graphs(matrices, CPU, dense_from))
    targets = [EdgeTarget.of(matrix, graphs[name], CPU) for name, matrix in matrices.items()]
    targets = [EdgeTarget(t.graph, t.scale.double(), t.length.double()) for t in targets]
    rows = torch.randn(5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2)).requires_grad_()
    tables = []
    for matrix in matrices.values():
        table = torch.zeros(5, 5, dtype=torch.float64)
        for i in range(5):
            for j in range(5):
                if matrix[i, j]:
                    table[i, j] = float(matrix[[i]].sum() * matrix[[j]].sum()) ** -0.5
        tables.append(table)
    found, expected = edge_errors(rows, targets, power), formed_edge_errors(rows, tables, power)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)
    gradients = [torch.autograd.grad(errors.sum(), rows)[0] for errors in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-8)
