"""Attention over a few sources per node: one softmax a node, one weighted sum.

N nodes, S sources, D dims.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def attended(query_ND: Tensor, sources: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Shares softmax over s of q . E_s / sqrt(D), [N, S], and the sum of the sources E_s ([N, D] each) by them, [N, D].

    Returns (sum, shares). One function with the gradients written out: no stack of the sources, [S, N, D], is formed.
    """
    fused_ND, share_NS = _Attended.apply(query_ND, *sources)  # type: ignore[no-untyped-call]
    return fused_ND, share_NS


class _Attended(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query_ND: Tensor, *sources: Tensor) -> tuple[Tensor, Tensor]:
        share_NS = _each_dot(query_ND, sources).div_(math.sqrt(query_ND.shape[1])).softmax(1)
        fused_ND = sources[0] * share_NS[:, :1]
        for s, source_ND in enumerate(sources[1:], 1):
            fused_ND.addcmul_(source_ND, share_NS[:, s : s + 1])
        ctx.save_for_backward(query_ND, share_NS, *sources)
        ctx.set_materialize_grads(False)
        return fused_ND, share_NS

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        query_ND, share_NS, *sources = ctx.saved_tensors
        to_fused_ND, asked_NS = gradients
        to_share_NS = torch.zeros_like(share_NS) if asked_NS is None else asked_NS
        if to_fused_ND is not None:
            to_share_NS = _each_dot(to_fused_ND, sources).add_(to_share_NS)
        to_logit_NS = share_NS * (to_share_NS - (share_NS * to_share_NS).sum(1, keepdim=True))
        to_logit_NS.div_(math.sqrt(query_ND.shape[1]))
        to_query_ND = torch.zeros_like(query_ND)
        found = []
        for s, source_ND in enumerate(sources):
            slope_N1 = to_logit_NS[:, s : s + 1]
            to_query_ND.addcmul_(source_ND, slope_N1)
            to_source_ND = query_ND * slope_N1
            if to_fused_ND is not None:
                to_source_ND.addcmul_(to_fused_ND, share_NS[:, s : s + 1])
            found.append(to_source_ND)
        return to_query_ND, *found


def _each_dot(query_ND: Tensor, sources: Sequence[Tensor]) -> Tensor:
    """q . E_s of every node and source, [N, S]."""
    product_ND = torch.empty_like(query_ND)
    return torch.stack([torch.mul(query_ND, source_ND, out=product_ND).sum(1) for source_ND in sources], 1)
