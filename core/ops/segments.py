"""Softmax over the stored entries of each row, or of each column, of a sparse pattern.

R rows, C columns, E entries.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from core.ops.sparse import Pattern


def row_softmax(pattern: Pattern, logit_E: Tensor) -> Tensor:
    """w_e = exp(l_e) / sum of exp(l_f) over the entries f of e's row, [E]; each row with entries sums to 1.

    The row's largest logit is subtracted first, so that nothing overflows. Raises ValueError unless there is one logit
    per entry.
    """
    return _softmax(pattern, logit_E, None)


def column_softmax(pattern: Pattern, logit_E: Tensor) -> Tensor:
    """`row_softmax` over the entries of each column, in the pattern's own order, [E]."""
    transposed, permutation = pattern.transposed
    return _softmax(transposed, logit_E, permutation)


def _softmax(pattern: Pattern, logit_E: Tensor, order_E: Tensor | None) -> Tensor:
    if logit_E.shape != (pattern.num_entries,):
        raise ValueError(f"expected one logit per entry, [{pattern.num_entries}], got {list(logit_E.shape)}")
    result: Tensor = _RowSoftmax.apply(pattern, logit_E, order_E)  # type: ignore[no-untyped-call]
    return result


class _RowSoftmax(torch.autograd.Function):
    """order_E: where the entries of `pattern` lie in the logits; None for their own order."""

    @staticmethod
    def forward(ctx: Any, pattern: Pattern, logit_E: Tensor, order_E: Tensor | None) -> Tensor:
        sorted_E = logit_E if order_E is None else logit_E.index_select(0, order_E)
        share_E = (sorted_E - _spread(pattern, _reduced(pattern, sorted_E, "max"))).exp_()
        share_E.div_(_spread(pattern, _reduced(pattern, share_E, "sum")))
        ctx.pattern = pattern
        ctx.save_for_backward(share_E, order_E)
        return _put_back(share_E, order_E)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, None]:
        """dL/dl_e = w_e (g_e - sum of w_f g_f over e's row)."""
        share_E, order_E = ctx.saved_tensors
        grad_E = gradients[0] if order_E is None else gradients[0].index_select(0, order_E)
        weighed_E = share_E * grad_E
        mean_E = _spread(ctx.pattern, _reduced(ctx.pattern, weighed_E, "sum"))
        return None, _put_back(weighed_E.addcmul_(share_E, mean_E, value=-1), order_E), None


def _reduced(pattern: Pattern, value_E: Tensor, how: str) -> Tensor:
    return torch.segment_reduce(value_E, how, offsets=pattern.indptr)


def _spread(pattern: Pattern, value_R: Tensor) -> Tensor:
    return value_R.index_select(0, pattern.row)


def _put_back(value_E: Tensor, order_E: Tensor | None) -> Tensor:
    """Undoes the selection by `order_E`; a copy where there is none, since the caller may write into the result."""
    if order_E is None:
        return value_E.clone()
    return torch.empty_like(value_E).index_copy_(0, order_E, value_E)


def looped_softmax(pattern: Pattern, logit_E: Tensor) -> Tensor:
    """The slow, obvious `row_softmax`: one row after another. Reference of the tests."""
    bounds = pattern.indptr.tolist()
    rows = [logit_E[start:stop].softmax(0) for start, stop in pairwise(bounds)]
    return torch.cat(rows) if rows else logit_E
