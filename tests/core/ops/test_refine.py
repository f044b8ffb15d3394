"""Edge refinement (GRE) against the formula, its gradients, and its behaviour at extreme logits."""

import math

import pytest
import torch
from torch import Tensor

from core.data.components import EDGE_FLOOR as FLOOR
from core.ops.refine import gumbel, pruning_chance, refined
from tests.core.ops.test_sparse import STRICT

LOGITS = torch.tensor([-7.0, -2.95, -2.94, -1.0, 0.0, 0.3, 4.0], dtype=torch.float64)
NOISE = torch.tensor([0.2, -0.1, 0.1, -2.5, 0.0, 1.7, -0.4], dtype=torch.float64)


def plain(logit: Tensor, noise: Tensor | None, threshold: float, temperature: float, doubled: bool) -> Tensor:
    """The straight-through form, edge by edge, with detached parts."""
    values = []
    for place, own in enumerate(logit):
        y = torch.sigmoid((own + (noise[place] if noise is not None else 0)) / temperature)
        kept = 1.0 if float(y.detach()) > threshold else 0.0
        value = kept * y - y.detach() + y if doubled else y + (kept * y - y).detach()
        values.append(value + FLOOR)
    return torch.stack(values)


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("noise", [None, NOISE])
@pytest.mark.parametrize(("threshold", "temperature"), [(0.05, 1.0), (0.4, 0.5)])
def test_values_and_gradients_equal_the_straight_through_form(noise, doubled, threshold, temperature):
    first, second = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
    fast = refined(first, noise, threshold=threshold, temperature=temperature, doubled=doubled)
    slow = plain(second, noise, threshold, temperature, doubled)
    torch.testing.assert_close(fast, slow)
    weigh = torch.arange(1.0, 8.0, dtype=torch.float64)
    (fast @ weigh).backward()
    (slow @ weigh).backward()
    torch.testing.assert_close(first.grad, second.grad)
    assert bool((first.grad != 0).all()), "a pruned edge must be able to come back"


def test_kept_edges_have_the_true_gradient():
    kept = LOGITS[3:].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda part: refined(part, NOISE[3:], threshold=0.01), [kept], **STRICT)


def test_without_noise_an_edge_is_pruned_from_minus_2_94_down():
    weights = refined(LOGITS, threshold=0.05)
    assert (weights <= 2 * FLOOR).tolist() == [True, True, False, False, False, False, False]
    torch.testing.assert_close(weights[2:], LOGITS[2:].sigmoid() + FLOOR)
    assert math.isclose(math.log(0.05 / 0.95), -2.944, abs_tol=1e-3)


def test_a_learned_threshold_prunes_alike_and_gets_a_gradient():
    threshold = torch.tensor(0.05, dtype=torch.float64, requires_grad=True)
    logit = LOGITS.clone().requires_grad_()
    fixed = LOGITS.clone().requires_grad_()
    learned = refined(logit, NOISE, threshold=threshold)
    torch.testing.assert_close(learned, refined(LOGITS, NOISE, threshold=0.05))
    learned.sum().backward()
    refined(fixed, NOISE, threshold=0.05).sum().backward()
    torch.testing.assert_close(logit.grad, fixed.grad)
    assert threshold.grad is not None
    assert float(threshold.grad) < 0, "a higher threshold takes weight away"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("doubled", [False, True])
def test_nothing_overflows_at_logits_of_a_thousand(dtype: torch.dtype, doubled: bool):
    logit = torch.tensor([-1000.0, 1000.0, 0.0], dtype=dtype, requires_grad=True)
    for draws in (None, torch.tensor([60.0, -5.0, 0.0], dtype=dtype)):
        for threshold in (0.05, torch.tensor(0.05, dtype=dtype, requires_grad=True)):
            weights = refined(logit, draws, threshold=threshold, doubled=doubled)
            assert weights.isfinite().all()
            assert float(weights[0].detach()) <= 2 * FLOOR
            logit.grad = None
            weights.sum().backward()
            assert logit.grad is not None
            assert logit.grad.isfinite().all()
    assert pruning_chance(logit.detach(), 0.05)[:2].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.999])
@pytest.mark.parametrize("level", [0.0, 40.0])
def test_a_share_to_prune_is_pruned_noise_included_wherever_logits_lie(share: float, level: float):
    logit = level + torch.randn(2000, generator=torch.Generator().manual_seed(1))
    for draws in (None, gumbel(logit, torch.Generator().manual_seed(2))):
        weights = refined(logit, draws, pruned_share=share)
        assert int((weights <= 2 * FLOOR).sum()) == round(share * 2000)
        shifted = logit if draws is None else logit + draws
        pruned = shifted[weights <= 2 * FLOOR]
        assert not len(pruned) or float(pruned.max()) < float(shifted[weights > 2 * FLOOR].min())


def test_draws_are_gumbel():
    draws = gumbel(torch.zeros(200_000), torch.Generator().manual_seed(3))
    assert draws.isfinite().all()
    assert abs(float(draws.mean()) - 0.5772) < 0.01
    assert abs(float(draws.var()) - math.pi**2 / 6) < 0.02


def test_the_chance_of_pruning_is_that_of_the_noise():
    """exp(-19 e^l) at threshold 0.05: 39 % at l = -3, nothing near 0."""
    for logit, temperature, threshold in ((-3.0, 1.0, 0.05), (-1.0, 0.7, 0.3), (0.0, 1.0, 0.05)):
        draws = gumbel(torch.zeros(100_000), torch.Generator().manual_seed(5))
        weights = refined(torch.full((100_000,), logit), draws, threshold=threshold, temperature=temperature)
        share = float((weights <= 2 * FLOOR).float().mean())
        expected = float(pruning_chance(torch.tensor([logit]), threshold, temperature))
        assert abs(share - expected) < 0.006
    assert abs(float(pruning_chance(torch.tensor([-3.0]), 0.05)) - math.exp(-19 * math.exp(-3))) < 1e-6
