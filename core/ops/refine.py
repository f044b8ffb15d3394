"""Edge refinement: which pairs of a graph count, and how much, from the similarity of their ends.

E pairs. Source: Zhang et al., HGIB, RecSys 2025, Eq. 10.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from core.data.components import EDGE_FLOOR

_SLOPE = 0.1  # width of the step that carries gradients to a learned threshold


def gumbel(logit_E: Tensor, noise: torch.Generator) -> Tensor:
    """Gumbel(0, 1) draws, -ln(-ln u), [E]; every draw is finite."""
    uniform = torch.rand(logit_E.shape, generator=noise, device=logit_E.device, dtype=logit_E.dtype)
    tiny = torch.finfo(logit_E.dtype).tiny
    return uniform.clamp_(min=tiny).log_().neg_().clamp_(min=tiny).log_().neg_()


def refined(
    logit_E: Tensor,
    gumbel_E: Tensor | None = None,
    *,
    threshold: float | Tensor = 0.05,
    pruned_share: float | None = None,
    temperature: float = 1.0,
    doubled: bool = False,
) -> Tensor:
    """Weights of the pairs, [E]: y = sigmoid((l + g) / temperature) where y > threshold, else 0; plus 1e-7.

    Without `gumbel_E` there is no noise. The gradient passes as if nothing were pruned, so that a pruned pair can come
    back; with `doubled` kept pairs get twice that, as in the released code. A tensor as threshold is learned: the step
    at y = threshold hands it the gradient of a sigmoid of width 0.1. With `pruned_share` the threshold lies wherever that
    share of the pairs, noise included, is pruned.
    """
    if isinstance(threshold, Tensor):
        shifted = logit_E if gumbel_E is None else logit_E + gumbel_E
        soft = (shifted / temperature).sigmoid()
        step = ((soft.detach() - threshold) / _SLOPE).sigmoid()
        hard = (soft.detach() > threshold.detach()).to(soft.dtype)
        mask = hard + step - step.detach()
        return soft.detach() * mask + (soft - soft.detach()) + EDGE_FLOOR
    result: Tensor = _Refined.apply(  # type: ignore[no-untyped-call]
        logit_E, gumbel_E, threshold, pruned_share, temperature, doubled
    )
    return result


def pruning_chance(logit_E: Tensor, threshold: float, temperature: float = 1.0) -> Tensor:
    """Chance that the noise of training prunes each pair: exp(-exp(l - temperature ln(t / (1 - t)))), [E].

    At t = 0.05 and temperature 1 this is exp(-19 e^l): 39 % at l = -3, nothing near 0.
    """
    t = torch.tensor(threshold, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    return (-(logit_E.double() - temperature * torch.logit(t)).clamp(max=700).exp()).exp().to(logit_E.dtype)


class _Refined(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logit_E: Tensor,
        gumbel_E: Tensor | None,
        threshold: float,
        pruned_share: float | None,
        temperature: float,
        doubled: bool,
    ) -> Tensor:
        shifted = logit_E.clone() if gumbel_E is None else logit_E + gumbel_E
        above = None
        if pruned_share is not None:
            count = round(pruned_share * shifted.numel())
            above = shifted > (shifted.kthvalue(count).values if count else -torch.inf)
        soft = shifted.div_(temperature).sigmoid_()
        kept = soft > threshold if above is None else above
        ctx.temperature = temperature
        ctx.save_for_backward(soft, kept if doubled else None)
        return (soft * kept).add_(EDGE_FLOOR)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        soft, kept = ctx.saved_tensors
        slope = gradients[0] * soft
        slope = slope.addcmul_(slope, soft, value=-1).div_(ctx.temperature)
        to_logit = slope if kept is None else slope.addcmul_(slope, kept.to(slope.dtype))
        return to_logit, None, None, None, None, None
