"""Convolution on a bipartite graph whose edge weights are learned: both directions at once, gradients to the weights.

U users, I items, E pairs, D dims. One weight per pair serves both directions unless a second one is given.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from core.ops.graphs import Sides
from core.ops.sparse import Pattern, entry_dots, segment_sum


class EdgeWeights(NamedTuple):
    """Weights of a graph's pairs, [E]: what items send to users and, where that differs, what users send to items."""

    to_user: Tensor
    to_item: Tensor | None = None

    @property
    def both(self) -> tuple[Tensor, Tensor]:
        return self.to_user, self.to_user if self.to_item is None else self.to_item


def degrees(pattern: Pattern, weights: EdgeWeights | None) -> Sides:
    """Sum of the weights that arrive at every node, users [U] and items [I]; 1 per pair without weights."""
    if weights is None:
        counts = torch.bincount(pattern.index, minlength=pattern.num_columns)
        return Sides(pattern.indptr.diff().float(), counts.float())
    to_user, to_item = weights.both
    user = to_user.new_zeros(pattern.num_rows).index_add(0, pattern.row, to_user)
    item = to_item.new_zeros(pattern.num_columns).index_add(0, pattern.index, to_item)
    return Sides(user, item)


def both_ways(pattern: Pattern, weights: EdgeWeights | None, values: Sides) -> Sides:
    """Weighted sums over neighbours: users [U, D] from items [I, D], and items from users.

    user_u = sum_i w_ui x_i, item_i = sum_u w_ui x_u; differentiable in the weights and in both sides.
    """
    to_user, to_item = weights or (None, None)
    user, item = _BothWays.apply(pattern, to_user, to_item, values.user, values.item)  # type: ignore[no-untyped-call]
    return Sides(user, item)


class _BothWays(torch.autograd.Function):
    """One function for both directions: what both need of the weights is made once, and nothing of size [E, D]."""

    @staticmethod
    def forward(
        ctx: Any,
        pattern: Pattern,
        to_user_E: Tensor | None,
        to_item_E: Tensor | None,
        user_UD: Tensor,
        item_ID: Tensor,
    ) -> tuple[Tensor, Tensor]:
        transposed, permutation = pattern.transposed
        back_E = to_user_E if to_item_E is None else to_item_E
        back_E = None if back_E is None else back_E.index_select(0, permutation)
        ctx.pattern = pattern
        ctx.save_for_backward(to_user_E, to_item_E, user_UD, item_ID)
        return segment_sum(pattern, to_user_E, item_ID), segment_sum(transposed, back_E, user_UD)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        pattern: Pattern = ctx.pattern
        to_user_E, to_item_E, user_UD, item_ID = ctx.saved_tensors
        grad_UD, grad_ID = (gradient.contiguous() for gradient in gradients)
        transposed, permutation = pattern.transposed
        forth_E = None if to_user_E is None else to_user_E.index_select(0, permutation)
        back_in_order_E = to_user_E if to_item_E is None else to_item_E
        to_item_side = segment_sum(transposed, forth_E, grad_UD) if ctx.needs_input_grad[4] else None
        to_user_side = segment_sum(pattern, back_in_order_E, grad_ID) if ctx.needs_input_grad[3] else None
        to_weights: tuple[Tensor | None, Tensor | None] = (None, None)
        if ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            to_user, to_item = entry_dots(pattern, grad_UD, item_ID), entry_dots(pattern, user_UD, grad_ID)
            to_weights = (to_user.add_(to_item), None) if to_item_E is None else (to_user, to_item)
        return None, *to_weights, to_user_side, to_item_side
