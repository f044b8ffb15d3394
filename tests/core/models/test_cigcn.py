"""The encoder against loops over nodes and paths (Eqs. 5 to 13)."""

from typing import Any

import numpy as np
import pytest
import torch

from core.models.cigcn import CIGCN
from core.ops.graphs import Rows
from tests.core.models import tiny
from tests.core.models.cigf_reference import Reference

USERS, ITEMS = 5, 7

DEEP = {"dim": 2, "num_layers": 3}
CASES: dict[str, dict[str, Any]] = {
    "one layer": {"num_layers": 1},
    "recursive, two layers": {"num_layers": 2},
    "recursive, three layers": DEEP,
    "recursive, symmetric": DEEP | {"normalization": "symmetric"},
    "recursive, right": DEEP | {"normalization": "right"},
    "recursive, not normalised": DEEP | {"normalization": "none"},
    "recursive, two heads": DEEP | {"num_heads": 2},
    "recursive, lr_gccf": DEEP | {"aggregator": "lr_gccf", "num_heads": 2},
    "recursive, gcn": DEEP | {"aggregator": "gcn"},
    "recursive, gcn, two heads": DEEP | {"aggregator": "gcn", "num_heads": 2},
    "recursive, ngcf, two heads": DEEP | {"aggregator": "ngcf", "num_heads": 2},
    "recursive, global": DEEP | {"attention": "global", "num_heads": 2},
    "recursive, node": DEEP | {"attention": "node"},
    "recursive, node+layer": DEEP | {"attention": "node+layer"},
    "recursive, node+behavior": DEEP | {"attention": "node+behavior"},
    "target, two layers": {"num_layers": 2, "composition": "target"},
    "target, three layers": DEEP | {"composition": "target"},
    "target, symmetric, two heads": DEEP
    | {"composition": "target", "num_heads": 2, "normalization": "symmetric"},
    "target, lr_gccf": DEEP | {"composition": "target", "aggregator": "lr_gccf"},
    "target, gcn, two heads": DEEP | {"composition": "target", "aggregator": "gcn", "num_heads": 2},
    "target, ngcf, two heads": DEEP | {"composition": "target", "aggregator": "ngcf", "num_heads": 2},
    "target, global": DEEP | {"composition": "target", "attention": "global"},
    "target, node+layer": DEEP | {"composition": "target", "attention": "node+layer"},
    "per behaviour, lightgcn": DEEP | {"encoder": "per_behavior"},
    "per behaviour, lr_gccf": DEEP | {"encoder": "per_behavior", "aggregator": "lr_gccf"},
    "per behaviour, gcn": DEEP | {"encoder": "per_behavior", "aggregator": "gcn"},
    "per behaviour, ngcf": DEEP | {"encoder": "per_behavior", "aggregator": "ngcf"},
}


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS)


@pytest.mark.parametrize("name", CASES)
def test_representations_equal_the_loops(data, name: str):
    model = tiny.cigf(data, **CASES[name])
    encoding = model.encode()
    expected = Reference(model).representations()
    assert encoding.user.shape == (USERS, 3, 2)
    np.testing.assert_allclose(tiny.array(encoding.user), expected[:USERS], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(tiny.array(encoding.item), expected[USERS:], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("composition", ["recursive", "target"])
def test_two_behaviours_and_a_wider_embedding(composition: str):
    data = tiny.random_ranking(USERS, ITEMS, behaviors=("view", "buy"), seed=9)
    model = tiny.cigf(data, dim=3, num_layers=3, num_heads=2, composition=composition)
    expected = Reference(model).representations()
    found = torch.cat([*model.encode()])
    np.testing.assert_allclose(tiny.array(found), expected, rtol=1e-6, atol=1e-7)


def test_the_compositions_agree_up_to_one_layer_and_differ_from_two(data):
    for layers, same in ((1, True), (2, False)):
        recursive = tiny.cigf(data, num_layers=layers)
        target = tiny.cigf(data, num_layers=layers, composition="target")
        assert torch.allclose(recursive.encode().user, target.encode().user) is same


@pytest.mark.parametrize("name", CASES)
def test_chosen_rows_equal_those_of_the_full_encoding(data, name: str):
    model = tiny.cigf(data, **CASES[name])
    full = model.encode()
    users, items = torch.tensor([4, 0, 4]), torch.tensor([6, 2, 0, 2, 3])
    for rows in (Rows(users, items), Rows(users, None), Rows(None, items)):
        some = model.encoder(model.initial, rows)
        torch.testing.assert_close(some.user, full.user if rows.user is None else full.user[users])
        torch.testing.assert_close(some.item, full.item if rows.item is None else full.item[items])


def test_heads_of_a_linear_aggregator_add_up_to_one_head_only_there(data):
    """pow(H, l - 1) graphs stay apart inside a nonlinear aggregator (Eqs. 8, 11): its bias counts once per graph."""
    model = tiny.cigf(data, num_layers=3, num_heads=2, aggregator="gcn")
    shapes = []
    model.encoder.aggregator.register_forward_pre_hook(lambda module, args: shapes.append(args[0].shape[2]))
    model.encode()
    assert shapes == [1, 2, 4, 1, 2, 4]


def test_users_without_any_pair_keep_their_embedding_times_the_layers(data):
    model = tiny.cigf(data, num_layers=3)
    encoding = model.encode()
    lonely = model.user_embedding[USERS - 1]
    torch.testing.assert_close(encoding.user[USERS - 1], 4 * lonely.expand(3, -1))
    torch.testing.assert_close(encoding.item[0], 4 * model.item_embedding[0].expand(3, -1))


def test_one_layer_has_no_attention(data):
    model = tiny.cigf(data, num_layers=1)
    assert isinstance(model.encoder, CIGCN)
    assert model.encoder.attention is None
    with pytest.raises(ValueError, match="one layer"):
        model.encoder.attend(model.user_embedding, 2)


def test_users_and_items_share_the_attention_parameters(data):
    names = [name for name, _ in tiny.cigf(data).named_parameters() if "attention" in name]
    assert names == ["encoder.attention.bias", "encoder.attention.weight"]
