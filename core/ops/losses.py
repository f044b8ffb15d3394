"""Losses that more than one model uses."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_LOGITS_AT_ONCE = 1 << 22
_LEAST_ROWS = 32  # every block passes over the whole gradient of the keys


def bpr(positive_P: Tensor, negative_P: Tensor) -> Tensor:
    """Mean of -ln sigmoid(positive - negative), in nats; 0 without pairs. Source: Rendle et al. 2009, BPR-Opt."""
    if positive_P.numel() == 0:
        return positive_P.sum()
    return F.softplus(negative_P - positive_P).mean()


def squared_norm(tensors: Iterable[Tensor]) -> Tensor:
    """Sum of the squared entries of all `tensors`."""
    return torch.stack([tensor.square().sum() for tensor in tensors]).sum()


def margin(positive_P: Tensor, negative_P: Tensor) -> Tensor:
    """Mean of max(0, 1 - (positive - negative)), a hinge; 0 without pairs. Source: Xia et al. 2021, MB-GMN."""
    if positive_P.numel() == 0:
        return positive_P.sum()
    return F.relu(1 - (positive_P - negative_P)).mean()


def softmax_loss(
    query_BD: Tensor,
    key_ID: Tensor,
    own_B: Tensor,
    weight_B: Tensor | None = None,
    bound: float | None = None,
) -> Tensor:
    """Mean of -ln softmax of q_b . k_own among q_b . k_1 .. q_b . k_I, in nats; 0 without queries. Never overflows.

    weight_B: a factor on every query's loss, without gradient; the sum is still divided by their number. bound: what no
    logit exceeds, where that is known, as for cosines; it saves looking for the largest. The logits are made, used and
    forgotten in blocks of 16 MB (32 queries at least), gradients included: [B, I] is never formed.
    """
    result: Tensor = _SoftmaxLoss.apply(query_BD, key_ID, own_B, weight_B, bound)  # type: ignore[no-untyped-call]
    return result


def info_nce(
    query_MD: Tensor, key_MD: Tensor, temperature: float = 1.0, weight_M: Tensor | None = None
) -> Tensor:
    """Mean of -ln softmax of q_m . k_m among q_m . k_1 .. q_m . k_M, in nats; 0 without rows. weight_M: as in `softmax_loss`.

    Source: van den Oord et al. 2018, Eq. 4. Never overflows.
    """
    own_M = torch.arange(query_MD.shape[0], device=query_MD.device)
    return softmax_loss(query_MD / temperature, key_MD, own_M, weight_M)


def info_nce_of_nodes(
    query_ND: Tensor,
    key_MD: Tensor,
    asking_B: Tensor,
    asked_B: Tensor,
    temperature: float = 1.0,
    weight_B: Tensor | None = None,
) -> Tensor:
    """`info_nce` of the rows `asking_B` of queries and `asked_B` of keys, nodes that occur several times computed once.

    A key that occurs c times adds c exp(l) to the denominator, which is exp(l + ln c): one more dimension, in which queries
    are 1 and keys ln c. Equal pairs ask together, with their weights added up. Batches hold popular items many times.
    """
    if not len(asking_B):
        return info_nce(query_ND[asking_B], key_MD[asked_B])
    key_C, count_C = asked_B.unique(return_counts=True)
    pair_P, place_B = (asking_B * len(key_MD) + asked_B).unique(return_inverse=True)
    weight_B = query_ND.new_ones(len(asking_B)) if weight_B is None else weight_B
    weight_P = query_ND.new_zeros(len(pair_P)).index_add(0, place_B, weight_B)
    asking_P = pair_P.div(len(key_MD), rounding_mode="floor")
    own_P = torch.searchsorted(key_C, pair_P % len(key_MD))
    log_count_C = count_C.to(query_ND.dtype).log()
    query_PD = query_ND.index_select(0, asking_P) / temperature
    query_PE = torch.cat([query_PD, query_PD.new_ones(len(query_PD), 1)], 1)
    key_CE = torch.cat([key_MD.index_select(0, key_C), log_count_C[:, None]], 1)
    total = softmax_loss(query_PE, key_CE, own_P, weight_P) * len(pair_P)
    own_logs = torch.dot(weight_P, log_count_C[own_P])
    return (total + own_logs) / len(asking_B)


class _SoftmaxLoss(torch.autograd.Function):
    """Both gradients are made beside the loss, while a block's softmax is at hand."""

    @staticmethod
    def forward(
        ctx: Any,
        query_BD: Tensor,
        key_ID: Tensor,
        own_B: Tensor,
        weight_B: Tensor | None,
        bound: float | None,
    ) -> Tensor:
        count = max(1, len(query_BD))
        to_query_BD, to_key_ID = torch.zeros_like(query_BD), torch.zeros_like(key_ID)
        total = query_BD.new_zeros(())
        rows = max(_LEAST_ROWS, _LOGITS_AT_ONCE // max(1, len(key_ID)))
        for start in range(0, len(query_BD), rows):
            part_CD, own_C = query_BD[start : start + rows], own_B[start : start + rows, None]
            share_CI = part_CD @ key_ID.t()
            share_CI -= share_CI.amax(1, keepdim=True) if bound is None else bound
            own_logit_C1 = share_CI.gather(1, own_C)
            mass_C1 = share_CI.exp_().sum(1, keepdim=True)
            factor_C1 = mass_C1.new_ones(mass_C1.shape)
            if weight_B is not None:
                factor_C1 = weight_B[start : start + rows, None]
            total += ((mass_C1.log() - own_logit_C1) * factor_C1).sum()
            factor_C1 = factor_C1 / count
            share_CI.mul_(factor_C1 / mass_C1).scatter_add_(1, own_C, -factor_C1)
            torch.mm(share_CI, key_ID, out=to_query_BD[start : start + rows])
            to_key_ID.addmm_(share_CI.t(), part_CD)
        ctx.save_for_backward(to_query_BD, to_key_ID)
        return total / count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        to_query_BD, to_key_ID = ctx.saved_tensors
        return gradients[0] * to_query_BD, gradients[0] * to_key_ID, None, None, None
