"""Masked features and the errors of restoring them.

N nodes, F features, S masked nodes.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

MaskSchedule = Literal["linear", "fixed", "exponential", "stepwise"]
Criterion = Literal["released", "focal", "sce", "mse"]
_STAIRS = 4
_LEAST_PRODUCT = 1e-6
_LEAST_COSINE = 1e-6


class Masked(NamedTuple):
    """rows: what the encoder reads, [N, F]. nodes: those to restore, [S]. tokens, kept, replaced: how many of these show the
    mask token, their own features, another node's."""

    rows: Tensor
    nodes: Tensor
    tokens: int
    kept: int
    replaced: int


def mask_rate_at(start: float, schedule: MaskSchedule, progress: float, most: float) -> float:
    """The share of masked nodes once `progress` of the epochs is done, from `start` to twice that, at most `most`.

    linear: r0 (1 + p), as HGCVAE's released code; exponential: r0 2^p; stepwise: linear in four stairs; fixed: r0.
    """
    growth: float = {
        "fixed": 1.0,
        "linear": 1 + progress,
        "exponential": 2.0**progress,
        "stepwise": 1 + int(_STAIRS * progress) / _STAIRS,
    }[schedule]
    return min(start * growth, most)


def masked(
    features_NF: Tensor,
    token_1F: Tensor,
    rate: float,
    keep: float,
    replace: float,
    noise: torch.Generator,
) -> Masked:
    """A share `rate` of the nodes, drawn by `noise`, is to be restored: a share `keep` of these shows its own features, a
    share `replace` those of a node drawn from all, the rest the mask token. Source: GraphMAE and HGMAE's released code."""
    count = len(features_NF)
    nodes_S = torch.randperm(count, generator=noise, device=features_NF.device)[: int(rate * count)]
    kept, replaced = int(keep * len(nodes_S)), int(replace * len(nodes_S))
    tokens = len(nodes_S) - kept - replaced
    is_token_N1 = features_NF.new_zeros(count, 1).index_fill_(0, nodes_S[:tokens], 1.0)
    rows_NF = features_NF * (1 - is_token_N1) + token_1F * is_token_N1
    if replaced:
        others = torch.randperm(count, generator=noise, device=features_NF.device)[:replaced]
        rows_NF = rows_NF.index_copy(0, nodes_S[tokens : tokens + replaced], features_NF[others])
    return Masked(rows_NF, nodes_S, tokens, kept, replaced)


def restoration_error(made_SF: Tensor, true_SF: Tensor, criterion: Criterion, power: float) -> Tensor:
    """How far restored features are from the true ones; 0 without rows.

    sce: mean of (1 - cos)^power (GraphMAE, Eq. 2). mse: mean squared difference.
    released: with s = x o y of unit rows x and y, products up to 0 raised to 1e-6, and c_f the mean over nodes of the
    log-softmax over features of s: mean over nodes and features of -(1 - s_nf)^power c_f (HGCVAE's released code). focal: mean of -(1 - cos)^power ln cos with cosines from 1e-6 up, as HGCVAE's text suggests.
    """
    if not len(made_SF):
        return made_SF.sum()
    if criterion == "mse":
        return F.mse_loss(made_SF, true_SF)
    product_SF = F.normalize(made_SF, dim=1) * F.normalize(true_SF, dim=1)
    if criterion == "released":
        product_SF = torch.where(product_SF <= 0, _LEAST_PRODUCT, product_SF)
        mean_F = product_SF.log_softmax(1).mean(0)
        return -((1 - product_SF).pow(power) * mean_F).mean()
    cosine_S = product_SF.sum(1)
    if criterion == "sce":
        return (1 - cosine_S).clamp(min=0).pow(power).mean()
    return -((1 - cosine_S).clamp(min=0).pow(power) * cosine_S.clamp(min=_LEAST_COSINE).log()).mean()
