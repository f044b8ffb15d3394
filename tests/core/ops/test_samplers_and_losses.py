"""Samplers draw what they say, uniformly; losses are exact and do not overflow."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from core.ops.losses import bpr, info_nce, info_nce_of_nodes, softmax_loss, squared_norm
from core.ops.samplers import PairSampler, shuffled_batches
from tests.core.models import tiny

USERS, ITEMS = 5, 7
TOUCHED = np.array(
    [
        [0, 1, 1, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0, 1],
    ]
)


def sampler() -> PairSampler:
    return PairSampler(tiny.matrix(TOUCHED), tiny.CPU)


def generator(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("most", [1, 2, 4, 40])
def test_positives_are_touched_items_and_as_many_as_promised(most: int):
    users = torch.tensor([4, 1, 0, 3, 2, 0])
    owner, items = sampler().positives(users, most, generator())
    counts = np.bincount(owner.numpy(), minlength=6)
    degrees = [1, 0, 3, 0, 6, 3]  # user 1 touched nothing, user 3 touched all and so has no negative
    assert counts.tolist() == [min(most, degree) for degree in degrees]
    assert all(TOUCHED[users[o], i] for o, i in zip(owner.tolist(), items.tolist()))


def test_positives_are_uniform_over_the_touched_items():
    owner, items = sampler().positives(torch.full((4000,), 0), 3, generator())
    counts = np.bincount(items.numpy(), minlength=ITEMS)
    assert len(owner) == 12_000
    assert set(np.flatnonzero(counts)) == {1, 2, 5}
    assert stats.chisquare(counts[[1, 2, 5]]).pvalue > 1e-3


@pytest.mark.parametrize("user", [0, 1, 4])
def test_negatives_are_uniform_over_the_untouched_items(user: int):
    drawn = sampler().negatives(torch.full((9000,), user), generator())
    counts = np.bincount(drawn.numpy(), minlength=ITEMS)
    untouched = np.flatnonzero(TOUCHED[user] == 0)
    assert set(np.flatnonzero(counts)) == set(untouched)
    assert stats.chisquare(counts[untouched]).pvalue > 1e-3


def test_negatives_of_a_random_matrix_are_never_touched():
    dense = np.random.default_rng(0).random((23, 17)) < 0.6
    dense[:, 3] = False
    users = torch.arange(23).repeat(50)
    drawn = PairSampler(tiny.matrix(dense), tiny.CPU).negatives(users, generator())
    assert drawn.shape == users.shape
    assert not dense[users.numpy(), drawn.numpy()].any()
    assert len(drawn.unique()) == 17


def test_the_only_untouched_item_is_the_negative():
    assert sampler().negatives(torch.full((50,), 2), generator()).unique().tolist() == [3]


def test_a_user_who_touched_everything_has_no_negative():
    with pytest.raises(ValueError, match="touched every item"):
        sampler().negatives(torch.tensor([0, 3]), generator())


@pytest.mark.parametrize("user", [0, 1, 2, 4])
def test_negatives_from_a_pool_are_uniform_over_its_untouched_items(user: int):
    pool = np.array([0, 2, 3, 5])
    limited = PairSampler(tiny.matrix(TOUCHED), tiny.CPU, pool)
    drawn = limited.negatives(torch.full((9000,), user), generator())
    counts = np.bincount(drawn.numpy(), minlength=ITEMS)
    allowed = [item for item in pool if not TOUCHED[user, item]]
    assert set(np.flatnonzero(counts)) == set(allowed)
    assert len(allowed) == 1 or stats.chisquare(counts[allowed]).pvalue > 1e-3
    _, positives = limited.positives(torch.full((200,), user), 50, generator())
    assert set(positives.tolist()) == set(np.flatnonzero(TOUCHED[user])), "the pool is for negatives alone"


def test_a_user_who_touched_the_whole_pool_has_no_negative():
    limited = PairSampler(tiny.matrix(TOUCHED), tiny.CPU, np.array([1, 2, 5]))
    assert limited.untouched.tolist() == [0, 3, 0, 0, 3]
    with pytest.raises(ValueError, match="touched every item"):
        limited.negatives(torch.tensor([0]), generator())
    owner, _ = limited.positives(torch.tensor([0, 4]), 3, generator())
    assert owner.tolist() == [1]


def test_draws_follow_the_generator():
    users = torch.arange(USERS)
    first, again, other = (sampler().positives(users, 40, generator(seed))[1] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_shuffled_batches_cover_everything_once():
    batches = shuffled_batches(17, 5, generator(), tiny.CPU)
    assert [len(batch) for batch in batches] == [5, 5, 5, 2]
    joined = torch.cat(batches).tolist()
    assert sorted(joined) == list(range(17))
    assert joined != list(range(17))
    assert shuffled_batches(0, 5, generator(), tiny.CPU) == []


def test_bpr_is_the_mean_of_minus_log_sigmoid():
    positive, negative = [0.3, -2.0, 5.0], [1.3, -1.0, -4.0]
    expected = sum(-math.log(1 / (1 + math.exp(-(p - n)))) for p, n in zip(positive, negative)) / 3
    assert float(bpr(torch.tensor(positive), torch.tensor(negative))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("gap", "expected"), [(1000.0, 0.0), (-1000.0, 1000.0)])
def test_bpr_of_extreme_logits_is_finite_with_a_finite_gradient(gap: float, expected: float):
    positive = torch.tensor([gap], requires_grad=True)
    loss = bpr(positive, torch.zeros(1))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(expected)
    assert positive.grad is not None
    assert float(positive.grad) == pytest.approx(0 if gap > 0 else -1)


def test_bpr_without_pairs_is_zero_and_differentiable():
    empty = torch.zeros(0, requires_grad=True)
    loss = bpr(empty, empty)
    loss.backward()
    assert float(loss.detach()) == 0
    assert empty.grad is not None


def test_squared_norm_adds_over_tensors():
    tensors = [torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([-5.0])]
    assert float(squared_norm(tensors)) == 1 + 4 + 9 + 16 + 25


def test_info_nce_equals_the_loop_and_does_not_overflow():
    query = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    key = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = 0.0
    for m in range(5):
        odds = [math.exp(float(query[m] @ other) / 0.5) for other in key]
        expected -= math.log(odds[m] / sum(odds)) / 5
    assert float(info_nce(query, key, 0.5)) == pytest.approx(expected)
    inputs = (query.requires_grad_(), key.requires_grad_())
    assert torch.autograd.gradcheck(info_nce, inputs, rtol=1e-6, atol=1e-7)
    large = torch.tensor([[1000.0], [-1000.0]], requires_grad=True)
    loss = info_nce(large, torch.tensor([[1.0], [1.0]]))
    loss.backward()
    assert loss.isfinite()
    assert large.grad is not None
    assert large.grad.isfinite().all()
    assert float(info_nce(torch.zeros(0, 3), torch.zeros(0, 3))) == 0


@pytest.mark.parametrize("temperature", [1.0, 0.2])
def test_weights_multiply_each_query_of_infonce(temperature: float):
    draw = torch.Generator().manual_seed(2)
    query = torch.randn(11, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    key = torch.randn(11, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(11, generator=draw, dtype=torch.float64)
    logits = query @ key.t() / temperature
    expected = sum(weight[m] * (logits[m].logsumexp(0) - logits[m, m]) for m in range(11)) / 11
    found = info_nce(query, key, temperature, weight)
    torch.testing.assert_close(found, expected)
    both = [torch.autograd.grad(loss, (query, key)) for loss in (found, expected)]
    for ours, theirs in zip(*both, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_weight_of_zero_takes_a_query_out():
    query, key = torch.randn(4, 3, requires_grad=True), torch.randn(4, 3)
    info_nce(query, key, 1.0, torch.tensor([1.0, 0.0, 1.0, 1.0])).backward()
    assert query.grad is not None
    assert not query.grad[1].any()
    assert query.grad[0].any()


@pytest.mark.parametrize("weighted", [False, True])
def test_infonce_of_nodes_is_that_of_the_rows_however_often_they_occur(weighted: bool):
    draw = torch.Generator().manual_seed(6)
    query = torch.randn(7, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    key = torch.randn(5, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    asking = torch.tensor([6, 0, 0, 3, 6, 6, 2, 0, 3, 3, 6])
    asked = torch.tensor([4, 1, 2, 2, 4, 0, 4, 1, 2, 4, 4])
    weight = torch.rand(11, generator=draw, dtype=torch.float64) if weighted else None
    found = info_nce_of_nodes(query, key, asking, asked, 0.3, weight)
    expected = info_nce(query[asking], key[asked], 0.3, weight)
    torch.testing.assert_close(found, expected)
    both = [torch.autograd.grad(loss, (query, key)) for loss in (found, expected)]
    for ours, theirs in zip(*both, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_infonce_of_no_nodes_is_zero():
    nobody = torch.empty(0, dtype=torch.long)
    assert float(info_nce_of_nodes(torch.randn(3, 2), torch.randn(4, 2), nobody, nobody)) == 0


def test_a_known_bound_of_the_logits_changes_nothing():
    draw = torch.Generator().manual_seed(1)
    query = torch.randn(4, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    key = torch.randn(6, 3, generator=draw, dtype=torch.float64, requires_grad=True)
    own = torch.tensor([5, 0, 3, 3])
    results = [softmax_loss(query, key, own, None, bound) for bound in (None, 40.0)]
    gradients = [torch.autograd.grad(loss, (query, key)) for loss in results]
    torch.testing.assert_close(*results)
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)
