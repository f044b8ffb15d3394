"""Every prediction head against loops over one pair at a time (Eqs. 1, 14 to 16; Table 5)."""

from typing import Any

import numpy as np
import pytest
import torch

from core.models import heads
from tests.core.models import tiny
from tests.core.models.cigf_reference import Reference

HEADS: dict[str, dict[str, Any]] = {
    "mesi": {"head": "mesi"},
    "bilinear": {"head": "bilinear"},
    "shared_bottom": {"head": "shared_bottom"},
    "mmoe": {"head": "mmoe"},
    "ple": {"head": "ple"},
    "bilinear as released": {"head": "bilinear", "head_form": "as_released"},
    "shared_bottom as released": {"head": "shared_bottom", "head_form": "as_released"},
    "mmoe as released": {"head": "mmoe", "head_form": "as_released"},
    "ple as released, one own": {"head": "ple", "head_form": "as_released", "ple_experts": 1},
    "ple as released, two own": {"head": "ple", "head_form": "as_released", "ple_experts": 2},
}
EXPERTS = {
    "mesi": 3,
    "mmoe": 3,
    "ple": 3,
    "mmoe as released": 3,
    "ple as released, one own": 2,
    "ple as released, two own": 3,
}


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(5, 7)


@pytest.mark.parametrize(("tower", "floats"), [("sum", 60), ("mean", 13), ("sum", 1)])
@pytest.mark.parametrize("name", HEADS)
def test_scores_equal_the_loops_and_score_all_equals_pairs(
    data, monkeypatch, name: str, tower: str, floats: int
):
    model = tiny.cigf(data, tower=tower, **HEADS[name])
    reference = Reference(model)
    e = reference.representations()
    expected = np.array(
        [[[reference.score(k, e[u], e[5 + i]) for i in range(7)] for u in range(5)] for k in range(3)]
    )
    encoding = model.encode()
    owner, item = torch.arange(5).repeat_interleave(7), torch.arange(7).repeat(5)
    # hidden layers are 4 wide: blocks of two users, of three items, of one pair
    monkeypatch.setattr(heads, "_FLOATS_AT_ONCE", floats)
    for task in range(3):
        pairs = model.head(task, encoding.user[owner], encoding.item[item]).view(5, 7)
        np.testing.assert_allclose(tiny.array(pairs), expected[task], rtol=1e-6, atol=1e-6)
        everything = model.head.score_all(task, encoding.user, encoding.item)
        np.testing.assert_allclose(tiny.array(everything), expected[task], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        tiny.array(model.score(torch.tensor([3, 1]))), expected[2][[3, 1]], rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("name", ["shared_bottom", "mmoe", "ple"])
def test_hidden_layers_of_all_pairs_are_bounded_in_floats(data, monkeypatch, name: str):
    model = tiny.cigf(data, **HEADS[name])
    sizes, summed = [], heads._summed

    def measured(*args):
        found = summed(*args)
        sizes.append(found.numel())
        return found

    monkeypatch.setattr(heads, "_summed", measured)
    monkeypatch.setattr(heads, "_FLOATS_AT_ONCE", 20)
    encoding = model.encode()
    model.head.score_all(0, encoding.user, encoding.item)
    assert 4 < max(sizes) <= 20


@pytest.mark.parametrize("name", HEADS)
def test_gates_are_shares_and_equal_the_loops(data, name: str):
    model = tiny.cigf(data, **HEADS[name])
    encoding, reference = model.encode(), Reference(model)
    users, items = torch.tensor([0, 4, 2, 2]), torch.tensor([6, 1, 0, 3])
    gates = model.head.gates(encoding.user[users], encoding.item[items])
    if name not in EXPERTS:
        assert gates is None
        assert model.head.expert_titles == ()
        return
    assert gates.shape == (3, 4, EXPERTS[name])
    assert len(set(model.head.expert_titles)) == EXPERTS[name]
    torch.testing.assert_close(gates.sum(-1), torch.ones(3, 4, dtype=torch.float64))
    e = reference.representations()
    for task in range(3):
        for pair, (u, i) in enumerate(zip(users.tolist(), items.tolist())):
            expected = reference.gate(task, e[u], e[5 + i])
            np.testing.assert_allclose(tiny.array(gates[task, pair]), expected, rtol=1e-6, atol=1e-6)


def test_released_shared_bottom_ranks_items_alike_for_every_user(data):
    """Its user part cancels in every comparison of two items."""
    model = tiny.cigf(data, **HEADS["shared_bottom as released"])
    scores = model.score(torch.arange(5))
    torch.testing.assert_close(scores - scores[:, :1], (scores - scores[:, :1])[:1].expand(5, -1))


@pytest.mark.parametrize("name", HEADS)
def test_score_items_are_entries_of_score(data, name: str):
    model = tiny.cigf(data, **HEADS[name])
    users, items = torch.tensor([4, 2, 0]), torch.tensor([[6, 0], [3, 3], [1, 5]])
    torch.testing.assert_close(model.score_items(users, items), model.score(users).gather(1, items))
