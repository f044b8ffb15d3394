"""What models with learned hypergraphs say about themselves: what their branches add, who belongs to which hyperedge.

N nodes, M modalities, K hyperedges, R branches.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind, Links
from core.models.levels import SIDES
from core.models.modal_findings import node_axis

if TYPE_CHECKING:
    from core.models.hypergraph import HypergraphRanker

_MOST_ITEMS = 20  # that define a hyperedge


def branch_norms(model: "HypergraphRanker", source: str) -> tuple[Finding, Finding]:
    """`branch_norm`, the mean length of every branch, and `branch_contribution`, its part in the final embedding, [R, 2]."""
    encoding = model.encoding()
    names = Axis.labelled("branch", list(encoding.branches))
    axes = (names, Axis.labelled("side", SIDES))
    parts = (slice(0, model.num_users), slice(model.num_users, None))
    length = {k: torch.linalg.vector_norm(rows, dim=1) for k, rows in encoding.branches.items()}
    square_N = encoding.final.square().sum(1).clamp(min=1e-12)
    along = {k: (rows * encoding.final).sum(1) / square_N for k, rows in encoding.branches.items()}
    support = np.array([[model.num_users, model.num_items]] * len(encoding.branches))
    return (
        Finding(
            "branch_norm",
            "Length of what each branch adds",
            source,
            Kind.AMOUNT,
            axes,
            _means(length, parts),
            support,
            "Mean over nodes of the length of the branch's vector, its weight in the sum included.",
        ),
        Finding(
            "branch_contribution",
            "Part of each branch in the final embedding",
            source,
            Kind.SIGNED,
            axes,
            _means(along, parts),
            support,
            "Mean over nodes of b . e / |e|^2 for a branch b of the final embedding e: the parts add up to 1.",
        ),
    )


def memberships(model: "HypergraphRanker", source: str) -> tuple[Finding, ...]:
    """`hyperedge_membership` [M, N, K] and `hyperedge_items`, the items with the most weight in each hyperedge."""
    encoding = model.encoding()
    if not encoding.hypergraphs:
        return ()
    shares = [_as_shares(h.membership) for h in encoding.hypergraphs]
    count = encoding.hypergraphs[0].membership.shape[1]
    labels = [str(k + 1) for k in range(count)]
    nodes = node_axis(model.num_users, len(encoding.final))
    unusual = not all(_is_share(h.membership) for h in encoding.hypergraphs)
    return (
        Finding(
            "hyperedge_membership",
            "Membership in hyperedges",
            source,
            Kind.SHARE,
            (Axis.labelled("modality", model.modalities), nodes, Axis.labelled("hyperedge", labels)),
            torch.stack(shares).cpu().numpy(),
            None,
            "How much each user and item belongs to each of a modality's hyperedges, without noise and dropout."
            + (" Users without softmax, as released, are shown with one." if unusual else ""),
        ),
        _defining_items(model, source),
    )


def _defining_items(model: "HypergraphRanker", source: str) -> Finding:
    encoding = model.encoding()
    weight_I = torch.linalg.vector_norm(encoding.collaborative[model.num_users :], dim=1)
    index, value, labels = [], [], []
    for modality, hypergraph in zip(model.modalities, encoding.hypergraphs, strict=True):
        pull_IK = hypergraph.membership[model.num_users :] * weight_I[:, None]
        best = pull_IK.topk(min(_MOST_ITEMS, model.num_items), dim=0)
        index.append(best.indices.t().cpu().numpy())
        value.append(best.values.t().cpu().numpy())
        labels += [f"{modality} {k + 1}" for k in range(pull_IK.shape[1])]
    items_RT = np.concatenate(index)
    indptr = np.arange(len(items_RT) + 1) * items_RT.shape[1]
    axes = (Axis.labelled("hyperedge", labels), Axis("item", model.num_items))
    return Finding(
        "hyperedge_items",
        "Items that define each hyperedge",
        source,
        Kind.LINK,
        axes,
        Links(indptr, items_RT.ravel().astype(np.int32), np.concatenate(value).ravel().astype(np.float32)),
        None,
        "The items with the most weight in a hyperedge: membership times the length of the collaborative embedding.",
    )


def _is_share(membership_NK: Tensor) -> bool:
    sums_N = membership_NK.sum(1)
    return bool((membership_NK >= 0).all()) and bool((sums_N - 1).abs().max() < 1e-3)


def _as_shares(membership_NK: Tensor) -> Tensor:
    """Rows that are shares as they are, others through a softmax."""
    is_share_N = (membership_NK >= 0).all(1) & ((membership_NK.sum(1) - 1).abs() < 1e-3)
    return torch.where(is_share_N[:, None], membership_NK, membership_NK.softmax(1))


def _means(values: dict[str, Tensor], parts: tuple[slice, slice]) -> np.ndarray:
    return np.array([[float(value_N[part].mean()) for part in parts] for value_N in values.values()])
