"""Eq. 17 against loops and finite differences; batches; what is decayed."""

from typing import Any

import numpy as np
import pytest
import torch

from core.models.cigf import CIGF, CIGFBatch
from core.ops.samplers import TaskPairs
from tests.core.models import tiny
from tests.core.models.cigf_reference import Reference

USERS, ITEMS = 5, 7


@pytest.fixture(scope="module")
def data():
    return tiny.random_ranking(USERS, ITEMS)


def batch(local: bool) -> CIGFBatch:
    """Users 3, 0, 2 with pairs of tasks 0 and 2; task 1 drew none. `local` numbers items within the batch."""
    users = torch.tensor([3, 0, 2])
    chosen = torch.tensor([1, 2, 4, 5])
    items = None if local is False else chosen

    def numbered(values: list[int]) -> torch.Tensor:
        real = torch.tensor(values, dtype=torch.long)
        return real if items is None else torch.searchsorted(chosen, real)

    def pairs(owner: list[int], positive: list[int], negative: list[int]) -> TaskPairs:
        return TaskPairs(torch.tensor(owner, dtype=torch.long), numbered(positive), numbered(negative))

    tasks = (pairs([0, 0, 1], [1, 4, 5], [2, 2, 1]), pairs([], [], []), pairs([2, 1], [5, 4], [4, 2]))
    return CIGFBatch(users, items, tasks)


TRIPLES = {"view": [(3, 1, 2), (3, 4, 2), (0, 5, 1)], "cart": [], "buy": [(2, 5, 4), (0, 4, 2)]}

CONFIGS: dict[str, dict[str, Any]] = {
    "default": {},
    "target, three layers": {"composition": "target", "num_layers": 3},
    "ngcf, two heads": {"aggregator": "ngcf", "num_heads": 2},
    "base": {"encoder": "per_behavior", "head": "bilinear"},
    "ple": {"head": "ple", "attention": "global"},
}


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("name", CONFIGS)
def test_every_term_equals_the_loops(data, name: str, local: bool):
    model = tiny.cigf(data, l2=0.03, **CONFIGS[name])
    losses, reference = model.losses(batch(local)), Reference(model)
    assert list(losses) == ["bpr_view", "bpr_cart", "bpr_buy", "l2"]
    for task, (behavior, triples) in enumerate(TRIPLES.items()):
        expected = reference.bpr(task, triples)
        assert float(losses[f"bpr_{behavior}"].detach()) == pytest.approx(expected, rel=1e-6, abs=1e-7)


DECAYED = {
    "default": {
        "user_embedding",
        "item_embedding",
        "encoder.attention.weight",
        "head.gate.weight",
    },
    "ngcf, two heads": {
        "user_embedding",
        "item_embedding",
        "encoder.attention.weight",
        "head.gate.weight",
    },
    "base": {"user_embedding", "item_embedding", "head.relation"},
    "ple": {
        "user_embedding",
        "item_embedding",
        *(f"head.experts.{e}.weight" for e in range(5)),
        *(f"head.task_gates.{k}.weight" for k in range(3)),
    },
}


@pytest.mark.parametrize("name", DECAYED)
def test_l2_covers_tables_and_dense_weights_but_no_bias_and_no_aggregator(data, name: str):
    model = tiny.cigf(data, l2=0.03, **CONFIGS[name])
    state = dict(model.named_parameters())
    assert DECAYED[name] <= set(state)
    total = sum(float(value) ** 2 for key in DECAYED[name] for value in tiny.array(state[key]).flat)
    assert float(model.losses(batch(True))["l2"].detach()) == pytest.approx(0.03 * total, rel=1e-9)


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_of_the_whole_loss_equal_finite_differences(data, name: str):
    model, drawn = tiny.cigf(data, **CONFIGS[name]), batch(True)

    def loss() -> torch.Tensor:
        return torch.stack(list(model.losses(drawn).values())).sum()

    loss().backward()
    step, generator = 1e-6, torch.Generator().manual_seed(1)
    for key, parameter in model.named_parameters():
        for _ in range(2):  # the slope along random directions: every entry of the gradient takes part
            direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            with torch.no_grad():
                parameter += step * direction
                above = loss()
                parameter -= 2 * step * direction
                measured = (above - loss()) / (2 * step)
                parameter += step * direction
            assert parameter.grad is not None, key
            torch.testing.assert_close((parameter.grad * direction).sum(), measured, rtol=1e-5, atol=1e-7)


def drawn_batches(model: CIGF, seed: int = 4) -> list[CIGFBatch]:
    return list(model.batches(torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize(("items", "local"), [(7, False), (211, True)])
def test_batches_cover_random_users_with_true_positives_and_true_negatives(items: int, local: bool):
    data = tiny.random_ranking(23, items, density=0.1)
    model = tiny.cigf(data, users_per_epoch=17, batch_users=5, positives_per_user=2)
    batches = drawn_batches(model)
    users = torch.cat([b.users for b in batches]).tolist()
    assert [len(b.users) for b in batches] == [5, 5, 5, 2]
    assert len(set(users)) == 17
    assert any(b.items is not None for b in batches) is local
    for each in batches:
        for behavior, task in zip(data.behaviors, each.tasks, strict=True):
            touched = data.train[behavior].toarray()
            owners = each.users[task.owner]
            real = [t if each.items is None else each.items[t] for t in (task.positive, task.negative)]
            assert touched[owners, real[0]].all()
            assert not touched[owners, real[1]].any()
            degree = touched[each.users].sum(1)
            expected = np.where(degree < items, np.minimum(degree, 2), 0)
            assert np.bincount(task.owner, minlength=len(each.users)).tolist() == expected.tolist()


def test_batches_follow_the_generator(data):
    model = tiny.cigf(data)
    first, again, other = (drawn_batches(model, seed)[0] for seed in (4, 4, 5))
    assert torch.equal(first.tasks[0].negative, again.tasks[0].negative)
    assert not torch.equal(first.users, other.users)


def test_a_batch_whose_users_did_nothing_costs_the_decay_alone(data):
    model = tiny.cigf(data)
    empty = model._drawn(torch.tensor([USERS - 1]), torch.Generator().manual_seed(0))
    losses = model.losses(empty)
    assert [float(losses[f"bpr_{b}"].detach()) for b in data.behaviors] == [0, 0, 0]
    torch.stack(list(losses.values())).sum().backward()
    assert model.user_embedding.grad is not None
