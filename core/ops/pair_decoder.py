"""Restoring a graph from inner products of its nodes' embeddings, of which no more than a block of rows is ever formed.

N nodes, D dims, E entries.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from core.ops.sparse import Pattern, dots

_LOGITS_AT_ONCE = {"cpu": 1 << 20, "cuda": 1 << 26}


def restored_links(rows_ND: Tensor, links: Pattern) -> Tensor:
    """N^2 / (2 (N^2 - E)) times the mean over all pairs of the cross entropy of sigmoid(z_i . z_j) with A_ij, in nats, joined
    pairs weighing (N^2 - E) / E, so that they count as much as all others together.

    Source: Kipf and Welling 2016, Eqs. 2 and 3, weighted as in their released code. A graph in which all pairs are joined has no
    others: there every pair weighs 1.
    """
    pairs, entries = len(rows_ND) ** 2, links.num_entries
    others = pairs - entries
    weight, scale = (others / max(1, entries), pairs / (2 * others)) if others else (1.0, 1.0)
    joined_E = dots(links, rows_ND, rows_ND)
    instead_E = weight * F.softplus(-joined_E) - F.softplus(joined_E)
    everyone: Tensor = _AllPairs.apply(rows_ND)  # type: ignore[no-untyped-call]
    return scale * (everyone + instead_E.sum()) / pairs


class _AllPairs(torch.autograd.Function):
    """Sum over all pairs of ln(1 + e^(z_i . z_j)), as if none were joined; the gradient 2 sum_j sigmoid(z_i . z_j) z_j is made
    beside it, while a block's products are at hand."""

    @staticmethod
    def forward(ctx: Any, rows_ND: Tensor) -> Tensor:
        size = max(1, _LOGITS_AT_ONCE[rows_ND.device.type] // max(1, len(rows_ND)))
        total = rows_ND.new_zeros(())
        to_rows_ND = torch.empty_like(rows_ND)
        for start in range(0, len(rows_ND), size):
            block = slice(start, start + size)
            logit_BN = rows_ND[block] @ rows_ND.t()
            total += F.softplus(logit_BN).sum()
            to_rows_ND[block] = 2 * (logit_BN.sigmoid_() @ rows_ND)
        ctx.save_for_backward(to_rows_ND)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (to_rows_ND,) = ctx.saved_tensors
        result: Tensor = gradients[0] * to_rows_ND
        return result


def formed_links(rows_ND: Tensor, links: Pattern) -> Tensor:
    """The slow, obvious `restored_links`: all pairs at once. Reference of the tests."""
    joined_NN = rows_ND.new_zeros(len(rows_ND), len(rows_ND))
    joined_NN[links.row, links.index.long()] = 1.0
    pairs, others = joined_NN.numel(), joined_NN.numel() - links.num_entries
    logit_NN = rows_ND @ rows_ND.t()
    weight = torch.tensor(others / max(1, links.num_entries) if others else 1.0, dtype=rows_ND.dtype)
    loss = F.binary_cross_entropy_with_logits(logit_NN, joined_NN, pos_weight=weight)
    return loss * (pairs / (2 * others) if others else 1.0)
