"""Bipartite user-item graphs and their normalisations, in the two halves [U, I] and [I, U] that products use.

U users, I items, E pairs. The adjacency of Eq. 5 (CIGF) is [[0, Y], [Y^T, 0]]; its blocks are never joined.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from scipy.sparse import csr_array
from torch import Tensor

from core.ops.sparse import Pattern, pattern_of, product

Normalization = Literal["left", "right", "symmetric", "none"]


class Sides(NamedTuple):
    """A value for users and the same for items."""

    user: Tensor
    item: Tensor


class Rows(NamedTuple):
    """Nodes whose final representation is needed; None means all of that side."""

    user: Tensor | None = None
    item: Tensor | None = None


ALL = Rows()


@dataclass(frozen=True, eq=False)
class Bipartite:
    """One behaviour's graph. `to_users` [U, I] carries item values to users, `to_items` [I, U] the reverse.

    Weights are None for unweighted entries; `row_scale_*` multiply whole rows afterwards (left normalisation needs no
    weight per entry).
    """

    to_users: Pattern
    to_items: Pattern
    user_weight: Tensor | None
    item_weight: Tensor | None
    user_scale: Tensor | None
    item_scale: Tensor | None

    def users_from(self, items_ID: Tensor) -> Tensor:
        """Rows of users of A x: [I, D] -> [U, D]."""
        return _scaled(product(self.to_users, items_ID, self.user_weight), self.user_scale)

    def items_from(self, users_UD: Tensor) -> Tensor:
        """Rows of items of A x: [U, D] -> [I, D]."""
        return _scaled(product(self.to_items, users_UD, self.item_weight), self.item_scale)

    def some_users_from(self, items_ID: Tensor, users_B: Tensor) -> Tensor:
        """Rows `users_B` of `users_from`, without computing the others: [B, D]."""
        return _some(self.to_users, self.user_weight, self.user_scale, items_ID, users_B)

    def some_items_from(self, users_UD: Tensor, items_B: Tensor) -> Tensor:
        """Rows `items_B` of `items_from`, without computing the others: [B, D]."""
        return _some(self.to_items, self.item_weight, self.item_scale, users_UD, items_B)

    def to(self, device: torch.device) -> "Bipartite":
        to_users = self.to_users.to(device)
        parts = (self.user_weight, self.item_weight, self.user_scale, self.item_scale)
        moved = [None if part is None else part.to(device) for part in parts]
        return _linked(to_users, *moved)


def neighbors(graph: Bipartite, values: Sides, rows: Rows) -> Sides:
    """A x for both sides, or for the rows asked for."""
    users = (
        graph.users_from(values.item) if rows.user is None else graph.some_users_from(values.item, rows.user)
    )
    items = (
        graph.items_from(values.user) if rows.item is None else graph.some_items_from(values.user, rows.item)
    )
    return Sides(users, items)


def picked(values: Tensor, rows: Tensor | None) -> Tensor:
    """The given rows of `values`, or all of them for None."""
    return values if rows is None else values.index_select(0, rows)


def bipartite(pairs: csr_array, normalization: Normalization) -> Bipartite:
    """The graph of a binary [U, I] matrix.

    left: D^-1 A (rows sum to 1); right: A D^-1; symmetric: D^-1/2 A D^-1/2; none: A. Nodes without edges get zeros.
    """
    to_users = pattern_of(pairs)
    user_degree = to_users.indptr.diff().double()
    item_degree = torch.bincount(to_users.index, minlength=to_users.num_columns).double()
    if normalization == "none":
        return _linked(to_users, None, None, None, None)
    if normalization == "left":
        return _linked(to_users, None, None, _inverse(user_degree, 1.0), _inverse(item_degree, 1.0))
    per_user = _inverse(user_degree, 0.5 if normalization == "symmetric" else 1.0)[to_users.row]
    per_item = _inverse(item_degree, 0.5 if normalization == "symmetric" else 1.0)[to_users.index.long()]
    _, permutation = to_users.transposed
    if normalization == "symmetric":
        both = per_user * per_item
        return _linked(to_users, both, both[permutation], None, None)
    return _linked(to_users, per_item, per_user[permutation], None, None)


def _linked(
    to_users: Pattern,
    user_weight: Tensor | None,
    item_weight: Tensor | None,
    user_scale: Tensor | None,
    item_scale: Tensor | None,
) -> Bipartite:
    to_items, _ = to_users.transposed
    return Bipartite(to_users, to_items, user_weight, item_weight, user_scale, item_scale)


def _inverse(degree: Tensor, power: float) -> Tensor:
    return torch.where(degree > 0, degree.clamp(min=1) ** -power, torch.zeros_like(degree)).float()


def _scaled(rows_RD: Tensor, scale_R: Tensor | None) -> Tensor:
    return rows_RD if scale_R is None else rows_RD * scale_R.to(rows_RD.dtype)[:, None]


def _some(
    pattern: Pattern, weight_E: Tensor | None, scale_R: Tensor | None, dense_CD: Tensor, rows_B: Tensor
) -> Tensor:
    part, entries = pattern.rows(rows_B)
    weight = None if weight_E is None else weight_E[entries]
    return _scaled(product(part, dense_CD, weight), None if scale_R is None else scale_R[rows_B])
