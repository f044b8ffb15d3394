"""Findings that several models of nodes state. M metapaths, N nodes, D dims."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind
from core.ops.masking import Masked


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


def mask_rate(masked: Masked, count: int, source: str) -> Finding:
    """What part of `count` nodes is masked, and what the encoder sees of them."""
    parts = {
        "masked": len(masked.nodes),
        "mask token": masked.tokens,
        "own features": masked.kept,
        "another node's": masked.replaced,
    }
    return Finding(
        "mask_rate",
        "Masked nodes, and what the encoder sees of them",
        source,
        Kind.RATE,
        (Axis.labelled("part", list(parts)),),
        np.array([number / count for number in parts.values()], np.float32),
        np.array(list(parts.values())),
        "Shares of all nodes. A masked node's features are to be restored, whether it shows a mask token or not.",
    )
