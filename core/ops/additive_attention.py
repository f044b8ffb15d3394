"""Multi-head attention whose logits are sums of one number per end of an edge (GAT), over sparse and over dense graphs.

R rows, C columns, E entries, H heads, D dims of one head.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from core.ops.dropout import Dropout
from core.ops.segments import row_softmax
from core.ops.sparse import Pattern, entry_dots, segment_sum

_LEAST_MASS = 1e-20
_FLOATS_AT_ONCE = {"cpu": 1 << 19, "cuda": 1 << 26}


@dataclass(frozen=True, eq=False)
class DenseGraph:
    """Which columns each row attends to, where many pairs are joined: `presence` is 1 there and 0 elsewhere, [R, C] float.

    As floats, since a CPU multiplies by them several times faster than it fills in by booleans.
    """

    presence: Tensor

    @property
    def num_rows(self) -> int:
        return self.presence.shape[0]

    def to(self, device: torch.device) -> "DenseGraph":
        return DenseGraph(self.presence.to(device))


Graph = Pattern | DenseGraph


def additive_attention(
    graph: Graph,
    query_RH: Tensor,
    key_CH: Tensor,
    value_HCD: Tensor,
    slope: float,
    dropout: Dropout | None = None,
) -> Tensor:
    """Per head: softmax over each row's columns of LeakyReLU(query_r + key_c), then the weighted sum of values, [R, H D].

    Rows without columns get zeros. Source: Velickovic et al., GAT, ICLR 2018, Eqs. 3 to 5; dropout of shares as there.
    Shares are made again for the gradients, noise included, so that nothing of size E or [R, C] is kept per head.
    """
    form = _SparseAttention if isinstance(graph, Pattern) else _DenseAttention
    result: Tensor = form.apply(graph, query_RH, key_CH, value_HCD, slope, dropout)  # type: ignore[no-untyped-call]
    return result


def attention_shares(graph: Graph, query_RH: Tensor, key_CH: Tensor, slope: float) -> Tensor:
    """The shares themselves: of a sparse graph [H, E], of a dense one [H, R, C]. For looking at few or small ones."""
    if isinstance(graph, Pattern):
        pairs = zip(query_RH.unbind(1), key_CH.unbind(1), strict=True)
        return torch.stack([row_softmax(graph, F.leaky_relu(_sums(graph, *pair), slope)) for pair in pairs])
    logit_HRC = F.leaky_relu(query_RH.t()[:, :, None] + key_CH.t()[:, None, :], slope)
    return logit_HRC.masked_fill(graph.presence == 0, -torch.inf).softmax(-1).nan_to_num(0.0)


def _sums(pattern: Pattern, query_R: Tensor, key_C: Tensor) -> Tensor:
    """query of the row plus key of the column of every entry, [E]."""
    return query_R.index_select(0, pattern.row).add_(key_C.index_select(0, pattern.index))


class _SparseAttention(torch.autograd.Function):
    """One head after the other: shares by segments of rows, outputs and gradients by the sparse product."""

    @staticmethod
    def forward(
        ctx: Any,
        pattern: Pattern,
        query_RH: Tensor,
        key_CH: Tensor,
        value_HCD: Tensor,
        slope: float,
        dropout: Dropout | None,
    ) -> Tensor:
        heads, _, width = value_HCD.shape
        output_RD = value_HCD.new_empty(pattern.num_rows, heads * width)
        noise = dropout.masks(value_HCD.device) if dropout else None
        for head, value_CD in enumerate(value_HCD):
            sum_E = _sums(pattern, query_RH[:, head], key_CH[:, head])
            share_E = row_softmax(pattern, F.leaky_relu_(sum_E, slope))
            if noise is not None:
                share_E.mul_(noise.next(share_E))
            place = slice(head * width, (head + 1) * width)
            output_RD[:, place] = segment_sum(pattern, share_E, value_CD.contiguous())
        ctx.save_for_backward(query_RH, key_CH, value_HCD, output_RD)
        ctx.pattern, ctx.slope, ctx.dropout = pattern, slope, dropout
        return output_RD

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query_RH, key_CH, value_HCD, output_RD = ctx.saved_tensors
        pattern: Pattern = ctx.pattern
        dropout: Dropout | None = ctx.dropout
        noise = dropout.masks(value_HCD.device) if dropout else None
        transposed, permutation = pattern.transposed
        width = value_HCD.shape[2]
        to_query_RH, to_key_CH = torch.zeros_like(query_RH), torch.zeros_like(key_CH)
        to_value_HCD = torch.empty_like(value_HCD)
        for head, value_CD in enumerate(value_HCD):
            place = slice(head * width, (head + 1) * width)
            grad_RD = gradients[0][:, place].contiguous()
            along_R = (grad_RD * output_RD[:, place]).sum(1)
            sum_E = _sums(pattern, query_RH[:, head], key_CH[:, head])
            share_E = row_softmax(pattern, F.leaky_relu(sum_E, ctx.slope))
            to_share_E = entry_dots(pattern, grad_RD, value_CD.contiguous())
            noisy_E = share_E
            if noise is not None:
                noise_E = noise.next(share_E)
                noisy_E = share_E * noise_E
                to_share_E.mul_(noise_E)
            to_value_HCD[head] = segment_sum(transposed, noisy_E.index_select(0, permutation), grad_RD)
            to_logit_E = to_share_E.sub_(along_R.index_select(0, pattern.row)).mul_(share_E)
            to_logit_E.mul_(sum_E.sign_().clamp_(min=ctx.slope))  # the slope of LeakyReLU: 1 above 0
            to_query_RH[:, head] = torch.segment_reduce(to_logit_E, "sum", offsets=pattern.indptr)
            to_key_CH[:, head] = to_key_CH[:, head].index_add(0, pattern.index, to_logit_E)
        return None, to_query_RH, to_key_CH, to_value_HCD, None, None


class _DenseAttention(torch.autograd.Function):
    """Shares P = exp(l - m) / sum, outputs (P o N) V with the dropout's noise N.

    Gradients, with G that of the outputs and o the outputs: dV = (P o N)^T G; dl = P o ((G V^T) o N - G . o), and through
    LeakyReLU to queries (summed over columns) and keys (over rows).
    """

    @staticmethod
    def forward(
        ctx: Any,
        graph: DenseGraph,
        query_RH: Tensor,
        key_CH: Tensor,
        value_HCD: Tensor,
        slope: float,
        dropout: Dropout | None,
    ) -> Tensor:
        heads, _, width = value_HCD.shape
        output_RD = value_HCD.new_empty(len(query_RH), heads * width)
        noise = dropout.masks(value_HCD.device) if dropout else None
        presence_RC = graph.presence
        for head, rows in _blocks(presence_RC, heads):
            mass_BC, total_B1 = _mass(presence_RC[rows], query_RH[rows, head], key_CH[:, head], slope)
            if noise is not None:
                mass_BC.mul_(noise.next(mass_BC))
            place = slice(head * width, (head + 1) * width)
            output_RD[rows, place] = (mass_BC @ value_HCD[head]).div_(total_B1)
        ctx.save_for_backward(presence_RC, query_RH, key_CH, value_HCD, output_RD)
        ctx.slope, ctx.dropout = slope, dropout
        return output_RD

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        presence_RC, query_RH, key_CH, value_HCD, output_RD = ctx.saved_tensors
        dropout: Dropout | None = ctx.dropout
        noise = dropout.masks(value_HCD.device) if dropout else None
        heads, _, width = value_HCD.shape
        to_query_RH, to_key_CH = torch.zeros_like(query_RH), torch.zeros_like(key_CH)
        to_value_HCD = torch.zeros_like(value_HCD)
        for head, rows in _blocks(presence_RC, heads):
            place = slice(head * width, (head + 1) * width)
            grad_BD = gradients[0][rows, place].contiguous()
            along_B1 = (grad_BD * output_RD[rows, place]).sum(1, keepdim=True)
            logit_BC = query_RH[rows, head, None] + key_CH[None, :, head]
            share_BC, total_B1 = _mass(presence_RC[rows], query_RH[rows, head], key_CH[:, head], ctx.slope)
            share_BC.div_(total_B1)
            to_share_BC = grad_BD @ value_HCD[head].t()
            noisy_BC = share_BC
            if noise is not None:
                noise_BC = noise.next(share_BC)
                noisy_BC = share_BC * noise_BC
                to_share_BC.mul_(noise_BC)
            to_value_HCD[head].addmm_(noisy_BC.t(), grad_BD)
            to_logit_BC = to_share_BC.sub_(along_B1).mul_(share_BC)
            to_logit_BC.mul_(logit_BC.sign_().clamp_(min=ctx.slope))  # the slope of LeakyReLU: 1 above 0
            to_query_RH[rows, head] = to_logit_BC.sum(1)
            to_key_CH[:, head] += to_logit_BC.sum(0)
        return None, to_query_RH, to_key_CH, to_value_HCD, None, None


def _blocks(presence_RC: Tensor, heads: int) -> list[tuple[int, slice]]:
    """Every head with every block of rows, in the order in which noise is drawn."""
    size = max(1, _FLOATS_AT_ONCE[presence_RC.device.type] // max(1, presence_RC.shape[1]))
    starts = range(0, presence_RC.shape[0], size)
    return [(head, slice(start, start + size)) for head in range(heads) for start in starts]


def _mass(presence_BC: Tensor, query_B: Tensor, key_C: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """exp of the logits less a bound of each row, [B, C], and its row sums [B, 1], 1 where there is nothing to attend to.

    exp(LeakyReLU(q + k)) = max(exp(q) exp(k), exp(slope q) exp(slope k)): exponentials of vectors instead of tables. The bound,
    LeakyReLU(q + the largest k of all columns), keeps both factors at 1 or below.
    """
    largest = key_C.max()
    peak_B = query_B + largest
    bound_B = F.leaky_relu(peak_B, slope)
    steep_B, flat_B = (peak_B - bound_B).exp(), (slope * peak_B - bound_B).exp()
    below_C = key_C - largest
    mass_BC = steep_B[:, None] * below_C.exp()
    torch.maximum(mass_BC, flat_B[:, None] * (slope * below_C).exp(), out=mass_BC)
    total_B1 = mass_BC.mul_(presence_BC).sum(1, keepdim=True)
    if bool((total_B1 < _LEAST_MASS).any()):
        return _exact_mass(presence_BC, query_B, key_C, slope)
    return mass_BC, total_B1


def _exact_mass(presence_BC: Tensor, query_B: Tensor, key_C: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """`_mass` less the largest logit among a row's own columns: for rows without columns, or all far below the bound."""
    logit_BC = F.leaky_relu_(query_B[:, None] + key_C[None, :], slope)
    logit_BC.masked_fill_(presence_BC == 0, -torch.inf)
    largest_B1 = logit_BC.amax(1, keepdim=True).clamp_(min=torch.finfo(logit_BC.dtype).min)
    mass_BC = logit_BC.sub_(largest_B1).exp_()
    total_B1 = mass_BC.sum(1, keepdim=True)
    return mass_BC, total_B1.masked_fill_(total_B1 == 0, 1.0)


def gathered_attention(
    pattern: Pattern, query_RH: Tensor, key_CH: Tensor, value_HCD: Tensor, slope: float
) -> Tensor:
    """`additive_attention` by gather, multiply, scatter: [E, H, D] is formed. Reference of tests and benchmarks."""
    row, column = pattern.row, pattern.index.long()
    mass_EH = F.leaky_relu(query_RH[row] + key_CH[column], slope).exp()
    total_RH = mass_EH.new_zeros(pattern.num_rows, mass_EH.shape[1]).index_add(0, row, mass_EH)
    share_EH = mass_EH / total_RH[row]
    weighed_EHD = share_EH[:, :, None] * value_HCD.transpose(0, 1)[column]
    heads, _, width = value_HCD.shape
    return weighed_EHD.new_zeros(pattern.num_rows, heads, width).index_add(0, row, weighed_EHD).flatten(1)
