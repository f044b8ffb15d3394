"""InfoNCE against several tables of negatives, of which no more than a block of logits is ever formed.

N queries, K tables of negatives of M rows each, D dims.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from core.ops.unit import unit_rows

_LOGITS_AT_ONCE = {"cpu": 1 << 24, "cuda": 1 << 28}
_LEAST_ROWS = 32  # every block passes over the whole gradient of a table


class Negatives(NamedTuple):
    """make: the table's rows [M, D] out of the sources, the same whenever it is asked, noise included. own: the query that each
    row must not be a negative of, [M] int64; None: of none at all."""

    make: Callable[..., Tensor]
    own: Tensor | None = None


def contrast(
    query_ND: Tensor,
    positive_ND: Tensor,
    negatives: Sequence[Negatives],
    temperature: float,
    sources: Sequence[Tensor] = (),
) -> Tensor:
    """Mean over n of -ln( e^(c(q_n, p_n) / t) / (e^(c(q_n, p_n) / t) + sum over all negatives x of e^(c(q_n, x) / t)) ) with
    cosines c, in nats. sources: what tables are made of, and what gradients go to.

    Source: van den Oord et al. 2018, Eq. 4, with the negatives given. One table at a time is made, and one block of logits,
    for the loss and again for the gradients: memory is that of one table and one block, never K tables or N x M x K logits.
    """
    query_ND = unit_rows(query_ND) / temperature
    positive_N = (query_ND * unit_rows(positive_ND)).sum(1)
    mass_log_N: Tensor = _LogMass.apply(query_ND, 1 / temperature, negatives, *sources)  # type: ignore[no-untyped-call]
    return (torch.logaddexp(positive_N, mass_log_N) - positive_N).mean()


class _LogMass(torch.autograd.Function):
    """ln of the sum of e^(q_n . x) over the rows x of all tables, made of length one, [N]; `bound`: what no logit exceeds.

    The gradient to a query is a mean of the rows x with weights e^l / sum, to a row the same sum over queries.
    """

    @staticmethod
    def forward(
        ctx: Any, query_ND: Tensor, bound: float, negatives: Sequence[Negatives], *sources: Tensor
    ) -> Tensor:
        mass_N = query_ND.new_zeros(len(query_ND))
        for make, own_M in negatives:
            table_MD = unit_rows(make(*sources))
            for rows in _blocks(query_ND, table_MD):
                mass_N[rows] += _masses(query_ND[rows], table_MD, own_M, rows.start, bound).sum(1)
        ctx.save_for_backward(query_ND, mass_N, *sources)
        ctx.bound, ctx.negatives = bound, negatives
        return mass_N.log() + bound

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query_ND, mass_N, *sources = ctx.saved_tensors
        scale_N = torch.where(mass_N > 0, gradients[0] / mass_N, 0.0)
        to_query_ND = torch.zeros_like(query_ND)
        leaves = [source.detach().requires_grad_() for source in sources]
        for make, own_M in ctx.negatives:
            with torch.enable_grad():
                made_MD = unit_rows(make(*leaves))
            table_MD = made_MD.detach()
            to_table_MD = torch.zeros_like(table_MD)
            for rows in _blocks(query_ND, table_MD):
                weight_BM = _masses(query_ND[rows], table_MD, own_M, rows.start, ctx.bound)
                weight_BM.mul_(scale_N[rows, None])
                to_query_ND[rows].addmm_(weight_BM, table_MD)
                to_table_MD.addmm_(weight_BM.t(), query_ND[rows])
            if made_MD.requires_grad:
                made_MD.backward(to_table_MD)  # adds up in the leaves
        return to_query_ND, None, None, *(leaf.grad for leaf in leaves)


def _blocks(query_ND: Tensor, table_MD: Tensor) -> list[slice]:
    size = max(_LEAST_ROWS, _LOGITS_AT_ONCE[query_ND.device.type] // max(1, len(table_MD)))
    return [slice(start, start + size) for start in range(0, len(query_ND), size)]


def _masses(query_BD: Tensor, table_MD: Tensor, own_M: Tensor | None, first: int, bound: float) -> Tensor:
    """e^(q . x - bound), 0 where x is the query's own row, [B, M]. `first`: number of the block's first query."""
    mass_BM = (query_BD @ table_MD.t()).sub_(bound).exp_()
    if own_M is not None:
        column = ((own_M >= first) & (own_M < first + len(query_BD))).nonzero().squeeze(1)
        mass_BM[own_M[column] - first, column] = 0.0
    return mass_BM


def formed_contrast(
    query_ND: Tensor,
    positive_ND: Tensor,
    negatives: Sequence[Negatives],
    temperature: float,
    sources: Sequence[Tensor] = (),
) -> Tensor:
    """The slow, obvious `contrast`: all tables and logits at once. Reference of the tests and of the benchmark."""
    query_ND = F.normalize(query_ND, dim=1)
    logits = [(query_ND * F.normalize(positive_ND, dim=1)).sum(1, keepdim=True)]
    for make, own_M in negatives:
        logit_NM = query_ND @ F.normalize(make(*sources), dim=1).t()
        if own_M is not None:
            is_own_NM = torch.arange(len(query_ND), device=query_ND.device)[:, None] == own_M[None, :]
            logit_NM = logit_NM.masked_fill(is_own_NM, -torch.inf)
        logits.append(logit_NM)
    logit_NC = torch.cat(logits, 1) / temperature
    return (logit_NC.logsumexp(1) - logit_NC[:, 0]).mean()
