"""A layer that widens rows maps them after summing: the same outputs and gradients as mapping them first."""

from typing import Any

import pytest
import torch

from core.models.han_encoder import GATLayer, HANShape
from core.ops.dropout import Dropout
from core.ops.metapaths import attention_graphs
from tests.core.models import tiny_nodes

DATA = tiny_nodes.small()


@pytest.mark.parametrize("metapath", ["PAP", "PSP"])  # sparse and dense
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_mapping_last_is_mapping_first(metapath: str, heads: int, rate: float) -> None:
    torch.manual_seed(0)
    layer = tiny_nodes.doubled(GATLayer(HANShape(in_dim=3, head_dim=7, heads=heads)))
    graph = tiny_nodes.double_graphs(attention_graphs(DATA.graphs, tiny_nodes.CPU))[metapath]
    rows = torch.randn(11, 3, dtype=torch.float64).requires_grad_()
    noise = (Dropout(rate, 5), Dropout(rate, 6)) if rate else (None, None)
    way = torch.randn(11, heads * 7, dtype=torch.float64)
    leaves = (rows, layer.project.weight, layer.query, layer.key)
    made = [form(graph, rows, *noise) for form in (layer._mapped_first, layer._mapped_last)]
    torch.testing.assert_close(*made)
    torch.testing.assert_close(*(torch.autograd.grad((rows_NF * way).sum(), leaves) for rows_NF in made))


@pytest.mark.parametrize(("in_dim", "form"), [(3, "_mapped_last"), (7, "_mapped_first")])
def test_the_form_with_fewer_numbers_is_taken(in_dim: int, form: str, monkeypatch: Any) -> None:
    layer = GATLayer(HANShape(in_dim=in_dim, head_dim=7, heads=1))
    monkeypatch.setattr(layer, form, lambda *args: torch.full((11, 7), 3.0))
    layer.activation = None
    graph = attention_graphs(DATA.graphs, tiny_nodes.CPU)["PAP"]
    assert layer(graph, torch.randn(11, in_dim), None).unique().tolist() == [3.0]
