"""Findings that several models of nodes state. M metapaths, N nodes, D dims."""

from collections.abc import Mapping

import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind


def semantic_attention(
    stages: Mapping[str, Tensor], metapaths: tuple[str, ...], source: str, note: str
) -> Finding:
    """The shares of metapaths [M] by the layer that gives them."""
    return Finding(
        "semantic_attention",
        "Attention over metapaths",
        source,
        Kind.SHARE,
        (Axis.labelled("layer", list(stages)), Axis.labelled("metapath", metapaths)),
        torch.stack(list(stages.values())).detach().cpu().numpy(),
        None,
        note,
    )


def by_layer(shares: list[Tensor]) -> dict[str, Tensor]:
    """Shares named after the encoder's layers."""
    return {f"layer {number}": share_M for number, share_M in enumerate(shares, 1)}
