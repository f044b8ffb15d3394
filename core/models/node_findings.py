"""Findings that several models of nodes state. M metapaths, N nodes, D dims."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from core.findings import Axis, Finding, Kind
from core.ops.masking import Masked
from core.ops.normals import standard_divergence


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


def latent_normals(
    mean_ND: Tensor, log_scale_ND: Tensor | None, source: str, note: str = ""
) -> list[Finding]:
    """`latent_mean`, and with scales `latent_scale` and `kl`, every node's divergence from the standard normal."""
    node, dim = Axis("node", len(mean_ND)), Axis("dim", mean_ND.shape[1])
    mean = mean_ND.detach().cpu().numpy()
    found = [
        Finding(
            "latent_mean", "Means of the latent normals", source, Kind.POINT, (node, dim), mean, None, note
        )
    ]
    if log_scale_ND is None:
        return found
    scale = log_scale_ND.detach().exp().cpu().numpy()
    divergence_N = standard_divergence(mean_ND, log_scale_ND).detach().clamp(min=0)
    about = f"In nats, summed over {dim.size} dims. Near 0 the normals say nothing about their nodes. {note}"
    return [
        *found,
        Finding(
            "latent_scale",
            "Scales of the latent normals",
            source,
            Kind.AMOUNT,
            (node, dim),
            scale,
            None,
            note,
        ),
        Finding(
            "kl",
            "KL divergence of every node's normal from the standard normal",
            source,
            Kind.AMOUNT,
            (node,),
            divergence_N.cpu().numpy(),
            None,
            about.strip(),
        ),
    ]
